"""Asks the clips of a plan, recording after recording, in several processes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from math import isnan, log10
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.field.answers import Answer, Key
from benchmarks.field.candidates import candidates
from benchmarks.field.conditions import Condition, select
from benchmarks.field.draws import Draws
from benchmarks.field.excerpts import Excerpt, excerpt, recording_name
from benchmarks.field.plan import NO_OTHERS, NO_SOURCE, STORED, WITHOUT, Probe
from benchmarks.field.stores import is_distractor, opened, source_of
from benchmarks.surroundings import Surroundings
from samaf.audio import load
from samaf.engine.hash_query import HashFamily
from samaf.engine.options import QueryOptions
from samaf.engine.prepare import prepare
from samaf.engine.references import References
from samaf.engine.stopwatch import Stopwatch
from samaf.engine.verification import with_verification
from samaf.fingerprinters import hashing
from samaf.index import ExactIndex, Index
from samaf.matching import PreparedQuery
from samaf.records import Match, QueryResult, Verification


@dataclass(frozen=True, slots=True)
class Task:
    """What the processes share.

    Attributes
    ----------
    sources, speakers
        By name, of all that is stored.
    part
        Recordings to search in beside the clip's own; 0 for all.
    drawn
        Conditions that are drawn for each clip and length; 0 for all.
    stores
        What the store lacks when a clip is queried, see ``plan.WITHOUT``.
    model
        Name, or path of a card; by default the store's.
    """

    store: Path
    sources: Mapping[str, str]
    speakers: Mapping[str, str]
    around: Surroundings
    conditions: tuple[str, ...]
    lengths: tuple[float, ...]
    search: str
    seed: int
    part: int
    verify: bool = False
    drawn: int = 0
    stores: tuple[str, ...] = WITHOUT
    model: str | None = None

    def drawn_conditions(self, probe: Probe, seconds: float) -> tuple[str, ...]:
        """Draw the conditions under which a clip is queried at a length, by name."""
        if not 0 < self.drawn < len(self.conditions):
            return self.conditions
        rng = Draws(str(self.seed), probe.name, f"{seconds:g}", "conditions").rng
        return tuple(rng.permutation(self.conditions)[: self.drawn].tolist())


def query_all(
    task: Task, probes: Sequence[Probe], done: set[Key], jobs: int
) -> Iterator[list[Answer]]:
    """Ask what is not done; yield the answers recording by recording."""
    with ProcessPoolExecutor(jobs, initializer=_start, initargs=(task, done)) as pool:
        yield from pool.map(_ask, probes)


class _Worker:
    """The store, opened once in a process."""

    def __init__(self, task: Task, done: set[Key]) -> None:
        self.task, self.done = task, done
        self.conditions = select(",".join(task.conditions))
        self._stack = ExitStack()
        self.engine = self._stack.enter_context(opened(task.store, task.model))
        self.fingerprinter = hashing(self.engine.fingerprinter)
        self.family = HashFamily(self.fingerprinter)
        self.options = QueryOptions(search=task.search, verify=task.verify)
        self.references = self._stack.enter_context(References(None))
        ids = {
            r.recording_id: r.name if is_distractor(r.name) else recording_name(r.path)
            for r in self.engine.list()
        }
        self.names = [ids[i] for i in self.engine.index.table.recording_ids.tolist()]

    def index(self, probe: Probe, without: str) -> Index | None:
        """Give the index as if some recordings had never been stored; None where none lacks.

        A part of the store holds other recordings for every clip, and the clip's own.
        """
        task, table = self.task, self.engine.index.table
        if without == STORED and not task.part:
            return None
        own = np.array([name == probe.name for name in self.names])
        kept = np.ones(len(own), bool)
        if without != STORED:
            speaker = task.speakers[probe.name]
            kept &= [task.speakers.get(name) != speaker for name in self.names]
        source = task.sources[probe.name]
        if without in (NO_SOURCE, NO_OTHERS) and source:
            kept &= [source_of(name, task.sources) != source for name in self.names]
        if task.part:
            others = np.flatnonzero(kept & ~own)
            rng = Draws(str(task.seed), probe.name, "part").rng
            chosen = rng.choice(others, min(task.part, len(others)), replace=False)
            kept &= np.isin(np.arange(len(own)), chosen) | own
        if without == NO_OTHERS:
            kept |= own
        return ExactIndex(table.only(kept))


_workers: list[_Worker] = []  # of a process


def _start(task: Task, done: set[Key]) -> None:
    _workers[:] = [_Worker(task, done)]


def _ask(probe: Probe) -> list[Answer]:
    worker = _workers[0]
    task = worker.task
    samples = load(probe.clip.path)
    indexes = {without: worker.index(probe, without) for without in task.stores}
    drawn = {seconds: task.drawn_conditions(probe, seconds) for seconds in task.lengths}
    answers = []
    for condition in worker.conditions:
        for seconds in task.lengths:
            if condition.name not in drawn[seconds]:
                continue
            wanted = [
                without
                for without in task.stores
                if (probe.name, condition.name, seconds, without) not in worker.done
            ]
            if not wanted:
                continue
            cut = excerpt(samples, probe.name, seconds, condition, task.around, task.seed)
            if cut is None:
                continue
            query = prepare(
                cut.audio,
                worker.fingerprinter,
                Stopwatch(),
                deep=worker.options.deep,
                with_samples=worker.options.verify,
            )
            for without in wanted:
                query_of = (probe, condition, seconds, cut, query)
                answers.append(_answer(*query_of, without, indexes[without], worker))
    return answers


def _answer(
    probe: Probe,
    condition: Condition,
    seconds: float,
    cut: Excerpt,
    query: PreparedQuery,
    without: str,
    index: Index | None,
    worker: _Worker,
) -> Answer:
    """Ask a clip: through the engine in the whole store, or its search in a part of it.

    Where no candidate at any score has enough of it, that search would give no match. Of what is
    there for fits alone the candidates are enough.
    """
    engine = worker.engine
    started = time.perf_counter()
    found = candidates(
        worker.fingerprinter, index or engine.index, engine.store, query, worker.options
    )
    least = -log10(worker.options.max_false_matches)
    faint = not query.sides and all(c["score"] < least for c in found)
    if without == NO_OTHERS or (index is not None and faint and not worker.options.verify):
        elapsed = time.perf_counter() - started
        return _given(probe, condition, seconds, cut, without, query.result, found, elapsed, worker)
    started = time.perf_counter()
    if index is None:
        given = worker.options.search, worker.options.verify
        result = engine.query(cut.audio, search=given[0], verify=given[1])
        assert isinstance(result, QueryResult)  # the model makes hashes
    elif query.result.reason:
        result = query.result
    else:
        result = worker.family.search(query, worker.options, index, engine.store, Stopwatch())
        if worker.options.verify:
            result = with_verification(result, query, worker.references, worker.options)
    elapsed = time.perf_counter() - started
    return _given(probe, condition, seconds, cut, without, result, found, elapsed, worker)


def _given(
    probe: Probe,
    condition: Condition,
    seconds: float,
    cut: Excerpt,
    without: str,
    result: QueryResult,
    found: list[dict[str, Any]],
    elapsed: float,
    worker: _Worker,
) -> Answer:
    return Answer(
        probe.name,
        probe.clip.speaker or probe.name,
        condition.name,
        seconds,
        without,
        round(cut.start, 4),
        round(cut.pace, 6),
        {name: round(value, 4) for name, value in cut.parameters.items()},
        [_match(match) for match in result.matches],
        found,
        round(elapsed, 4),
        result.reason,
        worker.task.part,
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
