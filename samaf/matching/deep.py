"""A search that undoes manipulations: hash a clip under many hypotheses at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from samaf.fingerprinters import Fingerprinter
from samaf.matching.calibration import for_deep
from samaf.matching.candidates import Candidate
from samaf.matching.estimate import estimate
from samaf.matching.hypotheses import deep
from samaf.matching.matcher import Matcher
from samaf.matching.query_hashes import Grid, hash_under
from samaf.matching.search import search_all, shortlist
from samaf.matching.unaltered import as_it_is, fitted, laid
from samaf.records import IDENTITY

DECISIVE = -6.0  # log10 E-value from which no further hypothesis is tried
COVERING = 0.8  # share of the clip that decisive candidates must cover
UNALTERED_BER = 0.03  # of the clip as it is, below which no manipulation is looked for
AMBIGUOUS_SECONDS = 4.0  # of a segment up to which a manipulation may only seem to explain it
AMBIGUOUS_FACTOR = 0.3  # of the log time factor
FITTED_BER = 0.002  # of the clip as it is, above which its place and level are refined
AS_IT_IS = 2  # hypotheses that are tried first: the clip as it is, and backwards
CANDIDATES = 150  # neighbors that are looked at more closely


@dataclass(frozen=True, slots=True)
class DeepMatcher:
    """Finds a clip as it is and under manipulations of tempo, pitch and direction.

    Attributes
    ----------
    matcher
        With the calibration of plain queries.
    exhaustive
        Also try reversed speed, and tempo with pitch.
    samples_of
        Gives the samples of a recording, float32 (n,), by its position in the index' table, where
        they are at hand.
    """

    fingerprinter: Fingerprinter
    matcher: Matcher
    exhaustive: bool = False
    samples_of: Callable[[int], np.ndarray] | None = None

    def find(self, samples: np.ndarray, salt: str) -> list[Candidate]:
        """Find a clip; manipulations are refined beyond the grid of hypotheses.

        Parameters
        ----------
        samples
            float32 (n,), the whole clip, peak-normalised.
        salt
            Belongs to this clip alone; see ``Fingerprinter.hashes``.

        Returns
        -------
        As ``Matcher.find``. Candidates at any score are given as they were found, too,
        where time and pitch were unaltered then: faint ones lead it astray.
        """
        return self.settled(self.overlapping(samples, salt), samples)

    def settled(self, overlapping: Sequence[Candidate], samples: np.ndarray) -> list[Candidate]:
        """Give what `find` does, of what `overlapping` gave."""
        on_grid = self.matcher.resolved(overlapping)
        candidates = [self.refined(c, samples) for c in on_grid]
        # The clip as it is wins where it explains a stretch.
        candidates.sort(key=lambda c: not (_as_it_is(c) and c.ber < UNALTERED_BER))
        if self.matcher.at_any_score:
            given = zip(on_grid, candidates, strict=True)
            candidates += [c for c, refined in given if _as_it_is(c) and c != refined]
        return candidates

    def find_on_grid(self, samples: np.ndarray, salt: str) -> list[Candidate]:
        """Find a clip as `find` does; manipulations are left on the grid of hypotheses."""
        return self.matcher.resolved(self.overlapping(samples, salt))

    def overlapping(self, samples: np.ndarray, salt: str) -> list[Candidate]:
        """Find what `find_on_grid` does, with all that covers the same place, in no order."""
        found, is_decided = self.overlapping_as_it_is(samples, salt)
        return found if is_decided else found + self.overlapping_altered(samples, salt)

    def overlapping_as_it_is(self, samples: np.ndarray, salt: str) -> tuple[list[Candidate], bool]:
        """Find what `overlapping` does of the clip as it is and backwards.

        Whether that explains the clip, so that nothing else is looked for, is returned as well.
        """
        hypotheses = deep(self.exhaustive)[:AS_IT_IS]
        grids = hash_under(samples, salt, self.fingerprinter, hypotheses)
        found = self._followed(grids)
        resolved = self.matcher.resolved(found)
        return found, _decided(resolved, grids) or self._lies_there(resolved, samples)

    def overlapping_altered(self, samples: np.ndarray, salt: str) -> list[Candidate]:
        """Find what `overlapping` does under all other manipulations."""
        hypotheses = deep(self.exhaustive)[AS_IT_IS:]
        return self._followed(hash_under(samples, salt, self.fingerprinter, hypotheses))

    def _followed(self, grids: Sequence[Grid]) -> list[Candidate]:
        """Search under all hypotheses; follow the most promising neighbors."""
        matcher = replace(self.matcher, calibration=for_deep(self.matcher.calibration))
        index, table = matcher.index, matcher.index.table
        grids = [(h, q) for h, q in grids if q.informative.any()]
        if not grids or not table.total:
            return []
        found = search_all(grids, index, matcher.window_hashes, matcher.k)
        found = shortlist(found, table, matcher.calibration, CANDIDATES)
        return matcher.candidates([a for entry in found for a in matcher.aligned(*entry)])

    def _lies_there(self, candidates: Sequence[Candidate], samples: np.ndarray) -> bool:
        """Whether the samples at hand show that the clip lies in a recording as it is."""
        if not self.samples_of:
            return False
        hops = len(samples) / self.fingerprinter.card.features.sample_rate / self.fingerprinter.hop
        for candidate in candidates:
            if candidate.manipulation == IDENTITY:
                recording = self.samples_of(candidate.recording_index)
                segment, ber = laid(candidate.segment, samples, recording, self.fingerprinter)
                if ber < UNALTERED_BER and segment.end - segment.begin >= COVERING * hops:
                    return True
        return False

    def refined(self, candidate: Candidate, samples: np.ndarray) -> Candidate:
        """Give a candidate with the manipulation under which it fits the reference best."""
        manipulation, fingerprinter = candidate.manipulation, self.fingerprinter
        rows = self.matcher.index.table.rows(candidate.recording_index)
        if unaltered := self._unaltered(candidate, samples, rows):
            return unaltered
        if manipulation == IDENTITY and candidate.ber < UNALTERED_BER:
            return candidate
        seconds = len(samples) / fingerprinter.card.features.sample_rate
        hops = seconds / fingerprinter.hop / manipulation.tau
        segment = candidate.segment
        segment = replace(segment, begin=max(0.0, segment.begin), end=min(hops, segment.end))
        clip = samples[::-1] if manipulation.reversed else samples
        segment, manipulation = estimate(segment, manipulation, clip, rows, fingerprinter)
        return replace(candidate, segment=segment, manipulation=manipulation)

    def _unaltered(
        self, candidate: Candidate, samples: np.ndarray, rows: np.ndarray
    ) -> Candidate | None:
        """Give a candidate as unaltered where the clip as it is explains the segment.

        A short segment fits under some manipulations as well as on a grid that misses its place:
        then the clip as it is wins.
        """
        manipulation, segment = candidate.manipulation, candidate.segment
        if manipulation.reversed or (manipulation == IDENTITY and candidate.ber <= FITTED_BER):
            return None
        if manipulation != IDENTITY:
            seconds = (segment.end - segment.begin) * self.fingerprinter.hop
            if seconds > AMBIGUOUS_SECONDS or abs(np.log(manipulation.tau)) > AMBIGUOUS_FACTOR:
                return None
            segment = as_it_is(segment, manipulation.tau)
        whole, ber = segment, 1.0
        if self.samples_of:
            recording = self.samples_of(segment.alignment.recording_index)
            segment, ber = laid(whole, samples, recording, self.fingerprinter)
        if ber >= UNALTERED_BER:
            segment, ber = fitted(whole, samples, rows, self.fingerprinter)
        if ber >= min(UNALTERED_BER, candidate.ber):
            return None
        return replace(candidate, segment=segment, ber=ber, manipulation=IDENTITY)


def _as_it_is(candidate: Candidate) -> bool:
    """Whether neither time nor pitch is altered."""
    return candidate.manipulation.tau == candidate.manipulation.rho == 1


def _decided(candidates: Sequence[Candidate], grids: Sequence[Grid]) -> bool:
    """Whether decisive candidates explain the clip; what two recordings hold counts once."""
    covered = reached = 0.0
    for start, stop in sorted(c.span for c in candidates if c.evalues.same_text < DECISIVE):
        covered += max(0.0, stop - max(start, reached))
        reached = max(reached, stop)
    informative = max((int(q.informative.sum()) for _, q in grids), default=0)
    return bool(covered >= COVERING * max(1, informative))
