"""All raw results of a folder, judged and summed up by clip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.campaign import FAILURE
from benchmarks.errors import BenchmarkError
from benchmarks.evaluation import Verdicts, judge
from benchmarks.measuring import OPEN, scaled
from benchmarks.metrics import (
    UNASKED,
    Detection,
    Estimate,
    detection,
    mean_of_rows,
    proportion,
    threshold_at,
)
from benchmarks.protocol import left_out
from benchmarks.results import Reference, Results
from benchmarks.scale import FACTORS
from benchmarks.transformations import EXTREME, paper_rows
from samaf.training.corpora import SPLITS

ATTRIBUTES = ("identified", "placed", "source", "speaker")
RATES = (1e-2, 1e-3, 1e-4)  # false positives
PAPER = frozenset(row.name for row in paper_rows())
GENTLE = tuple(row.name for row in paper_rows() if row.name not in EXTREME)

Key = tuple[str, int]  # row, seconds


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Right answers and queries by clip, float and int (references,)."""

    right: np.ndarray
    asked: np.ndarray

    def estimate(self) -> Estimate:
        """Give the share of right answers."""
        return proportion(self.right, self.asked)


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """One cell, summed up: a tally by attribute."""

    header: Mapping[str, Any]
    tallies: Mapping[str, Tally]

    @property
    def queries(self) -> int:
        """How many were asked."""
        return int(self.tallies["identified"].asked.sum())


@dataclass(frozen=True, slots=True, eq=False)
class OpenSet:
    """How one system does at one granularity when half of the clips are not stored.

    Attributes
    ----------
    identified
        By false-positive rate: genuine queries answered rightly at the threshold that
        meets it. The threshold is held while clips are drawn for the interval.
    stated
        By false-positive rate: genuine queries answered rightly, and strangers answered at
        all, where the score is -log10 of the rate that a system states.
    """

    curve: Detection
    identified: Mapping[float, Estimate]
    stated: Mapping[float, tuple[Estimate, Estimate]]
    genuine: int
    impostors: int


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What a results folder holds.

    Attributes
    ----------
    labelled
        Whether some speaker is known to have spoken twice.
    counted
        By recognizer and set of queries.
    opened
        By recognizer, split and seconds, over the paper's rows.
    stores
        What storing cost, by recognizer.
    failures
        Reason by recognizer.
    """

    configuration: Mapping[str, Any]
    references: Sequence[Reference]
    counted: Mapping[tuple[str, str], Mapping[Key, Counted]]
    opened: Mapping[tuple[str, str, int], OpenSet]
    stores: Mapping[str, Mapping[str, Any]]
    failures: Mapping[str, str]

    @property
    def labelled(self) -> bool:
        """Whether some speaker is known to have spoken twice."""
        speakers = [r.speaker for r in self.references]
        return all(speakers) and len(set(speakers)) < len(speakers)

    @property
    def recognizers(self) -> list[str]:
        """Name those that have answered all clips in some cell, models first."""
        names = {name for name, queries in self.counted if queries in SPLITS}
        return sorted(names, key=lambda name: (not name.startswith("samaf:"), name))

    @property
    def unknown(self) -> str:
        """The split that tables are about: test where there is one."""
        there = {queries for _, queries in self.counted}
        return next((s for s in ("test", "validation", "train") if s in there), "test")

    @property
    def seconds(self) -> list[int]:
        """Granularities that were asked."""
        return sorted({seconds for cells in self.counted.values() for _, seconds in cells})

    def rows(self, split: str) -> list[str]:
        """Name the paper's rows that were asked, in its order."""
        there = {row for (_, q), cells in self.counted.items() if q == split for row, _ in cells}
        return [row.name for row in paper_rows() if row.name in there]

    def others(self, split: str) -> list[str]:
        """Name the rows beyond the paper's that were asked."""
        there = {row for (_, q), cells in self.counted.items() if q == split for row, _ in cells}
        return sorted(there - {row.name for row in paper_rows()})

    def cell(self, recognizer: str, queries: str, row: str, seconds: int) -> Estimate:
        """Give the accuracy of one cell."""
        return self.mean(recognizer, queries, seconds, [row])

    def mean(
        self,
        recognizer: str,
        queries: str,
        seconds: int,
        rows: Iterable[str],
        attribute: str = "identified",
    ) -> Estimate:
        """Give the mean of some rows, each counting alike; without one of them none."""
        cells = self.counted.get((recognizer, queries), {})
        wanted = [(row, seconds) for row in rows]
        if not wanted or not all(key in cells for key in wanted):
            return UNASKED
        tallies = [cells[key].tallies[attribute] for key in wanted]
        return mean_of_rows(
            np.stack([tally.right for tally in tallies]),
            np.stack([tally.asked for tally in tallies]),
        )

    def growth(self, recognizer: str, split: str, seconds: int) -> dict[int, Estimate]:
        """Give accuracy by size of the store, in times the corpus; empty if not done."""
        sets = {factor: f"{scaled(factor)}{split}" for factor in FACTORS}
        rows = {
            row
            for queries in sets.values()
            for row, length in self.counted.get((recognizer, queries), {})
            if length == seconds
        }
        means = {f: self.mean(recognizer, q, seconds, sorted(rows)) for f, q in sets.items()}
        return {factor: mean for factor, mean in means.items() if mean.queries}

    def query_seconds(self, recognizer: str, queries: str) -> float:
        """Give CPU seconds a query, over all cells of a set; nan without queries."""
        cells = self.counted.get((recognizer, queries), {}).values()
        asked = sum(cell.queries for cell in cells)
        return sum(cell.header["cpu_s"] for cell in cells) / asked if asked else float("nan")


def read_findings(results: Results) -> Findings:
    """Judge everything in a folder.

    Raises
    ------
    BenchmarkError
        The folder holds no results, or damaged ones.
    """
    configuration = results.configuration()
    references = results.references()
    counted: dict[tuple[str, str], dict[Key, Counted]] = {}
    opened: dict[tuple[str, str, int], OpenSet] = {}
    stores, failures = {}, {}
    for name in results.recognizers():
        for room in sorted(path for path in results.room(name).iterdir() if path.is_dir()):
            verdicts: dict[Key, Verdicts] = {}
            cells: dict[Key, Counted] = {}
            for cell in results.cells(name, room.name):
                key = cell.header["row"], cell.header["seconds"]
                judged = judge(cell, references)
                cells[key] = Counted(cell.header, tallies(judged, len(references)))
                if room.name.startswith(OPEN):
                    verdicts[key] = judged
            counted[name, room.name] = cells
            for seconds in sorted({seconds for _, seconds in verdicts}):
                pooled = [v for (row, s), v in verdicts.items() if s == seconds and row in PAPER]
                if pooled:
                    split = room.name.removeprefix(OPEN)
                    opened[name, split, seconds] = open_set(pooled, len(references))
        store = results.read_json(results.room(name) / "store.json")
        failure = results.read_json(results.room(name) / FAILURE)
        if store:
            stores[name] = store
        if failure:
            failures[name] = str(failure["reason"])
    if not counted and not failures:
        raise BenchmarkError(f"{results.folder}: holds no answers yet; run it first")
    return Findings(configuration, references, counted, opened, stores, failures)


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
        Of all rows that count together.
    """
    clip = np.concatenate([v.clip for v in pooled])
    right = np.concatenate([v.identified for v in pooled])
    score = np.concatenate([v.score for v in pooled])
    stranger = left_out(references)[clip]
    curve = detection(right[~stranger], score[~stranger], score[stranger])
    impostors = int(stranger.sum())
    genuine = clip[~stranger]
    asked = np.bincount(genuine, minlength=references)
    identified = {}
    for rate in RATES:
        threshold = threshold_at(curve, rate, impostors)
        passed = right[~stranger] * (score[~stranger] >= threshold)
        total = np.zeros_like(asked) if np.isnan(threshold) else asked
        identified[rate] = proportion(np.bincount(genuine, passed, minlength=references), total)
    stated = {}
    for rate in RATES:
        passing = score >= -np.log10(rate)
        right_ones = np.bincount(genuine, (right * passing)[~stranger], minlength=references)
        strangers = np.bincount(clip[stranger], minlength=references)
        wrong_ones = np.bincount(clip[stranger], passing[stranger], minlength=references)
        stated[rate] = proportion(right_ones, asked), proportion(wrong_ones, strangers)
    return OpenSet(curve, identified, stated, len(genuine), impostors)
