"""The register of systems, and what all recognizers have in common."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.recognizer import (
    Recognizer,
    RecognizerError,
    UnavailableError,
    available,
    checked,
    create,
)

FINDS_NOTHING = {"random:uniform"}


@pytest.fixture(params=available())
def system(request: pytest.FixtureRequest) -> Recognizer:
    try:
        return create(request.param)
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.mark.slow
def test_conformance(system: Recognizer, voices: list[np.ndarray]) -> None:
    assert isinstance(system, Recognizer)
    spec = f"{system.name}:{system.settings}"
    assert spec in available()
    clip = voices[1][16_000:]
    assert system.query(clip) == []
    assert system.stored_bits() == 0

    for number, samples in enumerate(voices[:2]):
        system.add(f"voice {number}", samples)
    bits = system.stored_bits()
    answers = system.query(clip)
    keys = [answer.key for answer in answers]
    assert len(set(keys)) == len(keys)
    scores = [answer.score for answer in answers]
    assert all(type(score) is float for score in scores)
    assert scores == sorted(scores, reverse=True)
    if spec not in FINDS_NOTHING:
        assert bits > 0
        assert keys[0] == "voice 1"
        assert answers[0].offset_s == pytest.approx(1.0, abs=0.1)
        assert np.isnan(answers[0].tau) or answers[0].tau == pytest.approx(1.0, abs=0.02)
        assert np.isnan(answers[0].rho) or answers[0].rho == pytest.approx(1.0, abs=0.02)
    assert system.query(clip) == answers

    with pytest.raises(RecognizerError, match="'voice 1' is stored already"):
        system.add("voice 1", voices[3])
    with pytest.raises(RecognizerError, match="'voice 9' is not stored"):
        system.delete("voice 9")
    assert system.stored_bits() == bits
    system.delete("voice 1")
    assert "voice 1" not in [answer.key for answer in system.query(clip)]
    if spec not in FINDS_NOTHING:
        assert system.stored_bits() < bits
    system.add("voice 1", voices[1])
    assert system.stored_bits() == bits
    if spec not in FINDS_NOTHING:
        assert system.query(clip)[0].key == "voice 1"


def test_hard_signals(system: Recognizer, voices: list[np.ndarray]) -> None:
    silence = np.zeros(48_000, np.float32)
    system.add("empty", silence[:0])
    system.add("short", voices[0][:100])
    system.add("silence", silence)
    system.add("voice", voices[0])
    for clip in (silence[:0], voices[0][:100], silence, voices[1][:16_000]):
        assert isinstance(system.query(clip), list)
    for key in ("empty", "short", "silence", "voice"):
        system.delete(key)
    assert system.query(voices[0][:48_000]) == []
    assert system.stored_bits() == 0


@pytest.mark.parametrize("spec", ["shazam", "dejavu:fast", "panako:2014", ""])
def test_unknown_spec_names_what_exists(spec: str) -> None:
    with pytest.raises(RecognizerError, match="unknown recognizer.*rafs:paper.*panako:paper"):
        create(spec)


@pytest.mark.parametrize(
    ("spec", "name", "settings"),
    [
        ("dejavu", "dejavu", "best"),
        ("panako", "panako2", "best"),
        ("panako:best", "panako2", "best"),
        ("panako:paper", "panako-nfft", "paper"),
        ("panako-ncteq", "panako-ncteq", "best"),
    ],
)
def test_defaults_and_aliases(spec: str, name: str, settings: str) -> None:
    system = create(spec)
    assert (system.name, system.settings) == (name, settings)


def test_samples_are_checked() -> None:
    system = create("random")
    with pytest.raises(RecognizerError, match="samples at 8000 Hz"):
        system.add("a", np.zeros(10, np.float32), sample_rate=8000)
    with pytest.raises(RecognizerError, match=r"shape \(2, 10\)"):
        system.add("a", np.zeros((2, 10), np.float32))
    with pytest.raises(RecognizerError, match="int16"):
        system.query(np.zeros(10, np.int16))
    with pytest.raises(RecognizerError, match="nan"):
        system.query(np.array([0.0, np.nan]))
    assert checked(np.zeros(3)).dtype == np.float32


def test_chance_depends_on_the_clip_alone(voices: list[np.ndarray]) -> None:
    first, second = create("random"), create("random")
    for system in (first, second):
        for number, samples in enumerate(voices):
            system.add(str(number), samples)
    clips = [voices[0][start : start + 1000] for start in range(0, 60_000, 1000)]
    answers = [first.query(clip)[0] for clip in clips]
    assert answers == [second.query(clip)[0] for clip in clips]
    assert {answer.key for answer in answers} == {"0", "1", "2", "3"}
