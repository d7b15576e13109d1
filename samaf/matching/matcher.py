"""What a query is matched with: an index, a calibration, and how much is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log10

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.index import HashTable, Index, Neighbors
from samaf.matching.alignment import (
    Segment,
    alignments,
    ber_along,
    follow,
    moved,
    with_refined_boundaries,
)
from samaf.matching.candidates import Candidate, evalues_of, span_of
from samaf.matching.hypotheses import Hypothesis
from samaf.matching.merging import resolve
from samaf.matching.query_hashes import Grid
from samaf.matching.search import count_comparisons, search_all
from samaf.records import Hashes, Population

LEAST_COVERED = 0.5  # share of a window that must hold something to recognise


@dataclass(frozen=True, slots=True)
class Matcher:
    """Finds the segments of a query that an index holds.

    Attributes
    ----------
    window_hashes
        Hashes that are searched for at once; fewer when the query is shorter.
    max_false_matches
        Maximum expected false matches, e.g. 1e-3 in a query.
    k
        Candidates to give at most for one segment of the query.
    population
        What a false match would be, which decides: "speech" or "prompts".
    at_any_score
        Whether to give the best candidates of those beyond ``max_false_matches`` as well.
    """

    index: Index
    calibration: ScoreCalibration
    window_hashes: int
    max_false_matches: float
    k: int
    population: Population = "speech"
    at_any_score: bool = False

    def find(self, grids: Sequence[Grid]) -> list[Candidate]:
        """Find all segments of a clip that the index holds.

        Parameters
        ----------
        grids
            The clip's hashes under each hypothesis; for a plain query as it is, on one grid,
            or three where it is short.

        Returns
        -------
        Best first; empty for a clip that is unknown or holds nothing to recognise.
        """
        grids = [(h, q) for h, q in grids if len(q) and q.informative.any()]
        if not self.index.table.total or not grids:
            return []
        neighbors = search_all(grids, self.index, self.window_hashes, self.k)
        candidates = [c for found in neighbors for c in self.candidates(*found)]
        return resolve(candidates, self.k, log10(self.max_false_matches))

    def candidates(
        self, grid: Grid, neighbors: Neighbors, comparisons: float | None = None
    ) -> Iterator[Candidate]:
        """Yield the candidates that the neighbors of a query's windows support; they may overlap.

        ``comparisons`` is the number of places that the search compared, see `log10_evalue`; by
        default those of one query.
        """
        table, calibration = self.index.table, self.calibration
        hypothesis, query = grid
        if comparisons is None:
            comparisons = count_comparisons(grid, table)
        hashes = len(query) - len(neighbors.rows) + 1
        covered = np.lib.stride_tricks.sliding_window_view(query.informative, hashes).mean(axis=1)
        for alignment in alignments(neighbors, hashes, covered >= LEAST_COVERED, table):
            segment = follow(alignment, query, table)
            if segment is None:
                continue
            evalues, weighted_evalue = evalues_of(segment, comparisons, calibration)
            most = log10(self.max_false_matches)
            if self.at_any_score or evalues.of(self.population) <= most:
                manipulation = hypothesis.manipulation
                first, stop = span_of(segment, len(query), manipulation)
                early = hypothesis.origin * manipulation.tau
                whole = moved(with_refined_boundaries(segment, query, table), hypothesis.origin)
                yield Candidate(
                    alignment.recording_index,
                    int(table.recording_ids[alignment.recording_index]),
                    whole,
                    (first + early, stop + early),
                    _inner_ber(segment, query, table, hypothesis),
                    evalues.of(self.population),
                    evalues,
                    evalues.same_text > most,
                    weighted_evalue,
                    manipulation,
                    comparisons,
                )


def _inner_ber(segment: Segment, query: Hashes, table: HashTable, hypothesis: Hypothesis) -> float:
    """Give the bit error rate over whole, informative blocks, or over all where there is none."""
    rows = np.arange(segment.first, segment.stop)
    counts = query.informative[rows]
    if hypothesis.origin < 0:
        counts = counts & (rows >= ceil(-hypothesis.origin)) & (rows < len(query) - 1)
    if counts.all() or not counts.any():
        return segment.ber
    return ber_along(segment.alignment, query, table, rows[counts])
