"""What a query is matched with: an index, a calibration, and how many matches are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf, log10

import numpy as np

from samaf.fingerprinters import ScoreCalibration
from samaf.index import Index, Neighbors
from samaf.matching.alignment import Segment, alignments, moved
from samaf.matching.candidates import Candidate
from samaf.matching.evidence import Aligned, Judgement, judged, span_of
from samaf.matching.following import Course, follow, with_refined_boundaries
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
    places_rival
        Whether other places of an index' only recording are rivals: for clips, which are not
        expected to be there several times in versions.
    """

    index: Index
    calibration: ScoreCalibration
    window_hashes: int
    max_false_matches: float
    k: int
    population: Population = "speech"
    at_any_score: bool = False
    places_rival: bool = False

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
        return self.resolved(self.overlapping(grids))

    def overlapping(self, grids: Sequence[Grid]) -> list[Candidate]:
        """Find what `find` does, with all that covers the same place, in no order."""
        grids = [(h, q) for h, q in grids if len(q) and q.informative.any()]
        if not self.index.table.total or not grids:
            return []
        neighbors = search_all(grids, self.index, self.window_hashes, self.k)
        return self.candidates([a for found in neighbors for a in self.aligned(*found)])

    def resolved(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Keep the best of overlapping candidates, best first."""
        return resolve(candidates, self.k, log10(self.max_false_matches))

    def recordings(self, candidates: Sequence[Candidate]) -> set[int]:
        """Give the store's numbers of the recordings within the maximum of false matches."""
        most = log10(self.max_false_matches)
        return {c.recording_id for c in candidates if c.log10_evalue <= most}

    def aligned(
        self, grid: Grid, neighbors: Neighbors, comparisons: float | None = None
    ) -> Iterator[Aligned]:
        """Yield the segments that the neighbors of a query's windows support; they may overlap.

        ``comparisons`` is the number of places that the search compared, see `log10_evalue`; by
        default those of one query.
        """
        table = self.index.table
        query = grid[1]
        if comparisons is None:
            comparisons = count_comparisons(grid, table)
        hashes = len(query) - len(neighbors.rows) + 1
        covered = np.lib.stride_tricks.sliding_window_view(query.informative, hashes).mean(axis=1)
        lines = alignments(neighbors, hashes, covered >= LEAST_COVERED, table)
        for segment, course in follow(lines, query, table):
            yield Aligned(grid, segment, comparisons, course)

    def candidates(self, aligned: Sequence[Aligned]) -> list[Candidate]:
        """Give the candidates among all segments of one query, in the order of these."""
        if not aligned:
            return []
        most = inf if self.at_any_score else log10(self.max_false_matches)
        judgement = judged(
            aligned, self.index.table, self.calibration, places_rival=self.places_rival, most=most
        )
        deciding = judgement.same_text if self.population == "prompts" else judgement.other_speech
        chosen = np.flatnonzero(deciding <= most).tolist()
        return [self._candidate(aligned[n], judgement, n) for n in chosen]

    def _candidate(self, aligned: Aligned, judgement: Judgement, number: int) -> Candidate:
        hypothesis, query = aligned.grid
        segment, manipulation = aligned.segment, hypothesis.manipulation
        first, stop = span_of(segment, len(query), manipulation)
        early = hypothesis.origin * manipulation.tau
        evalues = judgement.evalues(number)
        return Candidate(
            segment.alignment.recording_index,
            self.index.table.recording_id(segment.alignment.recording_index),
            moved(with_refined_boundaries(segment, aligned.course), hypothesis.origin),
            (first + early, stop + early),
            _inner_ber(segment, aligned.course, query, hypothesis),
            evalues.of(self.population),
            evalues,
            tuple(judgement.evidence[number].tolist()),
            evalues.same_text > log10(self.max_false_matches),
            float(judgement.weighted[number]),
            manipulation,
            aligned.comparisons,
        )


def _inner_ber(segment: Segment, course: Course, query: Hashes, hypothesis: Hypothesis) -> float:
    """Give the bit error rate over whole, informative blocks, or over all where there is none."""
    rows = np.arange(segment.first, segment.stop)
    counts = query.informative[rows]
    if hypothesis.origin < 0:
        counts = counts & (rows >= ceil(-hypothesis.origin)) & (rows < len(query) - 1)
    if counts.all() or not counts.any():
        return segment.ber
    return float(course.of(rows[counts]).mean())
