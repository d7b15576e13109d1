"""Asks the clips of a plan, recording after recording, in several processes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.field.answers import Answer, Key
from benchmarks.field.candidates import candidates
from benchmarks.field.conditions import Condition, select
from benchmarks.field.excerpts import Excerpt, excerpt, recording_name
from benchmarks.field.plan import SIDES, Probe
from benchmarks.field.sounds import Surroundings
from benchmarks.field.stores import opened
from samaf.audio import load
from samaf.engine.prepare import prepare
from samaf.engine.stopwatch import Stopwatch
from samaf.fingerprinters import hashing
from samaf.matching import PreparedQuery
from samaf.records import Match, QueryResult


@dataclass(frozen=True, slots=True)
class Task:
    """What the processes share."""

    stores: tuple[Path, Path]
    around: Surroundings
    conditions: tuple[str, ...]
    lengths: tuple[float, ...]
    search: str
    seed: int


def ask(task: Task, probes: Sequence[Probe], done: set[Key], jobs: int) -> Iterator[list[Answer]]:
    """Ask what is not done; yield the answers recording by recording."""
    with ProcessPoolExecutor(jobs, initializer=_start, initargs=(task, done)) as pool:
        yield from pool.map(_ask, probes)


class _Worker:
    """Both stores, opened once in a process."""

    def __init__(self, task: Task, done: set[Key]) -> None:
        self.task, self.done = task, done
        self.conditions = select(",".join(task.conditions))
        self._stack = ExitStack()
        self.engines = [self._stack.enter_context(opened(path)) for path in task.stores]


_workers: list[_Worker] = []  # of a process


def _start(task: Task, done: set[Key]) -> None:
    _workers[:] = [_Worker(task, done)]


def _ask(probe: Probe) -> list[Answer]:
    worker = _workers[0]
    task = worker.task
    samples = load(probe.clip.path)
    answers = []
    for condition in worker.conditions:
        for seconds in task.lengths:
            wanted = [
                side
                for side in SIDES
                if (probe.name, condition.name, seconds, side == probe.side) not in worker.done
            ]
            if not wanted:
                continue
            cut = excerpt(samples, probe.name, seconds, condition, task.around, task.seed)
            if cut is None:
                continue
            deep = task.search != "plain"
            fingerprinter = hashing(worker.engines[0].fingerprinter)
            prepared = prepare(cut.audio, fingerprinter, Stopwatch(), deep=deep)
            for side in wanted:
                answers.append(_answer(probe, condition, seconds, cut, prepared, side, worker))
    return answers


def _answer(
    probe: Probe,
    condition: Condition,
    seconds: float,
    cut: Excerpt,
    prepared: PreparedQuery,
    side: int,
    worker: _Worker,
) -> Answer:
    engine, search = worker.engines[side], worker.task.search
    started = time.perf_counter()
    result = engine.query(cut.audio, search=search)
    assert isinstance(result, QueryResult)  # the model makes hashes
    elapsed = time.perf_counter() - started
    return Answer(
        probe.name,
        probe.clip.speaker,
        condition.name,
        seconds,
        side == probe.side,
        round(cut.start, 4),
        round(cut.pace, 6),
        {name: round(value, 4) for name, value in cut.parameters.items()},
        [_match(match) for match in result.matches],
        candidates(engine, prepared, search),
        round(elapsed, 4),
        result.reason,
    )


def _match(match: Match) -> dict[str, Any]:
    return {
        "recording": recording_name(match.recording.path),
        "query": [round(match.query_start, 2), round(match.query_stop, 2)],
        "reference": [round(match.reference_start, 2), round(match.reference_stop, 2)],
        "ber": round(match.ber, 4),
        "score": round(match.score, 3),
        "log10_lr": round(match.log10_lr, 3),
        "score_same_text": round(match.score_same_text, 3),
        "same_text_warning": match.same_text_warning,
        "manipulation": str(match.manipulation),
    }
