"""The benchmark of repeats judges rightly."""

from __future__ import annotations

import numpy as np

from benchmarks.shared.broadcast import Planted
from benchmarks.shared.recurring import judged, prolonged
from samaf.records import Recording, RepeatCluster, RepeatPlace

STREAM = Recording("", "stream.wav", "stream.wav", 1_000.0)


def cluster(number: int, *places: tuple[float, float]) -> RepeatCluster:
    return RepeatCluster(number, 5.0, tuple(RepeatPlace(STREAM, *place) for place in places))


def test_planted_places_are_counted_by_kind_and_borders_measured() -> None:
    planted = [
        Planted(0, "prompt", 10, 15),
        Planted(0, "prompt", 50, 55),
        Planted(0, "prompt", 90, 95),
        Planted(1, "jingle", 200, 204),
        Planted(1, "jingle", 300, 304),
        Planted(2, "bed", 400, 410),  # once is no repeat
    ]
    found = [
        cluster(1, (10.1, 15.0), (50.0, 54.9)),
        cluster(2, (200.0, 204.5), (300.0, 304.0)),
        cluster(3, (500.0, 503.0), (600.0, 603.0)),
    ]
    lines = dict(judged(planted, found))
    assert lines["planted"] == "5 places of 2 pieces"
    assert lines["prompts found"] == "2 of 3 (66.7 %)"
    assert lines["jingles found"] == "2 of 2 (100.0 %)"
    assert lines["beds found"] == "0 of 0 (0.0 %)"
    assert lines["boundaries within 0.3 s"] == "87.5 %"
    assert lines["clusters that are none"] == "1"


def test_a_cluster_of_two_pieces_is_none() -> None:
    planted = [Planted(n, "prompt", 10 * n, 10 * n + 5) for n in (1, 2, 1, 2)]
    lines = dict(judged(planted, [cluster(1, (10, 15), (20, 25))]))
    assert lines["clusters that are none"] == "1"


def test_distractors_are_like_nothing_stored() -> None:
    rng = np.random.default_rng(1)
    own = rng.integers(0, 256, (200, 32), dtype=np.uint8)
    made = prolonged(own, 1_000, rng)
    assert made.shape == (1_000, 32)
    rates = np.bitwise_count(made[:100, None] ^ own[None]).mean(axis=2) / 8
    assert 0.3 < rates.min(axis=1).mean() < 0.42
