"""Paths of recordings follow their files, wherever these went."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import samaf
from samaf.demo import CLIPS
from samaf.errors import AudioError


@pytest.fixture
def stored(engine: samaf.Engine, tmp_path: Path) -> Path:
    """A folder with three files, which are in the store."""
    folder = tmp_path / "old"
    folder.mkdir()
    for clip in sorted(CLIPS.iterdir())[:3]:
        shutil.copy(clip, folder)
    assert [result.status for result in engine.add(folder)] == ["added"] * 3
    return folder


def test_paths_follow_and_names_too(engine: samaf.Engine, stored: Path, tmp_path: Path) -> None:
    new = tmp_path / "new" / "deep"
    shutil.copytree(stored, new)
    names = sorted(path.name for path in stored.iterdir())
    (new / names[0]).rename(new / "other name.ogg")
    (stored / names[0]).unlink()
    (stored / names[1]).unlink()
    counts: list[tuple[int, int]] = []
    found = list(engine.relocate(tmp_path / "new", on_progress=lambda *c: counts.append(c)))
    assert [(each.found, each.before, each.recording.path) for each in found] == [
        (True, str(stored / names[1]), str(new / names[1])),
        (True, str(stored / names[0]), str(new / "other name.ogg")),
    ] or sorted(each.recording.path for each in found) == sorted(
        [str(new / names[1]), str(new / "other name.ogg")]
    )
    # The third is where it was, so its copy changes nothing.
    assert [recording.path for recording in engine.list()] == [
        str(new / "other name.ogg"),
        str(new / names[1]),
        str(stored / names[2]),
    ]
    assert engine.show("other name.ogg").recording_id == 1
    entries = [entry for entry in engine.store.audit() if entry.act == "relocate"]
    assert {(entry.path, entry.details["before"]) for entry in entries} == {
        (str(new / "other name.ogg"), str(stored / names[0])),
        (str(new / names[1]), str(stored / names[1])),
    }
    assert not engine.store.check_audit().broken
    assert list(engine.relocate(tmp_path / "new")) == []
    # What is found does not depend on paths.
    (match,) = engine.query(new / names[1], k=1).matches[:1]
    assert match.recording.path == str(new / names[1])


def test_what_is_not_found_is_said_last(engine: samaf.Engine, stored: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    stored.rename(new)
    first, second, third = sorted(new.iterdir())
    second.write_bytes(second.read_bytes() + b"\0")  # another file now
    (new / "empty.ogg").touch()
    found = list(engine.relocate([first, second, new]))
    assert [each.found for each in found] == [True, True, False]
    assert found[-1].before == found[-1].recording.path == str(stored / second.name)
    assert {each.recording.path for each in found[:2]} == {str(first), str(third)}


def test_a_folder_that_does_not_exist_changes_nothing(
    engine: samaf.Engine, stored: Path, tmp_path: Path
) -> None:
    shutil.rmtree(stored)
    with pytest.raises(AudioError, match="no such file or folder"):
        list(engine.relocate(tmp_path / "none"))
