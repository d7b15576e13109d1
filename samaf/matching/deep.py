"""A search that undoes manipulations: hash a clip under many hypotheses at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from samaf.features import blocks, encoder_input, mfcc
from samaf.fingerprinters import Fingerprinter
from samaf.index import Index
from samaf.matching.hypotheses import Hypothesis, deep
from samaf.matching.search import Finding, find
from samaf.records import Hashes, Manipulation

DECISIVE = -6.0  # log10 of expected false findings from which no further hypothesis is tried
COVERING = 0.8  # share of the clip that decisive findings must cover
REFINEMENTS = (0.035, 0.0175, 0.009, 0.0045)  # steps of log factors, coarse to fine
SHIFTS = (0.0, 0.5)  # of a hop: the clip's grid against the reference's


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
    As ``samaf.matching.find``; the best one's manipulation is refined beyond the grid.
    """
    confidence = fingerprinter.card.confidence
    tried = deep(full)
    plain = hash_under(samples, seed, fingerprinter, tried[:1])
    found = find(plain, index, granularity, confidence, rate, k)
    if _decided(found, plain[0][1]):
        return found
    others = hash_under(samples, seed, fingerprinter, tried[1:])
    found = find([*plain, *others], index, granularity, confidence, rate, k)
    return [refine(f, samples, fingerprinter, index) for f in found[:1]] + found[1:]


def hash_under(
    samples: np.ndarray, seed: str, fingerprinter: Fingerprinter, tried: Sequence[Hypothesis]
) -> list[tuple[Hypothesis, Hashes]]:
    """Hash a clip under hypotheses, all blocks in one batch.

    Hypotheses that the clip is too short for are left out.
    """
    parameters = fingerprinter.card.features
    cuts, kept = [], []
    for hypothesis in tried:
        undo = hypothesis.manipulation
        warped = replace(parameters, tau=undo.tau, rho=undo.rho)
        frames = mfcc(samples[::-1] if undo.reversed else samples, warped)
        cut = blocks(frames, warped)
        if len(cut):
            cuts.append(cut)
            kept.append(hypothesis)
    if not cuts:
        return []
    joined = fingerprinter.hash_blocks(np.concatenate(cuts), seed)
    ends = np.cumsum([len(c) for c in cuts])
    return [
        (h, Hashes(joined.packed[b - len(c) : b], joined.informative[b - len(c) : b]))
        for h, c, b in zip(kept, cuts, ends.tolist(), strict=True)
    ]


def _decided(found: Sequence[Finding], plain: Hashes) -> bool:
    covered = sum(f.span[1] - f.span[0] for f in found if f.log10_false < DECISIVE)
    return covered >= COVERING * max(1, int(plain.informative.sum()))


def refine(
    finding: Finding, samples: np.ndarray, fingerprinter: Fingerprinter, index: Index
) -> Finding:
    """Move time and pitch factor to where the clip's hashes fit the reference best.

    Coordinate descent on the mean bit error rate of the found stretch, at the best
    alignment of the two hop grids.
    """
    rows = index.table.rows(finding.recording)
    undo = finding.manipulation
    slope = finding.stretch.line.slope
    undo = Manipulation(undo.tau / slope, undo.rho, undo.reversed)
    seen: dict[Manipulation, float] = {}

    def cost(candidate: Manipulation) -> float:
        if candidate not in seen:
            seen[candidate] = _misfit(candidate, finding, samples, fingerprinter, rows)
        return seen[candidate]

    best = cost(undo)
    for step in REFINEMENTS:
        moved = True
        while moved:
            near = [
                replace(undo, tau=undo.tau * np.exp(a), rho=undo.rho * np.exp(b))
                for a, b in (
                    (step, 0),
                    (-step, 0),
                    (0, step),
                    (0, -step),
                    (step, -step),
                    (-step, step),
                )
            ]
            candidate = min(near, key=cost)
            moved = cost(candidate) < best
            if moved:
                undo, best = candidate, cost(candidate)
    return replace(finding, manipulation=replace(undo, tau=undo.tau * slope))


def _misfit(
    undo: Manipulation,
    finding: Finding,
    samples: np.ndarray,
    fingerprinter: Fingerprinter,
    rows: np.ndarray,
) -> float:
    """Give the mean error rate of the stretch under a manipulation, best alignment."""
    parameters = fingerprinter.card.features
    hop = parameters.hop_frames * parameters.step
    start, stop = finding.span
    clip = samples[int(start * hop) : int(stop * hop + parameters.block_frames * parameters.step)]
    clip = clip[::-1] if undo.reversed else clip
    warped = replace(parameters, tau=undo.tau, rho=undo.rho)
    rates = []
    for shift in SHIFTS:
        cut = blocks(mfcc(clip[int(shift * hop * undo.tau) :], warped), warped)
        if not len(cut):
            continue
        packed = np.packbits(fingerprinter.states(encoder_input(cut, parameters)) >= 0, axis=1)
        centre = finding.stretch.reference((finding.stretch.first + finding.stretch.stop) / 2)
        first = round(centre - len(packed) / 2)
        for at in range(max(0, first - 3), min(len(rows) - len(packed), first + 3) + 1):
            differing = np.bitwise_count(packed ^ rows[at : at + len(packed)])
            rates.append(float(differing.mean() / 8))
    return min(rates, default=1.0)
