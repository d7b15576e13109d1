"""The store of a plan, and distractors that make it larger."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import numpy as np

import samaf
from benchmarks.accuracy.distractors import distractors
from benchmarks.errors import BenchmarkError
from benchmarks.field.excerpts import recording_name
from benchmarks.field.plan import Plan, collection
from benchmarks.terminal import Progress
from samaf.records import Hashes, Recording

DISTRACTOR_HASHES = 50_000  # of one distractor: 3.5 h
DISTRACTOR = "distractor"  # what their names begin with
DRAWN_FROM = " of "  # the collection: what stands behind it


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
        _whole(path, lambda partial: _enlarge(plan, plain, partial, model, times))
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


def _enlarge(plan: Plan, plain: Path, path: Path, model: str | None, times: int) -> None:
    shutil.copyfile(plain, path)
    with opened(path, model) as engine:
        _distract(engine, plan, times)


def _distract(engine: samaf.Engine, plan: Plan, times: int) -> None:
    """Store hashes that sound like speech and belong to nobody, ``times`` - 1 as many.

    They are drawn from speech of other splits than the one that is queried, collection by
    collection: a query whose recording is not stored must not find a noisy copy of it, nor of its
    text.
    """
    table = engine.index.table
    rng = np.random.default_rng(times)
    names = {r.recording_id: recording_name(r.path) for r in engine.list()}
    clips = [plan.stored[names[number]] for number in table.recording_ids.tolist()]
    queried = {probe.clip.split for probe in plan.probes}
    sources = [collection(c) if c.split not in queried else None for c in clips]
    hashes = Counter[str]()
    for source, count in zip(sources, table.counts.tolist(), strict=True):
        if source is not None:
            hashes[source] += count
    for source, number in sorted(hashes.items()):
        others = table.recording_ids[[other != source for other in sources]]
        left = round((times - 1) * table.total * number / hashes.total())
        while left:
            count = min(left, DISTRACTOR_HASHES)
            packed = distractors(table, others, count, rng)
            name = f"{DISTRACTOR}-{left}{DRAWN_FROM}{source}"
            seconds = (count - 1) * engine.fingerprinter.hop + engine.fingerprinter.block
            recording = Recording(sha256(name.encode()).hexdigest(), name, name, seconds)
            engine.store.add(recording, Hashes(packed, np.ones(count, bool)))
            left -= count


def is_distractor(name: str) -> bool:
    """Tell whether a recording was made by `build`."""
    return name.startswith(DISTRACTOR)


def source_of(name: str, sources: Mapping[str, str]) -> str | None:
    """Give the collection of a recording by its name, of a distractor what it was drawn from."""
    if is_distractor(name):
        return name.partition(DRAWN_FROM)[2]
    return sources.get(name)


@contextmanager
def opened(path: Path, model: str | None = None) -> Iterator[samaf.Engine]:
    """Open a store with an index cache of its own: stores of all sizes have one identity."""
    with samaf.open(str(path), model=model, cache_folder=path.with_suffix(".index")) as engine:
        yield engine
