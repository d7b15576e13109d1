"""Cutting clips and making them worse."""

import io
import wave

import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.field.conditions import CONDITIONS, Condition, fits, select
from benchmarks.field.draws import Draws
from benchmarks.field.excerpts import LEVEL, excerpt, recording_name, wav
from benchmarks.field.tools import missing
from benchmarks.surroundings import Surroundings
from samaf.audio import SAMPLE_RATE

T = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
# A rising tone whose loudness comes and goes: each moment differs from all others.
SPEECHLIKE = (np.sin(2 * np.pi * (200 + 60 * T) * T) * (0.6 + 0.4 * np.sin(9 * T))).astype(
    np.float32
)


def _sounds(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.standard_normal(40_000).astype(np.float32) / 4 for _ in range(count)]


ROOM = np.concatenate([[1.0], np.zeros(799), [0.4]]).astype(np.float32)
AROUND = Surroundings(_sounds(3), [ROOM], _sounds(2), _sounds(2))
CLEAN = CONDITIONS[0]


def _samples(audio: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(audio)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32_767
        return data.reshape(-1, file.getnchannels())


def test_a_clean_clip_is_cut_to_the_sample_and_scaled() -> None:
    cut = excerpt(SPEECHLIKE, "s1/a.opus", 2, CLEAN, AROUND, 0)
    assert cut is not None
    first = round(cut.start * SAMPLE_RATE)
    expected = SPEECHLIKE[first : first + 2 * SAMPLE_RATE]
    heard = _samples(cut.audio)[:, 0]
    np.testing.assert_allclose(heard, expected * LEVEL / np.abs(expected).max(), atol=1e-4)


def test_places_lie_anywhere_and_not_on_a_hop() -> None:
    cuts = [excerpt(SPEECHLIKE, f"s1/{n}.opus", 1, CLEAN, AROUND, 0) for n in range(40)]
    starts = np.array([cut.start for cut in cuts if cut])
    assert starts.min() < 1.5
    assert starts.max() > 7.5
    assert np.mean(np.abs(starts / 0.25 - np.rint(starts / 0.25)) < 1e-6) < 0.1


def test_all_conditions_of_a_clip_are_cut_at_one_place() -> None:
    by_name = {c.name: c for c in CONDITIONS}
    chosen = [by_name[name] for name in ("Clean", "Noise", "Hum", "ALaw")]
    cuts = [excerpt(SPEECHLIKE, "s1/a.opus", 3, c, AROUND, 0) for c in chosen]
    assert len({cut.start for cut in cuts if cut}) == 1


def test_a_recording_that_is_too_short_gives_nothing() -> None:
    assert excerpt(SPEECHLIKE[: 2 * SAMPLE_RATE], "s1/a.opus", 3, CLEAN, AROUND, 0) is None
    assert fits(CLEAN, 2, 2.01, Draws("a")) == 1
    twice = next(c for c in CONDITIONS if c.name == "Message2")
    assert fits(twice, 6, 11.9, Draws("a")) is None


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.name)
def test_a_condition_keeps_the_length_and_is_seeded(condition: Condition) -> None:
    if lacking := missing(condition.needs):
        pytest.skip(f"{lacking} is not installed")
    first, again, other = (
        excerpt(SPEECHLIKE, name, 1.5, condition, AROUND, 0)
        for name in ("s1/a.opus", "s1/a.opus", "s1/b.opus")
    )
    assert first is not None
    assert other is not None
    assert first == again
    assert first.audio != other.audio
    heard = _samples(first.audio)
    assert len(heard) == 1.5 * SAMPLE_RATE
    assert heard.shape[1] == (2 if condition.name == "OneChannel" else 1)
    assert np.abs(heard).max() == pytest.approx(LEVEL, abs=1e-3)


def test_a_speed_moves_the_tone_by_its_factor() -> None:
    tone = np.sin(2 * np.pi * 1_000 * T).astype(np.float32)
    video = next(c for c in CONDITIONS if c.name == "Video")
    cut = excerpt(tone, "s1/a.opus", 2, video, AROUND, 0)
    assert cut is not None
    spectrum = np.abs(np.fft.rfft(_samples(cut.audio)[:, 0]))
    assert spectrum.argmax() / 2 == pytest.approx(1_000 * cut.pace, abs=1)
    assert cut.pace == pytest.approx(29.97 / 25) or cut.pace == pytest.approx(25 / 29.97)


def test_noise_is_as_loud_as_it_says() -> None:
    noise = next(c for c in CONDITIONS if c.name == "Noise")
    draws = Draws("a")
    noisy = noise.apply(SPEECHLIKE, 1.0, draws, AROUND)
    added = noisy - SPEECHLIKE
    ratio = 10 * np.log10(np.mean(SPEECHLIKE**2) / np.mean(added**2))
    assert ratio == pytest.approx(draws.values["snr_db"], abs=0.01)
    assert -3 <= ratio <= 3


def test_conditions_are_chosen_by_name() -> None:
    assert [c.name for c in select("Hum, Clean")] == ["Clean", "Hum"]
    assert select("all") == CONDITIONS
    with pytest.raises(BenchmarkError, match="no such condition; choose all or some of Clean"):
        select("Clean,Thunder")


def test_names_do_not_depend_on_where_a_corpus_lies() -> None:
    assert recording_name("/any/where/speech/s1/a.opus") == "s1/a.opus"


def test_what_is_beyond_full_scale_is_clipped() -> None:
    np.testing.assert_allclose(_samples(wav(np.array([0.5, 2, -2])))[:, 0], [0.5, 1, -1], atol=1e-4)
