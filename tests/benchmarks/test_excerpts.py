"""The benchmark of untouched excerpts judges rightly."""

from __future__ import annotations

from benchmarks.shared.excerpts import Compared, compared, judged
from samaf.records import IDENTITY, Comparison, Manipulation, Match, Recording

HOLDER = Recording("", "holder.wav", "holder.wav", 10.0)


def found(start: float, ber: float, manipulation: Manipulation = IDENTITY) -> Comparison:
    match = Match(HOLDER, 0.0, 2.0, start, start + 2.0, ber, 8.0, manipulation, 1.0)
    return Comparison("part.wav", "holder.wav", (match,))


def test_an_excerpt_is_right_where_nothing_is_altered_and_the_place_holds() -> None:
    assert compared("a", found(3.02, 0.004), -3.0).right
    assert not compared("a", found(3.02, 0.012), -3.0).right
    assert not compared("a", found(3.2, 0.0), -3.0).right
    assert not compared("a", found(3.0, 0.0, Manipulation(0.95, 1.0)), -3.0).right
    assert not compared("a", Comparison("part.wav", "holder.wav", ()), -3.0).right


def test_what_is_not_right_is_listed() -> None:
    good, bad = Compared("a", 1, 0.0), Compared("b", 2, 0.1, "tempo 0.95x", 0.3)
    lines = dict(judged([(good, good, good), (good, bad, Compared("b", 0))]))
    assert lines["with itself: all of these"] == "2 of 2"
    assert lines["with its recording: unaltered"] == "1 of 2"
    assert lines["with its recording: highest BER"] == "0.1000"
    assert lines["with its recording: one row"] == "1 of 2"
    assert lines["not right with its recording: b"] == "tempo 0.95x, BER 0.100, 0.30 s off"
    assert lines["not right its recording with it: b"] == "nothing in common"
