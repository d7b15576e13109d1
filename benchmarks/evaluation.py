"""From raw answers to verdicts, and from verdicts to figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.metrics import Estimate, mean_of_rows, offset_right, proportion
from benchmarks.results import Cell, Reference
from benchmarks.transformations import EXTREME


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """How right the answers to the queries of one cell are.

    Each is float32 (q,), 0..1: equally good answers of one query count by their share.

    Attributes
    ----------
    identified
        The right recording: the very file.
    placed
        The right recording, at the right place within 0.25 s; nan where the place is not
        known.
    source, speaker
        A recording cut from the same source, or by the same speaker.
    score
        Of the best answer; -inf without one.
    clip
        int32 (q,): the reference that each query was made from.
    """

    clip: np.ndarray
    identified: np.ndarray
    placed: np.ndarray
    source: np.ndarray
    speaker: np.ndarray
    score: np.ndarray


def judge(cell: Cell, references: Sequence[Reference]) -> Verdicts:
    """Hold the answers of a cell against the truth.

    Answers beyond the references are hashes that only fill the store: never right.
    """
    given = cell.answers
    truth = cell.clip[given.window]
    count = len(cell)
    ties = np.maximum(np.bincount(given.window, minlength=count), 1)

    def share(right: np.ndarray) -> np.ndarray:
        return (np.bincount(given.window[right], minlength=count) / ties).astype(np.float32)

    def agree(labels: list[str]) -> np.ndarray:
        numbers = np.append(np.unique(labels, return_inverse=True)[1], -1)
        found = np.minimum(given.reference, len(references))
        return np.asarray(numbers[found] == numbers[truth])

    same = given.reference == truth
    place = offset_right(given.offset, cell.begin[given.window])
    score = np.full(count, -np.inf, np.float32)
    score[given.window] = given.score
    return Verdicts(
        cell.clip,
        share(same),
        np.where(np.isnan(cell.begin), np.nan, share(same & place)),
        share(agree([f"{r.speaker}/{r.recording}" for r in references])),
        share(agree([r.speaker for r in references])),
        score,
    )


def by_clip(clip: np.ndarray, right: np.ndarray, references: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum verdicts up by clip: right float (references,), asked int (references,)."""
    return (
        np.bincount(clip, right, minlength=references),
        np.bincount(clip, minlength=references),
    )


@dataclass(frozen=True, slots=True)
class Column:
    """One granularity of an accuracy table.

    Attributes
    ----------
    rows
        Estimate by row name.
    mean
        Over the paper's rows that were asked, each counting alike.
    gentle, worst
        Mean and least of those that are not extreme.
    lifelike
        Mean over the conditions of real life.
    """

    rows: Mapping[str, Estimate]
    mean: Estimate
    gentle: Estimate
    worst: Estimate
    lifelike: Estimate


def column(verdicts: Mapping[str, Verdicts], lifelike: frozenset[str], references: int) -> Column:
    """Sum up one granularity.

    Parameters
    ----------
    verdicts
        By row name.
    lifelike
        Names of the rows that are conditions of real life.
    """
    sums = {
        name: by_clip(verdict.clip, verdict.identified, references)
        for name, verdict in verdicts.items()
    }

    def mean(names: list[str]) -> Estimate:
        if not names:
            return proportion(np.empty(0), np.empty(0, int))
        return mean_of_rows(
            *(np.stack(part) for part in zip(*(sums[n] for n in names), strict=True))
        )

    rows = {name: proportion(*pair) for name, pair in sums.items()}
    paper = [name for name in sums if name not in lifelike]
    gentle = [name for name in paper if name not in EXTREME]
    worst = min((rows[name] for name in gentle), key=lambda e: e.value, default=mean([]))
    return Column(rows, mean(paper), mean(gentle), worst, mean([n for n in sums if n in lifelike]))
