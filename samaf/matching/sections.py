"""Long recordings, section by section: memory does not grow, and each is searched by itself.

Sections overlap, so that each short segment lies fully in one. Matches that continue from
one section to the next are joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf, log10

import numpy as np

from samaf.matching.candidates import Candidate
from samaf.matching.merging import TOUCHING_S, merge_matches
from samaf.records import Match

SECTION_SECONDS = 16.0
STEP_SECONDS = 12.0  # segments of up to 4 s lie fully in a section


def sections(samples: np.ndarray, sample_rate: int) -> list[tuple[float, float, np.ndarray]]:
    """Cut a recording into overlapping sections, views of its samples.

    Returns
    -------
    Start and length in seconds, and the samples, float32 (m,). A recording no
    longer than a section is one.
    """
    size, step = round(SECTION_SECONDS * sample_rate), round(STEP_SECONDS * sample_rate)
    starts = range(0, max(1, len(samples) - size + step), step)
    cut = [(start, samples[start : start + size]) for start in starts]
    return [(start / sample_rate, len(part) / sample_rate, part) for start, part in cut]


class Cutter:
    """Cuts a stream into the sections that `sections` cuts a recording into, as it comes."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._size = round(SECTION_SECONDS * sample_rate)
        self._step = round(STEP_SECONDS * sample_rate)
        self._start = 0
        self._kept = np.empty(0, np.float32)

    def feed(self, samples: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
        """Yield start in seconds and samples of each section that samples (n,) complete."""
        self._kept = np.concatenate([self._kept, samples])
        while len(self._kept) >= self._size:
            yield self._start / self._sample_rate, self._kept[: self._size]
            self._kept = self._kept[self._step :]
            self._start += self._step

    def finish(self) -> Iterator[tuple[float, np.ndarray]]:
        """Yield what is left, unless the last section held all of it."""
        if not self._start or len(self._kept) > self._size - self._step:
            yield self._start / self._sample_rate, self._kept


class Joiner:
    """Joins the matches of sections as they come; gives each match when it has ended.

    Parameters
    ----------
    k
        Matches to give at most for one segment.
    """

    def __init__(self, k: int) -> None:
        self._k = k
        self._open: list[Match] = []
        self._given: list[Match] = []  # in the last section

    def add(self, matches: Sequence[Match], following: float) -> list[Match]:
        """Take the matches of one section; give those that no later one can change.

        Parameters
        ----------
        matches
            In seconds of the stream.
        following
            Where the next section starts, s.
        """
        merged = merge_matches([*self._open, *matches], self._k, self._given)
        ended = [m for m in merged if m.query_stop + TOUCHING_S < following]
        self._open = [m for m in merged if m.query_stop + TOUCHING_S >= following]
        oldest = following - SECTION_SECONDS
        self._given = [m for m in [*self._given, *ended] if m.query_stop > oldest]
        return sorted(ended, key=lambda m: m.query_start)

    def finish(self) -> list[Match]:
        """Give the matches that are still open at the end of the stream."""
        return self.add([], inf)


def of_many(candidates: Sequence[Candidate], sections: float) -> list[Candidate]:
    """Give the candidates of one of so many sections with the E-values of all together."""
    more = log10(sections)
    return [
        replace(c, log10_evalue=c.log10_evalue + more, evalues=c.evalues.more(more))
        for c in candidates
    ]


def later(match: Match, seconds: float) -> Match:
    """Give a match in a query that began so much earlier."""
    return replace(
        match, query_start=match.query_start + seconds, query_stop=match.query_stop + seconds
    )
