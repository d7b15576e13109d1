"""The exact index compiled with numba (the extra ``fast``): same answers, less work.

A tile of reference rows is stored word by word, so that eight distances are counted at a
time (AVX-512: one ``vpopcntq`` for 512 bits). Query hashes pass over it one after the other;
the sum along each diagonal gains the distance that enters the window and loses the one that
leaves. Tile, distances and sums stay in the caches: a reference byte is read from memory once.

Pruning is exact. The distances of every n-th hash of a window alone are a lower bound; where
it exceeds the k-th best so far all over a tile, the other distances are never computed.

Importing this module compiles it, or loads what was compiled before (see ``exact``).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from samaf.index.neighbors import Neighbors, nothing

TILE_ROWS = 768  # x 32 B = 24 KB, leaves room in a first-level cache of 32 KB
CHUNK_PAIRS = 2_000_000  # of hashes, handed to a thread at once: about half a millisecond
FEW = 2  # query hashes up to which laying out a tile costs more than it saves
BEYOND = 65_535  # stands where no window starts
DEVIATIONS = 6.0  # standard deviations below the mean at which a bound is taken to prune


@intrinsic
def ones(_context: Any, word: Any) -> Any:
    """Count the bits that are set in a uint64."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return word(word), generate


@njit(nogil=True)
def _lay_out(rows: Any, tile: Any) -> None:
    """Turn rows of words into words of rows."""
    if rows.shape[1] == 4:
        # Four names for four rows: with tile[i, row] the compiler finds no vector form.
        a, b, c, d = tile[0], tile[1], tile[2], tile[3]
        for row in range(len(rows)):
            a[row] = rows[row, 0]
            b[row] = rows[row, 1]
            c[row] = rows[row, 2]
            d[row] = rows[row, 3]
    else:
        for word in range(rows.shape[1]):
            line = tile[word]
            for row in range(len(rows)):
                line[row] = rows[row, word]


@njit(nogil=True)
def _distances(query: Any, tile: Any, out: Any) -> None:
    """Compare one query hash with the hashes of a tile stored so."""
    if len(query) == 4:
        q0, q1, q2, q3 = query[0], query[1], query[2], query[3]
        a, b, c, d = tile[0], tile[1], tile[2], tile[3]
        for row in range(len(out)):
            out[row] = np.uint16(
                ones(q0 ^ a[row]) + ones(q1 ^ b[row]) + ones(q2 ^ c[row]) + ones(q3 ^ d[row])
            )
    else:
        out[:] = 0
        for word in range(len(query)):
            queried, line = query[word], tile[word]
            for row in range(len(out)):
                out[row] += np.uint16(ones(queried ^ line[row]))


@njit(nogil=True)
def _distances_of_rows(query: Any, rows: Any, out: Any) -> None:
    """Compare one query hash with hashes as they are stored."""
    if len(query) == 4:
        q0, q1, q2, q3 = query[0], query[1], query[2], query[3]
        for row in range(len(out)):
            out[row] = np.uint16(
                ones(q0 ^ rows[row, 0])
                + ones(q1 ^ rows[row, 1])
                + ones(q2 ^ rows[row, 2])
                + ones(q3 ^ rows[row, 3])
            )
    else:
        for row in range(len(out)):
            total = np.uint64(0)
            for word in range(len(query)):
                total += ones(query[word] ^ rows[row, word])
            out[row] = np.uint16(total)


@njit(nogil=True)
def _bar(valid: Any, barred: Any) -> None:
    """Put 0 where a window may start and BEYOND, which is -1 in 16 bits, elsewhere."""
    for row in range(len(barred)):
        barred[row] = np.uint16(valid[row]) - np.uint16(1)


@njit(nogil=True)
def _gain(sums: Any, distances: Any) -> None:
    for row in range(len(sums)):
        sums[row] += distances[row]


@njit(nogil=True)
def _lose(sums: Any, distances: Any) -> None:
    for row in range(len(sums)):
        sums[row] -= distances[row]


@njit(nogil=True)
def _least(sums: Any, barred: Any) -> Any:
    """Give the least sum at which a window starts; 16-bit throughout, so 32 at a time."""
    least = np.uint16(BEYOND)
    for row in range(len(barred)):
        distance = np.uint16(sums[row] | barred[row])
        least = distance if distance < least else least
    return least


@njit(nogil=True)
def _keep(sums: Any, barred: Any, first_row: Any, limit: Any, rows: Any, distances: Any) -> None:
    """Insert what belongs to the k nearest; of equal distances the smaller row stands first."""
    for row in range(len(barred)):
        distance = np.int64(sums[row] | barred[row])
        if distance <= limit and distance < distances[-1]:
            at = len(distances) - 1
            while at and distances[at - 1] > distance:
                distances[at], rows[at] = distances[at - 1], rows[at - 1]
                at -= 1
            distances[at], rows[at] = distance, first_row + row


@njit(nogil=True)
def _limit(window: Any, limits: Any, distances: Any) -> Any:
    """Give the greatest distance that still changes the answer of this thread."""
    return min(limits[window], distances[window, -1] - 1, BEYOND - 1)


@njit(nogil=True)
def _slide(
    query: Any,
    stored: Any,
    tile: Any,
    barred: Any,
    first_row: Any,
    hashes: Any,
    step: Any,
    state: Any,
) -> Any:
    """Pass all query hashes over one tile.

    With ``step`` 1 the sums are complete and the nearest are kept. With a greater one only
    every ``step``-th query hash is compared, and the answer is whether any window may be near.
    """
    limits, ring, diagonals, rows, distances = state
    windows, starts, slots = len(query) - hashes + 1, len(barred), hashes + 1
    width = starts + hashes - 1
    for entering in range(len(query)):
        new = ring[entering % slots, :width]
        if entering % step == 0:
            if len(query) <= FEW:
                _distances_of_rows(query[entering], stored, new)
            else:
                _distances(query[entering], tile, new)
        window = entering - hashes + 1
        if window < 0:
            continue
        if hashes == 1:
            sums = new
        else:
            # One buffer, one step down for each window: a diagonal keeps its place.
            sums = diagonals[windows - 1 - window :][:starts]
            if window == 0:
                sums[:] = 0
                for offset in range(0, hashes, step):
                    _gain(sums[1:], ring[offset, offset + 1 : width])
            else:
                if entering % step == 0:
                    _gain(sums[1:], new[hashes:])
                if (window - 1) % step == 0:
                    _lose(sums[1:], ring[(window - 1) % slots])
            # The first diagonal comes from outside the tile: add it up again.
            total = 0
            for offset in range(-window % step, hashes, step):
                total += ring[(window + offset) % slots, offset]
            sums[0] = np.uint16(total)
        limit = _limit(window, limits, distances)
        if _least(sums, barred) <= limit:
            if step > 1:
                return True
            _keep(sums, barred, first_row, limit, rows[window], distances[window])
    return False


@njit(nogil=True)
def _step(bits: Any, hashes: Any, limits: Any, distances: Any) -> Any:
    """Choose how few distances can be expected to prove that a tile holds nothing."""
    worst = 0
    for window in range(len(limits)):
        worst = max(worst, _limit(window, limits, distances))
    for step in range(hashes, 1, -1):
        compared = (hashes // step) * bits
        if compared - DEVIATIONS * np.sqrt(compared) > 2 * worst:
            return step
    return 1


_WORDS = types.Array(types.uint64, 2, "C", readonly=True)
_NUMBERS = types.int64[:, ::1]


@njit(
    types.void(
        _WORDS,
        types.Array(types.uint8, 1, "C", readonly=True),
        _WORDS,
        types.int64,
        types.int64,
        types.int64,
        types.int64[::1],
        _NUMBERS,
        _NUMBERS,
    ),
    nogil=True,
    cache=True,
)
def sweep(
    words: Any,
    valid: Any,
    query: Any,
    hashes: Any,
    first: Any,
    stop: Any,
    limits: Any,
    rows: Any,
    distances: Any,
) -> None:
    """Merge the windows that start in rows ``first`` to ``stop`` into the nearest so far.

    Parameters
    ----------
    words, query
        uint64 (n, bits / 64) and (m, bits / 64).
    valid
        uint8 (n,): 1 where a window may start, else 0.
    limits
        int64 (windows,): greater distances need not be exact.
    rows, distances
        int64 (windows, k): as in ``Neighbors``, changed in place. Rows that are already in
        it must come before ``first``.
    """
    longest = TILE_ROWS + hashes - 1
    tile = np.empty((words.shape[1], longest), np.uint64)
    ring = np.zeros((hashes + 1, longest), np.uint16)
    diagonals = np.zeros(TILE_ROWS + len(query) - hashes, np.uint16)
    barred = np.empty(TILE_ROWS, np.uint16)
    state = limits, ring, diagonals, rows, distances
    step = _step(64 * words.shape[1], hashes, limits, distances)
    for begin in range(first, stop, TILE_ROWS):
        starts = min(TILE_ROWS, stop - begin)
        stored = words[begin : begin + starts + hashes - 1]
        shut = barred[:starts]
        _bar(valid[begin : begin + starts], shut)
        if len(query) > FEW:
            _lay_out(stored, tile)
        pace = step
        while _slide(query, stored, tile, shut, begin, hashes, pace, state):
            pace = 1  # the bound left something open


def nearest(
    words: np.ndarray, valid: np.ndarray, query: np.ndarray, hashes: int, k: int
) -> Neighbors:
    """Search with as many threads as there are processors, if there is enough to do.

    Parameters
    ----------
    words, query
        uint64 (n, bits / 64) and (m, bits / 64), m >= hashes.
    valid
        bool (n,): where a window of ``hashes`` hashes may start.
    """
    windows = len(query) - hashes + 1
    stop = len(words) - hashes + 1
    threads = len(os.sched_getaffinity(0))
    rows_each = max(TILE_ROWS, min(CHUNK_PAIRS // len(query), -(-stop // threads)))
    chunks = -(-stop // rows_each)
    turns = count()
    workers = max(1, min(threads, chunks))
    answers = [nothing(windows, k) for _ in range(workers)]

    def work(answer: Neighbors) -> None:
        while (chunk := next(turns)) < chunks:
            # Any thread's k-th best bounds the answer; ties within one are decided by the row.
            limits = np.min([a.distances[:, -1] for a in answers], axis=0)
            first = chunk * rows_each
            last = min(first + rows_each, stop)
            sweep(
                words,
                valid.view(np.uint8),
                query,
                hashes,
                first,
                last,
                limits,
                answer.rows,
                answer.distances,
            )

    if workers == 1:
        work(answers[0])
        return answers[0]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, answers))
    rows = np.concatenate([a.rows for a in answers], axis=1)
    distances = np.concatenate([a.distances for a in answers], axis=1)
    order = np.lexsort((rows, distances))[:, :k]
    return Neighbors(np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1))
