"""A search that undoes manipulations: hash a clip under many hypotheses at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from samaf.features import FeatureParameters, mfcc
from samaf.fingerprinters import Fingerprinter
from samaf.index import Index
from samaf.matching.confidence import for_deep
from samaf.matching.estimate import estimate
from samaf.matching.hypotheses import Hypothesis, deep
from samaf.matching.search import Finding, claims, places, resolve, search_all, shortlist
from samaf.records import Hashes

DECISIVE = -6.0  # log10 of expected false findings from which no further hypothesis is tried
COVERING = 0.8  # share of the clip that decisive findings must cover
CONTENT = 0.75  # least share of a block, or of a shorter clip, that a hash must hold
SHORTEST = 0.5  # of a block: clips that are shorter under a hypothesis are left out
SHORT_SECONDS = 3.0  # clips below are hashed on two grids, half a hop apart
OVERHANGING = 2  # hashes of a clip that may lie beyond the end of a recording
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
    """Hash a clip under hypotheses.

    The first and the last hashes hang over the clip's ends, where there is as much of it
    as the mean of the rest. Short clips are hashed on two grids, which share the prior.
    Hypotheses that the clip is too short for are left out.
    """
    parameters = fingerprinter.card.features
    short = len(samples) < SHORT_SECONDS * parameters.sample_rate
    offsets = (0, parameters.hop_frames // 2) if short else (0,)

    def hashed(hypothesis: Hypothesis) -> list[tuple[Hypothesis, Hashes]]:
        undo = hypothesis.manipulation
        warped = replace(parameters, tau=undo.tau, rho=undo.rho)
        frames = mfcc(samples[::-1] if undo.reversed else samples, warped)
        if len(frames) < SHORTEST * parameters.block_frames:
            return []
        made = []
        for offset in offsets:
            starts = block_starts(len(frames), offset, parameters)
            hashes = fingerprinter.hash_blocks(overhanging(frames, starts, parameters), seed)
            origin = float(starts[0]) / parameters.hop_frames
            own = replace(hypothesis, prior=hypothesis.prior / len(offsets), origin=origin)
            made.append((own, hashes))
        return made

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [one for made in pool.map(hashed, tried) for one in made]


def block_starts(frames: int, offset: int, parameters: FeatureParameters) -> np.ndarray:
    """List the first frames of blocks that hold enough of a clip, ascending, int64 (m,).

    They lie a hop apart, one of them on frame ``offset``.
    """
    size, hop = parameters.block_frames, parameters.hop_frames
    least = round(CONTENT * min(size, frames))
    first = offset - (offset + size - least) // hop * hop
    return np.arange(first, frames - least + 1, hop)


def overhanging(
    frames: np.ndarray, starts: np.ndarray, parameters: FeatureParameters
) -> np.ndarray:
    """Cut blocks that may hang over either end of a clip.

    float32, shape (m, block_frames, coefficients); what is not there is the mean of what
    is, in each coefficient.
    """
    at = starts[:, None] + np.arange(parameters.block_frames)
    inside = (at >= 0) & (at < len(frames))
    cut = frames[np.clip(at, 0, len(frames) - 1)]
    for block in np.flatnonzero(~inside.all(axis=1)):
        cut[block, ~inside[block]] = cut[block, inside[block]].mean(axis=0)
    return cut


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
    found = search_all(tried, index, granularity, OVERHANGING)
    near = shortlist(tried, found, compared, table, confidence, CANDIDATES)
    return [
        claim
        for (h, q), nearest, tries in zip(tried, near, compared, strict=True)
        for claim in claims(h, q, nearest, table, tries, confidence, rate)
    ]


def _decided(found: Sequence[Finding], tried: Sequence[tuple[Hypothesis, Hashes]]) -> bool:
    covered = sum(f.span[1] - f.span[0] for f in found if f.log10_false < DECISIVE)
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
