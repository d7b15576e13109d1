"""A store many times larger: further hashes drawn from real ones with a new noise.

The crowd is one endless recording. It is made of stretches of eight hashes in a row, drawn
from recordings that are not asked about, and every bit of every hash is turned with
probability 1/8. So hashes that follow each other agree as in speech, windows of 4 s and
more are sequences that no recording holds, and no stretch is drawn twice the same.
"""

from __future__ import annotations

import numpy as np

from benchmarks.errors import BenchmarkError
from samaf.index.table import HashTable

FACTORS = (1, 10, 100)  # times the hashes of the corpus
ROWS = ("Original", "Noise0.05", "Echo", "LowPassFilter", "Speed1.05")
CLIPS = 20  # asked about: every window is looked for in a hundredfold store
STRETCH = 8  # hashes, 2.75 s
CHUNK = 8_192  # stretches made at a time: 8,192 x 8 x 32 B = 2 MB


def crowd(table: HashTable, asked: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw hashes that sound like the stored ones and belong to nobody.

    Parameters
    ----------
    table
        The stored hashes.
    asked
        int (a,): recordings that nothing is drawn from.
    count
        Hashes wanted.

    Returns
    -------
    uint8 (count, bytes)

    Raises
    ------
    BenchmarkError
        No other recording is long enough.
    """
    others = ~np.isin(table.recording_ids, asked)
    starts = np.flatnonzero(
        HashTable(
            table.hashes, table.recording_ids[others], table.starts[others], table.counts[others]
        ).window_starts(STRETCH)
    )
    if not len(starts):
        raise BenchmarkError(
            "scale: no recording of 2.75 s is left that is not asked about; "
            "leave scale out of --parts or ask about fewer clips"
        )
    drawn = rng.choice(starts, -(-count // STRETCH))
    width = table.hashes.shape[1]
    made = np.empty((len(drawn) * STRETCH, width), np.uint8)
    for first in range(0, len(drawn), CHUNK):
        rows = (drawn[first : first + CHUNK, None] + np.arange(STRETCH)).ravel()
        noise = np.bitwise_and.reduce(rng.integers(256, size=(3, len(rows), width), dtype=np.uint8))
        made[first * STRETCH : first * STRETCH + len(rows)] = table.hashes[rows] ^ noise
    return made[:count]
