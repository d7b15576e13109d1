"""Matches verified by the signals of clip and recording."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import log10

import numpy as np

from samaf.engine.blas import one_blas_thread
from samaf.engine.options import QueryOptions
from samaf.engine.references import References
from samaf.errors import AudioError
from samaf.matching.merging import keep_best, match_place
from samaf.records import Match, QueryResult
from samaf.verification import unverified
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
    with one_blas_thread():
        matches = [verified_match(match, samples, references) for match in result.matches]
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


def verified_match(match: Match, samples: np.ndarray, references: References) -> Match:
    """Give a match with its verification, or with the reason why there is none."""
    try:
        audio = references.audio(match.recording)
    except AudioError as error:
        return replace(match, verification=unverified(match, str(error)))
    return replace(match, verification=verify_signals(samples, audio, match))
