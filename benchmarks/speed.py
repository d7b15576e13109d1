"""How fast and how large: adding, asking, starting, searching.

    python -m benchmarks.speed [--corpus PATH] [--only NAME ...]

Prints one table a part. Figures depend on the machine and on what else runs on it; the
search part gives the physical limit beside them.
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

from samaf.audio import load
from samaf.index import ExactIndex, FlatIndex, HashTable
from samaf.training.corpora import default_root, open_corpus

Row = tuple[str, str]
BYTES = 32  # of a hash of 256 bits
PER_RECORDING = 37  # hashes of 10 s
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
    clips = [c.path for c in open_corpus(corpus).select("speech", "validation")]
    rows = []
    for suffix, codec in (("mp3", "libmp3lame"), ("flac", "flac")):
        home = folder / suffix
        home.mkdir()
        seconds = 0.0
        for number in range(CLIPS):
            samples = np.roll(load(clips[number % len(clips)]), 16 * number)
            encoded(samples, home / f"{number:04}.{suffix}", codec)
            seconds += len(samples) / 16_000
        start = time.perf_counter()
        samaf("--db", str(folder / f"{suffix}.db"), "add", str(home))
        taken = time.perf_counter() - start
        size = (folder / f"{suffix}.db").stat().st_size
        rows += [
            (f"add {CLIPS} {suffix} files, whole process", f"{seconds / taken:.0f} x real time"),
            (f"store after {suffix}", f"{size / seconds * 3600 / 1e6:.2f} MB per hour of audio"),
        ]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return [*rows, ("largest resident memory of these", f"{peak:.0f} MB")]


def asking(corpus: Path, folder: Path) -> list[Row]:
    """Time queries of 10 s against about 1,000 recordings, and start-up."""
    speech = open_corpus(corpus).select("speech", "train", "validation")
    database = str(folder / "speech.db")
    folders = sorted({str(c.path.parent) for c in speech})
    samaf("--db", database, "add", *folders)
    clips = [str(c.path) for c in speech[:QUERIES]]
    samaf("--db", database, "query", clips[0])  # builds the index
    one = best(lambda: samaf("--db", database, "query", clips[0]))
    many = best(lambda: samaf("--db", database, "query", *clips), 1)
    return [
        ("samaf --help", f"{best(lambda: samaf('--help')):.2f} s"),
        (f"query of one 10 s clip, {len(speech)} recordings, whole process", f"{one:.2f} s"),
        (
            f"query of {QUERIES} clips in one call",
            f"{(many - one) / (QUERIES - 1) * 1e3:.1f} ms each",
        ),
    ]


def searching(_: Path, folder: Path) -> list[Row]:
    """Time the engines alone over random hashes, and the machine's own limits."""
    rng = np.random.default_rng(0)
    rows = []
    for recordings in (1_000, 10_000, 100_000):
        count = recordings * PER_RECORDING
        path = folder / f"{recordings}.bin"
        path.write_bytes(rng.bytes(count * BYTES))
        starts = np.arange(recordings) * PER_RECORDING
        start = time.perf_counter()
        table = HashTable(
            np.memmap(path, np.uint8, "r", shape=(count, BYTES)),
            np.arange(recordings),
            starts,
            np.full(recordings, PER_RECORDING),
        )
        loading = time.perf_counter() - start
        exact = ExactIndex(table)
        query = table.hashes[:PER_RECORDING] ^ np.packbits(
            rng.random((PER_RECORDING, 8 * BYTES)) < 0.2, axis=1
        )
        whole = best(lambda e=exact, q=query: e.search(q, 9, 8))  # type: ignore[misc]
        rows.append(
            (
                f"{recordings:,} recordings of 10 s ({count * BYTES / 1e6:.1f} MB)",
                f"open {1e3 * loading:.1f} ms, search of a 10 s clip at 3 s {1e3 * whole:.0f} ms",
            )
        )
    two_million = HashTable(
        np.frombuffer(rng.bytes(2_000_000 * BYTES), np.uint8).reshape(-1, BYTES),
        np.arange(2_000),
        np.arange(2_000) * 1_000,
        np.full(2_000, 1_000),
    )
    for hashes in (1, 5, 21):
        exact, flat = ExactIndex(two_million), FlatIndex(two_million)
        query = two_million.hashes[500 : 500 + hashes]
        flat.search(query, hashes, 1)  # builds it
        ours = best(lambda e=exact, q=query, h=hashes: e.search(q, h, 1))  # type: ignore[misc]
        theirs = best(lambda f=flat, q=query, h=hashes: f.search(q, h, 1))  # type: ignore[misc]
        rows.append(
            (
                f"2 million hashes, one query of {hashes}",
                f"exact {1e3 * ours:.1f} ms, IndexBinaryFlat {1e3 * theirs:.1f} ms",
            )
        )
        del flat
    words = two_million.words
    reading = best(lambda: np.bitwise_or.reduce(words.ravel()))
    counting = best(lambda: np.bitwise_count(words.ravel()))
    size = words.nbytes / 1e9
    rows.append(("limit: memory read by one core", f"{size / reading:.1f} GB/s"))
    rows.append(("limit: popcount by one core", f"{words.size / counting / 1e9:.2f} G words/s"))
    return rows


PARTS: dict[str, Callable[[Path, Path], list[Row]]] = {
    "add": adding,
    "query": asking,
    "search": searching,
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--corpus", type=click.Path(path_type=Path), default=default_root)
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Parts to run.")
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
