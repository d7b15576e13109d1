"""Alignments followed along hashes whose differing bits are known."""

from __future__ import annotations

import numpy as np
import pytest
from planted import WIDTH, flipped, random_hashes

from samaf.index import table_of
from samaf.matching.alignment import Alignment, Segment
from samaf.matching.boundaries import BLOCK_HOPS
from samaf.matching.following import REACH_HASHES, TOGETHER, Course, follow
from samaf.records import Hashes


def hashes(packed: np.ndarray, reliability: np.ndarray | None = None) -> Hashes:
    return Hashes(packed, np.ones(len(packed), bool), reliability)


def test_a_segment_is_as_long_as_the_hashes_agree_and_its_course_goes_beyond() -> None:
    rng = np.random.default_rng(1)
    query = random_hashes(rng, 80)
    stored = random_hashes(rng, 60)
    stored[10:20] = query[40:50]
    stored[12] ^= 1  # a bit of each byte
    table = table_of([(7, random_hashes(rng, 5)), (8, stored)], WIDTH)
    (found,) = follow([Alignment(1, -30.0, 1.0, 44, 46)], hashes(query), table)
    segment, course = found
    assert (segment.first, segment.stop) == (40, 50)
    assert segment.ber == segment.weighted_ber == pytest.approx(1 / 8 / 10)
    assert segment.reference(40) == pytest.approx(10, abs=0.2)
    assert (segment.begin, segment.end) == (40, 49 + BLOCK_HOPS)
    # From the first hash that lies on a stored one to the reach beyond the end.
    assert (course.first, len(course.rates)) == (30, 46 + REACH_HASHES - 30)
    assert course.of(np.array([41, 42])).tolist() == [0, 1 / 8]


def test_bits_count_by_reliability() -> None:
    rng = np.random.default_rng(2)
    query = random_hashes(rng, 12)
    stored = query.copy()
    stored[:, 0] ^= 255
    reliability = np.full((12, 8 * WIDTH), 255, np.uint8)
    reliability[:, :8] = 0
    ((segment, _),) = follow(
        [Alignment(0, 0.0, 1.0, 0, 12)], hashes(query, reliability), table_of([(1, stored)], WIDTH)
    )
    assert segment.ber == pytest.approx(1 / WIDTH)
    # (1 - c) / 2 with the cosine of n - 8 agreeing weights among n bits.
    bits = 8 * WIDTH
    assert segment.weighted_ber == pytest.approx((1 - np.sqrt((bits - 8) / bits)) / 2, rel=1e-5)


def test_an_alignment_without_agreement_or_outside_the_recording_gives_none() -> None:
    rng = np.random.default_rng(3)
    table = table_of([(1, random_hashes(rng, 20))], WIDTH)
    query = hashes(random_hashes(rng, 20))
    lines = [Alignment(0, 500.0, 1.0, 0, 20), Alignment(0, 0.0, 1.0, 0, 20)]
    assert list(follow(lines, query, table)) == []
    assert list(follow([], query, table)) == []


def test_many_alignments_give_together_what_each_gives_alone() -> None:
    rng = np.random.default_rng(4)
    parts = [(n, random_hashes(rng, int(rng.integers(3, 90)))) for n in range(40)]
    table = table_of(parts, WIDTH)
    packed = random_hashes(rng, 120)
    lines = []
    for n in range(3 * TOGETHER // (2 * REACH_HASHES)):
        index = n % len(parts)
        first = int(rng.integers(0, 110))
        rows = parts[index][1]
        intercept = float(rng.integers(-first - 4, len(rows) - first + 4))
        lines.append(Alignment(index, intercept, float(rng.uniform(0.8, 1.2)), first, first + 9))
    for index in (3, 5, 8):
        rows = parts[index][1]
        packed[10 * index : 10 * index + len(rows)] = flipped(rng, rows, 0.2)[: 120 - 10 * index]
        lines.append(Alignment(index, -10.0 * index, 1.0, 10 * index, 10 * index + 2))
    query = hashes(packed, rng.integers(1, 256, (120, 8 * WIDTH), np.uint8))
    together = list(follow(lines, query, table))
    alone = [found for line in lines for found in follow([line], query, table)]

    def comparable(found: tuple[Segment, Course]) -> tuple[Segment, int, list[float]]:
        return found[0], found[1].first, found[1].rates.tolist()

    assert len(together) > 3
    assert list(map(comparable, together)) == list(map(comparable, alone))
