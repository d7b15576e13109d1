"""An untouched excerpt is laid on its recording to the sample, at the level that it has there."""

from __future__ import annotations

import numpy as np
import pytest

from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS
from samaf.fingerprinters import DEFAULT_MODEL, load_hash_model
from samaf.matching.alignment import Alignment, Segment
from samaf.matching.unaltered import fitted

HOP = 4000  # samples


def laid(clip: np.ndarray, hop: float) -> Segment:
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
    segment, ber = fitted(laid(clip, round(start / HOP)), clip, rows, model)
    assert ber < 0.01
    assert segment.reference(0) * HOP == pytest.approx(start, abs=3)
    assert segment.alignment.slope == 1


@pytest.mark.slow
def test_other_speech_does_not_fit() -> None:
    model = load_hash_model(DEFAULT_MODEL)
    rows = model.hashes([load(CLIPS / "amelia-harbour.ogg")], "recording").packed
    clip = load(CLIPS / "bruno-garden.ogg")[:40_000]
    assert fitted(laid(clip, 5), clip, rows, model)[1] > 0.3
    silence = np.zeros(40_000, np.float32)
    assert fitted(laid(silence, 5), silence, rows, model)[1] == 1
