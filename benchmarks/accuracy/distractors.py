"""Distractors: a store many times larger, filled with hashes drawn from real ones with noise.

They are one endless recording, made of runs of eight hashes, drawn from recordings that are
not queried, and every bit of every hash is flipped with probability 1/8. So hashes that follow
each other agree as in speech, windows of 4 s and more are sequences that no recording holds,
and no run is drawn twice the same.
"""

from __future__ import annotations

import numpy as np

from benchmarks.errors import BenchmarkError
from samaf.index.table import HashTable

FACTORS = (1, 10, 100)  # times the hashes of the corpus
TRANSFORMATIONS = ("Original", "Noise0.05", "Echo", "LowPassFilter", "Speed1.05")
CLIPS = 20  # queried: every window is searched for in a hundredfold store
RUN = 8  # hashes, 2.75 s
CHUNK = 8_192  # runs made at a time: 8,192 x 8 x 32 B = 2 MB


def distractors(
    table: HashTable, queried: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw hashes that are like the stored ones and belong to no recording.

    Parameters
    ----------
    table
        The stored hashes.
    queried
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
    others = table.only(~np.isin(table.recording_ids, queried))
    starts = np.flatnonzero(others.window_starts(RUN))
    if not len(starts):
        raise BenchmarkError(
            "scale: no recording of 2.75 s is left that is not queried; "
            "leave scale out of --parts or query fewer clips"
        )
    drawn = rng.choice(starts, -(-count // RUN))
    width = table.hashes.shape[1]
    made = np.empty((len(drawn) * RUN, width), np.uint8)
    for first in range(0, len(drawn), CHUNK):
        rows = (drawn[first : first + CHUNK, None] + np.arange(RUN)).ravel()
        noise = np.bitwise_and.reduce(rng.integers(256, size=(3, len(rows), width), dtype=np.uint8))
        made[first * RUN : first * RUN + len(rows)] = table.hashes[rows] ^ noise
    return made[:count]
