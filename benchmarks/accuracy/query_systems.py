"""Querying a system: the references stored once, then every query of every transformation."""

from __future__ import annotations

import platform
import resource
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from itertools import islice
from typing import Any

import numpy as np

from benchmarks.accuracy.protocol import HOP, Answers, System, choose_windows, window_count
from benchmarks.accuracy.query_sets import QuerySet, count_samples, read_samples
from benchmarks.accuracy.results import STORE, Cell, Results
from benchmarks.accuracy.transformations import Transformation
from benchmarks.terminal import Progress
from samaf.audio import SAMPLE_RATE

PACKAGES = ("numpy", "scipy", "onnxruntime", "av")


def store_all(
    system: System, query_set: QuerySet, results: Results, progress: Progress | None = None
) -> None:
    """Store every original and note what it cost."""
    spent, seconds = 0.0, 0.0
    for number, file in enumerate(query_set.files):
        samples = read_samples(file)
        begun = _cpu_seconds()
        system.add(number, samples)
        spent += _cpu_seconds() - begun
        seconds += len(samples) / SAMPLE_RATE
        if progress:
            progress(number + 1, len(query_set.files))
    note = {
        "system": system.name,
        "parameters": dict(system.parameters()),
        "versions": versions(),
        "references": len(query_set.files),
        "audio_s": seconds,
        "cpu_s": spent,
        "stored_bits": system.stored_bits(),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    results.write_json(results.folder(system.name) / STORE, note)


def settings_of(
    system: System, query_set: QuerySet, transformation: Transformation, **settings: int | None
) -> dict[str, Any]:
    """Say what a cell is measured under: ``seconds`` and ``sample``, for bit errors neither."""
    return {
        "system": system.name,
        "parameters": dict(system.parameters()),
        "query_set": query_set.name,
        "clips": len(query_set.clips),
        "transformation": transformation.name,
        "transformation_parameters": f"{transformation.kind} {transformation.parameters}".strip(),
        **settings,
    }


def missing_cells(
    system: System,
    query_set: QuerySet,
    results: Results,
    granularities: Sequence[int],
    sample: int | None,
) -> dict[str, list[int]]:
    """List, by transformation, the granularities that have no results yet."""
    return {
        transformation.name: [
            seconds
            for seconds in granularities
            if seconds >= system.shortest
            and not results.has(
                settings_of(system, query_set, transformation, seconds=seconds, sample=sample)
            )
        ]
        for transformation in query_set.transformations
    }


def query_all(
    system: System,
    query_set: QuerySet,
    results: Results,
    missing: Mapping[str, Sequence[int]],
    sample: int | None,
    progress: Progress | None = None,
) -> None:
    """Query for every missing cell and keep the answers."""
    total = sum(bool(lengths) for lengths in missing.values()) * len(query_set.clips)
    done = 0
    for transformation in query_set.transformations:
        if not missing[transformation.name]:
            continue

        def step() -> None:
            nonlocal done
            done += 1
            if progress:
                progress(done, total)

        for cell in _cells(
            system, query_set, transformation, missing[transformation.name], sample, step
        ):
            results.write(cell)


def _cells(
    system: System,
    query_set: QuerySet,
    transformation: Transformation,
    granularities: Sequence[int],
    sample: int | None,
    step: Callable[[], None],
) -> Iterator[Cell]:
    """Query with all clips of one transformation; one cell a granularity."""
    name, prepared = transformation.name, query_set.prepared
    clips = [n for n in range(len(query_set.clips)) if (n, name) in prepared.files]
    lengths = [count_samples(prepared.files[n, name]) for n in clips]
    chosen = {
        seconds: choose_windows(
            [window_count(length, seconds) for length in lengths],
            sample,
            f"{query_set.name} {name} {seconds}",
        )
        for seconds in granularities
    }

    def query(place: int) -> Mapping[int, Answers]:
        windows = {seconds: chosen[seconds][place] for seconds in granularities}
        if not any(len(w) for w in windows.values()):
            return {}
        return system.query(prepared.samples(clips[place], name), windows)

    begun = _cpu_seconds()  # with the reading of the clips
    collected: list[Mapping[int, Answers]] = []
    for answers in _ordered(query, range(len(clips)), system.parallel):
        collected.append(answers)
        step()
    spent = _cpu_seconds() - begun
    queries = sum(len(w) for windows in chosen.values() for w in windows)
    for seconds in granularities:
        counts = [len(windows) for windows in chosen[seconds]]
        begin = [
            transformation.begin(window * HOP, seconds, length / SAMPLE_RATE)
            for windows, length in zip(chosen[seconds], lengths, strict=True)
            for window in windows
        ]
        header = {
            **settings_of(system, query_set, transformation, seconds=seconds, sample=sample),
            "versions": versions(),
            "too_short": sum(window_count(length, seconds) == 0 for length in lengths),
            "failures": [
                reason for (_, failed), reason in prepared.failures.items() if failed == name
            ],
            # Shared by all granularities that were queried together, by number of queries.
            "cpu_s": spent * sum(counts) / max(queries, 1),
        }
        yield Cell(
            header,
            np.repeat(query_set.clips[clips], counts).astype(np.int32),
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
    given = [(first, part) for first, part in zip(firsts, parts, strict=False) if part]
    none = np.empty(0)
    return Answers.joined(
        np.concatenate([none, *(first + part.window for first, part in given)]),
        np.concatenate([none, *(part.reference for _, part in given)]),
        np.concatenate([none, *(part.score for _, part in given)]),
        np.concatenate([none, *(part.offset for _, part in given)]),
    )


def _cpu_seconds() -> float:
    """Tell what this process has used, with all threads and the programs that it called."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def versions() -> dict[str, str]:
    """Name the versions that results may depend on."""
    found = {name: metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}
