"""Deep queries on the bundled clips: what was done to a clip is undone and named."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samaf
from samaf import Engine
from samaf.audio import load
from samaf.errors import QueryError
from samaf.matching.hypotheses import deep, factors
from samaf.records import IDENTITY, Manipulation

CLIPS = sorted((Path(samaf.__file__).parent / "clips").glob("*.ogg"))
STRANGER = CLIPS[-1]


def wav(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((samples * 30_000).astype("<i2").tobytes())
    return file.getvalue()


def played(samples: np.ndarray, speed: float) -> np.ndarray:
    """Resample by linear interpolation: tempo and pitch change together."""
    at = np.arange(0, len(samples) - 1, speed)
    return np.interp(at, np.arange(len(samples)), samples)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    home = tmp_path_factory.mktemp("deep")
    with samaf.open(str(home / "clips.db"), cache_folder=home) as opened:
        assert all(r.status == "added" for r in opened.add(CLIPS[:-1]))
        yield opened


@pytest.mark.parametrize("speed", [0.63, 1.043, 1.45])
def test_speed_is_undone_and_named(engine: Engine, speed: float) -> None:
    clip = wav(played(load(CLIPS[0])[24_000:136_000], speed))
    best = engine.query(clip, search="deep").matches[0]
    assert best.recording.name == CLIPS[0].name
    assert log(best.manipulation.rho / speed) == pytest.approx(0, abs=0.015)
    assert log(best.manipulation.tau * speed) == pytest.approx(0, abs=0.015)
    assert "speed" in str(best.manipulation)
    assert (best.query_stop - best.query_start) * speed == pytest.approx(
        best.reference_stop - best.reference_start, rel=0.05
    )
    offset = best.reference_start - best.query_start * speed
    assert offset == pytest.approx(1.5, abs=0.25)


def test_reversed_clip_is_found_where_it_ran_forwards(engine: Engine) -> None:
    clip = wav(load(CLIPS[2])[32_000:112_000][::-1])
    best = engine.query(clip, search="deep").matches[0]
    assert best.recording.name == CLIPS[2].name
    assert str(best.manipulation) == "reversed"
    # 2 to 7 s of the reference, the end first.
    assert best.reference_start + best.query_stop == pytest.approx(7, abs=0.3)


def test_unaltered_clip_needs_no_hypothesis(engine: Engine) -> None:
    clip = wav(load(CLIPS[1])[16_000:96_000])
    best = engine.query(clip, search="deep").matches[0]
    assert best.recording.name == CLIPS[1].name
    assert best.manipulation == IDENTITY
    assert best.reference_start - best.query_start == pytest.approx(1, abs=0.1)


def test_the_altered_part_is_found_beside_a_recording_that_is_stored_twice(
    engine: Engine, tmp_path: Path
) -> None:
    one, other = load(CLIPS[0]), load(CLIPS[1])
    noise = np.random.default_rng(0).normal(0, 1e-3, len(one))
    (tmp_path / "again.wav").write_bytes(wav(one + noise))
    clip = wav(np.concatenate([one[:88_000], played(other[:96_000], 1.5)]))
    (added,) = engine.add(tmp_path / "again.wav")
    assert added.recording
    found = engine.query(clip, search="deep", k=2).matches
    engine.delete(added.recording.recording_id)
    assert {m.recording.name for m in found} == {CLIPS[0].name, CLIPS[1].name, "again.wav"}


def test_clip_with_less_than_a_block_of_the_reference_is_found(engine: Engine) -> None:
    # 1.3 s at 0.7 of the speed: 0.9 s of the reference.
    clip = wav(played(load(CLIPS[3])[48_000:62_400], 0.7))
    best = engine.query(clip, search="deep", max_false_matches=0.1).matches[0]
    assert best.recording.name == CLIPS[3].name
    assert best.reference_start == pytest.approx(3, abs=0.3)


def test_an_unknown_search_is_refused(engine: Engine) -> None:
    with pytest.raises(QueryError, match="choose plain, deep, exhaustive"):
        engine.query(CLIPS[0], search="deeper")


def test_hypotheses_share_one_false_positive_rate() -> None:
    for full in (False, True):
        tried = deep(full)
        assert sum(h.prior for h in tried) == pytest.approx(1)
        assert len({h.manipulation for h in tried}) == len(tried)
    grid = factors()
    assert grid.min() == pytest.approx(0.5)
    assert grid.max() == pytest.approx(2)
    np.testing.assert_allclose(grid * grid[::-1], 1)


@given(st.floats(0.5, 2))
def test_speed_has_one_name(factor: float) -> None:
    named = str(Manipulation(1 / factor, factor))
    assert named == ("" if abs(log(factor)) <= 0.02 else f"speed {factor:.3f}x")


def test_names_of_manipulations() -> None:
    assert str(Manipulation(1 / 1.1, 1)) == "tempo 1.10x"
    assert str(Manipulation(1, 2 ** (4 / 12))) == "pitch +4.0 semitones"
    assert str(Manipulation(0.5, 1.5, True)) == "reversed, tempo 2.00x, pitch +7.0 semitones"
