"""Whether stated rates are met, and whether likelihood ratios tell the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.calibration.fitting import fit, likelihood
from benchmarks.calibration.trials import Trial, own_scores, scores
from benchmarks.metrics import Estimate, proportion
from samaf.fingerprinters import ScoreCalibration
from samaf.matching.calibration import log10_likelihood_ratio

STATED = (1e-1, 1e-2, 1e-3)
FOLDS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Trials with scores and ratios from numbers that were fitted to other voices.

    Attributes
    ----------
    scores
        float (n,): of the best candidate without the own recording.
    own
        float (n,): of the best candidate with the own recording; nan where there is none.
    ratios, own_ratios
        The log10 likelihood ratios of both.
    """

    trials: tuple[Trial, ...]
    scores: np.ndarray
    own: np.ndarray
    ratios: np.ndarray
    own_ratios: np.ndarray

    def passing(self, rate: float, chosen: np.ndarray) -> Estimate:
        """Estimate the share of chosen impostors that pass at a stated rate."""
        voices = [t.voice for t, c in zip(self.trials, chosen, strict=True) if c]
        return passing(self.scores[chosen], voices, rate)


def passing(scores: np.ndarray, voices: Sequence[str], rate: float) -> Estimate:
    """Estimate the share of impostors that pass at a stated rate; the bootstrap draws voices."""
    names, which = np.unique(np.array(voices), return_inverse=True)
    hits = np.bincount(which, scores >= -np.log10(rate), len(names))
    return proportion(hits, np.bincount(which, minlength=len(names)))


def judged(trials: Sequence[Trial], calibration: ScoreCalibration) -> Judged:
    """Judge trials by numbers that are there already."""
    genuine = np.array([t.genuine for t in trials])
    others = scores(trials, calibration)
    own = np.where(genuine, own_scores(trials, calibration), np.nan)
    return Judged(
        tuple(trials),
        others,
        own,
        log10_likelihood_ratio(others, calibration),
        log10_likelihood_ratio(own, calibration),
    )


def fold_of_voice(trials: Sequence[Trial]) -> dict[str, int]:
    """Deal voices to the folds.

    Voices of one source stand together in a corpus, so they are dealt in turn.
    """
    voices = sorted({(t.kind, t.split, t.voice) for t in trials})
    return {voice: n % FOLDS for n, (_, _, voice) in enumerate(voices)}


def fold_of_language(trials: Sequence[Trial], languages: Mapping[str, str]) -> dict[str, int]:
    """Deal voices to the folds so that those of one language stay together.

    Then no sentence is read on both sides. What has no language is dealt voice by voice.
    """
    folds = fold_of_voice(trials)
    voices: dict[str, list[str]] = {}
    for voice in folds:
        if language := languages.get(voice):
            voices.setdefault(language, []).append(voice)
    sizes = [0] * FOLDS
    for language in sorted(voices, key=lambda each: (-len(voices[each]), each)):
        fold = int(np.argmin(sizes))
        sizes[fold] += len(voices[language])
        folds.update(dict.fromkeys(voices[language], fold))
    return folds


def fitted(trials: Sequence[Trial], plain: ScoreCalibration) -> ScoreCalibration:
    """Fit rates to all trials, likelihood ratios to those in the full store."""
    calibration = fit(trials, plain)
    full = [t for t in trials if not t.small]
    return replace(calibration, likelihood=likelihood(full, calibration))


def cross_validated(
    trials: Sequence[Trial], plain: ScoreCalibration, dealt: Mapping[str, int]
) -> tuple[Judged, tuple[ScoreCalibration, ...]]:
    """Judge each fold of voices, as they were dealt, by numbers that were fitted to the others."""
    fold = np.array([dealt[t.voice] for t in trials])
    fits = tuple(
        fitted([t for t, f in zip(trials, fold, strict=True) if f != n], plain)
        for n in range(FOLDS)
    )
    parts = [judged(trials, calibration) for calibration in fits]

    def chosen(name: str) -> np.ndarray:
        return np.choose(fold, [getattr(part, name) for part in parts])

    return (
        Judged(
            tuple(trials), chosen("scores"), chosen("own"), chosen("ratios"), chosen("own_ratios")
        ),
        fits,
    )


def groups(trials: Sequence[Trial], hop: float, block: float) -> dict[str, np.ndarray]:
    """Name the groups of trials that are looked at by themselves, bool (n,) each."""
    small = np.array([t.small for t in trials])
    kind = np.array([t.kind for t in trials])
    split = np.array([t.split for t in trials])
    length = np.array([t.length for t in trials])
    found = {"all": ~small}
    for name in dict.fromkeys(kind.tolist()):
        splits = dict.fromkeys(split[kind == name].tolist())
        for part in splits if len(splits) > 1 else [""]:
            chosen = ~small & (kind == name) & ((split == part) | (part == ""))
            found[f"{name}, {part}" if part else name] = chosen
    for n in np.unique(length).tolist():
        found[f"{(n - 1) * hop + block:g} s"] = ~small & (length == n)
    if small.any():
        found["store of 1/8"] = small
    return found


def cllr(true: np.ndarray, false: np.ndarray) -> float:
    """Give the cost of log likelihood ratios, bits: 0 is perfect, 1 tells nothing.

    Bruemmer and du Preez 2006. Ratios are log10.
    """
    cost = np.log2(1 + 10.0**-true).mean() + np.log2(1 + 10.0**false).mean()
    return float(cost / 2)


def least_cllr(true: np.ndarray, false: np.ndarray) -> float:
    """Give the cost after the best monotone recalibration: what no calibration can repair."""
    values = np.concatenate([true, false])
    weight = np.concatenate([np.full(len(true), 1 / len(true)), np.zeros(len(false))])
    other = np.concatenate([np.zeros(len(true)), np.full(len(false), 1 / len(false))])
    _, which = np.unique(values, return_inverse=True)
    pooled: list[tuple[float, float]] = []  # weight of true and of false, ratio ascending
    for step in zip(np.bincount(which, weight), np.bincount(which, other), strict=True):
        pooled.append((float(step[0]), float(step[1])))
        while len(pooled) > 1 and pooled[-2][0] * pooled[-1][1] >= pooled[-1][0] * pooled[-2][1]:
            a, b = pooled.pop(), pooled.pop()
            pooled.append((a[0] + b[0], a[1] + b[1]))
    t, f = np.array(pooled).T
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.where(t > 0, t * np.log2(1 + f / t), 0)
        cost = cost + np.where(f > 0, f * np.log2(1 + t / f), 0)
    return float(cost.sum() / 2)
