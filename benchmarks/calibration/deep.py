"""Deep queries whose recording is not in the store: hashing is their cost, so they are few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.calibration.fitting import deep_same_text
from benchmarks.calibration.probes import Probe
from benchmarks.calibration.trials import EVERYTHING, GRANULARITY, Gallery
from samaf.audio import SAMPLE_RATE, load
from samaf.fingerprinters import Fingerprinter, ScoreCalibration, load_hash_model
from samaf.index import ExactIndex
from samaf.matching import DeepMatcher, Matcher
from samaf.matching.calibration import for_deep, log10_evalue
from samaf.training.distortions import normalised
from samaf.training.workers import spread

SECONDS = (1.0, 10.0)
SEED = 3
KEPT = 16  # candidates of a query: reliability orders them, so the best score need not come first


@dataclass(frozen=True, slots=True)
class DeepTrial:
    """One deep query without its recording.

    Attributes
    ----------
    found
        (BER, hashes, comparisons) of the best candidates.
    score
        Of the best one; -inf where there is none, or none was judged yet.
    """

    kind: str
    voice: str
    seconds: float
    found: tuple[tuple[float, int, float], ...]
    score: float = -np.inf


def run_deep_trials(
    probes: Sequence[Probe], calibration: ScoreCalibration, stored: Gallery, model: str, count: int
) -> list[DeepTrial]:
    """Query with excerpts of different clips, as they are, without their recording.

    ``calibration`` tells which candidates are the best; `judged` gives them their scores.
    """
    rng = np.random.default_rng(SEED)
    able = [n for n, p in enumerate(probes) if p.versions and p.clip.path.is_file()]
    jobs = [
        (probes[n], float(rng.uniform(*SECONDS)), float(rng.random()))
        for n in np.resize(rng.permutation(able), count).tolist()
    ]
    return list(spread(_deep, jobs, _workshop, model, calibration, stored))


def _workshop(
    model: str, calibration: ScoreCalibration, stored: Gallery
) -> tuple[Fingerprinter, Gallery]:
    loaded = load_hash_model(model)
    return Fingerprinter(replace(loaded.card, calibration=calibration), loaded.path), stored


def _deep(job: tuple[Probe, float, float], workshop: tuple[Fingerprinter, Gallery]) -> DeepTrial:
    (probe, seconds, part), (fingerprinter, stored) = job, workshop
    samples = load(probe.clip.path)
    count = min(len(samples), round(seconds * SAMPLE_RATE))
    start = round(part * (len(samples) - count))
    excerpt = normalised(samples[start : start + count])
    index = ExactIndex(stored.table.only(~stored.holds(probe)))
    seed = f"{probe.clip.path.name} {start}"
    matcher = Matcher(index, fingerprinter.card.calibration, GRANULARITY, EVERYTHING, KEPT)
    found = DeepMatcher(fingerprinter, matcher).find_on_grid(excerpt, seed)
    best = tuple((f.segment.ber, f.segment.hashes, f.comparisons) for f in found[:KEPT])
    return DeepTrial(probe.clip.kind, probe.voice, count / SAMPLE_RATE, best)


def expected(trials: Sequence[DeepTrial], calibration: ScoreCalibration) -> np.ndarray:
    """Give log10 of the false matches to expect as good as each trial's best, float (n,)."""
    none = ((1.0, 1, 1.0),)
    most = max((len(t.found) for t in trials), default=1) or 1
    table = np.array([(*t.found, *(none * (most - len(t.found)))) for t in trials])
    rates, hashes, comparisons = table.reshape(-1, most, 3).transpose(2, 0, 1)
    found = np.arange(most) < np.array([len(t.found) for t in trials])[:, None]
    best = log10_evalue(rates, hashes, comparisons, for_deep(calibration))
    return np.where(found, best, np.inf).min(axis=1)


def fitted(trials: Sequence[DeepTrial], calibration: ScoreCalibration) -> ScoreCalibration:
    """Fit to deep queries what plain ones cannot tell."""
    if not trials:
        return calibration
    return deep_same_text(lambda tried: 10 ** expected(trials, tried), calibration)


def judged(
    trials: Sequence[DeepTrial], calibrations: Sequence[ScoreCalibration], folds: dict[str, int]
) -> list[DeepTrial]:
    """Give trials their scores: each fold by its calibration, fitted to the other folds."""
    scores = np.array([-expected(trials, each) for each in calibrations])
    return [replace(t, score=float(scores[folds.get(t.voice, 0), n])) for n, t in enumerate(trials)]


def cross_validated(
    trials: Sequence[DeepTrial], calibrations: Sequence[ScoreCalibration], folds: dict[str, int]
) -> list[DeepTrial]:
    """Judge each fold of voices by what was fitted to the others, deep trials included."""
    fits = [
        fitted([t for t in trials if folds.get(t.voice, 0) != n], each)
        for n, each in enumerate(calibrations)
    ]
    return judged(trials, fits, folds)
