"""The benchmark of synchronisation makes what it says, and judges it rightly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.shared.events import Device, record, room
from benchmarks.shared.synchronising import judged
from samaf.audio import SAMPLE_RATE, load
from samaf.records import Jump, SyncedRecording

HERE = Path("x.wav")


def test_rights_and_wrongs_are_counted() -> None:
    devices = [
        Device(HERE, 5.0, 0.0),
        Device(HERE, 8.0, 50.0),
        Device(HERE, 2.0, -20.0, cut_at=30.0, cut=6.0),
        Device(HERE, 0.0, 0.0),
        Device(HERE, 1.0, 0.0),
    ]
    results = [
        SyncedRecording("a", "", 60.0, 1, 3.0),
        SyncedRecording("b", "", 60.0, 1, 6.004, 53.0, offset_error=0.005),
        SyncedRecording("c", "", 60.0, 1, 0.02, -20.0, jumps=(Jump(31.0, 6.001), Jump(50.0, 1.0))),
        SyncedRecording("d", "", 60.0, 1, 0.0),  # of another event
        SyncedRecording("e", "", 60.0),
    ]
    lines = dict(judged(devices, [0, 0, 0, 1, 1], results))
    assert lines["placed"] == "2 of 3"
    assert lines["offset within 10 ms"] == "1"
    assert lines["offset inside its 95 % interval"] == "1"
    assert lines["drift within 5 ppm"] == "2"
    assert lines["cut pauses found"] == "1 of 1"
    assert lines["jumps that are none"] == "1"
    assert lines["unrelated pairs joined"] == "3 of 6"
    assert lines["offset error, median and largest"] == "12.000, 20.000 ms"


def test_a_recorder_starts_late_runs_off_and_cuts(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    event = rng.standard_normal(60 * SAMPLE_RATE).astype(np.float32)
    device = record(event, event[::-1].copy(), 60.0, tmp_path / "a.wav", True, "seed")
    made = load(device.path)
    first = round(device.start * SAMPLE_RATE)
    here = made[: 2 * SAMPLE_RATE]
    likeness = np.corrcoef(here, event[first : first + len(here)])[0, 1]
    assert likeness > 0.5  # half of the power is reverberation
    assert 0 < device.cut_at < len(made) / SAMPLE_RATE
    assert abs(device.ppm) <= 100


def test_rooms_have_as_much_reverberation_as_direct_sound() -> None:
    response = room(np.random.default_rng(2))
    assert response[0] == 1
    assert np.sum(response[1:] ** 2) == pytest.approx(1, abs=0.05)
    decay = 10 * np.log10(np.mean(response[100:500] ** 2) / np.mean(response[4_100:4_500] ** 2))
    assert decay == pytest.approx(30, abs=2)
