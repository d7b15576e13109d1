"""Long recordings, section by section: memory does not grow, and each is decided by itself.

Sections overlap, so that each short segment lies whole in one. What is found is joined
again where it goes on from one section to the next.
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
STEP_SECONDS = 12.0  # segments of up to 4 s lie whole in a section


def sections(samples: np.ndarray, sample_rate: int) -> list[tuple[float, float, np.ndarray]]:
    """Cut a recording into overlapping sections, views of its samples.

    Returns
    -------
    Start and length in seconds, and the samples, float32 (m,). What is no longer than a
    section is one.
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
    """Joins what sections give as they come; each match is given when it has ended.

    Parameters
    ----------
    k
        Matches to give at most for one segment.
    """

    def __init__(self, k: int) -> None:
        self._k = k
        self._open: list[Match] = []
        self._given: list[Match] = []  # not long ago

    def add(self, matches: Sequence[Match], following: float) -> list[Match]:
        """Take what one section gave; tell what no later one can change.

        Parameters
        ----------
        matches
            In seconds of the stream.
        following
            Where the next section starts, s.
        """
        found = merge_matches([*self._open, *matches], self._k, self._given)
        ended = [m for m in found if m.query_stop + TOUCHING_S < following]
        self._open = [m for m in found if m.query_stop + TOUCHING_S >= following]
        lately = following - SECTION_SECONDS
        self._given = [m for m in [*self._given, *ended] if m.query_stop > lately]
        return sorted(ended, key=lambda m: m.query_start)

    def finish(self) -> list[Match]:
        """Tell what is still open, since the stream has ended."""
        return self.add([], inf)


def of_many(found: Sequence[Candidate], sections: float) -> list[Candidate]:
    """Give what one of so many sections found with the false candidates to expect in all."""
    return [replace(f, log10_evalue=f.log10_evalue + log10(sections)) for f in found]


def later(match: Match, seconds: float) -> Match:
    """Give a match in a query that began so much earlier."""
    return replace(
        match, query_start=match.query_start + seconds, query_stop=match.query_stop + seconds
    )
