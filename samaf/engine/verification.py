"""Matches verified by the signals of clip and recording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from math import log, log10

from samaf.engine.blas import one_blas_thread
from samaf.engine.options import QueryOptions
from samaf.engine.references import References
from samaf.errors import AudioError
from samaf.matching import PreparedQuery
from samaf.matching.merging import keep_best, match_place
from samaf.records import UNALTERED, Match, QueryResult, Verification
from samaf.verification import PreparedClip, PreparedRecording, unverified
from samaf.verification import verify as verify_signals
from samaf.verification.signals import SAMPLE_RATE
from samaf.verification.tempo import TRIES as TEMPOS
from samaf.verification.tempo import tempo_of

WIDE = 0.1  # of the speed
SPEEDS = 8  # times as many are tried then as for an altered clip
LIKELIEST = 2  # matches of which all of them are tried
CORE_S = 1.5  # of which the speed is looked for


def with_verification(
    result: QueryResult, clip: PreparedQuery, references: References, options: QueryOptions
) -> QueryResult:
    """Verify the matches of a query, among them those that chance explains.

    Parameters
    ----------
    result
        Its matches are the candidates at any score.
    clip
        With its samples.

    Returns
    -------
    The matches that the hashes or the signals support, those that are verified first.
    """
    if not result.matches:
        return result
    with one_blas_thread():
        clips = prepared_clips(clip)
        # Candidates of one recording follow each other: what is prepared of it is kept that long.
        matches: list[Match] = []
        for _, group in groupby(sorted(result.matches, key=_recording), key=_recording):
            matches += _verified(list(group), clips, references)
        if not options.deep:
            matches = _at_other_speeds(matches, clips, references)
    return replace(result, matches=supported(matches, options))


def prepared_clips(clip: PreparedQuery) -> dict[str, PreparedClip]:
    """Give the mix and the sides of a clip, ready to be verified, by the names of the sides."""
    return {
        stream.channel: PreparedClip(clip.samples_of(stream.channel)) for stream in clip.streams
    }


def supported(matches: Iterable[Match], options: QueryOptions) -> tuple[Match, ...]:
    """Keep the matches that the hashes or the signals support, those that are verified first."""
    least = -log10(options.max_false_matches)
    kept = best_first(m for m in matches if m.score >= least or is_verified(m))
    return tuple(keep_best(kept, options.k, match_place))


def best_first(matches: Iterable[Match]) -> list[Match]:
    """Sort matches: the verified ones first, by their proof, then the others by their score."""
    return sorted(matches, key=_order)


def is_verified(match: Match) -> bool:
    """Whether the signals prove a match."""
    return match.verification is not None and match.verification.verified


def _order(match: Match) -> tuple[bool, float, float]:
    proof = match.verification.score if match.verification else 0.0
    return not is_verified(match), -proof if is_verified(match) else 0.0, -match.score


def _recording(match: Match) -> tuple[str, str]:
    return match.recording.sha256, match.reference_channel


def _verified(
    matches: Sequence[Match], clips: Mapping[str, PreparedClip], references: References
) -> list[Match]:
    """Give matches in one recording with their verification, or why there is none."""
    first = matches[0]
    try:
        audio = PreparedRecording(references.audio(first.recording, first.reference_channel))
    except AudioError as error:
        return [replace(match, verification=unverified(match, str(error))) for match in matches]
    return [replace(m, verification=verification_of(m, clips[m.channel], audio)) for m in matches]


def verification_of(match: Match, clip: PreparedClip, recording: PreparedRecording) -> Verification:
    """Verify a match.

    A plain search finds a tempo, but looks for no pitch: whether the pitch went with it, as with
    speed, is tried too.
    """
    tau, rho = match.manipulation.tau, match.manipulation.rho
    tried = [match]
    if rho == 1 and abs(log(tau)) > UNALTERED:
        tried.append(_as_speed(match))
    verifications = [verify_signals(clip, recording, each, tries=len(tried)) for each in tried]
    return max(verifications, key=lambda verification: verification.score)


def _as_speed(match: Match) -> Match:
    manipulation = match.manipulation
    return replace(match, manipulation=replace(manipulation, rho=1 / manipulation.tau))


def _at_other_speeds(
    matches: Sequence[Match], clips: Mapping[str, PreparedClip], references: References
) -> list[Match]:
    """Verify the likeliest matches once more, at other speeds and tempos, where none is verified.

    A plain search finds a few per cent of speed as none, above all of a short clip, and of a clip
    of another tempo little more than the recording.
    """
    compared = [m for m in matches if m.verification and not m.verification.reason]
    if any(is_verified(match) for match in compared):
        return list(matches)
    compared.sort(key=lambda match: -match.score)
    for tried, some in ((_at_a_speed, compared[:LIKELIEST]), (_at_a_tempo, compared)):
        for match in some:
            try:
                audio = references.audio(match.recording, match.reference_channel)
            except AudioError:  # it was there a moment ago, and its match is compared already
                continue
            if found := tried(match, clips[match.channel], PreparedRecording(audio)):
                return [found, *(each for each in matches if each is not match)]
    return list(matches)


def _at_a_speed(match: Match, clip: PreparedClip, audio: PreparedRecording) -> Match | None:
    """Verify a match at all speeds within 10 %."""
    core = _middle(_as_speed(match), CORE_S)
    found = verify_signals(clip, audio, core, reach=WIDE, tries=SPEEDS)
    if not found.verified:
        return None
    whole = replace(match, manipulation=found.manipulation)
    altered = verify_signals(clip, audio, whole, tries=SPEEDS)
    return replace(match, verification=max(found, altered, key=lambda v: v.score))


def _at_a_tempo(match: Match, clip: PreparedClip, audio: PreparedRecording) -> Match | None:
    """Verify a match at the tempo, up to twice as fast or slow, that the signals show.

    Where the whole clip lies along that line, the match is that of the whole clip.
    """
    core = tempo_of(clip, audio, match)
    if core is None:
        return None
    tau, stop = core.manipulation.tau, len(clip.samples) / SAMPLE_RATE
    first = core.reference_start - core.query_start / tau
    last = core.reference_stop + (stop - core.query_stop) / tau
    whole = replace(
        core, query_start=0.0, query_stop=stop, reference_start=first, reference_stop=last
    )
    places = [core, whole] if first >= 0 and last <= audio.count / SAMPLE_RATE else [core]
    verified = [(verify_signals(clip, audio, place, tries=TEMPOS), place) for place in places]
    best, place = max(verified, key=lambda each: each[0].score)
    if not best.verified:
        return None
    return replace(
        match,
        query_start=place.query_start,
        query_stop=place.query_stop,
        reference_start=place.reference_start,
        reference_stop=place.reference_stop,
        manipulation=place.manipulation,
        verification=best,
    )


def _middle(match: Match, seconds: float) -> Match:
    """Give the middle of a match, so many seconds of the clip at most."""
    half = min(seconds, match.query_stop - match.query_start) / 2
    here = (match.query_start + match.query_stop) / 2
    there = (match.reference_start + match.reference_stop) / 2
    ahead = half / match.manipulation.tau
    return replace(
        match,
        query_start=here - half,
        query_stop=here + half,
        reference_start=there - ahead,
        reference_stop=there + ahead,
    )
