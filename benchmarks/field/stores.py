"""The two stores of a plan, and distractors that make them larger."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import numpy as np

import samaf
from benchmarks.accuracy.distractors import distractors
from benchmarks.errors import BenchmarkError
from benchmarks.field.excerpts import recording_name
from benchmarks.field.plan import SIDES, Plan
from benchmarks.terminal import Progress
from samaf.records import Hashes, Recording

DISTRACTOR_HASHES = 50_000  # of one distractor: 3.5 h
DISTRACTOR = "distractor"  # what their names begin with


def build(
    plan: Plan, folder: Path, model: str | None, times: int, progress: Progress
) -> tuple[Path, Path]:
    """Make both stores in a folder, or take those that are there.

    Parameters
    ----------
    times
        How many times as large as the recordings the stores are, with distractors.

    Raises
    ------
    BenchmarkError
        A recording cannot be added.
    """
    key = f"{model or 'default'}-{plan.digest}".replace("/", "_")
    first, second = (folder / f"{key}-{times}x-{side}.db" for side in SIDES)
    if not second.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        everything = folder / f"{key}.db"
        _add(plan, everything, model, progress)
        for side, path in zip(SIDES, (first, second), strict=True):
            _derive(plan, side, everything, path, times)
    return first, second


def _add(plan: Plan, path: Path, model: str | None, progress: Progress) -> None:
    clips = [*plan.common, *plan.sides[0], *plan.sides[1]]
    with samaf.open(str(path), model=model) as engine:
        for done, result in enumerate(engine.add([c.path for c in clips]), start=1):
            if result.status == "failed":
                raise BenchmarkError(result.message)
            progress(done, len(clips))


def _derive(plan: Plan, side: int, everything: Path, path: Path, times: int) -> None:
    """Copy a store without the speakers of the other side."""
    partial = path.with_suffix(".part")
    for leftover in path.parent.glob(f"{partial.name}*"):
        leftover.unlink()
    shutil.copyfile(everything, partial)
    with opened(partial) as engine:
        kept = {recording_name(c.path) for c in (*plan.common, *plan.sides[side])}
        ids = [r.recording_id for r in engine.list() if recording_name(r.path) not in kept]
        engine.delete_many(ids)
        if times > 1:
            _distract(engine, times, side)
    partial.replace(path)


def _distract(engine: samaf.Engine, times: int, side: int) -> None:
    """Store hashes that sound like speech and belong to nobody, ``times`` - 1 as many."""
    table = engine.index.table
    rng = np.random.default_rng([times, side])
    left = (times - 1) * table.total
    while left:
        count = min(left, DISTRACTOR_HASHES)
        packed = distractors(table, np.empty(0, np.int64), count, rng)
        name = f"{DISTRACTOR}-{left}"
        seconds = (count - 1) * engine.fingerprinter.hop + engine.fingerprinter.block
        recording = Recording(sha256(name.encode()).hexdigest(), name, name, seconds)
        engine.store.add(recording, Hashes(packed, np.ones(count, bool)))
        left -= count


@contextmanager
def opened(path: Path) -> Iterator[samaf.Engine]:
    """Open a store with an index cache of its own: both stores have one identity."""
    with samaf.open(str(path), cache_folder=path.with_suffix(".index")) as engine:
        yield engine
