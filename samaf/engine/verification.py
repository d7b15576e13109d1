"""Matches verified by the signals of clip and recording."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import log, log10

import numpy as np

from samaf.engine.blas import one_blas_thread
from samaf.engine.options import QueryOptions
from samaf.engine.references import References
from samaf.errors import AudioError
from samaf.matching.merging import keep_best, match_place
from samaf.records import UNALTERED, Match, QueryResult
from samaf.verification import PreparedClip, unverified
from samaf.verification import verify as verify_signals


def with_verification(
    result: QueryResult, samples: np.ndarray, references: References, options: QueryOptions
) -> QueryResult:
    """Verify the matches of a query, among them those that chance explains.

    Parameters
    ----------
    result
        Its matches are the candidates at any score.
    samples
        float32 (n,): the clip.

    Returns
    -------
    The matches that the hashes or the signals support, those that are verified first.
    """
    if not result.matches:
        return result
    with one_blas_thread():
        clip = PreparedClip(samples)
        matches = [verified_match(match, clip, references) for match in result.matches]
    return replace(result, matches=supported(matches, options))


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


def verified_match(match: Match, clip: PreparedClip, references: References) -> Match:
    """Give a match with its verification, or with the reason why there is none.

    A plain search finds a tempo, but looks for no pitch: whether the pitch went with it, as with
    speed, is tried too.
    """
    try:
        audio = references.audio(match.recording)
    except AudioError as error:
        return replace(match, verification=unverified(match, str(error)))
    tau, rho = match.manipulation.tau, match.manipulation.rho
    tried = [match]
    if rho == 1 and abs(log(tau)) > UNALTERED:
        tried.append(replace(match, manipulation=replace(match.manipulation, rho=1 / tau)))
    verifications = [verify_signals(clip, audio, each, tries=len(tried)) for each in tried]
    return replace(match, verification=max(verifications, key=lambda v: v.score))
