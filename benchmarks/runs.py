"""Asking a system: the references stored once, then every query of every row."""

from __future__ import annotations

import platform
import resource
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.preparation import Prepared, Progress, prepare, read_samples
from benchmarks.protocol import (
    HOP,
    Answers,
    System,
    choose_windows,
    window_count,
)
from benchmarks.results import Cell, Reference, Results
from benchmarks.transformations import Row, paper_rows
from samaf.audio import SAMPLE_RATE
from samaf.training.corpora import Clip, Corpus

PACKAGES = ("numpy", "scipy", "onnxruntime", "av")


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a run is made of: references, and the transformed clips of one split.

    Attributes
    ----------
    originals
        Every speech clip of the corpus that could be decoded, in its order.
    queries
        Name of the set of queries: the split of its clips.
    asked
        int (c,): positions of the clips that are asked about, among the originals.
    """

    corpus: Corpus
    originals: tuple[Clip, ...]
    files: tuple[Path, ...]
    queries: str
    asked: np.ndarray
    rows: tuple[Row, ...]
    prepared: Prepared

    def references(self) -> list[Reference]:
        """Describe the originals for the results."""
        return [
            Reference(
                clip.path.relative_to(self.corpus.root).as_posix(),
                clip.split,
                clip.speaker,
                clip.recording,
                round(_length(file) / SAMPLE_RATE, 3),
            )
            for clip, file in zip(self.originals, self.files, strict=True)
        ]

    def only(self, queries: str, rows: Sequence[str], clips: int) -> Material:
        """Give a smaller set of queries: these rows, at most so many clips spread over it."""
        count = len(self.asked)
        places = np.linspace(0, count - 1, min(clips, count)).round().astype(int).tolist()
        new = {old: number for number, old in enumerate(places)}
        kept = {
            (new[clip], row): path
            for (clip, row), path in self.prepared.files.items()
            if clip in new and row in rows
        }
        failed = {
            (new[clip], row): reason
            for (clip, row), reason in self.prepared.failures.items()
            if clip in new and row in rows
        }
        chosen = tuple(row for row in self.rows if row.name in rows)
        return replace(
            self,
            queries=queries,
            asked=self.asked[places],
            rows=chosen,
            prepared=Prepared(kept, failed),
        )

    def configuration(self) -> dict[str, Any]:
        """Tell what results rest on."""
        return {
            "corpus": self.corpus.root.name,
            "corpus_digest": self.corpus.digest,
            "references": len(self.originals),
        }


def gather(
    corpus: Corpus,
    split: str,
    rows: Sequence[Row],
    work: Path,
    *,
    clips: int | None = None,
    jobs: int = 2,
    progress: Callable[[str], Progress] | None = None,
) -> Material:
    """Prepare originals and transformed clips.

    Parameters
    ----------
    clips
        How many clips of the split to ask about, spread over it; all by default.
    progress
        Given a stage's name, gives the function that is told how far it is.

    Raises
    ------
    BenchmarkError
        No speech of the split could be decoded.
    """
    originals = corpus.select("speech", "train", "validation", "test")
    report = progress or (lambda _: lambda done, total: None)
    kept = prepare(
        corpus, originals, paper_rows()[:1], work, jobs=jobs, progress=report("originals")
    )
    numbers = sorted(number for number, _ in kept.files)
    files = tuple(path for _, path in sorted(kept.files.items()))
    good = tuple(originals[number] for number in numbers)
    own = np.flatnonzero([clip.split == split for clip in good])
    if not len(own):
        raise BenchmarkError(
            f"{corpus.root}: the {split} split holds no usable speech; name another --split"
        )
    if clips is not None and clips < len(own):
        own = own[np.linspace(0, len(own) - 1, clips).round().astype(int)]
    prepared = prepare(
        corpus,
        [good[number] for number in own],
        rows,
        work,
        jobs=jobs,
        progress=report("transformed clips"),
    )
    return Material(corpus, good, files, split, own, tuple(rows), prepared)


def store_all(
    system: System, material: Material, results: Results, progress: Progress | None = None
) -> None:
    """Store every original and note what it cost."""
    spent, seconds = 0.0, 0.0
    for number, file in enumerate(material.files):
        samples = read_samples(file)
        begun = _cpu_seconds()
        system.add(number, samples)
        spent += _cpu_seconds() - begun
        seconds += len(samples) / SAMPLE_RATE
        if progress:
            progress(number + 1, len(material.files))
    note = {
        "recognizer": system.name,
        "parameters": dict(system.parameters()),
        "versions": versions(),
        "references": len(material.files),
        "audio_s": seconds,
        "cpu_s": spent,
        "stored_bits": system.stored_bits(),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    results.write_json(results.room(system.name) / "store.json", note)


def settings_of(
    system: System, material: Material, row: Row, seconds: int, sample: int | None
) -> dict[str, Any]:
    """Say what a cell is measured under."""
    return {
        "recognizer": system.name,
        "parameters": dict(system.parameters()),
        "queries": material.queries,
        "clips": len(material.asked),
        "row": row.name,
        "row_parameters": f"{row.kind} {row.parameters}".strip(),
        "seconds": seconds,
        "sample": sample,
    }


def missing_cells(
    system: System,
    material: Material,
    results: Results,
    granularities: Sequence[int],
    sample: int | None,
) -> dict[str, list[int]]:
    """List, by row, the granularities that have no results yet."""
    return {
        row.name: [
            seconds
            for seconds in granularities
            if seconds >= system.least
            and not results.has(settings_of(system, material, row, seconds, sample))
        ]
        for row in material.rows
    }


def ask_all(
    system: System,
    material: Material,
    results: Results,
    missing: Mapping[str, Sequence[int]],
    sample: int | None,
    progress: Progress | None = None,
) -> None:
    """Ask every missing cell and keep its answers."""
    total = sum(bool(lengths) for lengths in missing.values()) * len(material.asked)
    done = 0
    for row in material.rows:
        if not missing[row.name]:
            continue

        def step() -> None:
            nonlocal done
            done += 1
            if progress:
                progress(done, total)

        for cell in _ask_row(system, material, row, missing[row.name], sample, step):
            results.write(cell)


def _ask_row(
    system: System,
    material: Material,
    row: Row,
    granularities: Sequence[int],
    sample: int | None,
    step: Callable[[], None],
) -> Iterator[Cell]:
    """Ask all clips of one row; one cell a granularity."""
    there = [n for n in range(len(material.asked)) if (n, row.name) in material.prepared.files]
    lengths = [_length(material.prepared.files[n, row.name]) for n in there]
    chosen = {
        seconds: choose_windows(
            [window_count(length, seconds) for length in lengths],
            sample,
            f"{material.queries} {row.name} {seconds}",
        )
        for seconds in granularities
    }

    def ask(place: int) -> Mapping[int, Answers]:
        windows = {seconds: chosen[seconds][place] for seconds in granularities}
        if not any(len(w) for w in windows.values()):
            return {}
        return system.ask(material.prepared.samples(there[place], row.name), windows)

    begun = _cpu_seconds()  # with the reading of the clips
    collected: list[Mapping[int, Answers]] = []
    for answers in _ordered(ask, range(len(there)), system.parallel):
        collected.append(answers)
        step()
    spent = _cpu_seconds() - begun
    asked = sum(len(w) for windows in chosen.values() for w in windows)
    for seconds in granularities:
        counts = [len(windows) for windows in chosen[seconds]]
        begin = [
            row.begin(window * HOP, seconds, length / SAMPLE_RATE)
            for windows, length in zip(chosen[seconds], lengths, strict=True)
            for window in windows
        ]
        header = {
            **settings_of(system, material, row, seconds, sample),
            "versions": versions(),
            "too_short": sum(window_count(length, seconds) == 0 for length in lengths),
            "failures": [
                reason
                for (_, name), reason in material.prepared.failures.items()
                if name == row.name
            ],
            # Shared by all granularities that were asked together, by number of queries.
            "cpu_s": spent * sum(counts) / max(asked, 1),
        }
        yield Cell(
            header,
            np.repeat(material.asked[there], counts).astype(np.int32),
            np.array(begin, np.float32),
            _joined([found.get(seconds) for found in collected], counts),
        )


def _ordered(
    function: Callable[[int], Any], numbers: Iterable[int], parallel: int
) -> Iterator[Any]:
    """Call a function on numbers, several at the same time; results in order."""
    if parallel == 1:
        yield from map(function, numbers)
        return
    with ThreadPoolExecutor(parallel) as pool:
        left = iter(numbers)
        waiting = [pool.submit(function, n) for n in islice(left, 2 * parallel)]
        try:
            while waiting:
                yield waiting.pop(0).result()
                waiting += [pool.submit(function, n) for n in islice(left, 1)]
        finally:
            for future in waiting:
                future.cancel()


def _joined(parts: Sequence[Answers | None], counts: Sequence[int]) -> Answers:
    """Put the answers of all clips together, windows numbered through."""
    firsts = np.cumsum([0, *counts])
    there = [(first, part) for first, part in zip(firsts, parts, strict=False) if part]
    none = np.empty(0)
    return Answers(
        np.concatenate([none, *(first + part.window for first, part in there)]).astype(np.int32),
        np.concatenate([none, *(part.reference for _, part in there)]).astype(np.int32),
        np.concatenate([none, *(part.score for _, part in there)]).astype(np.float32),
        np.concatenate([none, *(part.offset for _, part in there)]).astype(np.float32),
    )


def _cpu_seconds() -> float:
    """Tell what this process has used, with all threads and the programs that it called."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def _length(path: Path) -> int:
    return len(np.load(path, mmap_mode="r"))


def versions() -> dict[str, str]:
    """Name the versions that results may depend on."""
    found = {name: metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}
