"""The nearest stored hashes of a query under one or many hypotheses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.index import NOTHING, HashTable, Index, Neighbors
from samaf.matching.alignment import FEW_WINDOWS
from samaf.matching.calibration import log10_evalue
from samaf.matching.query_hashes import Grid
from samaf.records import Hashes

NEIGHBORS = 8  # of each window; true places bring their neighbors along
MORE_NEIGHBORS = 32  # where there are few windows: ranked by bit reliability another may be first
PADDED_HASHES = 2  # hashes of a clip that may lie beyond the ends of a recording
SLOPES_TRIED = 3  # lines offered for each group of hits, as a factor on what was compared


def search_all(tried: Sequence[Grid], index: Index, window_hashes: int) -> list[Neighbors]:
    """Search for all hypotheses, those with equally long windows in one sweep.

    Hashes that hang over a short clip's ends may be left out of its windows, down to windows
    of two: at the ends of a recording they lie beyond it.
    """
    by_window: dict[int, list[int]] = defaultdict(list)
    for number, (hypothesis, query) in enumerate(tried):
        spare = PADDED_HASHES if hypothesis.origin < 0 else 0
        most = max(len(query) - spare, min(2, len(query)))
        by_window[min(window_hashes, most)].append(number)
    answers: dict[int, Neighbors] = {}
    for hashes, numbers in by_window.items():
        joined = np.concatenate([tried[n][1].packed for n in numbers])
        most = max(len(tried[n][1]) for n in numbers) - hashes + 1
        k = MORE_NEIGHBORS if most <= FEW_WINDOWS else NEIGHBORS
        neighbors = index.search(joined, hashes, k)
        at = 0
        for n in numbers:
            count = len(tried[n][1])
            # Windows that run over into the next hypothesis are dropped.
            own = slice(at, at + count - hashes + 1)
            answers[n] = Neighbors(neighbors.rows[own], neighbors.distances[own])
            at += count
    return [answers[n] for n in range(len(tried))]


def shortlist(
    tried: Sequence[Grid],
    near: Sequence[Neighbors],
    comparisons: Sequence[float],
    table: HashTable,
    calibration: ScoreCalibration,
    most: int,
) -> list[Neighbors]:
    """Keep the most promising neighbors of all hypotheses, with all of the same recording.

    Parameters
    ----------
    comparisons
        Places tried, by hypothesis.
    most
        Neighbors to keep by their own E-value.
    """
    chances, keys = [], []
    for number, ((_, query), neighbors) in enumerate(zip(tried, near, strict=True)):
        hashes = len(query) - len(neighbors.rows) + 1
        rates = np.minimum(neighbors.distances / (hashes * table.bits), 1.0)
        chance = log10_evalue(rates, np.array(hashes), comparisons[number], calibration)
        chances.append(np.where(neighbors.rows == NOTHING, np.inf, chance).ravel())
        recording = table.locate(np.maximum(neighbors.rows, 0).ravel())[0]
        keys.append(number * len(table.counts) + recording)
    weighted_log10_evalue, key = np.concatenate(chances), np.concatenate(keys)
    best = np.argsort(weighted_log10_evalue, kind="stable")[:most]
    kept = np.isin(key, key[best])
    ends = np.cumsum([c.size for c in chances])[:-1]
    return [
        Neighbors(np.where(keep.reshape(n.rows.shape), n.rows, NOTHING), n.distances)
        for n, keep in zip(near, np.split(kept, ends), strict=True)
    ]


def count_comparisons(query: Hashes, table: HashTable) -> float:
    """Count the places of the store that a query is compared with."""
    return float(table.total) * int(query.informative.sum()) * SLOPES_TRIED
