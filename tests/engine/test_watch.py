"""Folders that are watched: what comes, changes, moves and goes is told apart by its bytes."""

from __future__ import annotations

import logging
import os
import queue
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.engine import watch
from samaf.errors import AudioError
from samaf.records import AddResult

SPEECH = load(CLIPS / "bruno-garden.ogg")
CLIPS_OF_2_S = [wav(SPEECH[n * 4000 :][: 2 * SAMPLE_RATE]) for n in range(6)]
PATIENCE = 60.0  # for events, on a machine that does other things


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(watch, "SETTLED_SECONDS", 0.2)
    monkeypatch.setattr(watch, "GONE_SECONDS", 0.6)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "incoming").mkdir()
    return tmp_path / "incoming"


class Events:
    """What happens in a folder that is being watched."""

    def __init__(self) -> None:
        self.queue: queue.Queue[AddResult] = queue.Queue()

    def next(self) -> tuple[str, str]:
        result = self.queue.get(timeout=PATIENCE)
        return result.status, Path(result.path).name

    def several(self, count: int) -> list[tuple[str, str]]:
        return sorted(self.next() for _ in range(count))

    def nothing(self, seconds: float = 1.0) -> bool:
        time.sleep(seconds)
        return self.queue.empty()


@contextmanager
def watching(engine: samaf.Engine, *folders: Path) -> Iterator[Events]:
    events, stop = Events(), threading.Event()

    def follow() -> None:
        for result in engine.watch(folders, jobs=1, until=stop):
            events.queue.put(result)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield events
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def paths(engine: samaf.Engine) -> list[str]:
    return [Path(recording.path).name for recording in engine.list()]


def test_what_comes_changes_moves_and_goes(engine: samaf.Engine, folder: Path) -> None:
    one, two, three = CLIPS_OF_2_S[:3]
    (folder / "there.wav").write_bytes(one)
    with watching(engine, folder) as events:
        assert events.next() == ("added", "there.wav")
        (folder / "deep").mkdir()
        (folder / "deep" / "new.wav").write_bytes(two)
        assert events.next() == ("added", "new.wav")
        # Renamed: the recording follows, and its hashes stay as they are.
        (folder / "there.wav").rename(folder / "renamed.wav")
        assert events.next() == ("moved", "renamed.wav")
        assert paths(engine) == ["renamed.wav", "new.wav"]
        assert engine.show("renamed.wav").recording_id == 1
        # Replaced: another recording, and the old one stays.
        (folder / "renamed.wav").write_bytes(three)
        assert events.next() == ("replaced", "renamed.wav")
        assert [r.recording_id for r in engine.list()] == [1, 2, 3]
        # Touched: nothing.
        (folder / "renamed.wav").touch()
        # Copied: the store has it.
        shutil.copy(folder / "deep" / "new.wav", folder / "copy.wav")
        assert events.next() == ("present", "copy.wav")
        # A copy that goes is no loss; the file of a recording is.
        (folder / "copy.wav").unlink()
        (folder / "deep" / "new.wav").unlink()
        assert events.next() == ("removed", "new.wav")
        (folder / "text.wav").write_bytes(b"no sound")
        assert events.next() == ("failed", "text.wav")
        assert events.nothing()
    acts = [(entry.act, entry.details) for entry in engine.store.audit()]
    assert [act for act, _ in acts] == ["add", "add", "relocate", "add"]
    assert acts[2][1] == {"before": str(folder / "there.wav")}
    assert engine.store.check_audit().broken == 0


def test_a_file_that_grows_is_added_when_it_is_whole(engine: samaf.Engine, folder: Path) -> None:
    whole = wav(SPEECH)
    with watching(engine, folder) as events, (folder / "slow.wav").open("wb") as file:
        for start in range(0, len(whole), len(whole) // 10):
            file.write(whole[start : start + len(whole) // 10])
            file.flush()
            assert events.queue.empty()
            time.sleep(0.05)
        assert events.next() == ("added", "slow.wav")
    assert engine.show("slow.wav").duration == pytest.approx(len(SPEECH) / SAMPLE_RATE, abs=0.01)


def test_restarts_see_what_happened_meanwhile(engine: samaf.Engine, folder: Path) -> None:
    for number, name in enumerate(("a.wav", "b.wav", "c.wav", "d.wav")):
        (folder / name).write_bytes(CLIPS_OF_2_S[number])
    with watching(engine, folder) as events:
        assert events.several(4) == [("added", f"{name}.wav") for name in "abcd"]
    (folder / "a.wav").rename(folder / "moved.wav")
    (folder / "b.wav").write_bytes(CLIPS_OF_2_S[4])
    (folder / "c.wav").unlink()
    with watching(engine, folder) as events:
        assert events.several(3) == [
            ("moved", "moved.wav"),
            ("removed", "c.wav"),
            ("replaced", "b.wav"),
        ]
        assert events.nothing(0.5)  # d.wav is not read again


def test_without_what_was_known_files_are_read_again(
    engine: samaf.Engine, folder: Path, tmp_path: Path
) -> None:
    (folder / "a.wav").write_bytes(CLIPS_OF_2_S[0])
    with watching(engine, folder) as events:
        assert events.next() == ("added", "a.wav")
    (cache,) = (tmp_path / "index").rglob("watched.sqlite")
    cache.write_bytes(b"this is no database")
    (folder / "a.wav").rename(folder / "b.wav")
    with watching(engine, folder) as events:
        assert events.next() == ("moved", "b.wav")


def test_a_folder_that_vanishes_is_waited_for(
    engine: samaf.Engine, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(2):
        (folder / f"{number}.wav").write_bytes(CLIPS_OF_2_S[number])
    away = folder.with_name("away")
    with watching(engine, folder) as events:
        assert events.several(2) == [("added", "0.wav"), ("added", "1.wav")]
        with caplog.at_level(logging.WARNING):
            folder.rename(away)
            assert events.nothing()
            folder.mkdir()  # as a network folder that is not mounted
            assert events.nothing()
            folder.rmdir()
            away.rename(folder)
            (folder / "2.wav").write_bytes(CLIPS_OF_2_S[2])
            assert events.next() == ("added", "2.wav")
        assert events.nothing(0.5)
    said = [message for message in caplog.messages if str(folder) in message]
    assert "No such file or directory; nothing counts as removed" in said[0]
    assert any("all files are gone at once" in message for message in said)
    assert said[-1].endswith("is back")
    assert len(said) <= 5  # and not at each look


def test_a_move_between_folders(engine: samaf.Engine, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "archive"
    other.mkdir()
    (folder / "a.wav").write_bytes(CLIPS_OF_2_S[0])
    (folder / "b.wav").write_bytes(CLIPS_OF_2_S[1])
    with watching(engine, folder, other) as events:
        assert events.several(2) == [("added", "a.wav"), ("added", "b.wav")]
        shutil.move(folder / "a.wav", other / "a.wav")
        assert events.next() == ("moved", "a.wav")
        assert events.nothing()
    assert engine.show("a.wav").path == str(other / "a.wav")


def test_names_in_any_bytes(engine: samaf.Engine, folder: Path) -> None:
    strange = folder / "caf\udce9\n.wav"
    strange.write_bytes(CLIPS_OF_2_S[0])
    with watching(engine, folder) as events:
        assert events.next()[0] == "added"
        assert events.nothing()
    with watching(engine, folder) as events:
        assert events.nothing()


def test_what_is_no_folder_is_refused(engine: samaf.Engine, folder: Path) -> None:
    (folder / "a.wav").write_bytes(CLIPS_OF_2_S[0])
    for path in (folder / "a.wav", folder / "none"):
        with pytest.raises(AudioError, match="is no folder"):
            next(engine.watch(path))


@pytest.mark.slow
def test_thousands_of_files_at_once(engine: samaf.Engine, folder: Path, tmp_path: Path) -> None:
    for number in range(20):
        original = tmp_path / f"{number}.wav"
        original.write_bytes(wav(np.roll(SPEECH, 3000 * number)[: 2 * SAMPLE_RATE]))
        for copy in range(100):
            os.link(original, folder / f"{number}-{copy}.wav")
    with watching(engine, folder) as events:
        found = events.several(2_000)
        assert [status for status, _ in found] == ["added"] * 20 + ["present"] * 1_980
        (folder / "new.wav").write_bytes(CLIPS_OF_2_S[5])
        assert events.next() == ("added", "new.wav")
    with watching(engine, folder) as events:
        assert events.nothing(2)  # all are known
