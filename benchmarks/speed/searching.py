"""The indexes alone: times, the machine's own limits, and recall where it is not all.

CPU time stands first: other programs on the machine lengthen it far less than the clock's.
Each figure is the best of several.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.speed import timed
from benchmarks.tables import Line
from samaf.index import ExactIndex, FlatIndex, HashTable, Index

BYTES = 32  # of a hash of 256 bits
WORDS = BYTES // 8
CLIP = 37  # hashes of 10 s
FLIPPED = 0.1  # share of bits flipped in a clip that the store holds
MILLION = 1_000_000
LARGE = 10 * MILLION
CLIPS = 20  # queried in a large store
NOISES = (0.1, 0.2, 0.3)
L1_WORDS = 1_024  # 8 KB


def searching(_: Path, folder: Path) -> list[Line]:
    """Time the exhaustive indexes over random hashes, beside the machine's limits."""
    rng = np.random.default_rng(0)
    reading, counting = limits(rng)
    lines = [
        ("limit: memory read by one core", f"{reading / 1e9:.1f} GB/s"),
        ("limit: XOR and popcount by one core", f"{counting / 1e9:.2f} G words/s"),
    ]
    for recordings in (1_000, 10_000, 100_000):
        path = folder / f"{recordings}.bin"
        path.write_bytes(rng.bytes(recordings * CLIP * BYTES))
        table = _cut(np.memmap(path, np.uint8, "r", shape=(recordings * CLIP, BYTES)), CLIP)
        query = _flipped(table.hashes[:CLIP], 0.2, rng)
        for backend in ("numpy", "compiled"):
            cpu, clock = timed(lambda t=table, f=backend, q=query: ExactIndex(t, f).search(q, 9, 8))  # type: ignore[misc]
            lines.append(
                (
                    f"{recordings:,} recordings of 10 s, a clip of 10 s at 3 s, {backend}",
                    f"{1e3 * cpu:.1f} ms CPU, {1e3 * clock:.1f} ms",
                )
            )
    table = _cut(np.frombuffer(rng.bytes(2 * MILLION * BYTES), np.uint8).reshape(-1, BYTES), 1_000)
    size = len(table.hashes)
    for hashes in (1, 5, 21):
        flat = FlatIndex(table)
        for length in (hashes, CLIP):
            known = _flipped(table.hashes[-800:][:length], FLIPPED, rng)
            unknown = rng.integers(0, 256, (length, BYTES), np.uint8)
            flat.search(unknown, hashes, 1)  # builds it
            theirs = timed(lambda q=unknown, f=flat, h=hashes: f.search(q, h, 1), 3)  # type: ignore[misc]
            memory = 1e3 * table.hashes.nbytes / reading
            popcounts = 1e3 * length * size * WORDS / counting
            cases: list[tuple[str, Index, np.ndarray]] = [
                ("NumPy", ExactIndex(table, "numpy"), unknown),
                ("compiled", ExactIndex(table, "compiled"), unknown),
                ("compiled, match", ExactIndex(table, "compiled"), known),
            ]
            for name, index, query in cases:
                index.search(query, hashes, 1)  # finds where windows may start
                cpu, clock = timed(lambda i=index, q=query, h=hashes: i.search(q, h, 1))  # type: ignore[misc]
                lines.append(
                    (
                        f"2 million hashes, {length} queried, windows of {hashes}: {name}",
                        f"{1e3 * cpu:.1f} ms CPU, {1e3 * clock:.1f} ms; limits {memory:.1f} ms "
                        f"memory, {popcounts:.1f} ms popcount: "
                        f"{max(memory, popcounts) / (1e3 * cpu):.0%}; IndexBinaryFlat "
                        f"{1e3 * theirs[0]:.1f} ms CPU, {1e3 * theirs[1]:.1f} ms: "
                        f"{theirs[0] / cpu:.1f} x CPU, {theirs[1] / clock:.1f} x clock",
                    )
                )
    return lines


def limits(rng: np.random.Generator) -> tuple[float, float]:
    """Measure bytes a second read from memory, and words a second compared in the cache."""
    far = rng.integers(0, 2**63, 16 * MILLION, np.uint64)
    near = far[:L1_WORDS].copy()
    reading = timed(lambda: np.bitwise_or.reduce(far))[0]
    count = counter()
    count(near, 1)
    rounds = 20_000
    counting = timed(lambda: count(near, rounds))[0]
    return far.nbytes / reading, rounds * len(near) / counting


def counter() -> Callable[[np.ndarray, int], int]:
    """Compile a loop that does nothing but XOR, count and add."""
    from numba import njit

    from samaf.index.compiled import ones

    @njit
    def count(words: np.ndarray, rounds: int) -> int:
        total = np.uint64(0)
        for turn in range(rounds):
            own = np.uint64(turn)
            for i in range(len(words)):  # over words itself it would not be vectorised
                total += ones(words[i] ^ own)
        return total  # type: ignore[return-value]

    return count


def _cut(hashes: np.ndarray, each: int) -> HashTable:
    """Make recordings of so many hashes each."""
    count = len(hashes) // each
    starts = np.arange(count) * each
    return HashTable(hashes, np.arange(count), starts, np.full(count, each))


def _flipped(hashes: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Flip a share of the bits."""
    return hashes ^ np.packbits(rng.random((len(hashes), 8 * BYTES)) < share, axis=1)
