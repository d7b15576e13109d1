"""An untouched excerpt is laid on its recording to the sample, at the level that it has there."""

from __future__ import annotations

import numpy as np
import pytest

from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS
from samaf.fingerprinters import DEFAULT_MODEL, load_hash_model
from samaf.matching.alignment import Alignment, Segment
from samaf.matching.unaltered import fitted, laid

HOP = 4000  # samples


def segment_at(clip: np.ndarray, hop: float) -> Segment:
    """A segment that has the whole clip on the recording from a hop on."""
    length = len(clip) / HOP
    return Segment(Alignment(0, hop, 1.0, 0, 2), 0, 2, 0.1, 0.1, 0.0, 0.0, length)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, start, seconds",
    [
        ("amelia-harbour.ogg", 33_333, 1.4),
        ("bruno-garden.ogg", 20_481, 3.3),
        ("diego-train.ogg", 51_007, 2.2),
        ("hugo-kitchen.ogg", 12_345, 4.0),
    ],
)
def test_an_excerpt_fits_wherever_it_was_cut_and_however_loud(
    name: str, start: int, seconds: float
) -> None:
    model = load_hash_model(DEFAULT_MODEL)
    # A loud click elsewhere: the recording's own level is far below that of the excerpt alone.
    speech = load(CLIPS / name)
    speech[:40] = 4.0
    speech /= 4.0
    rows = model.hashes([speech], "recording").packed
    clip = speech[start : start + round(seconds * SAMPLE_RATE)]
    clip = clip / np.abs(clip).max()
    segment, ber = fitted(segment_at(clip, round(start / HOP)), clip, rows, model)
    assert ber < 0.01
    assert segment.reference(0) * HOP == pytest.approx(start, abs=3)
    assert segment.alignment.slope == 1


@pytest.mark.slow
def test_other_speech_does_not_fit() -> None:
    model = load_hash_model(DEFAULT_MODEL)
    rows = model.hashes([load(CLIPS / "amelia-harbour.ogg")], "recording").packed
    clip = load(CLIPS / "bruno-garden.ogg")[:40_000]
    assert fitted(segment_at(clip, 5), clip, rows, model)[1] > 0.3
    silence = np.zeros(40_000, np.float32)
    assert fitted(segment_at(silence, 5), silence, rows, model)[1] == 1


@pytest.mark.parametrize("start, seconds", [(21_392, 1.3), (64_001, 2.7), (-6_000, 2.0)])
def test_with_its_samples_at_hand_an_excerpt_has_no_error(start: int, seconds: float) -> None:
    """A quiet excerpt, levelled by its own peak, that may begin before the recording does."""
    model = load_hash_model(DEFAULT_MODEL)
    speech = load(CLIPS / "bruno-garden.ogg")
    length = round(seconds * SAMPLE_RATE)
    clip = np.concatenate([np.zeros(max(0, -start), np.float32), speech[max(0, start) :]])[:length]
    clip = clip / np.abs(clip).max()
    recording = 0.2 * speech
    # Half a hop off, as a search may leave it.
    segment, ber = laid(segment_at(clip, start / HOP + 0.5), clip, recording, model)
    assert ber < 0.002
    assert segment.reference(0) * HOP == pytest.approx(start, abs=1e-6)
    assert segment.alignment.slope == 1


def test_on_other_samples_nothing_lies_well() -> None:
    model = load_hash_model(DEFAULT_MODEL)
    clip, other = (load(CLIPS / name)[:40_000] for name in ("bruno-garden.ogg", "hugo-kitchen.ogg"))
    assert laid(segment_at(clip, 0), clip, other, model)[1] > 0.3
    assert laid(segment_at(clip, 0), clip, np.zeros_like(clip), model)[1] == 1
    assert laid(segment_at(clip, 99), clip, other, model)[1] == 1
