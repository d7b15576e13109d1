"""All that is asked of one system: every clip, the open set, the store that grows.

Names of the sets of queries: ``test`` for the clips of the test split with all originals
stored, ``open-test`` with half of them left out, ``scale10-test`` with a store of ten
times the hashes. The split may be another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.conditions import generator
from benchmarks.errors import BenchmarkError
from benchmarks.preparation import Progress
from benchmarks.protocol import System, left_out
from benchmarks.recognizers import HashSystem
from benchmarks.results import Results
from benchmarks.runs import Material, ask_all, missing_cells, store_all
from benchmarks.scale import CLIPS, FACTORS, ROWS, crowd

PARTS = ("closed", "open", "scale")
OPEN = "open-"


def scaled(factor: int) -> str:
    """Name the sets of queries to a store that has grown."""
    return f"scale{factor}-"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What every recognizer of a run is asked.

    Attributes
    ----------
    materials
        One a split, all over the same originals.
    sample
        Windows of a cell that systems are asked whose every window costs; None for all.
    parts
        Some of ``PARTS``.
    """

    materials: tuple[Material, ...]
    granularities: tuple[int, ...]
    sample: int | None
    parts: tuple[str, ...]
    out: Path


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Queries that are asked of one state of the store."""

    material: Material
    factor: int = 1
    halved: bool = False


def stages(system: System, plan: Plan) -> list[Stage]:
    """List what is asked, in an order in which the store never has to grow back."""
    found = []
    if "closed" in plan.parts:
        found += [Stage(material) for material in plan.materials]
    if "scale" in plan.parts and isinstance(system, HashSystem):
        for factor in FACTORS:
            for material in plan.materials:
                name = f"{scaled(factor)}{material.queries}"
                found.append(Stage(material.only(name, ROWS, CLIPS), factor))
    if "open" in plan.parts:
        found += [
            Stage(replace(material, queries=f"{OPEN}{material.queries}"), halved=True)
            for material in plan.materials
        ]
    return found


def measure(system: System, plan: Plan, progress: Progress) -> None:
    """Ask a system everything that has no results yet.

    Parameters
    ----------
    progress
        Told how many cells are done, in parts of one, and how many there are.

    Raises
    ------
    BenchmarkError
        Results were measured in another way, or cannot be written.
    """
    results = Results(plan.out)
    sample = plan.sample if system.sampled else None
    lined_up = [
        (stage, missing_cells(system, stage.material, results, plan.granularities, sample))
        for stage in stages(system, plan)
    ]
    total = sum(len(s.material.rows) * len(plan.granularities) for s, _ in lined_up)
    left = [sum(map(len, missing.values())) for _, missing in lined_up]
    done = total - sum(left)
    progress(done, total)
    if done == total:
        return
    store_all(system, plan.materials[0], results)
    store = _Store(system, plan.materials)
    for (stage, missing), cells in zip(lined_up, left, strict=True):
        if not cells:
            continue
        store.bring_to(stage)

        def step(asked: float, clips: int, before: int = done, cells: int = cells) -> None:
            progress(before + cells * asked / clips, total)

        ask_all(system, stage.material, results, missing, sample, step)
        done += cells


class _Store:
    """What a system holds, and how it comes to hold what a stage asks for."""

    def __init__(self, system: System, materials: Sequence[Material]) -> None:
        self._system = system
        self._materials = materials
        self._factor = 1
        self._halved = False

    def bring_to(self, stage: Stage) -> None:
        references = len(stage.material.originals)
        if stage.factor != self._factor:
            self._grow(references, stage.factor)
        if stage.halved and not self._halved:
            for reference in left_out(references).nonzero()[0].tolist():
                self._system.delete(reference)
            self._halved = True

    def _grow(self, references: int, factor: int) -> None:
        """Put a crowd behind the references, or take it away."""
        if not isinstance(self._system, HashSystem):
            raise BenchmarkError(f"{self._system.name}: holds no hashes that could be multiplied")
        if self._factor != 1:
            self._system.delete(references)
        self._factor = factor
        if factor == 1:
            return
        table = self._system.nearest().table
        asked = np.concatenate([material.asked for material in self._materials])
        rng = generator("crowd", str(factor))
        made = crowd(table, asked, (factor - 1) * len(table.hashes), rng)
        self._system.insert(references, made)
