"""Overlaps merged: the best of what covers one place is kept, parts of one segment are joined.

Candidates are merged in hops of the query, matches in its seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from math import inf, log
from typing import NamedTuple, TypeVar

from samaf.matching.alignment import GAP_HASHES, Alignment, Segment
from samaf.matching.candidates import Candidate
from samaf.records import IDENTITY, Match

MAX_OVERLAP = 0.5  # share of a segment that a better one may cover
REPEATED_BER = 0.1  # that another place of a recording may lie above the best one
SAME_LINE_HOPS = 2.2  # that two candidates of one alignment may lie apart
SAME_PLACE_S = 0.5  # that two parts of one match may lie apart in the reference
TOUCHING_S = 1.5  # between two parts of one match
SAME_FACTOR = 0.04  # of log factors that they may differ by
HALF_SECTION_S = 6.0  # over which an error of the time factor adds up

Item = TypeVar("Item")


class Place(NamedTuple):
    """Where something lies in the query and in which recording, from start to stop.

    ``channels`` are the sides of query and recording; "" is the mix of all channels.
    """

    query: tuple[float, float]
    recording: Hashable
    reference: tuple[float, float]
    ber: float
    channels: tuple[str, str] = ("", "")


def candidate_place(candidate: Candidate) -> Place:
    """Give the place of a candidate, in hops."""
    segment = candidate.segment
    reference = segment.reference(segment.first), segment.reference(segment.stop)
    return Place(candidate.span, candidate.recording_id, reference, candidate.ber)


def match_place(match: Match) -> Place:
    """Give the place of a match, in seconds."""
    query = match.query_start, match.query_stop
    reference = match.reference_start, match.reference_stop
    channels = match.channel, match.reference_channel
    return Place(query, match.recording, reference, match.ber, channels)


def covered(better: tuple[float, float], worse: tuple[float, float]) -> float:
    """Give the share of the worse stretch that the better one covers."""
    both = min(better[1], worse[1]) - max(better[0], worse[0])
    return max(0.0, both) / (worse[1] - worse[0])


def is_same(better: Place, worse: Place) -> bool:
    """Whether the worse place says no more than the better one.

    Both overlap in the query and lie in one recording. Another place of the recording counts
    only where it agrees about as well: a jingle that comes again does, other words of the same
    voice do not. One side of a call on one side of the recording, and the other on the other,
    are two answers.
    """
    if better.recording != worse.recording or not _overlap(better.query, worse.query):
        return False
    pairs = zip(better.channels, worse.channels, strict=True)
    if all(one and other and one != other for one, other in pairs):
        return False
    return _overlap(better.reference, worse.reference) or worse.ber > better.ber + REPEATED_BER


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return max(covered(one, other), covered(other, one)) > MAX_OVERLAP


def keep_best(
    items: Sequence[Item], k: int, place: Callable[[Item], Place], kept: Sequence[Item] = ()
) -> list[Item]:
    """Drop what better items cover.

    Once is kept what lies at the same place of one recording, and ``k`` items in all for one
    place of the query, or of a side of it.

    Parameters
    ----------
    items
        Best first.
    kept
        Items that stand whatever their worth; they are not among those returned.
    """
    result = list(kept)
    for item in items:
        worse = place(item)
        places = [place(better) for better in result]
        covering = sum(
            better.channels[0] == worse.channels[0]
            and covered(better.query, worse.query) > MAX_OVERLAP
            for better in places
        )
        if covering < k and not any(is_same(better, worse) for better in places):
            result.append(item)
    return result[len(kept) :]


def resolve(candidates: Sequence[Candidate], k: int, log10_evalue: float = inf) -> list[Candidate]:
    """Keep the best of overlapping candidates: one a place, ``k`` a segment of the query.

    Where there are any with a greater E-value than ``log10_evalue``, the best of all follow behind
    those within it: ``k`` of the query as it is, and ``k`` of it altered.
    """
    ordered = sorted(candidates, key=_candidate_order)
    within = [c for c in ordered if c.log10_evalue <= log10_evalue]
    kept = keep_best(within, k, candidate_place)
    if len(within) == len(ordered):
        return kept
    result = list(kept)
    for altered in (False, True):
        group = [c for c in ordered if (c.manipulation != IDENTITY) == altered]
        before = [c for c in kept if c in group]
        rest = [c for c in group if c not in kept]
        result += keep_best(rest, k, candidate_place, before)[:k]
    return result


def _candidate_order(candidate: Candidate) -> tuple[float, float, int, tuple[float, float]]:
    """Put what chance explains least first; of equal ones the tempo nearest to the clip's own."""
    drift = abs(candidate.segment.alignment.slope - 1)
    return candidate.weighted_log10_evalue, drift, candidate.recording_index, candidate.span


def is_continued(before: Candidate, after: Candidate) -> bool:
    """Whether two candidates of a stream are parts of one segment."""
    a, b = before.segment, after.segment
    if before.recording_index != after.recording_index:
        return False
    if b.first > a.stop + GAP_HASHES or b.stop < a.first:
        return False
    at = max(a.first, min(a.stop, b.first))
    return abs(a.reference(at) - b.reference(at)) <= SAME_LINE_HOPS


def joined_candidates(before: Candidate, after: Candidate) -> Candidate:
    """Make one candidate of two of the same alignment; the later one counts where both are.

    Its E-values are those of the better one, the least that it is worth.
    """
    a, b = before.segment, after.segment
    if b.first <= a.first:
        return after
    if b.stop <= a.stop:
        return before
    early = b.first - a.first
    start, stop = a.reference(a.first), b.reference(b.stop)
    slope = (stop - start) / (b.stop - a.first)
    alignment = Alignment(
        b.alignment.recording_index, start - slope * a.first, slope, a.first, b.stop
    )
    ber, weighted_ber = (
        (before * early + after * b.hashes) / (early + b.hashes)
        for before, after in ((a.ber, b.ber), (a.weighted_ber, b.weighted_ber))
    )
    segment = Segment(alignment, a.first, b.stop, ber, weighted_ber, 0.0, a.begin, b.end)
    better = min(before, after, key=lambda c: c.log10_evalue)
    return replace(better, segment=segment, span=(before.span[0], after.span[1]), ber=ber)


def merge_matches(matches: Sequence[Match], k: int, kept: Sequence[Match] = ()) -> list[Match]:
    """Put together what sections gave: parts of one match joined, overlaps resolved.

    Parameters
    ----------
    k
        Matches to keep at most for one segment of the query.
    kept
        Matches that were given before: they stand.

    Returns
    -------
    Best first. A joined match has the score of its best part, the least that it is worth.
    """
    whole: list[Match] = []
    for match in sorted(matches, key=lambda m: m.query_start):
        before = next((i for i in reversed(range(len(whole))) if _goes_on(whole[i], match)), None)
        if before is None:
            whole.append(match)
        else:
            whole[before] = _joined_matches(whole[before], match)
    whole.sort(key=lambda m: (-m.score, m.query_start))
    return keep_best(whole, k, match_place, kept)


def merge_streams(matches: Sequence[Match], k: int) -> list[Match]:
    """Put together what the streams of a clip gave: its mix, and sides; best first."""
    ordered = sorted(matches, key=lambda m: (-m.score, m.query_start))
    return keep_best(ordered, k, match_place)


def _goes_on(before: Match, after: Match) -> bool:
    """Whether two matches are parts of one."""
    a, b = before.manipulation, after.manipulation
    if before.recording != after.recording or a.reversed != b.reversed:
        return False
    if match_place(before).channels != match_place(after).channels:
        return False
    if max(abs(log(a.tau / b.tau)), abs(log(a.rho / b.rho))) > SAME_FACTOR:
        return False
    touching = after.query_start <= before.query_stop + TOUCHING_S
    expected = _reference(before, (after.query_start + after.query_stop) / 2)
    middle = (after.reference_start + after.reference_stop) / 2
    return touching and abs(expected - middle) <= SAME_PLACE_S + SAME_FACTOR * HALF_SECTION_S


def _reference(match: Match, moment: float) -> float:
    """Give where in the reference a moment of the query lies."""
    # From its end on: over a long segment a small error of the time factor adds up.
    backwards = match.manipulation.reversed
    end = match.reference_start if backwards else match.reference_stop
    apart = (moment - match.query_stop) / match.manipulation.tau
    return end - apart if backwards else end + apart


def _joined_matches(before: Match, after: Match) -> Match:
    """Make one match of two; the better one gives everything but the boundaries."""
    better = max(before, after, key=lambda m: m.score)
    first, last = before.query_stop - before.query_start, after.query_stop - after.query_start
    return replace(
        better,
        query_start=before.query_start,
        query_stop=max(before.query_stop, after.query_stop),
        reference_start=min(before.reference_start, after.reference_start),
        reference_stop=max(before.reference_stop, after.reference_stop),
        ber=(before.ber * first + after.ber * last) / (first + last),
    )
