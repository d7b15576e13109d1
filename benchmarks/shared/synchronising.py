"""How exactly recordings of one event are put on one time line, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import samaf
from benchmarks.sampling import generator, required
from benchmarks.shared.cost import measured
from benchmarks.shared.events import Device, record, speech
from benchmarks.tables import Line
from samaf.audio import load
from samaf.records import SyncedRecording
from samaf.training.corpora import Corpus

RIGHT_SECONDS = 0.010
RIGHT_PPM = 5.0
NOISES = 8  # clips of noise that one recorder's noise is made of


@dataclass(frozen=True, slots=True)
class Setting:
    """What is recorded: events, recorders of each, minutes, dB of noise."""

    events: int
    devices: int
    minutes: float
    snr: float


def made(corpus: Corpus, split: str, setting: Setting, folder: Path) -> list[list[Device]]:
    """Record all events; every third recorder cuts a pause out, the first one never."""
    noises = [c for c in required(corpus, "noise", split) if "babble" not in c.path.parts]
    splits = (split,) if setting.events * setting.minutes < 50 else (split, "train")
    whole = speech(corpus, splits, 60 * setting.minutes * setting.events, "events")
    events = []
    for number, event in enumerate(np.array_split(whole, setting.events)):
        devices = []
        for device in range(setting.devices):
            seed = f"{number} {device}"
            drawn = generator("noise", seed).choice(len(noises), NOISES)
            noise = np.concatenate([load(noises[i].path) for i in drawn])
            path = folder / f"{number}-{device}.wav"
            devices.append(record(event, noise, setting.snr, path, device % 3 == 2, seed))
        events.append(devices)
    return events


def measure(corpus: Corpus, split: str, setting: Setting, folder: Path) -> list[Line]:
    """Record events, put all recordings into one call, and compare with the truth."""
    events = made(corpus, split, setting, folder)
    devices = [device for event in events for device in event]
    with measured() as cost:
        results = samaf.sync([device.path for device in devices])
    owners = [number for number, event in enumerate(events) for _ in event]
    return [
        *judged(devices, owners, results),
        ("audio", f"{sum(r.duration for r in results) / 3600:.2f} h in {len(results)} files"),
        *cost.lines,
    ]


def judged(
    devices: Sequence[Device], owners: Sequence[int], results: Sequence[SyncedRecording]
) -> list[Line]:
    """Compare results with the truth.

    Offsets and drifts are those against the first recording of the group.
    """
    offsets, drifts, inside, pieces = [], [], [], []
    found = cuts = wrong_jumps = 0
    for event in sorted(set(owners)):
        members = [i for i, owner in enumerate(owners) if owner == event]
        first, reference = results[members[0]], devices[members[0]]
        for i in members[1:]:
            one, device = results[i], devices[i]
            if not one.group or one.group != first.group:
                continue
            found += 1
            truth = (device.start - reference.start) * (1 + reference.ppm * 1e-6)
            offsets.append(abs(one.offset - first.offset - truth))
            inside.append(offsets[-1] <= one.offset_error)
            drifts.append(abs(one.drift_ppm - (device.ppm - reference.ppm)))
            jumps = [j for j in one.jumps if device.cut and abs(j.at - device.cut_at) < 5]
            cuts += bool(jumps)
            wrong_jumps += len(one.jumps) - len(jumps)
            pieces += [abs(j.seconds - device.cut) for j in jumps]
        wrong_jumps += len(first.jumps)
    pairs = [(i, j) for i in range(len(owners)) for j in range(i)]
    unrelated = [(i, j) for i, j in pairs if owners[i] != owners[j]]
    joined = [1 for i, j in unrelated if results[i].group and results[i].group == results[j].group]
    wanted = len(owners) - len(set(owners))
    return [
        ("placed", f"{found} of {wanted}"),
        (
            f"offset within {1000 * RIGHT_SECONDS:g} ms",
            f"{sum(o <= RIGHT_SECONDS for o in offsets)}",
        ),
        ("offset error, median and largest", _both(offsets, 1000, "ms")),
        ("offset inside its 95 % interval", f"{sum(inside)}"),
        (f"drift within {RIGHT_PPM:g} ppm", f"{sum(d <= RIGHT_PPM for d in drifts)}"),
        ("drift error, median and largest", _both(drifts, 1, "ppm")),
        ("cut pauses found", f"{cuts} of {sum(1 for d in devices if d.cut)}"),
        ("length of the pause, error, largest", _both(pieces, 1000, "ms")),
        ("jumps that are none", f"{wrong_jumps}"),
        ("unrelated pairs joined", f"{len(joined)} of {len(unrelated)}"),
    ]


def _both(values: Sequence[float], factor: float, unit: str) -> str:
    if not values:
        return "-"
    return f"{factor * np.median(values):.3f}, {factor * max(values):.3f} {unit}"
