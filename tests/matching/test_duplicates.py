"""Shared segments between the recordings of a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted import RANDOM, flipped, random_hashes

from samaf.index import ExactIndex, HashTable, table_of
from samaf.index.local import rows_after
from samaf.matching import Candidate, Matcher
from samaf.matching.duplicates import shared, without_overlaps


def pairs(table: HashTable) -> dict[tuple[int, int], list[Candidate]]:
    matcher = Matcher(ExactIndex(table), RANDOM, 9, 0.1, 1)
    return {
        (number, other): found
        for number in range(len(table.counts))
        for other, found in shared(matcher, number).items()
    }


def test_each_pair_comes_once_with_all_its_stretches() -> None:
    rng = np.random.default_rng(1)
    rows = [random_hashes(rng, 80) for _ in range(6)]
    rows[4][10:30] = rows[1][40:60]
    rows[4][50:75] = rows[1][5:30]
    rows[5][60:80] = rows[0][:20]
    found = pairs(table_of(list(enumerate(rows)), 32))
    assert set(found) == {(1, 4), (0, 5)}
    first, second = (f.segment for f in found[1, 4])
    assert (first.first, first.stop, first.reference(first.first)) == pytest.approx(
        (5, 30, 50), abs=0.1
    )
    assert (second.first, second.stop) == (40, 60)


def test_one_jingle_in_many_recordings_gives_all_pairs() -> None:
    rng = np.random.default_rng(2)
    jingle = random_hashes(rng, 20)
    rows = [np.concatenate([random_hashes(rng, n), jingle]) for n in range(20, 32)]
    found = pairs(table_of(list(enumerate(rows)), 32))
    assert len(found) == 12 * 11 / 2


def test_many_copies_of_two_stretches_hide_none_of_them() -> None:
    rng = np.random.default_rng(4)
    own = random_hashes(rng, 160)
    rows = [own]
    for number in range(1, 13):  # more than a window has neighbors
        rows.append(random_hashes(rng, 120))
        rows[-1][10:40] = flipped(rng, own[20:50], 0.01 * number)
        rows[-1][70:100] = flipped(rng, own[100:130], 0.01 * (13 - number))
    matcher = Matcher(ExactIndex(table_of(list(enumerate(rows)), 32)), RANDOM, 9, 0.1, 1)
    found = shared(matcher, 0)
    assert set(found) == set(range(1, 13))
    for number, candidates in found.items():
        assert {c.recording_id for c in candidates} == {number}
        spans = [(c.segment.first, c.segment.stop) for c in candidates]
        assert spans == [(20, 50), (100, 130)]


def test_a_long_stretch_in_noise_stands_before_short_ones() -> None:
    rng = np.random.default_rng(5)
    rows = [random_hashes(rng, 60) for _ in range(2)]
    rows[1][10:50] = rows[0][10:50]
    (long,) = pairs(table_of(list(enumerate(rows)), 32))[0, 1]
    # As far away as a reading of the text, which the rank by reliable bits goes by.
    long = replace(long, weighted_log10_evalue=0.4)
    short = replace(
        long,
        segment=replace(long.segment, first=12, stop=20, ber=0.3),
        span=(12.0, 20.0),
        log10_evalue=-1.0,
        weighted_log10_evalue=0.2,
    )
    assert without_overlaps([short, long]) == [long]


def test_empty_short_and_deleted_recordings() -> None:
    rng = np.random.default_rng(3)
    rows = [random_hashes(rng, n) for n in (0, 3, 40, 1)]
    assert pairs(table_of(list(enumerate(rows)), 32)) == {}
    assert pairs(table_of([], 32)) == {}
    table = table_of([(n, random_hashes(rng, 10)) for n in range(4)], 32)
    # The rows of the second recording belong to nobody any more.
    kept = np.array([0, 2, 3])
    table = HashTable(
        table.hashes, table.recording_ids[kept], table.starts[kept], table.counts[kept]
    )
    for number in range(3):
        rest = rows_after(table, number)
        for place in range(len(rest.counts)):
            np.testing.assert_array_equal(rest.rows(place), table.rows(number + 1 + place))
