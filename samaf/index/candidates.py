"""Candidates in large stores: cells propose, votes choose, exact sums decide.

Each stored hash lies in the cell of the codebook's nearest centre. A hash of the query is looked
for in the cells nearest to it, and each row there votes for its diagonal: the row at which
the query would start. A true place collects a vote from most hashes of the query, a false
one seldom two, so the diagonals with most votes are compared hash by hash. The nearest rows of
each hash alone would not do: among 10^9 hashes of speech thousands are nearer than the true one.

Lists of rows lie on this machine (``ivf``) or in a database (``samaf.index.cluster``); everything
else is the same for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, factorial
from typing import Protocol

import numpy as np

from samaf.index.neighbors import NOTHING, Neighbors, nothing

PIECE_HASHES = 64  # of a long query whose votes are counted together: 16 s, a bit for each
ROWS_AT_ONCE = 1 << 18  # compared: 8 MB
# Cells looked into for each hash of a piece of so many hashes: short pieces have few votes.
PROBES = ((24, 8), (0, 32))
DIAGONALS = 1_500  # compared at most
COMPARED_HASHES = 15_000  # of a piece, along all its diagonals
MANY = 30_000_000  # hashes of a store whose pieces need more: twice the cells, and
MORE = 3  # times the diagonals
CROWDED = 1.25  # times more rows than in the average cell are in those that hashes look into
BEYOND = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is looked at for one piece of a query.

    Attributes
    ----------
    probes
        Cells that each of its hashes is looked for in.
    diagonals
        Diagonals with most votes that are compared.
    votes
        Votes that a diagonal needs to be counted among them.
    """

    probes: int
    diagonals: int
    votes: int = 1


def effort(total: int, pieces: Sequence[Piece], cells: int) -> Effort:
    """Choose how much to look at, for the recall that ``docs/cluster.md`` states.

    Parameters
    ----------
    total
        Stored hashes.
    pieces
        That are searched for together: the shortest decides.
    cells
        Of the codebook.
    """
    hashes = min(piece.stop - piece.first for piece in pieces)
    probes = next(probes for least, probes in PROBES if hashes >= least)
    diagonals = min(DIAGONALS, COMPARED_HASHES // hashes)
    if total >= MANY:
        probes, diagonals = 2 * probes, MORE * diagonals
    return Effort(probes, diagonals, _votes(total, hashes * probes / cells, diagonals))


def _votes(total: int, share: float, diagonals: int) -> int:
    """Give the votes that enough diagonals have by chance: those with fewer need no sorting.

    The votes of a false diagonal follow Poisson's distribution: each hash of a piece gives it one
    if the row there is in one of the cells that the hash looks into.

    Parameters
    ----------
    share
        Sum, over the hashes, of the share of all cells that each looks into.
    diagonals
        That are to be compared.
    """
    mean, votes = CROWDED * share, 1
    while total * exp(-mean) * mean ** (votes + 1) / factorial(votes + 1) >= diagonals:
        votes += 1
    return votes


@dataclass(frozen=True, slots=True)
class Piece:
    """The hashes of a query from ``first`` to ``stop``, which are searched for together."""

    first: int
    stop: int


class Stored(Protocol):
    """Reads stored hashes, wherever they lie."""

    def __call__(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give hashes uint8 (k, bytes) and recordings int64 (k,) of rows int64 (k,).

        The recording is ``NOTHING`` where there is no such row.
        """
        ...


def pieces_of(lengths: Sequence[int], hashes: int) -> list[Piece]:
    """Cut a query into pieces of at most `PIECE_HASHES`; each window of ``hashes`` is in one.

    ``lengths`` are those of the parts that the query was joined from; no piece has hashes of two,
    and those of one are about as long as each other.
    """
    cut: list[Piece] = []
    start = 0
    for length in lengths:
        windows, most = length - hashes + 1, PIECE_HASHES - hashes + 1
        count = -(-max(0, windows) // most)
        bounds = [start + windows * piece // count for piece in range(count)] + [start + windows]
        cut += [Piece(a, b + hashes - 1) for a, b in pairwise(bounds)]
        start += length
    return cut


def count_votes(rows: np.ndarray, steps: np.ndarray, piece: Piece, looked: Effort) -> np.ndarray:
    """Choose the diagonals with most votes, int64 (d,), ascending.

    Parameters
    ----------
    rows, steps
        int64 (n,): rows in the probed cells, and the hash of the query that each was found for.
    """
    starts = np.sort(rows - (steps - piece.first))
    if not len(starts):
        return starts
    first = np.flatnonzero(np.diff(starts, prepend=starts[0] - 1))
    votes = np.diff(first, append=len(starts))
    enough = votes >= looked.votes
    return most_votes(starts[first[enough]], votes[enough], looked.diagonals)


def most_votes(diagonals: np.ndarray, votes: np.ndarray, most: int) -> np.ndarray:
    """Keep the diagonals with most votes, of equal ones the smaller; int64 (d,), ascending."""
    order = np.lexsort((diagonals, -votes.astype(np.int64)))[:most]
    return np.sort(diagonals[order])


def nearest(
    query: np.ndarray,
    hashes: int,
    k: int,
    pieces: Sequence[Piece],
    diagonals: Sequence[np.ndarray],
    stored: Stored,
) -> Neighbors:
    """Compare the windows of a query along diagonals; see ``Index.search``.

    Parameters
    ----------
    diagonals
        For each piece the rows at which it would start, int64 (d,), ascending.
    """
    answer = nothing(max(0, len(query) - hashes + 1), k)
    tasks = [
        (piece, starts, starts[:, None] + np.arange(piece.stop - piece.first))
        for piece, starts in zip(pieces, diagonals, strict=True)
        if len(starts)
    ]
    while tasks:
        sizes = np.cumsum([rows.size for _, _, rows in tasks])
        count = max(1, int(np.searchsorted(sizes, ROWS_AT_ONCE, "right")))
        codes, recording = stored(np.concatenate([r.ravel() for _, _, r in tasks[:count]]))
        at = 0
        for piece, starts, rows in tasks[:count]:
            own = slice(at, at + rows.size)
            at += rows.size
            part = _along(
                query[piece.first : piece.stop],
                hashes,
                k,
                starts,
                codes[own].reshape(*rows.shape, -1),
                recording[own].reshape(rows.shape),
            )
            windows = slice(piece.first, piece.stop - hashes + 1)
            answer.rows[windows], answer.distances[windows] = part.rows, part.distances
        tasks = tasks[count:]
    return answer


def _along(
    query: np.ndarray,
    hashes: int,
    k: int,
    diagonals: np.ndarray,
    codes: np.ndarray,
    recording: np.ndarray,
) -> Neighbors:
    """Give the k nearest windows on some diagonals, ascending: equal distances go by row."""
    word = np.uint64 if query.shape[1] % 8 == 0 else np.uint8
    differing = np.bitwise_count(codes.view(word) ^ np.ascontiguousarray(query).view(word))
    running = np.zeros((len(diagonals), len(query) + 1), np.int64)
    np.cumsum(differing.sum(axis=2, dtype=np.int64), axis=1, out=running[:, 1:])
    sums = running[:, hashes:] - running[:, :-hashes]
    # Rows of a recording follow each other, so one that holds both ends holds the window.
    ends = recording[:, hashes - 1 :]
    fits = (ends != NOTHING) & (ends == recording[:, : ends.shape[1]])
    # One number for distance and diagonal: equal distances go by row.
    keys = np.where(fits, sums, BEYOND).T * len(diagonals) + np.arange(len(diagonals))
    best = np.sort(np.partition(keys, min(k, len(diagonals)) - 1, axis=1)[:, :k], axis=1)
    distances, which = np.divmod(best, len(diagonals))
    rows = diagonals[which] + np.arange(len(best))[:, None]
    known = distances < BEYOND
    answer = nothing(len(best), k)
    answer.rows[:, : best.shape[1]][known] = rows[known]
    answer.distances[:, : best.shape[1]][known] = distances[known]
    return answer
