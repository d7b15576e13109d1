"""Deep queries whose recording is not in the store: hashing is their cost, so they are few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.calibration.fitting import deep_same_text
from benchmarks.calibration.subjects import Subject
from benchmarks.calibration.trials import EVERYTHING, GRANULARITY, Hall, without
from samaf.audio import SAMPLE_RATE, load
from samaf.fingerprinters import Fingerprinter, ScoreCalibration, load_hash_model
from samaf.index import ExactIndex
from samaf.matching.calibration import for_deep, log10_evalue
from samaf.matching.deep import find_on_grid
from samaf.training.distortions import normalised
from samaf.training.workers import spread

SECONDS = (1.0, 10.0)
SEED = 3
KEPT = 16  # findings of a query: weights order them, and the best score need not come first


@dataclass(frozen=True, slots=True)
class DeepTrial:
    """One deep query without its recording.

    Attributes
    ----------
    found
        (BER, hashes, places compared) of the best findings.
    score
        Of the best one; -inf where there is none, or none was judged yet.
    """

    kind: str
    voice: str
    seconds: float
    found: tuple[tuple[float, int, float], ...]
    score: float = -np.inf


def ask_deep(
    subjects: Sequence[Subject], calibration: ScoreCalibration, where: Hall, model: str, count: int
) -> list[DeepTrial]:
    """Ask about excerpts of different clips, as they are, without their recording.

    ``calibration`` tells which findings are the best; `judged` gives them their scores.
    """
    rng = np.random.default_rng(SEED)
    able = [n for n, s in enumerate(subjects) if s.versions and s.clip.path.is_file()]
    jobs = [
        (subjects[n], float(rng.uniform(*SECONDS)), float(rng.random()))
        for n in np.resize(rng.permutation(able), count).tolist()
    ]
    return list(spread(_deep, jobs, _workshop, model, calibration, where))


def _workshop(model: str, calibration: ScoreCalibration, where: Hall) -> tuple[Fingerprinter, Hall]:
    loaded = load_hash_model(model)
    return Fingerprinter(replace(loaded.card, calibration=calibration), loaded.path), where


def _deep(job: tuple[Subject, float, float], workshop: tuple[Fingerprinter, Hall]) -> DeepTrial:
    (subject, seconds, part), (fingerprinter, where) = job, workshop
    samples = load(subject.clip.path)
    count = min(len(samples), round(seconds * SAMPLE_RATE))
    start = round(part * (len(samples) - count))
    excerpt = normalised(samples[start : start + count])
    index = ExactIndex(without(subject, where))
    seed = f"{subject.clip.path.name} {start}"
    found = find_on_grid(excerpt, seed, fingerprinter, index, GRANULARITY, EVERYTHING, KEPT)
    best = tuple((f.segment.ber, f.segment.hashes, f.comparisons) for f in found[:KEPT])
    return DeepTrial(subject.clip.kind, subject.voice, count / SAMPLE_RATE, best)


def expected(trials: Sequence[DeepTrial], calibration: ScoreCalibration) -> np.ndarray:
    """Give log10 of the false findings to expect as good as each trial's best, float (n,)."""
    law = for_deep(calibration)

    def best(trial: DeepTrial) -> float:
        rates, hashes, places = np.array(trial.found).T
        return float(log10_evalue(rates, hashes, places, law).min())

    return np.array([best(t) if t.found else np.inf for t in trials])


def fitted(trials: Sequence[DeepTrial], calibration: ScoreCalibration) -> ScoreCalibration:
    """Fit to deep queries what plain ones cannot tell."""
    if not trials:
        return calibration
    return deep_same_text(lambda law: 10 ** expected(trials, law), calibration)


def judged(
    trials: Sequence[DeepTrial], calibrations: Sequence[ScoreCalibration], folds: dict[str, int]
) -> list[DeepTrial]:
    """Give trials their scores: each fold by its calibration, fitted to the other folds."""
    scores = np.array([-expected(trials, law) for law in calibrations])
    return [replace(t, score=float(scores[folds.get(t.voice, 0), n])) for n, t in enumerate(trials)]


def cross_validated(
    trials: Sequence[DeepTrial], calibrations: Sequence[ScoreCalibration], folds: dict[str, int]
) -> list[DeepTrial]:
    """Judge each fold of voices by what was fitted to the others, deep trials included."""
    laws = [
        fitted([t for t in trials if folds.get(t.voice, 0) != n], law)
        for n, law in enumerate(calibrations)
    ]
    return judged(trials, laws, folds)
