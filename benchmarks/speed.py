"""How fast and how large: adding, asking, starting, searching, training.

    python -m benchmarks.speed [--corpus PATH] [--only NAME ...]

Prints one table a part. Figures depend on the machine and on what else runs on it; the
search part gives the physical limit beside them (`benchmarks.searching`).
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.learning import training
from benchmarks.options import friendly
from benchmarks.searching import Row, approximate, searching
from benchmarks.selection import required
from samaf.audio import load
from samaf.training.corpora import default_root, open_corpus

CLIPS = 400  # copies of validation clips that adding is timed with
QUERIES = 100


def best(action: Callable[[], object], times: int = 3) -> float:
    """Give the least of some running times, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return min(taken)


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


def adding(corpus: Path, folder: Path) -> list[Row]:
    """Time ``samaf add`` from decoding to commit, mp3 and flac, as one process each."""
    clips = [c.path for c in required(open_corpus(corpus), "speech", "validation")]
    rows = []
    for suffix, codec in (("mp3", "libmp3lame"), ("flac", "flac")):
        home = folder / suffix
        home.mkdir()
        seconds = 0.0
        for number in range(CLIPS):
            samples = np.roll(load(clips[number % len(clips)]), 16 * number)
            encoded(samples, home / f"{number:04}.{suffix}", codec)
            seconds += len(samples) / 16_000
        start, before = time.perf_counter(), processor_seconds()
        samaf("--db", str(folder / f"{suffix}.db"), "add", str(home))
        taken, used = time.perf_counter() - start, processor_seconds() - before
        size = (folder / f"{suffix}.db").stat().st_size
        rows += [
            (f"add {CLIPS} {suffix} files, whole process", f"{seconds / taken:.0f} x real time"),
            (f"the same for a second of one processor, {suffix}", f"{seconds / used:.0f} x"),
            (f"store after {suffix}", f"{size / seconds * 3600 / 1e6:.2f} MB per hour of audio"),
        ]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return [*rows, ("largest resident memory of these", f"{peak:.0f} MB")]


def asking(corpus: Path, folder: Path) -> list[Row]:
    """Time queries of 10 s against about 1,000 recordings, and start-up."""
    speech = required(open_corpus(corpus), "speech", "train", "validation")
    database = str(folder / "speech.db")
    folders = sorted({str(c.path.parent) for c in speech})
    samaf("--db", database, "add", *folders)
    clips = [str(c.path) for c in speech[:QUERIES]]
    samaf("--db", database, "query", clips[0])  # builds the index
    one = best(lambda: samaf("--db", database, "query", clips[0]))
    before = processor_seconds()
    samaf("--db", database, "query", clips[0])
    between = processor_seconds()
    many = best(lambda: samaf("--db", database, "query", *clips), 1)
    used = (processor_seconds() - between) - (between - before)
    return [
        ("samaf --help", f"{best(lambda: samaf('--help')):.2f} s"),
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


PARTS: dict[str, Callable[[Path, Path], list[Row]]] = {
    "add": adding,
    "query": asking,
    "search": searching,
    "ivf": approximate,
    "train": training,
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--corpus", type=click.Path(path_type=Path), default=default_root)
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Parts to run.")
@friendly
def main(corpus: Path, only: tuple[str, ...]) -> None:
    """Measure speed and size on this machine."""
    console = Console()
    for name in only or PARTS:
        table = Table(title=name)
        table.add_column("what")
        table.add_column("measured")
        with tempfile.TemporaryDirectory() as folder:
            for row in PARTS[name](corpus, Path(folder)):
                table.add_row(*row)
        console.print(table)


if __name__ == "__main__":
    main()
