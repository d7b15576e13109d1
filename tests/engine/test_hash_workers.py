"""Processes that hash files: the same answers, and none is left behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Timer

import pytest

import samaf
from samaf.demo import CLIPS
from samaf.engine.worker_tasks import FINGERPRINT, Request
from samaf.engine.workers import Workers
from samaf.errors import AudioError
from samaf.fingerprinters import DEFAULT_MODEL

BRUNO, GRETA = CLIPS / "bruno-garden.ogg", CLIPS / "greta-weather.ogg"


@pytest.mark.process
def test_processes_give_the_same_hashes_in_the_order_of_the_files(
    engine: samaf.Engine, excerpts: list[Path]
) -> None:
    labels = {"1.wav": {"speaker": "Bruno"}}
    results = list(engine.add(excerpts, labels, jobs=2))
    assert [Path(result.path) for result in results] == excerpts
    expected = ["added"] * 3 + ["failed", "added", "failed"] + ["added"] * 3
    assert [result.status for result in results] == expected
    assert "cannot be decoded" in results[3].message
    assert "shorter than 1 s" in results[5].message
    assert results[1].recording
    assert results[1].recording.labels == {"speaker": "Bruno"}
    for path, result in zip(excerpts, results, strict=True):
        if result.recording:
            here = samaf.fingerprint(path)
            stored = engine.store.hashes(result.recording.recording_id)
            assert stored.packed.tobytes() == here.hashes.packed.tobytes()
            assert stored.informative.tolist() == here.hashes.informative.tolist()
            assert result.recording.duration == here.duration
            assert result.recording.path == here.path
    again = [result.status for result in engine.add(excerpts, jobs=2)]
    assert again == [status.replace("added", "present") for status in expected]


@pytest.mark.process
def test_many_queries_give_the_answers_of_single_ones(
    engine: samaf.Engine, excerpts: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    list(engine.add([BRUNO, GRETA]))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    answers = list(engine.query_many(excerpts))
    assert isinstance(answers[3], AudioError)
    for path, answer in zip(excerpts, answers, strict=True):
        if isinstance(answer, AudioError):
            assert path.name in str(answer)
        else:
            assert answer == engine.query(path)
    with excerpts[0].open("rb") as file:
        mixed = list(engine.query_many([file, excerpts[1]]))
    assert mixed[1] == answers[1]


@pytest.mark.process
def test_a_killed_process_costs_one_file(tmp_path: Path) -> None:
    waiting = tmp_path / "waiting.wav"
    os.mkfifo(waiting)  # opening it for reading waits for a writer
    workers = Workers(1, DEFAULT_MODEL)
    try:
        workers.do(FINGERPRINT, Request(BRUNO))
        (process,) = children()
        Timer(0.2, os.kill, (process, signal.SIGKILL)).start()
        with pytest.raises(AudioError, match=r"waiting\.wav: the process .* \(Killed\)"):
            workers.do(FINGERPRINT, Request(waiting))
        assert workers.do(FINGERPRINT, Request(BRUNO)).sha256 == samaf.fingerprint(BRUNO).sha256
        assert children() != [process]
    finally:
        workers.close()
    assert children() == []


@pytest.mark.process
def test_whoever_stops_leaves_no_process(
    engine: samaf.Engine, excerpts: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samaf.engine.add.COMMIT_FILES", 1)
    adding = engine.add(excerpts, jobs=2)
    next(adding)
    assert children()
    adding.close()
    assert children() == []


def test_few_files_start_no_process(engine: samaf.Engine) -> None:
    for _ in engine.add([BRUNO, GRETA], jobs=2):
        assert children() == []


def children() -> list[int]:
    """Process ids of the children of this process that run samaf's workers."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            is_worker = b"samaf.engine.workers" in (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and is_worker:
            found.append(int(entry.name))
    return found
