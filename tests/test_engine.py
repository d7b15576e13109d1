"""The verbs as plain Python: what the shell does not show."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.errors import QueryError, StoreError
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
    monkeypatch.setattr("samaf.engine.COMMIT_FILES", 2)
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
    for arguments in ({"granularity": 0}, {"granularity": 7}, {"rate": 0.0}, {"k": 0}):
        with pytest.raises(QueryError, match="choose"):
            engine.query(BRUNO, **arguments)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="no such engine"):
        samaf.open(engine.store.url, engine="magic")
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
