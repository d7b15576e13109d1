"""Deep queries whose recording is not in the store: hashing is their cost, so they are few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.calibration.subjects import Subject
from benchmarks.calibration.trials import GRANULARITY, Hall, without
from samaf.audio import SAMPLE_RATE, load
from samaf.fingerprinters import Confidence, Fingerprinter, load_fingerprinter
from samaf.index import ExactIndex
from samaf.matching.deep import find_deep
from samaf.training.distortions import normalised
from samaf.training.workers import spread

SECONDS = (1.0, 10.0)
RATE = 0.1  # the largest stated rate that is looked at
SEED = 3


@dataclass(frozen=True, slots=True)
class DeepTrial:
    """Score of the best finding of one deep query, -inf where there is none above 1."""

    kind: str
    voice: str
    seconds: float
    score: float


def ask_deep(
    subjects: Sequence[Subject],
    confidences: Sequence[Confidence],
    where: Hall,
    model: str,
    count: int,
) -> list[DeepTrial]:
    """Ask about excerpts of different clips, as they are, without their recording.

    ``confidences`` holds what to judge each subject by.
    """
    rng = np.random.default_rng(SEED)
    able = [n for n, s in enumerate(subjects) if s.versions and s.clip.path.is_file()]
    jobs = [
        (subjects[n], confidences[n], float(rng.uniform(*SECONDS)), float(rng.random()))
        for n in np.resize(rng.permutation(able), count).tolist()
    ]
    return list(spread(_deep, jobs, _workshop, model, where))


def _workshop(model: str, where: Hall) -> tuple[Fingerprinter, Hall]:
    return load_fingerprinter(model), where


def _deep(
    job: tuple[Subject, Confidence, float, float], workshop: tuple[Fingerprinter, Hall]
) -> DeepTrial:
    (subject, confidence, seconds, part), (loaded, where) = job, workshop
    samples = load(subject.clip.path)
    count = min(len(samples), round(seconds * SAMPLE_RATE))
    start = round(part * (len(samples) - count))
    excerpt = normalised(samples[start : start + count])
    fingerprinter = Fingerprinter(replace(loaded.card, confidence=confidence), loaded.path)
    index = ExactIndex(without(subject, where))
    seed = f"{subject.clip.path.name} {start}"
    found = find_deep(excerpt, seed, fingerprinter, index, GRANULARITY, RATE, 1)
    score = max((-f.log10_false for f in found), default=-np.inf)
    return DeepTrial(subject.clip.kind, subject.voice, count / SAMPLE_RATE, score)
