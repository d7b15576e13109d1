"""Asks the clips of a plan, recording after recording, in several processes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from math import inf, isnan
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.field.answers import Answer, Key
from benchmarks.field.conditions import Condition, select
from benchmarks.field.evidence import evidence, speech_share
from benchmarks.field.excerpts import Excerpt, excerpt, recording_name
from benchmarks.field.plan import SIDES, Probe
from benchmarks.field.sounds import Surroundings
from benchmarks.field.stores import opened
from samaf import Engine
from samaf.audio import load
from samaf.engine.hash_query import prepare
from samaf.engine.options import QueryOptions
from samaf.engine.stopwatch import Stopwatch
from samaf.fingerprinters import hashing
from samaf.index import HashTable
from samaf.matching import Candidate, calibration_of, find
from samaf.matching.alignment import Segment, error_rates, moved
from samaf.matching.calibration import for_deep, log10_likelihood_ratio
from samaf.matching.deep import AS_IT_IS, find_on_grid, hash_under
from samaf.matching.hypotheses import PLAIN, Hypothesis, deep
from samaf.records import Hashes, Match

KEPT = 3  # candidates with their evidence
EVERYTHING = inf  # expected false matches: all candidates


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
            for side in wanted:
                answers.append(_answer(probe, condition, seconds, cut, side, worker))
    return answers


def _answer(
    probe: Probe, condition: Condition, seconds: float, cut: Excerpt, side: int, worker: _Worker
) -> Answer:
    engine, search = worker.engines[side], worker.task.search
    started = time.perf_counter()
    result = engine.query(cut.audio, search=search)
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
    }


def candidates(engine: Engine, audio: bytes, search: str) -> list[dict[str, Any]]:
    """Give the best candidates at any score, each recording once, with their evidence.

    ``Engine.query`` gives none that chance explains, so the same search is asked here without
    that bound.
    """
    fingerprinter, index = hashing(engine.fingerprinter), engine.index
    options = QueryOptions(search=search)
    clip = prepare(audio, options, fingerprinter, Stopwatch())
    window, calibration = options.window_hashes(fingerprinter.hop), calibration_of(fingerprinter)
    salt = clip.answer.sha256
    if search == "plain":
        tried = [(PLAIN, clip.hashes)]
        if clip.samples is not None:  # a short clip
            tried = hash_under(clip.samples, salt, fingerprinter, [PLAIN])
        found = find(tried, index, window, calibration, EVERYTHING, KEPT)
    else:
        assert clip.samples is not None
        found = find_on_grid(
            *(clip.samples, salt, fingerprinter, index, window, EVERYTHING, KEPT),
            exhaustive=search == "exhaustive",
        )
        every = deep(search == "exhaustive")
        likely = [h for h in every if any(h.manipulation == f.manipulation for f in found)]
        tried = hash_under(clip.samples, salt, fingerprinter, likely or every[:AS_IT_IS])
        calibration = for_deep(calibration)
    best: dict[int, Candidate] = {}
    for each in found:
        best.setdefault(each.recording_index, each)
    chosen = list(best.values())[:KEPT]
    names = engine.store.get_many(
        [int(index.table.recording_ids[f.recording_index]) for f in chosen]
    )
    share = speech_share(load(audio))
    told = []
    for each in chosen:
        others = [
            f.weighted_log10_evalue for f in chosen if f.recording_index != each.recording_index
        ]
        query, segment = _on_grid(each, tried, index.table)
        shown = evidence(
            query, index.table, segment, each.comparisons, calibration, min(others, default=0.0)
        )
        recording = names[int(index.table.recording_ids[each.recording_index])]
        told.append(
            {
                "recording": recording_name(recording.path),
                "score": round(-each.log10_evalue, 3),
                "log10_lr": round(
                    float(log10_likelihood_ratio(-each.log10_evalue, calibration)), 3
                ),
                "manipulation": str(each.manipulation),
                "speech_share": round(share, 3),
                **{n: None if isnan(v) else round(v, 5) for n, v in asdict(shown).items()},
            }
        )
    return told


def _on_grid(
    found: Candidate, tried: Sequence[tuple[Hypothesis, Hashes]], table: HashTable
) -> tuple[Hashes, Segment]:
    """Give the hashes that a candidate was found with, and its segment in them."""
    rows = table.rows(found.recording_index)
    for hypothesis, query in tried:
        segment = moved(found.segment, -hypothesis.origin)
        i = np.arange(segment.first, segment.stop)
        at = np.rint(segment.alignment.intercept + segment.alignment.slope * i).astype(np.int64)
        inside = segment.first >= 0 and segment.stop <= len(query)
        if not inside or at.min() < 0 or at.max() >= len(rows):
            continue
        rates = error_rates(query.packed[i] ^ rows[at])
        if hypothesis.manipulation == found.manipulation and np.isclose(rates.mean(), segment.ber):
            return query, segment
    raise BenchmarkError("a candidate fits none of the grids that it may have been found on")
