"""What a station of the benchmark plays, and what a monitor is said to lose."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.streams.commands import judged
from benchmarks.streams.programme import (
    BREAK,
    CLIP_START,
    EXCERPT,
    MINUTE,
    Session,
    minutes_of,
    played,
    sessions,
)
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS
from samaf.records import Match, Recording


def test_sessions_last_and_are_drawn_from_a_seed() -> None:
    drawn = sessions(5 * 3600, 11, seed=3)
    assert drawn == sessions(5 * 3600, 11, seed=3) != sessions(5 * 3600, 11, seed=4)
    assert sum(session.seconds for session in drawn) >= 5 * 3600
    assert sum(session.seconds for session in drawn[:-1]) < 5 * 3600
    assert all(21 <= len(session.clips) <= 61 for session in drawn)


def test_each_excerpt_lies_where_it_is_said_to() -> None:
    drawn = [Session((0, 1), (404,)), Session((1,), ())]
    second = MINUTE + BREAK  # the last minute of the first session is cut short
    at = EXCERPT[0]
    assert played(drawn) == [(0, at), (1, MINUTE + at), (1, second + at)]
    assert drawn[0].seconds == second


def test_a_minute_holds_its_excerpt() -> None:
    (minute,) = minutes_of(["bruno-garden.ogg"])
    samples = np.frombuffer(minute, "<i2")
    assert len(samples) == MINUTE * SAMPLE_RATE
    first = round(CLIP_START * SAMPLE_RATE)
    excerpt = load(CLIPS / "bruno-garden.ogg")[first:][: (EXCERPT[1] - EXCERPT[0]) * SAMPLE_RATE]
    inside = samples[EXCERPT[0] * SAMPLE_RATE : EXCERPT[1] * SAMPLE_RATE]
    np.testing.assert_allclose(inside, excerpt * 30_000, atol=1)


def match(name: str, start: float, stop: float) -> Match:
    return Match(Recording("0" * 64, name, name, 10.0), start, stop, 2, 8, 0.1, 9)


@pytest.mark.parametrize(
    ("matches", "lost", "wrong"),
    [
        ([match("a", 30, 36), match("b", 90.4, 95.6)], 0, 0),
        ([match("a", 30, 36)], 1, 0),
        ([match("a", 30, 36), match("a", 90, 96)], 1, 1),  # another recording
        ([match("a", 30, 36), match("b", 90, 93)], 1, 1),  # half of it
        ([match("a", 30, 36), match("a", 30, 36), match("b", 90, 96)], 0, 1),  # twice
    ],
)
def test_matches_are_compared_with_what_was_played(
    matches: list[Match], lost: int, wrong: int
) -> None:
    missing, others = judged([("a", 30.0), ("b", 90.0)], matches)
    assert (len(missing), len(others)) == (lost, wrong)
