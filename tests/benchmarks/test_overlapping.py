"""The benchmark of overlaps counts rightly what is found."""

from __future__ import annotations

import numpy as np

from benchmarks.shared.cost import measured
from benchmarks.shared.overlapping import Planted, judged
from samaf.records import Duplicate, Overlap, Recording


def pair(first: str, second: str) -> Duplicate:
    return Duplicate(Recording("", first, first, 9.0), Recording("", second, second, 9.0), ())


def test_planted_overlaps_are_counted_by_kind_and_length() -> None:
    planted = [
        Planted("alone", 1.0, "0.wav", "a.wav"),
        Planted("alone", 1.0, "1.wav", "b.wav"),
        Planted("between other speech", 2.0, "0.wav", "c.wav"),
    ]
    found = (pair("0.wav", "a.wav"), pair("0.wav", "b.wav"), pair("0.wav", "c.wav"))
    lines = judged(planted, Overlap(found, (), (2, 3)))
    assert lines == [
        ("1 s, alone", "1 of 2"),
        ("2 s, between other speech", "1 of 1"),
        ("pairs that share nothing", "1"),
        ("share nothing", "0.wav b.wav"),
    ]


def test_memory_is_the_peak_of_what_is_measured() -> None:
    np.ones(30_000_000)  # before
    with measured() as small:
        pass
    with measured() as large:
        np.ones(10_000_000)
    assert 60 < large.memory - small.memory < 120
    assert large.processor > 0
