"""Peaks and spectrograms of sounds, computed by hand and compared between levels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from web.conftest import write_wav

from samaf.audio import read
from samaf.engine.playback import Draft, draft_path, peaks, write_playable
from samaf.web.pictures import open_pcm, peak_tile, spectrogram_tile


def test_peaks_are_the_extremes_of_each_step() -> None:
    pcm = np.array([0, 258, -516, 32_766, 5], np.int16)
    assert peaks(pcm, 2).tolist() == [[0, 1], [-2, 127], [0, 0]]
    assert peaks(pcm[:0], 2).shape == (0, 2)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven minutes of a 1 kHz tone that starts after 5 s."""
    folder = tmp_path_factory.mktemp("sound")
    times = np.arange(11 * 60 * 16_000) / 16_000
    write_wav(folder / "tone.wav", np.sin(2 * np.pi * 1000 * times) * (times >= 5))
    with read(folder / "tone.wav") as audio:
        write_playable(audio, folder / "out.wav")
    return folder / "out.wav"


@pytest.mark.slow
def test_a_playable_file_holds_the_samples_at_full_level(sound: Path) -> None:
    pcm = open_pcm(sound)
    assert len(pcm) == 11 * 60 * 16_000
    assert np.abs(pcm[: 5 * 16_000 - 100]).max() == 0
    assert 31_900 < pcm.max() <= 32_000


@pytest.mark.slow
def test_a_draft_grows_while_a_sound_is_decoded(tmp_path: Path) -> None:
    write_wav(tmp_path / "tone.wav", 0.5 * np.sin(np.arange(60 * 16_000)))
    out = tmp_path / "out.wav"
    draft = Draft(out)
    lengths = []

    def on_samples(samples: np.ndarray | None) -> None:
        draft.add(samples)
        lengths.append(len(open_pcm(draft_path(out))))

    with draft, read(tmp_path / "tone.wav", on_samples=on_samples) as audio:
        assert (lengths[0], lengths[-1], len(set(lengths)) > 10) == (0, 60 * 16_000, True)
        assert lengths == sorted(lengths)
        level = 16_000 * 0.5 / 32_768  # in the file
        assert open_pcm(draft_path(out)).max() == pytest.approx(32_000 * level, abs=2)
        tile = peak_tile(open_pcm(draft_path(out)), draft_path(out).with_suffix(".peaks"), 5, 0)
        assert len(tile) == 188  # columns of 320 ms
        draft.add(None)
        assert len(open_pcm(draft_path(out))) == 0
        write_playable(audio, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.peaks", "out.wav", "tone.wav"]


@pytest.mark.slow
def test_backwards_is_the_same_from_the_end(sound: Path, tmp_path: Path) -> None:
    with read(sound) as audio:
        write_playable(audio, tmp_path / "back.wav", backwards=True)
    forwards, back = open_pcm(sound), open_pcm(tmp_path / "back.wav")
    assert np.abs(back[::-1].astype(int) - forwards).max() <= 1


@pytest.mark.parametrize("level", [0, 3, 4, 5, 9])
def test_tiles_of_every_level_show_the_same_sound(sound: Path, level: int) -> None:
    pcm, kept = open_pcm(sound), sound.with_suffix(".peaks")
    column_s = 0.01 * 2**level
    tile = peak_tile(pcm, kept, level, 0)
    assert len(tile) == min(512, -(-len(pcm) // (160 << level)))
    silent = int(5 / column_s)
    assert not tile[:silent].any()
    assert (tile[silent + 1 : 512] != 0).all()
    last = peak_tile(pcm, kept, level, -(-len(pcm) // (160 << level)) // 512)
    assert len(last) <= 512
    assert len(peak_tile(pcm, kept, level, 10_000)) == 0


@pytest.mark.parametrize("level", [0, 2, 7])
def test_a_tone_is_one_band_of_the_spectrogram(sound: Path, level: int) -> None:
    tile = spectrogram_tile(open_pcm(sound), level, 0)
    silent = int(5 / (0.01 * 2**level))
    assert tile.shape[1] == 128
    assert not tile[: max(0, silent - 2)].any()
    loud = tile[silent + 3 :]
    # 1 kHz is bin 32 of 31.25 Hz, without the first one: band 15 of 62.5 Hz.
    assert (loud.argmax(axis=1) == 15).all()
    assert loud[:, 15].min() > 245
    assert loud[:, 40:].max() < 60
