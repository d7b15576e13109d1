"""The nearest stored hashes of a query under one or many hypotheses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.index import NOTHING, Index, Neighbors, Table, sweeps
from samaf.matching.alignment import FEW_WINDOWS
from samaf.matching.calibration import log10_evalue
from samaf.matching.query_hashes import Grid

NEIGHBORS = 8  # of each window; true places bring their neighbors along
MORE_NEIGHBORS = 32  # where there are few windows: ranked by bit reliability another may be first
PADDED_HASHES = 2  # hashes of a clip that may lie beyond the ends of a recording
SLOPES_TRIED = 3  # lines offered for each group of hits, as a factor on what was compared


def search_all(
    grids: Sequence[Grid], index: Index, window_hashes: int, k: int
) -> list[tuple[Grid, Neighbors]]:
    """Search for all hypotheses, those with equally long windows in one sweep.

    Hashes that are padded at a short clip's edges may be left out of its windows, down to
    windows of two: at the ends of a recording they lie beyond it.

    Parameters
    ----------
    k
        Recordings wanted for one place: so many neighbors at least are given.

    Returns
    -------
    Each grid with its neighbors, again for windows of each other length that short recordings
    ask for.
    """
    by_window: dict[int, list[Grid]] = defaultdict(list)
    for hypothesis, query in grids:
        spare = PADDED_HASHES if hypothesis.origin < 0 else 0
        most = max(len(query) - spare, min(2, len(query)))
        by_window[min(window_hashes, most)].append((hypothesis, query))
    found: list[tuple[Grid, Neighbors]] = []
    for window, members in by_window.items():
        joined = np.concatenate([query.packed for _, query in members])
        lengths = [len(query) for _, query in members]
        for sweep in sweeps(index, window):
            hashes = sweep.window_hashes
            most = max(lengths) - hashes + 1
            few = MORE_NEIGHBORS if most <= FEW_WINDOWS else NEIGHBORS
            neighbors = sweep.search(joined, max(few, k), lengths)
            at = 0
            for grid in members:
                count = len(grid[1])
                # Windows that run over into the next hypothesis are dropped.
                rows = slice(at, at + count - hashes + 1)
                found.append((grid, Neighbors(neighbors.rows[rows], neighbors.distances[rows])))
                at += count
    return found


def shortlist(
    found: Sequence[tuple[Grid, Neighbors]],
    table: Table,
    calibration: ScoreCalibration,
    most: int,
) -> list[tuple[Grid, Neighbors]]:
    """Keep the most promising neighbors of all hypotheses, with all of the same recording.

    Parameters
    ----------
    found
        What `search_all` gives.
    most
        Neighbors to keep by their own E-value.
    """
    evalues, recordings, numbers = [], [], []
    for number, (grid, neighbors) in enumerate(found):
        hashes = len(grid[1]) - len(neighbors.rows) + 1
        ber = np.minimum(neighbors.distances / (hashes * table.bits), 1.0)
        comparisons = count_comparisons(grid, table)
        evalue = log10_evalue(ber, np.array(hashes), comparisons, calibration)
        evalues.append(np.where(neighbors.rows == NOTHING, np.inf, evalue).ravel())
        recordings.append(table.locate(np.maximum(neighbors.rows, 0).ravel())[0])
        numbers.append(np.full(neighbors.rows.size, number))
    _, recording = np.unique(np.concatenate(recordings), return_inverse=True)
    key = recording * len(found) + np.concatenate(numbers)
    best = np.argsort(np.concatenate(evalues), kind="stable")[:most]
    kept = np.split(np.isin(key, key[best]), np.cumsum([e.size for e in evalues])[:-1])
    return [
        (grid, Neighbors(np.where(keep.reshape(n.rows.shape), n.rows, NOTHING), n.distances))
        for (grid, n), keep in zip(found, kept, strict=True)
    ]


def count_comparisons(grid: Grid, table: Table) -> float:
    """Count the places that a query is compared with, over its hypothesis' share of the prior."""
    hypothesis, query = grid
    return float(table.total) * int(query.informative.sum()) * SLOPES_TRIED / hypothesis.prior
