"""samaf sync prints time lines for people, programs and editors."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import opentimelineio
import pytest
from shell import BRUNO, STRANGER, Run

from samaf.audio import SAMPLE_RATE, load
from samaf.cli.sync_views import audacity, otio
from samaf.demo import wav
from samaf.records import Jump, SyncedRecording

FIRST = SyncedRecording("/a/camera.mp4", "aa", 100.0, 1)
SECOND = SyncedRecording(
    "/a/lapel.wav", "bb", 80.0, 1, 12.5, 50.0, moments=9, jumps=(Jump(30.0, 5.0),)
)
ALONE = SyncedRecording("/a/other.wav", "cc", 80.0, reason="no moment in common with the others")


@pytest.mark.slow
def test_offsets_in_every_form(run: Run, tmp_path: Path) -> None:
    Path("late.wav").write_bytes(wav(load(BRUNO)[2 * SAMPLE_RATE :]))
    shown = run("sync", BRUNO, "late.wav")
    assert shown.exit_code == 0
    assert "2.0000 s" in shown.stdout
    told = run("sync", BRUNO, "late.wav", STRANGER, "--json")
    assert told.exit_code == 1
    assert f"{STRANGER}: not synchronised" in told.stderr
    records = [json.loads(line) for line in told.stdout.splitlines()]
    assert [record["group"] for record in records] == [1, 1, None]
    assert records[1]["offset"] == pytest.approx(2, abs=1e-3)
    rows = list(csv.DictReader(io.StringIO(run("sync", BRUNO, "late.wav", "--csv").stdout)))
    assert [row["path"] for row in rows] == [str(BRUNO), str(tmp_path / "late.wav")]
    listed = run("sync", BRUNO, "late.wav", "--format", "audacity").stdout.splitlines()
    assert listed[0] == "window"
    assert listed[2].startswith(f'file "{tmp_path / "late.wav"}" offset 2.0')
    labels = run("sync", BRUNO, "late.wav", "--format", "rttm").stdout
    assert f"{BRUNO.name}" in labels
    assert " 2.000 " in labels
    assert run("sync", BRUNO, "late.wav", "--format", "otio", "--csv").exit_code == 2
    assert "needs --format" in run("sync", BRUNO, "late.wav", "--out", "labels").stderr


def test_one_recording_and_a_missing_one(run: Run) -> None:
    assert "give two or more" in run("sync", BRUNO).stderr
    assert "gone.wav" in run("sync", BRUNO, "gone.wav").stderr


def test_audacity_gets_a_window_a_group() -> None:
    third = SyncedRecording("/a/x.wav", "dd", 10.0, 2)
    assert audacity([FIRST, ALONE, SECOND, third]) == (
        'window\nfile "/a/camera.mp4" offset 0.000000\nfile "/a/lapel.wav" offset 12.500000\n'
        'window\nfile "/a/x.wav" offset 0.000000\n'
    )


def test_editors_get_a_track_a_recording() -> None:
    collection = opentimelineio.adapters.read_from_string(otio([FIRST, SECOND, ALONE]), "otio_json")
    (timeline,) = collection
    camera, lapel = timeline.tracks
    assert [type(item).__name__ for item in camera] == ["Clip"]
    assert [type(item).__name__ for item in lapel] == ["Gap", "Clip", "Gap", "Clip"]
    seconds = [item.source_range.duration.to_seconds() for item in lapel]
    assert seconds == pytest.approx([12.5, 30, 5, 50], abs=0.005)
    assert lapel[1].effects[0].time_scalar == pytest.approx(1 + 50e-6)
    assert lapel[3].source_range.start_time.to_seconds() == pytest.approx(30)
