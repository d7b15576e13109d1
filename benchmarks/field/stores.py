"""The store of a plan, and distractors that make it larger."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import numpy as np

import samaf
from benchmarks.accuracy.distractors import distractors
from benchmarks.errors import BenchmarkError
from benchmarks.field.plan import Plan
from benchmarks.terminal import Progress
from samaf.records import Hashes, Recording

DISTRACTOR_HASHES = 50_000  # of one distractor: 3.5 h
DISTRACTOR = "distractor"  # what their names begin with


def build(plan: Plan, folder: Path, model: str | None, times: int, progress: Progress) -> Path:
    """Make the store in a folder, or take the one that is there.

    Parameters
    ----------
    times
        How many times as large as the recordings it is, with distractors.

    Raises
    ------
    BenchmarkError
        A recording cannot be added.
    """
    key = f"{model or 'default'}-{plan.digest}".replace("/", "_")
    path, plain = folder / f"{key}-{times}x.db", folder / f"{key}-1x.db"
    if not plain.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _whole(plain, lambda partial: _add(plan, partial, model, progress))
    if not path.is_file():
        _whole(path, lambda partial: _enlarge(plain, partial, times))
    return path


def _whole(path: Path, make: Callable[[Path], None]) -> None:
    """Make a store under another name, so that it is there complete or not at all."""
    partial = path.with_suffix(".part")
    for leftover in path.parent.glob(f"{partial.name}*"):
        leftover.unlink()
    make(partial)
    partial.replace(path)


def _add(plan: Plan, path: Path, model: str | None, progress: Progress) -> None:
    paths = [clip.path for clip in plan.stored.values()]
    with samaf.open(str(path), model=model) as engine:
        for done, result in enumerate(engine.add(paths), start=1):
            if result.status == "failed":
                raise BenchmarkError(result.message)
            progress(done, len(paths))


def _enlarge(plain: Path, path: Path, times: int) -> None:
    shutil.copyfile(plain, path)
    with opened(path) as engine:
        _distract(engine, times)


def _distract(engine: samaf.Engine, times: int) -> None:
    """Store hashes that sound like speech and belong to nobody, ``times`` - 1 as many."""
    table = engine.index.table
    rng = np.random.default_rng(times)
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
    """Open a store with an index cache of its own: stores of all sizes have one identity."""
    with samaf.open(str(path), cache_folder=path.with_suffix(".index")) as engine:
        yield engine
