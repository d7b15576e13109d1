"""The program as a process of its own: adding, querying, starting; and the training step."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sampling import required
from benchmarks.speed import clock
from benchmarks.tables import Line
from samaf.audio import load
from samaf.features import FeatureParameters
from samaf.training.corpora import open_corpus
from samaf.training.dataset import Dataset

CLIPS = 400  # copies of validation clips that adding is timed with
QUERIES = 100
MODELS = {"2LST256C": 256, "1LST128C": 256, "1LST128M": 16, "2LST256M": 16}  # pairs a step
MADE_CLIPS, FRAMES = 64, 1000  # of the made data that training is timed with
STEPS = 5
STANDARD = 1608  # blocks/s that PyTorch's own LSTM reached on two quiet cores in trials


def samaf(*arguments: str) -> None:
    """Run the command as a process of its own."""
    subprocess.run(
        [sys.executable, "-m", "samaf", *arguments], check=True, capture_output=True, text=True
    )


def processor_seconds() -> float:
    """Tell what all processes that were started here and have ended cost together."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def encoded(samples: np.ndarray, path: Path, codec: str, rate: int = 44_100) -> None:
    """Write samples (16 kHz) as a file of the format that the suffix names."""
    import av

    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = 16_000
        convert = av.AudioResampler(stream.format, "mono", rate, stream.frame_size or None)
        for part in (*convert.resample(frame), *convert.resample(None)):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))


def made_files(corpus: Path, home: Path, suffix: str, codec: str) -> float:
    """Write ``CLIPS`` files of validation speech, no two alike; give their seconds."""
    clips = [c.path for c in required(open_corpus(corpus), "speech", "validation")]
    home.mkdir()
    seconds = 0.0
    for number in range(CLIPS):
        samples = np.roll(load(clips[number % len(clips)]), 16 * number)
        encoded(samples, home / f"{number:04}.{suffix}", codec)
        seconds += len(samples) / 16_000
    return seconds


def adding(corpus: Path, folder: Path) -> list[Line]:
    """Time ``samaf add`` from decoding to commit, mp3 and flac, as one process each."""
    lines = []
    for suffix, codec in (("mp3", "libmp3lame"), ("flac", "flac")):
        home = folder / suffix
        seconds = made_files(corpus, home, suffix, codec)
        start, before = time.perf_counter(), processor_seconds()
        samaf("--db", str(folder / f"{suffix}.db"), "add", str(home))
        taken, used = time.perf_counter() - start, processor_seconds() - before
        size = (folder / f"{suffix}.db").stat().st_size
        lines += [
            (f"add {CLIPS} {suffix} files, whole process", f"{seconds / taken:.0f} x real time"),
            (f"the same for a second of one processor, {suffix}", f"{seconds / used:.0f} x"),
            (f"store after {suffix}", f"{size / seconds * 3600 / 1e6:.2f} MB per hour of audio"),
        ]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return [*lines, ("largest resident memory of these", f"{peak:.0f} MB")]


def querying(corpus: Path, folder: Path) -> list[Line]:
    """Time queries of 10 s against about 1,000 recordings, and start-up."""
    speech = required(open_corpus(corpus), "speech", "train", "validation")
    database = str(folder / "speech.db")
    folders = sorted({str(c.path.parent) for c in speech})
    samaf("--db", database, "add", *folders)
    clips = [str(c.path) for c in speech[:QUERIES]]
    samaf("--db", database, "query", clips[0])  # builds the index
    one = clock(lambda: samaf("--db", database, "query", clips[0]))
    before = processor_seconds()
    samaf("--db", database, "query", clips[0])
    between = processor_seconds()
    many = clock(lambda: samaf("--db", database, "query", *clips), 1)
    used = (processor_seconds() - between) - (between - before)
    return [
        ("samaf --help", f"{clock(lambda: samaf('--help')):.2f} s"),
        (f"query of one 10 s clip, {len(speech)} recordings, whole process", f"{one:.2f} s"),
        (
            f"query of {QUERIES} clips in one call",
            f"{(many - one) / (QUERIES - 1) * 1e3:.1f} ms each",
        ),
        (
            "the same in processor time, with that of starting processes",
            f"{used / (QUERIES - 1) * 1e3:.1f} ms each",
        ),
    ]


def training(_: Path, __: Path) -> list[Line]:
    """Time training steps; the drawing of batches, which runs beside them, apart.

    KERAS_BACKEND names what computes.
    """
    import keras

    from samaf.training.lstm_family import preset
    from samaf.training.models import architecture
    from samaf.training.plan import Plan
    from samaf.training.sampling import Sampling

    data = _made()
    lines = []
    for name, pairs in MODELS.items():
        kind = architecture(name)
        chosen = preset(kind)
        plan = Plan(name, "made", kind.features, 100, pairs, chosen.learning_rate, 0)
        model = plan.build(data)
        batch = data.pairs(1, 0, pairs, kind.features)
        model.train_on_batch(*batch)  # compiles
        best = clock(partial(model.train_on_batch, *batch), STEPS)
        lines.append(
            (
                f"{name}, {2 * pairs} blocks a step, {keras.backend.backend()}",
                f"{2 * pairs / best:,.0f} blocks/s",
            )
        )
    kind = architecture("2LST256C")
    drawing = clock(lambda: data.pairs(1, 1, 256, kind.features, Sampling(augmented=True)), STEPS)
    lines.append(("drawing 512 blocks again, beside the step", f"{512 / drawing:,.0f} blocks/s"))
    lines.append(("PyTorch's own LSTM, 2 x 256, in trials on two quiet cores", f"{STANDARD:,}"))
    return lines


def _made() -> Dataset:
    """Fill a dataset with random frames of as many coefficients as bands."""
    rng = np.random.default_rng(0)
    coefficients = FeatureParameters().mel_bands
    frames = rng.standard_normal((MADE_CLIPS * 2 * FRAMES, coefficients)).astype(np.float16)
    starts = (np.arange(MADE_CLIPS * 2) * FRAMES).reshape(MADE_CLIPS, 2)
    counts = np.full((MADE_CLIPS, 2), FRAMES)
    tau = np.ones((MADE_CLIPS, 2), np.float32)
    return Dataset(frames, starts, counts, tau, np.full(MADE_CLIPS, 1 / MADE_CLIPS))
