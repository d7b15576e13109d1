"""Queries and comparisons that verify by the signals, and audio that cannot be had."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from verification.sounds import faster

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.engine.references import References
from samaf.errors import AudioError, QueryError
from samaf.records import Match, Verification

BRUNO, GRETA, STRANGER = (
    CLIPS / f"{name}.ogg" for name in ("bruno-garden", "greta-weather", "lena-stranger")
)
SPEECH = load(BRUNO)


def faint(start: int, seconds: float) -> bytes:
    """Cut a clip and lay noise over it that is louder than the speech."""
    clip = SPEECH[start : start + int(seconds * SAMPLE_RATE)]
    noise = 1.5 * np.random.default_rng(0).standard_normal(len(clip)) * clip.std()
    return scaled(clip + noise.astype(np.float32))


def scaled(samples: np.ndarray) -> bytes:
    return wav((0.9 * samples / np.abs(samples).max()).astype(np.float32))


@pytest.fixture
def stored(clips_store: Path, tmp_path: Path) -> Iterator[samaf.Engine]:
    copied = shutil.copy(clips_store, tmp_path / "clips.db")
    with samaf.open(str(copied), cache_folder=tmp_path / "index") as engine:
        yield engine


def verification_of(match: Match) -> Verification:
    assert match.verification is not None
    return match.verification


def test_a_faint_clip_is_given_once_it_is_verified(stored: samaf.Engine) -> None:
    clip = faint(70_000, 1)
    assert not stored.query(clip).matches
    (match,) = stored.query(clip, verify=True, audit=True).matches
    assert match.recording.name == BRUNO.name
    told = verification_of(match)
    assert told.verified
    assert told.lag_samples == pytest.approx(70_000, abs=0.5)
    entry = list(stored.store.audit())[-1]
    assert entry.details["matches"][0]["verified"] is True


@pytest.mark.slow
def test_what_the_hashes_say_stays_and_the_unknown_stays_unknown(stored: samaf.Engine) -> None:
    clip = scaled(SPEECH[16_000:64_000])
    (match,), (verified,) = (stored.query(clip, verify=v).matches for v in (False, True))
    assert match.verification is None
    assert verification_of(verified).verified
    assert (match.recording, match.score) == (verified.recording, verified.score)
    assert not stored.query(STRANGER, verify=True).matches


@pytest.mark.slow
def test_of_two_mixed_recordings_both_are_given(stored: samaf.Engine) -> None:
    other = load(GRETA)
    both = SPEECH[:48_000] / SPEECH.std() + other[32_000:80_000] / other.std()
    matches = stored.query(scaled(both), verify=True).matches
    places = {m.recording.name: round(verification_of(m).lag_samples) for m in matches}
    assert places == {BRUNO.name: 0, GRETA.name: 32_000}
    assert all(verification_of(m).verified for m in matches)


@pytest.mark.slow
def test_a_speed_that_a_plain_search_finds_as_none_is_measured(stored: samaf.Engine) -> None:
    places = 48_000 + 0.94 * np.arange(32_000)
    clip = np.interp(places, np.arange(len(SPEECH)), SPEECH)
    (match,) = stored.query(scaled(clip), verify=True).matches
    told = verification_of(match)
    assert (match.recording.name, told.verified) == (BRUNO.name, True)
    assert str(told.manipulation) == "speed 0.940x"
    assert told.manipulation.tau == pytest.approx(1 / 0.94, rel=5e-5)
    assert told.lag_samples == pytest.approx(48_000, abs=1)


@pytest.mark.slow
def test_a_clip_at_twice_the_tempo_is_verified(stored: samaf.Engine) -> None:
    clip = wav(faster(SPEECH[16_000:112_000], 2.0))
    assert not stored.query(clip).matches
    (match,) = stored.query(clip, verify=True).matches
    assert (match.recording.name, verification_of(match).verified) == (BRUNO.name, True)
    assert match.manipulation.tau == pytest.approx(0.5, rel=0.03)
    assert match.manipulation.rho == 1
    assert (match.reference_start, match.reference_stop) == pytest.approx((1, 7), abs=0.2)


@pytest.mark.slow
def test_audio_that_moved_or_changed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    moved, changed = tmp_path / "moved.ogg", tmp_path / "changed.ogg"
    shutil.copy(BRUNO, moved)
    shutil.copy(GRETA, changed)
    clips = [scaled(load(path)[:48_000]) for path in (BRUNO, GRETA)]
    with samaf.open(str(tmp_path / "s.db"), cache_folder=tmp_path / "index") as engine:
        assert [r.status for r in engine.add([moved, changed])] == ["added"] * 2
        moved.rename(kept / "another name.ogg")
        changed.write_bytes(b"no sound at all")
        for clip, path, reason in zip(
            clips, (moved, changed), ("bring it back", "SHA-256 differs"), strict=True
        ):
            (match,) = engine.query(clip, verify=True).matches
            told = verification_of(match)
            assert (match.recording.path, told.verified) == (str(path), False)
            assert reason in told.reason
            assert isnan(told.z_waveform)
        (match,) = engine.query(clips[0], verify=True, audio=kept).matches
        assert verification_of(match).verified
        with pytest.raises(AudioError, match="no such file or folder"):
            engine.query(clips[0], verify=True, audio=tmp_path / "nowhere")


def test_a_file_that_is_found_by_name_is_checked_too(stored: samaf.Engine, tmp_path: Path) -> None:
    recording = stored.show(BRUNO.name)
    shutil.copy(GRETA, tmp_path / BRUNO.name)
    shutil.copy(BRUNO, tmp_path / "right.ogg")
    with References(tmp_path) as references:
        audio = references.audio(recording)
        assert Path(audio.path).name == "right.ogg"
        assert references.audio(recording) is audio


def test_audio_on_a_disk_that_hangs(stored: samaf.Engine, tmp_path: Path) -> None:
    recording = stored.show(BRUNO.name)
    pipe = tmp_path / BRUNO.name
    os.mkfifo(pipe)
    try:
        with References(tmp_path, patience=0.2 - recording.duration / 20) as references:
            for _ in range(2):  # not waited for again
                with pytest.raises(AudioError, match=r"not read within .* faster disk"):
                    references.audio(recording)
    finally:
        os.close(os.open(pipe, os.O_RDWR))


@pytest.mark.slow
def test_comparing_and_verifying_two_files() -> None:
    clip = faint(32_000, 2)
    (match,) = samaf.compare(clip, BRUNO, verify=True).matches
    assert verification_of(match).lag_samples == pytest.approx(32_000, abs=0.5)
    result = samaf.verify(clip, BRUNO)
    assert result.verified
    assert verification_of(result.matches[0]).lag_samples == pytest.approx(32_000, abs=0.5)
    other = samaf.verify(clip, GRETA)
    assert (other.verified, len(other.matches), other.reason) == (False, 1, "")
    assert verification_of(other.matches[0]).score < 4
    silent = samaf.verify(wav(np.zeros(48_000, np.float32)), BRUNO)
    assert "nothing in it to recognise" in silent.reason


@pytest.mark.slow
def test_a_reversed_clip_and_a_loop() -> None:
    backwards = scaled(SPEECH[48_000:80_000][::-1])
    result = samaf.verify(backwards, BRUNO)
    (match,) = result.matches
    assert result.verified
    assert match.manipulation.reversed
    assert verification_of(match).lag_samples == pytest.approx(48_000, abs=1)
    loop = scaled(np.tile(SPEECH[:48_000], 4))
    result = samaf.verify(scaled(SPEECH[8_000:40_000]), loop)
    starts = {round(verification_of(m).lag_samples) for m in result.matches}
    starts |= {round(SAMPLE_RATE * r) for m in result.matches for r in verification_of(m).repeats}
    assert {round(start / 800) for start in starts} == {10, 70, 130, 190}


@pytest.mark.slow
def test_a_picture_is_the_same_every_time(tmp_path: Path) -> None:
    result = samaf.verify(faint(32_000, 2), BRUNO)
    for name in ("a.png", "b.png", "a.svg", "b.svg"):
        samaf.draw_verification(result, tmp_path / name)
    for suffix in ("png", "svg"):
        first, second = (tmp_path / f"{name}.{suffix}" for name in "ab")
        assert first.read_bytes() == second.read_bytes()
    with pytest.raises(QueryError, match=r"cannot be written .* name a PNG, SVG or PDF"):
        samaf.draw_verification(result, tmp_path / "a.txt")
    silent = samaf.verify(wav(np.zeros(48_000, np.float32)), BRUNO)
    with pytest.raises(QueryError, match="nothing to draw"):
        samaf.draw_verification(silent, tmp_path / "c.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg", "b.png", "b.svg"]
