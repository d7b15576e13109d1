"""The distortions do what they say, and the picture's figures are right."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from samaf import demo
from samaf.audio import SAMPLE_RATE, load
from samaf.errors import SamafError
from samaf.records import Hashes, Match, Recording

TONES = (200, 1000, 5000)  # Hz: below, inside and above a telephone's band


def tones() -> np.ndarray:
    t = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    return np.asarray(sum(np.sin(2 * np.pi * hertz * t) for hertz in TONES), np.float32)


def level(samples: np.ndarray, hertz: float) -> float:
    """Amplitude of one frequency."""
    t = np.arange(len(samples)) / SAMPLE_RATE
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * hertz * t))))


def test_noise_has_the_wanted_level() -> None:
    clean = tones()
    noise = demo.noisy(clean, 10, np.random.default_rng(0)) - clean
    assert 10 * np.log10(np.mean(clean**2) / np.mean(noise**2)) == pytest.approx(10, abs=0.2)


def test_a_telephone_passes_its_band_only() -> None:
    heard = demo.telephone(tones())
    assert level(heard, 1000) > 0.9
    assert level(heard, 200) < 0.02
    assert level(heard, 5000) < 0.02


@pytest.mark.parametrize("factor", [0.9, 1.04])
def test_speed_moves_duration_and_pitch(factor: float) -> None:
    heard = demo.faster(tones(), factor)
    assert len(heard) == round(2 * SAMPLE_RATE / factor)
    assert level(heard, 1000 * factor) == pytest.approx(1, abs=0.05)
    assert level(heard, 1000) < 0.1


def test_wav_is_read_back() -> None:
    samples = tones()
    np.testing.assert_allclose(load(demo.wav(samples)), samples / abs(samples).max(), atol=1e-4)


def test_error_rates_of_known_bits() -> None:
    hashes = Hashes(np.array([[0xFF], [0x0F], [0x00]], np.uint8), np.ones(3, bool))
    reference = Hashes(np.array([[0x0F], [0x01]], np.uint8), np.ones(2, bool))
    rates = demo.error_rates(hashes, reference, np.array([0, 1, 2]))
    np.testing.assert_array_equal(rates, [0.5, 3 / 8, np.nan])


def test_most_answers_are_right_and_places_are_true(tmp_path: Path) -> None:
    picture = tmp_path / "new" / "match.png"
    report = demo.run(None, picture)
    assert len(report.added) == 11
    assert report.impostor == "lena-stranger.ogg"
    told = [outcome for outcome in report.outcomes if outcome.sha256]
    assert len(told) == len(demo.DISTORTIONS)
    assert sum(outcome.right for outcome in told) >= len(told) - 1
    assert report.outcomes[-1].name == report.impostor
    assert report.picture == picture
    assert picture.stat().st_size > 50_000


def test_a_folder_without_enough(tmp_path: Path) -> None:
    (tmp_path / "one.wav").write_bytes(demo.wav(tones()))
    with pytest.raises(SamafError, match="fewer than two usable recordings"):
        demo.run(tmp_path, tmp_path / "match.png")
    (tmp_path / "one.wav").unlink()
    with pytest.raises(SamafError, match="fewer than two usable recordings"):
        demo.run(tmp_path, tmp_path / "match.png")


def test_dollars_in_names_are_no_formula(tmp_path: Path) -> None:
    speech = load(demo.CLIPS / "bruno-garden.ogg")
    for number, name in enumerate(["$a_{.wav", "$b^$.wav"]):
        (tmp_path / name).write_bytes(demo.wav(speech[number * 8000 :]))
    picture = tmp_path / "match.png"
    assert demo.run(tmp_path, picture).picture == picture


def test_a_copy_of_a_stored_file_is_no_impostor(tmp_path: Path) -> None:
    clips = [clip.read_bytes() for clip in sorted(demo.CLIPS.iterdir())[:3]]
    for name, content in zip(["a.ogg", "b.ogg", "c.ogg", "z.ogg"], [*clips, clips[0]], strict=True):
        (tmp_path / name).write_bytes(content)
    report = demo.ask(tmp_path)
    assert report.impostor == "c.ogg"
    assert report.outcomes[-1].right
    assert [Path(each.path).name for each in report.added] == ["a.ogg", "b.ogg"]


def scene() -> demo.Scene:
    recording = Recording("ab" * 32, "tones.wav", "/tones.wav", 2.0)
    match = Match(recording, 0.0, 2.0, 0.0, 2.0, 0.1, 9.0)
    times = np.array([0.5, 0.75])
    return demo.Scene("nothing", match, tones(), tones(), 0.0, times, times / 9, times)


def test_a_picture_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    picture = tmp_path / "match.png"
    for before in ([], [picture]):
        earlier = picture.read_bytes() if before else b""
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
        try:
            with pytest.raises(SamafError, match="match.png: the picture cannot be written"):
                demo.draw(scene(), picture)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        assert list(tmp_path.iterdir()) == before
        assert not before or picture.read_bytes() == earlier
        demo.draw(scene(), picture)
    assert list(tmp_path.iterdir()) == [picture]
