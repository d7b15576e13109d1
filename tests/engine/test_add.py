"""Adding as plain Python: what the shell does not show."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.records import AddResult

BRUNO, GRETA = CLIPS / "bruno-garden.ogg", CLIPS / "greta-weather.ogg"


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_was_reported_is_stored_when_the_caller_stops(
    engine: samaf.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samaf.engine.add.COMMIT_FILES", 2)
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


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    engine = samaf.open(str(tmp_path / "samaf.db"), cache_folder=tmp_path / "index")
    refused, added = engine.add([pipe, CLIPS / "bruno-garden.ogg"])
    assert (refused.status, added.status) == ("failed", "added")
    assert refused.message.startswith(f"{pipe}: is a pipe")
