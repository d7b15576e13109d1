"""The verbs as plain Python: what the shell does not show."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path
from threading import Timer

import numpy as np
import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.engine.workers import Workers
from samaf.errors import AudioError, QueryError, StoreError
from samaf.fingerprinters import DEFAULT_MODEL
from samaf.records import AddResult

BRUNO, GRETA = CLIPS / "bruno-garden.ogg", CLIPS / "greta-weather.ogg"


@pytest.fixture
def engine(tmp_path: Path) -> samaf.Engine:
    return samaf.open(str(tmp_path / "samaf.db"), cache_folder=tmp_path / "index")


def statuses(results: object) -> list[str]:
    return [result.status for result in results]  # type: ignore[attr-defined]


def test_add_takes_one_path_or_several(engine: samaf.Engine) -> None:
    assert statuses(engine.add(str(BRUNO))) == ["added"]
    assert statuses(engine.add([BRUNO, GRETA], {"greta-weather.ogg": {"speaker": "Greta"}})) == [
        "present",
        "added",
    ]
    assert engine.show("greta-weather.ogg").labels == {"speaker": "Greta"}
    assert [each.name for each in engine.list()] == [BRUNO.name, GRETA.name]


def test_the_same_bytes_twice_in_one_run(engine: samaf.Engine, tmp_path: Path) -> None:
    copy = tmp_path / "copy.ogg"
    copy.write_bytes(BRUNO.read_bytes())
    results = list(engine.add([BRUNO, copy, BRUNO]))
    assert sorted(statuses(results)) == ["added", "present", "present"]
    assert {result.recording.recording_id for result in results if result.recording} == {1}
    assert engine.stats().recordings == 1


def test_results_come_in_the_order_of_the_files(engine: samaf.Engine, tmp_path: Path) -> None:
    speech = load(BRUNO)
    for number, seconds in enumerate([9, 1, 5, 1, 2]):
        samples = speech[number * 100 :][: seconds * SAMPLE_RATE]
        (tmp_path / f"{number}.wav").write_bytes(wav(samples))
    (tmp_path / "3.wav").write_text("not sound")
    results = list(engine.add([tmp_path / f"{n}.wav" for n in range(5)], jobs=3))
    assert [Path(result.path).name for result in results] == [f"{n}.wav" for n in range(5)]
    assert statuses(results) == ["added", "added", "added", "failed", "added"]


def test_what_was_reported_is_stored_when_the_caller_stops(
    engine: samaf.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samaf.engine.adding.COMMIT_FILES", 2)
    for number in range(9):
        samples = load(BRUNO)[number * 800 :][: 2 * SAMPLE_RATE]
        (tmp_path / f"{number}.wav").write_bytes(wav(samples))
    adding = engine.add(tmp_path / f"{n}.wav" for n in range(9))
    first: AddResult = next(adding)
    adding.close()
    assert first.recording
    assert engine.show(first.recording.sha256).recording_id == first.recording.recording_id
    assert engine.stats().recordings < 9
    rest = statuses(engine.add(tmp_path / f"{n}.wav" for n in range(9)))
    assert set(rest) == {"added", "present"}
    assert engine.stats().recordings == 9


def test_query_takes_bytes_and_file_objects(engine: samaf.Engine) -> None:
    list(engine.add([BRUNO, GRETA]))
    clip = BRUNO.read_bytes()
    answers = [engine.query(source) for source in (BRUNO, clip, io.BytesIO(clip))]
    assert len({answer.sha256 for answer in answers}) == 1
    for answer in answers:
        assert answer.matches[0].recording.name == BRUNO.name
        assert answer.matches[0].ber == 0


def test_an_answer_is_never_out_of_date(engine: samaf.Engine, tmp_path: Path) -> None:
    list(engine.add(GRETA))
    assert "bruno" not in str(engine.query(BRUNO).matches[:1])
    with samaf.open(str(tmp_path / "samaf.db"), cache_folder=tmp_path / "index") as other:
        list(other.add(BRUNO))
    assert engine.query(BRUNO).matches[0].recording.name == BRUNO.name
    with samaf.open(str(tmp_path / "samaf.db"), cache_folder=tmp_path / "index") as other:
        assert other.delete(BRUNO.name).recording_id == 2
    assert all(match.ber > 0 for match in engine.query(BRUNO).matches)


def test_arguments_out_of_range(engine: samaf.Engine) -> None:
    for arguments in (
        {"granularity_s": 0},
        {"granularity_s": 7},
        {"max_false_matches": 0.0},
        {"k": 0},
    ):
        with pytest.raises(QueryError, match="choose"):
            engine.query(BRUNO, **arguments)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="no such index"):
        samaf.open(engine.store.url, index="magic")
    with pytest.raises(StoreError, match="no recording 'nobody'"):
        engine.delete("nobody")


def test_fingerprint_equals_what_is_stored(engine: samaf.Engine) -> None:
    (added,) = engine.add(BRUNO)
    assert added.recording
    stored = engine.store.hashes(added.recording.recording_id)
    fingerprint = samaf.fingerprint(BRUNO)
    np.testing.assert_array_equal(stored.packed, fingerprint.hashes.packed)
    assert (fingerprint.sha256, fingerprint.hop) == (added.recording.sha256, 0.25)


def test_compare(tmp_path: Path) -> None:
    part = tmp_path / "part.wav"
    part.write_bytes(wav(load(BRUNO)[3 * SAMPLE_RATE : 9 * SAMPLE_RATE]))
    match = samaf.compare(part, BRUNO).match
    assert match
    assert match.reference_start - match.query_start == pytest.approx(3, abs=0.3)
    short = tmp_path / "short.wav"
    short.write_bytes(wav(load(BRUNO)[:8000]))
    assert samaf.compare(short, BRUNO).match is None
    assert samaf.compare(BRUNO, short).match is None


@pytest.fixture
def excerpts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Nine files, which are enough to start processes for."""
    monkeypatch.setattr("samaf.engine.workers.WORTH_A_PROCESS", 1)
    speech = load(BRUNO)
    paths = [tmp_path / f"{number}.wav" for number in range(9)]
    for number, path in enumerate(paths):
        path.write_bytes(wav(speech[number * 800 :][: (2 + number % 3) * SAMPLE_RATE]))
    paths[3].write_bytes(b"not sound")
    paths[5].write_bytes(wav(speech[:8000]))
    return paths


def test_processes_give_the_same_hashes_in_the_order_of_the_files(
    engine: samaf.Engine, excerpts: list[Path]
) -> None:
    labels = {"1.wav": {"speaker": "Bruno"}}
    results = list(engine.add(excerpts, labels, jobs=2))
    assert [Path(result.path) for result in results] == excerpts
    expected = ["added"] * 3 + ["failed", "added", "failed"] + ["added"] * 3
    assert statuses(results) == expected
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
    again = statuses(engine.add(excerpts, jobs=2))
    assert again == [status.replace("added", "present") for status in expected]


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


def test_a_killed_process_costs_one_file(tmp_path: Path) -> None:
    waiting = tmp_path / "waiting.wav"
    os.mkfifo(waiting)  # opening it for reading waits for a writer
    workers = Workers(1, DEFAULT_MODEL)
    try:
        workers.fingerprint(BRUNO)
        (process,) = children()
        Timer(0.2, os.kill, (process, signal.SIGKILL)).start()
        with pytest.raises(AudioError, match=r"waiting\.wav: the process .* \(Killed\)"):
            workers.fingerprint(waiting)
        assert workers.fingerprint(BRUNO).sha256 == samaf.fingerprint(BRUNO).sha256
        assert children() != [process]
    finally:
        workers.close()
    assert children() == []


def test_whoever_stops_leaves_no_process(
    engine: samaf.Engine, excerpts: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samaf.engine.adding.COMMIT_FILES", 1)
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
