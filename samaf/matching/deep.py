"""A search that undoes manipulations: hash a clip under many hypotheses at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from samaf.features import mfcc
from samaf.fingerprinters import Fingerprinter
from samaf.index import Index
from samaf.matching.calibration import for_deep
from samaf.matching.edge_blocks import hash_with_padding, is_short
from samaf.matching.estimate import estimate
from samaf.matching.hypotheses import Hypothesis, deep
from samaf.matching.search import (
    Candidate,
    candidates,
    count_comparisons,
    resolve,
    search_all,
    shortlist,
)
from samaf.records import Hashes

DECISIVE = -6.0  # log10 of expected false candidates from which no further hypothesis is tried
COVERING = 0.8  # share of the clip that decisive candidates must cover
AS_IT_IS = 2  # hypotheses that are tried first: the clip as it is, and backwards
CANDIDATES = 150  # neighbors that are looked at more closely


def find_deep(
    samples: np.ndarray,
    salt: str,
    fingerprinter: Fingerprinter,
    index: Index,
    window_hashes: int,
    max_false_matches: float,
    k: int,
    *,
    exhaustive: bool = False,
) -> list[Candidate]:
    """Search for a clip as it is and under manipulations of tempo, pitch and direction.

    Parameters
    ----------
    samples
        float32 (n,), the whole clip, peak-normalised.
    salt
        Belongs to this clip alone; see ``Fingerprinter.hashes``.
    exhaustive
        Also try reversed speed, and tempo with pitch.

    Returns
    -------
    As ``samaf.matching.find``; manipulations are refined beyond the grid.
    """
    found = find_on_grid(
        samples,
        salt,
        fingerprinter,
        index,
        window_hashes,
        max_false_matches,
        k,
        exhaustive=exhaustive,
    )
    return [refined(f, samples, fingerprinter, index) for f in found]


def find_on_grid(
    samples: np.ndarray,
    salt: str,
    fingerprinter: Fingerprinter,
    index: Index,
    window_hashes: int,
    max_false_matches: float,
    k: int,
    *,
    exhaustive: bool = False,
) -> list[Candidate]:
    """Search as `find_deep` does; manipulations are left on the grid."""
    if not index.table.total:
        return []
    tried = deep(exhaustive)
    first = hash_under(samples, salt, fingerprinter, tried[:AS_IT_IS])
    found = _followed(first, fingerprinter, index, window_hashes, max_false_matches)
    if not _decided(resolve(found, k), first):
        others = hash_under(samples, salt, fingerprinter, tried[AS_IT_IS:])
        found += _followed(others, fingerprinter, index, window_hashes, max_false_matches)
    return resolve(found, k)


def hash_under(
    samples: np.ndarray, salt: str, fingerprinter: Fingerprinter, tried: Sequence[Hypothesis]
) -> list[tuple[Hypothesis, Hashes]]:
    """Hash a clip under hypotheses, see `hash_with_padding`."""
    parameters = fingerprinter.card.features
    short = is_short(len(samples) / parameters.sample_rate)

    def hashed(hypothesis: Hypothesis) -> list[tuple[Hypothesis, Hashes]]:
        manipulation = hypothesis.manipulation
        warped = replace(parameters, tau=manipulation.tau, rho=manipulation.rho)
        frames = mfcc(samples[::-1] if manipulation.reversed else samples, warped)
        return hash_with_padding(frames, hypothesis, salt, fingerprinter, short)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [one for made in pool.map(hashed, tried) for one in made]


def _followed(
    tried: Sequence[tuple[Hypothesis, Hashes]],
    fingerprinter: Fingerprinter,
    index: Index,
    window_hashes: int,
    max_false_matches: float,
) -> list[Candidate]:
    """Search under all hypotheses; follow the most promising neighbors."""
    calibration, table = for_deep(fingerprinter.card.calibration), index.table
    tried = [(h, q) for h, q in tried if q.informative.any()]
    if not tried:
        return []
    comparisons = [count_comparisons(q, table) / h.prior for h, q in tried]
    found = search_all(tried, index, window_hashes)
    near = shortlist(tried, found, comparisons, table, calibration, CANDIDATES)
    return [
        candidate
        for (h, q), neighbors, tries in zip(tried, near, comparisons, strict=True)
        for candidate in candidates(h, q, neighbors, table, tries, calibration, max_false_matches)
    ]


def _decided(found: Sequence[Candidate], tried: Sequence[tuple[Hypothesis, Hashes]]) -> bool:
    """Whether decisive candidates explain the clip; what two recordings hold counts once."""
    covered = reached = 0.0
    for start, stop in sorted(f.span for f in found if f.log10_evalue < DECISIVE):
        covered += max(0.0, stop - max(start, reached))
        reached = max(reached, stop)
    whole = max((int(q.informative.sum()) for _, q in tried), default=0)
    return bool(covered >= COVERING * max(1, whole))


def refined(
    candidate: Candidate, samples: np.ndarray, fingerprinter: Fingerprinter, index: Index
) -> Candidate:
    """Give a candidate with the manipulation under which it fits the reference best."""
    manipulation = candidate.manipulation
    hops = (
        len(samples)
        / fingerprinter.card.features.sample_rate
        / fingerprinter.hop
        / manipulation.tau
    )
    segment = candidate.segment
    segment = replace(segment, begin=max(0.0, segment.begin), end=min(hops, segment.end))
    clip = samples[::-1] if manipulation.reversed else samples
    rows = index.table.rows(candidate.recording_index)
    segment, manipulation = estimate(segment, manipulation, clip, rows, fingerprinter)
    return replace(candidate, segment=segment, manipulation=manipulation)
