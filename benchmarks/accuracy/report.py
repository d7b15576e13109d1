"""All raw results of a folder, judged and summed up by clip: what every table is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.accuracy.distractors import FACTORS
from benchmarks.accuracy.protocol import left_out
from benchmarks.accuracy.results import FAILURE, STORE, Cell, Reference, Results
from benchmarks.accuracy.stages import OPEN, scaled
from benchmarks.accuracy.transformations import EXTREME, PAPER, REAL_LIFE
from benchmarks.errors import BenchmarkError
from benchmarks.metrics import (
    UNMEASURED,
    Detection,
    Estimate,
    Separation,
    detection,
    mean_of_groups,
    offset_right,
    proportion,
    separation,
    threshold_at,
)
from samaf.training.corpora import SPLITS

ATTRIBUTES = ("identified", "placed", "source", "speaker")
RATES = (1e-2, 1e-3, 1e-4)  # false positives
NAMES = tuple(t.name for t in PAPER)
GENTLE = tuple(name for name in NAMES if name not in EXTREME)
LIFELIKE = tuple(t.name for t in REAL_LIFE)

Key = tuple[str, int]  # transformation, seconds


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
    """Compare the answers of a cell with the truth.

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
        answered = np.minimum(given.reference, len(references))
        return np.asarray(numbers[answered] == numbers[truth])

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


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Right answers and queries by clip, float and int (references,)."""

    right: np.ndarray
    queries: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """One cell, summed up: a tally by attribute."""

    header: Mapping[str, Any]
    tallies: Mapping[str, Tally]

    @property
    def queries(self) -> int:
        """How many there were."""
        return int(self.tallies["identified"].queries.sum())


@dataclass(frozen=True, slots=True, eq=False)
class OpenSet:
    """How one system does at one granularity when half of the clips are not stored.

    Attributes
    ----------
    identified
        By false-positive rate: genuine queries answered rightly at the threshold that
        meets it. The threshold is held while clips are drawn for the interval.
    stated
        By false-positive rate: genuine queries answered rightly, and impostors answered at
        all, where the score is -log10 of the rate that a system states.
    """

    curve: Detection
    identified: Mapping[float, Estimate]
    stated: Mapping[float, tuple[Estimate, Estimate]]
    genuine: int
    impostors: int


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a results folder holds.

    Attributes
    ----------
    cells
        By system and set of queries.
    separations
        By system and set of queries, by transformation.
    open_sets
        By system, split and seconds, over the paper's transformations.
    stores
        What storing cost, by system.
    failures
        Reason by system.
    """

    configuration: Mapping[str, Any]
    references: Sequence[Reference]
    cells: Mapping[tuple[str, str], Mapping[Key, Counted]]
    separations: Mapping[tuple[str, str], Mapping[str, Separation]]
    open_sets: Mapping[tuple[str, str, int], OpenSet]
    stores: Mapping[str, Mapping[str, Any]]
    failures: Mapping[str, str]

    @property
    def labelled(self) -> bool:
        """Whether some speaker is known to have spoken twice."""
        speakers = [r.speaker for r in self.references]
        return all(speakers) and len(set(speakers)) < len(speakers)

    @property
    def systems(self) -> list[str]:
        """Name those that have answered all clips in some cell, models first."""
        names = {name for name, query_set in self.cells if query_set in SPLITS}
        return sorted(names, key=lambda name: (not name.startswith("samaf:"), name))

    @property
    def unknown(self) -> str:
        """The split that tables are about: test where there is one."""
        queried = {query_set for _, query_set in self.cells}
        return next((s for s in ("test", "validation", "train") if s in queried), "test")

    @property
    def seconds(self) -> list[int]:
        """Granularities that were queried."""
        return sorted({seconds for cells in self.cells.values() for _, seconds in cells})

    def transformations(self, split: str) -> list[str]:
        """Name the paper's transformations that were queried, in its order."""
        return [name for name in NAMES if name in self._queried(split)]

    def others(self, split: str) -> list[str]:
        """Name the transformations beyond the paper's that were queried."""
        return sorted(self._queried(split) - set(NAMES))

    def _queried(self, split: str) -> set[str]:
        return {name for (_, q), cells in self.cells.items() if q == split for name, _ in cells}

    def cell(self, system: str, query_set: str, transformation: str, seconds: int) -> Estimate:
        """Give the accuracy of one cell."""
        return self.mean(system, query_set, seconds, [transformation])

    def mean(
        self,
        system: str,
        query_set: str,
        seconds: int,
        transformations: Iterable[str],
        attribute: str = "identified",
    ) -> Estimate:
        """Give the mean of some transformations, each counting alike; without one of them none."""
        cells = self.cells.get((system, query_set), {})
        wanted = [(name, seconds) for name in transformations]
        if not wanted or not all(key in cells for key in wanted):
            return UNMEASURED
        tallies = [cells[key].tallies[attribute] for key in wanted]
        return mean_of_groups(
            np.stack([tally.right for tally in tallies]),
            np.stack([tally.queries for tally in tallies]),
        )

    def growth(self, system: str, split: str, seconds: int) -> dict[int, Estimate]:
        """Give accuracy by size of the store, in times the corpus; empty if not done."""
        sets = {factor: f"{scaled(factor)}{split}" for factor in FACTORS}
        names = {
            name
            for query_set in sets.values()
            for name, length in self.cells.get((system, query_set), {})
            if length == seconds
        }
        means = {f: self.mean(system, q, seconds, sorted(names)) for f, q in sets.items()}
        return {factor: mean for factor, mean in means.items() if mean.queries}

    def query_seconds(self, system: str, query_set: str) -> float:
        """Give CPU seconds a query, over all cells of a set; nan without queries."""
        cells = self.cells.get((system, query_set), {}).values()
        queries = sum(cell.queries for cell in cells)
        return sum(cell.header["cpu_s"] for cell in cells) / queries if queries else float("nan")


def read_report(results: Results) -> Report:
    """Judge everything in a folder.

    Raises
    ------
    BenchmarkError
        The folder holds no results, or damaged ones.
    """
    configuration = results.configuration()
    references = results.references()
    cells: dict[tuple[str, str], dict[Key, Counted]] = {}
    separations: dict[tuple[str, str], dict[str, Separation]] = {}
    open_sets: dict[tuple[str, str, int], OpenSet] = {}
    stores, failures = {}, {}
    for system in results.systems():
        for query_set in results.query_sets(system):
            verdicts: dict[Key, Verdicts] = {}
            counted: dict[Key, Counted] = {}
            for cell in results.cells(system, query_set):
                key = cell.header["transformation"], cell.header["seconds"]
                judged = judge(cell, references)
                counted[key] = Counted(cell.header, tallies(judged, len(references)))
                if query_set.startswith(OPEN):
                    verdicts[key] = judged
            if counted:
                cells[system, query_set] = counted
            separations[system, query_set] = {
                errors.header["transformation"]: separation(
                    errors.true, errors.impostor, errors.header["bits"]
                )
                for errors in results.bit_errors(system, query_set)
            }
            for seconds in sorted({seconds for _, seconds in verdicts}):
                pooled = [v for (name, s), v in verdicts.items() if s == seconds and name in NAMES]
                if pooled:
                    split = query_set.removeprefix(OPEN)
                    open_sets[system, split, seconds] = open_set(pooled, len(references))
        store = results.read_json(results.folder(system) / STORE)
        failure = results.read_json(results.folder(system) / FAILURE)
        if store:
            stores[system] = store
        if failure:
            failures[system] = str(failure["reason"])
    if not cells and not failures:
        raise BenchmarkError(f"{results.root}: holds no answers yet; run it first")
    return Report(configuration, references, cells, separations, open_sets, stores, failures)


def tallies(verdicts: Verdicts, references: int) -> dict[str, Tally]:
    """Sum verdicts up by clip; queries whose truth is not known are left out."""
    found = {}
    for attribute in ATTRIBUTES:
        right = getattr(verdicts, attribute)
        known = ~np.isnan(right)
        clip = verdicts.clip[known]
        found[attribute] = Tally(
            np.bincount(clip, right[known], minlength=references),
            np.bincount(clip, minlength=references),
        )
    return found


def open_set(pooled: Sequence[Verdicts], references: int) -> OpenSet:
    """Part queries whose clip is stored from impostors, and sweep the threshold.

    Parameters
    ----------
    pooled
        Of all transformations that count together.
    """
    clip = np.concatenate([v.clip for v in pooled])
    right = np.concatenate([v.identified for v in pooled])
    score = np.concatenate([v.score for v in pooled])
    impostor = left_out(references)[clip]
    curve = detection(right[~impostor], score[~impostor], score[impostor])
    impostors = int(impostor.sum())
    genuine = clip[~impostor]
    queries = np.bincount(genuine, minlength=references)
    identified = {}
    for rate in RATES:
        threshold = threshold_at(curve, rate, impostors)
        passed = right[~impostor] * (score[~impostor] >= threshold)
        total = np.zeros_like(queries) if np.isnan(threshold) else queries
        identified[rate] = proportion(np.bincount(genuine, passed, minlength=references), total)
    stated = {}
    for rate in RATES:
        passing = score >= -np.log10(rate)
        right_ones = np.bincount(genuine, (right * passing)[~impostor], minlength=references)
        outside = np.bincount(clip[impostor], minlength=references)
        wrong_ones = np.bincount(clip[impostor], passing[impostor], minlength=references)
        stated[rate] = proportion(right_ones, queries), proportion(wrong_ones, outside)
    return OpenSet(curve, identified, stated, len(genuine), impostors)
