"""The picture shows the peak and says what was verified."""

from __future__ import annotations

import numpy as np
import pytest
from verification.sounds import RATE, faster, voice

from samaf.records import Manipulation
from samaf.verification import Placement, verify
from samaf.verification.picture import picture

RECORDING = voice(8, 51)


def test_peak_and_lags_are_drawn() -> None:
    told = verify(RECORDING[2 * RATE : 4 * RATE], RECORDING, Placement(0, 2, 2, 4))
    figure = picture(told, "clip.wav")
    upper, lower = figure.axes
    assert figure.get_suptitle() == "clip.wav: verified"
    assert upper.lines[1].get_xdata()[0] == pytest.approx(2, abs=0.01)
    assert upper.lines[1].get_ydata()[0] == pytest.approx(told.z_waveform)
    assert np.abs(lower.lines[1].get_ydata()).max() < 0.5


def test_a_change_of_tempo_has_no_common_waveform() -> None:
    clip = faster(RECORDING[2 * RATE : 6 * RATE], 2.0)
    told = verify(clip, RECORDING, Placement(0, len(clip) / RATE, 2, 6, Manipulation(0.5)))
    assert "no common waveform" in picture(told).axes[0].texts[0].get_text()


def test_without_a_result_there_is_no_picture() -> None:
    told = verify(np.zeros(RATE, np.float32), RECORDING, Placement(0, 1, 2, 3))
    with pytest.raises(ValueError, match="the clip is silent"):
        picture(told)
