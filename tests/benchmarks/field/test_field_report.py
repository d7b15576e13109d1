"""Tables and the figure of raw answers that are counted by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.field.answers import Answer
from benchmarks.field.plan import NO_SOURCE, NO_SPEAKER, STORED
from benchmarks.field.report import best_score, curve, draw, of_speech, report, share

SETTINGS = {"split": "validation", "search": "plain", "model": "0123456789abcdef", "times": 1}


def _answer(clip: str, condition: str, without: str, score: float, right: bool) -> Answer:
    """Make an answer whose one candidate is said from a score of 3 on."""
    name = clip if right else "other"
    candidate = {
        "recording": name,
        "score": score,
        "score_same_text": score - 0.5,
        "log10_lr": score - 2,
    }
    said = [candidate] if score >= 3 else []
    return Answer(clip, clip[:2], condition, 1.0, without, 0.0, 1.0, {}, said, [candidate], 0.25)


ANSWERS = [
    _answer("s1/a", "Clean", STORED, 5.0, True),
    _answer("s2/a", "Clean", STORED, 2.0, True),
    _answer("s3/a", "Clean", STORED, 3.5, False),
    _answer("s4/a", "Clean", STORED, 0.5, False),
    _answer("s1/a", "Hum", STORED, 4.0, True),
    _answer("s2/a", "Babble", STORED, 0.0, False),
    *(
        _answer(f"s{n}/a", "Clean", without, score, False)
        for without in (NO_SOURCE, NO_SPEAKER)
        for n, score in enumerate((3.2, 2.5, 1, 0))
    ),
]


def test_outcomes_are_shared_out() -> None:
    found = share([a for a in ANSWERS if a.stored and a.condition == "Clean"])
    assert (found.first, found.right, found.wrong, found.unknown) == (0.5, 0.25, 0.25, 0.5)
    assert found.queries == 4
    assert np.isnan(share([]).right)


def test_the_tables_hold_what_was_counted() -> None:
    text = report(ANSWERS, SETTINGS)
    assert "14 queries of 5 clips of 5 speakers, validation split; plain search" in text
    assert "| as it is (a clean cut) | 50 / 25 |" in text
    assert "| hum, -5..10 dB | 100 / 100 |" in text
    # The mean of 50 / 25 and 100 / 100; babble is left out.
    assert "| **mean** | 75 / 62 |" in text
    # Of four impostors 3, 2 and 1 have a score of 1, 2 and 3 or more.
    for population, shares in (
        ("speech", ["75.00", "50.00", "25.00"]),
        ("prompts", ["50.00", "50.00", "0.00"]),  # scores half a decade lower
    ):
        start = f"| {population}, all | 4 |"
        passing = next(line for line in text.splitlines() if line.startswith(start))
        assert [cell.split()[0] for cell in passing.split("|")[3:6]] == shares
    assert "Recording stored, another one said: 20.00" in text
    assert "| as it is (a clean cut) | 4 | 50 | 25 (0-75) | 25 | 50 |" in text


def test_what_the_signals_verified_is_counted() -> None:
    right, wrong = (
        {"recording": name, "score": 1.0, "verified": True} for name in ("s1/a", "other")
    )
    faint = {**wrong, "verified": False}
    answers = [
        replace(ANSWERS[0], matches=[right, faint]),
        replace(ANSWERS[1], matches=[wrong]),
        *(replace(ANSWERS[-1], matches=matches) for matches in ([wrong], [faint], [], [])),
    ]
    text = report(answers, {**SETTINGS, "search": "plain, verified"})
    assert "- Recording stored, verified: 50.00" in text
    assert "- Recording stored, another one verified: 50.00" in text
    assert "- Recording not stored, another one verified: 25.00" in text
    assert "Verified by the signals" not in report(ANSWERS, SETTINGS)


def test_points_of_the_detection_curve() -> None:
    found = curve([a for a in of_speech(ANSWERS) if a.condition == "Clean"])
    # Right ones at 5 and 2 of four stored; impostors at 3.2, 2.5, 1 and 0.
    at = {float(t): n for n, t in enumerate(found.thresholds)}
    assert (found.false_positive[at[5.0]], found.missed[at[5.0]]) == (0, 0.75)
    assert (found.false_positive[at[3.2]], found.missed[at[3.2]]) == (0.25, 0.75)
    assert (found.false_positive[at[2.0]], found.missed[at[2.0]]) == (0.5, 0.5)
    assert found.equal_error_rate == pytest.approx(0.5)


def test_an_answer_without_candidates_has_no_score() -> None:
    answer = Answer("s1/a", "s1", "Clean", 1.0, NO_SOURCE, 0.0, 1.0, {}, [])
    assert best_score(answer) == -np.inf


def test_the_figure_is_a_picture_and_the_same_again(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw(ANSWERS, tmp_path / name)
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert data == (tmp_path / "b.png").read_bytes()
