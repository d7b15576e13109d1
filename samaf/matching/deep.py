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
from samaf.matching.confidence import for_deep
from samaf.matching.ends import hash_to_the_ends, is_short
from samaf.matching.estimate import estimate
from samaf.matching.hypotheses import Hypothesis, deep
from samaf.matching.search import Finding, claims, places, resolve, search_all, shortlist
from samaf.records import Hashes

DECISIVE = -6.0  # log10 of expected false findings from which no further hypothesis is tried
COVERING = 0.8  # share of the clip that decisive findings must cover
AS_IT_IS = 2  # hypotheses that are tried first: the clip as it is, and backwards
CANDIDATES = 150  # neighbours that are looked at more closely


def find_deep(
    samples: np.ndarray,
    seed: str,
    fingerprinter: Fingerprinter,
    index: Index,
    granularity: int,
    rate: float,
    k: int,
    *,
    full: bool = False,
) -> list[Finding]:
    """Search for a clip as it is and under manipulations of tempo, pitch and direction.

    Parameters
    ----------
    samples
        float32 (n,), the whole clip, peak-normalised.
    seed
        Belongs to this clip alone; see ``Fingerprinter.hashes``.
    full
        Also try reversed speed, and tempo with pitch.

    Returns
    -------
    As ``samaf.matching.find``; manipulations are refined beyond the grid.
    """
    found = claimed(samples, seed, fingerprinter, index, granularity, rate, k, full=full)
    return [refined(f, samples, fingerprinter, index) for f in found]


def claimed(
    samples: np.ndarray,
    seed: str,
    fingerprinter: Fingerprinter,
    index: Index,
    granularity: int,
    rate: float,
    k: int,
    *,
    full: bool = False,
) -> list[Finding]:
    """Search as `find_deep` does; manipulations are left on the grid."""
    if not index.table.total:
        return []
    tried = deep(full)
    first = hash_under(samples, seed, fingerprinter, tried[:AS_IT_IS])
    found = _followed(first, fingerprinter, index, granularity, rate)
    if not _decided(resolve(found, k), first):
        others = hash_under(samples, seed, fingerprinter, tried[AS_IT_IS:])
        found += _followed(others, fingerprinter, index, granularity, rate)
    return resolve(found, k)


def hash_under(
    samples: np.ndarray, seed: str, fingerprinter: Fingerprinter, tried: Sequence[Hypothesis]
) -> list[tuple[Hypothesis, Hashes]]:
    """Hash a clip under hypotheses, see `hash_to_the_ends`."""
    parameters = fingerprinter.card.features
    short = is_short(len(samples) / parameters.sample_rate)

    def hashed(hypothesis: Hypothesis) -> list[tuple[Hypothesis, Hashes]]:
        undo = hypothesis.manipulation
        warped = replace(parameters, tau=undo.tau, rho=undo.rho)
        frames = mfcc(samples[::-1] if undo.reversed else samples, warped)
        return hash_to_the_ends(frames, hypothesis, seed, fingerprinter, short)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [one for made in pool.map(hashed, tried) for one in made]


def _followed(
    tried: Sequence[tuple[Hypothesis, Hashes]],
    fingerprinter: Fingerprinter,
    index: Index,
    granularity: int,
    rate: float,
) -> list[Finding]:
    """Search under all hypotheses; follow the most promising neighbours."""
    confidence, table = for_deep(fingerprinter.card.confidence), index.table
    tried = [(h, q) for h, q in tried if q.informative.any()]
    if not tried:
        return []
    compared = [places(q, table) / h.prior for h, q in tried]
    found = search_all(tried, index, granularity)
    near = shortlist(tried, found, compared, table, confidence, CANDIDATES)
    return [
        claim
        for (h, q), nearest, tries in zip(tried, near, compared, strict=True)
        for claim in claims(h, q, nearest, table, tries, confidence, rate)
    ]


def _decided(found: Sequence[Finding], tried: Sequence[tuple[Hypothesis, Hashes]]) -> bool:
    """Whether decisive findings explain the clip; what two recordings hold counts once."""
    covered = reached = 0.0
    for start, stop in sorted(f.span for f in found if f.log10_false < DECISIVE):
        covered += max(0.0, stop - max(start, reached))
        reached = max(reached, stop)
    whole = max((int(q.informative.sum()) for _, q in tried), default=0)
    return bool(covered >= COVERING * max(1, whole))


def refined(
    finding: Finding, samples: np.ndarray, fingerprinter: Fingerprinter, index: Index
) -> Finding:
    """Give a finding with the manipulation under which it fits the reference best."""
    undone = finding.manipulation
    hops = len(samples) / fingerprinter.card.features.sample_rate / fingerprinter.hop / undone.tau
    stretch = finding.stretch
    stretch = replace(stretch, begin=max(0.0, stretch.begin), end=min(hops, stretch.end))
    clip = samples[::-1] if undone.reversed else samples
    rows = index.table.rows(finding.recording)
    stretch, undone = estimate(stretch, undone, clip, rows, fingerprinter)
    return replace(finding, stretch=stretch, manipulation=undone)
