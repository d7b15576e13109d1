"""Sound files, spoiled: they give sound or an error of one line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import fuzz, spoiled

from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.errors import AudioError

pytestmark = pytest.mark.fuzz

OGG = next(path for path in sorted(CLIPS.iterdir()) if path.suffix == ".ogg").read_bytes()[:6000]
WAV = wav(np.sin(np.arange(SAMPLE_RATE // 4) / 9).astype(np.float32))


@fuzz
@given(st.sampled_from([OGG, WAV]).flatmap(spoiled))
def test_sound_files(content: bytes) -> None:
    try:
        samples = load(content)
    except AudioError as error:
        assert "\n" not in str(error)
    else:
        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()
        assert np.abs(samples).max(initial=0) <= 1.001
