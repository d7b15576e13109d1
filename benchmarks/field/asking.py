"""Asks the clips of a plan, recording after recording, in several processes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from math import isnan
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
from samaf.records import Match, QueryResult, Verification


@dataclass(frozen=True, slots=True)
class Task:
    """What the processes share."""

    stores: tuple[Path, Path]
    around: Surroundings
    conditions: tuple[str, ...]
    lengths: tuple[float, ...]
    search: str
    seed: int
    verify: bool = False


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
            for side in wanted:
                answers.append(_answer(probe, condition, seconds, cut, side, worker))
    return answers


def _answer(
    probe: Probe, condition: Condition, seconds: float, cut: Excerpt, side: int, worker: _Worker
) -> Answer:
    engine, search = worker.engines[side], worker.task.search
    started = time.perf_counter()
    result = engine.query(cut.audio, search=search, verify=worker.task.verify)
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
        [] if result.reason else candidates(engine, cut.audio, search),
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
        "manipulation": str(match.manipulation),
        **_verification(match.verification),
    }


def _verification(verification: Verification | None) -> dict[str, Any]:
    if verification is None:
        return {}
    return {
        "verified": verification.verified,
        "verification_score": round(verification.score, 3),
        "z_waveform": _number(verification.z_waveform),
        "z_windows": _number(verification.z_windows),
    }


def _number(value: float) -> float | None:
    return None if isnan(value) else round(value, 2)
