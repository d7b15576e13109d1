"""All that one system is queried with: every clip, the open set, the store that grows.

Names of the sets of queries: ``test`` for the clips of the test split with all originals
stored, ``open-test`` with half of them left out, ``scale10-test`` with a store of ten
times the hashes. The split may be another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.bits import bit_errors
from benchmarks.accuracy.distractors import CLIPS, FACTORS, TRANSFORMATIONS, distractors
from benchmarks.accuracy.protocol import System, left_out
from benchmarks.accuracy.query_sets import QuerySet
from benchmarks.accuracy.query_systems import missing_cells, query_all, settings_of, store_all
from benchmarks.accuracy.results import BitErrors, Results
from benchmarks.accuracy.systems import HashSystem
from benchmarks.errors import BenchmarkError
from benchmarks.sampling import generator
from benchmarks.terminal import Progress

PARTS = ("closed", "bits", "open", "scale")
OPEN = "open-"


def scaled(factor: int) -> str:
    """Give the prefix of sets of queries to a store that has grown."""
    return f"scale{factor}-"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What every system of a run is queried with.

    Attributes
    ----------
    query_sets
        One a split, all over the same originals.
    sample
        Windows of a cell that systems are queried with whose every window costs; None for all.
    parts
        Some of ``PARTS``.
    """

    query_sets: tuple[QuerySet, ...]
    granularities: tuple[int, ...]
    sample: int | None
    parts: tuple[str, ...]
    out: Path


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Queries to one state of the store."""

    query_set: QuerySet
    factor: int = 1
    halved: bool = False


def stages(system: System, plan: Plan) -> list[Stage]:
    """List the stages, in an order in which the store never has to grow back."""
    listed = []
    if "closed" in plan.parts:
        listed += [Stage(query_set) for query_set in plan.query_sets]
    if "scale" in plan.parts and isinstance(system, HashSystem):
        for factor in FACTORS:
            for query_set in plan.query_sets:
                name = f"{scaled(factor)}{query_set.name}"
                listed.append(Stage(query_set.subset(name, TRANSFORMATIONS, CLIPS), factor))
    if "open" in plan.parts:
        listed += [
            Stage(replace(query_set, name=f"{OPEN}{query_set.name}"), halved=True)
            for query_set in plan.query_sets
        ]
    return listed


def measure(system: System, plan: Plan, progress: Progress) -> None:
    """Measure everything that has no results yet.

    Parameters
    ----------
    progress
        Called with how many cells are done, in parts of one, and how many there are.

    Raises
    ------
    BenchmarkError
        Results were measured in another way, or cannot be written.
    """
    results = Results(plan.out)
    sample = plan.sample if system.sampled else None
    cells = [
        (stage, missing_cells(system, stage.query_set, results, plan.granularities, sample))
        for stage in stages(system, plan)
    ]
    bits = _bits(system, plan)
    missing_bits = [make for settings, make in bits if not results.has(settings)]
    total = len(bits) + sum(
        len(stage.query_set.transformations) * len(plan.granularities) for stage, _ in cells
    )
    left = [sum(map(len, missing.values())) for _, missing in cells]
    done = total - sum(left) - len(missing_bits)
    progress(done, total)
    if done == total:
        return
    store_all(system, plan.query_sets[0], results)
    for make in missing_bits:
        results.write(make())
        done += 1
        progress(done, total)
    store = _Store(system, plan.query_sets)
    for (stage, missing), count in zip(cells, left, strict=True):
        if not count:
            continue
        store.bring_to(stage)

        def step(queried: float, clips: int, before: int = done, count: int = count) -> None:
            progress(before + count * queried / clips, total)

        query_all(system, stage.query_set, results, missing, sample, step)
        done += count


def _bits(system: System, plan: Plan) -> list[tuple[Mapping[str, Any], Callable[[], BitErrors]]]:
    """List the settings of all bit errors, with what measures them."""
    if "bits" not in plan.parts or not isinstance(system, HashSystem):
        return []
    return [
        (
            settings_of(system, query_set, transformation),
            partial(bit_errors, system, query_set, transformation),
        )
        for query_set in plan.query_sets
        for transformation in query_set.transformations
    ]


class _Store:
    """What a system holds, and how it comes to hold what a stage needs."""

    def __init__(self, system: System, query_sets: Sequence[QuerySet]) -> None:
        self._system = system
        self._query_sets = query_sets
        self._factor = 1
        self._halved = False

    def bring_to(self, stage: Stage) -> None:
        references = len(stage.query_set.originals)
        if stage.factor != self._factor:
            self._grow(references, stage.factor)
        if stage.halved and not self._halved:
            for reference in left_out(references).nonzero()[0].tolist():
                self._system.delete(reference)
            self._halved = True

    def _grow(self, references: int, factor: int) -> None:
        """Put distractors behind the references, or take them away."""
        if not isinstance(self._system, HashSystem):
            raise BenchmarkError(f"{self._system.name}: holds no hashes that could be multiplied")
        if self._factor != 1:
            self._system.delete(references)
        self._factor = factor
        if factor == 1:
            return
        table = self._system.index.table
        queried = np.concatenate([query_set.clips for query_set in self._query_sets])
        rng = generator("crowd", str(factor))
        made = distractors(table, queried, (factor - 1) * len(table.hashes), rng)
        self._system.insert(references, made)
