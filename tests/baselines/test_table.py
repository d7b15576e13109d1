"""The hash table, index arithmetic and votes against plain loops."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.landmarks import last_of_each_hash, popular_offsets
from baselines.pairs import expand_ranges, pairs_within, triplets
from baselines.recognizer import RecognizerError
from baselines.table import HashTable, Hits, Prints

HASHES = st.lists(st.integers(-6, 6), max_size=12)


def prints(hashes: list[int]) -> Prints:
    """Prints whose frames count up."""
    return Prints(np.array(hashes, np.int64), np.arange(len(hashes), dtype=np.int32)[:, None])


@settings(max_examples=60, deadline=None)
@given(st.lists(HASHES, max_size=6), HASHES, st.integers(0, 2), st.data())
def test_lookup(files: list[list[int]], query: list[int], reach: int, data: st.DataObject) -> None:
    table = HashTable(columns=1)
    split = data.draw(st.integers(0, len(files)))
    gone = {number for number in range(len(files)) if data.draw(st.booleans())}
    for number, hashes in enumerate(files):
        if number == split:
            table.lookup(np.array([0]))  # settle in the middle
        assert table.add(str(number), prints(hashes)) == number
    for number in gone:
        table.delete(str(number))
    hits = table.lookup(np.array(query, np.int64), reach)
    expected = sorted(
        (row, stored, number, frame)
        for row, asked in enumerate(query)
        for number, hashes in enumerate(files)
        if number not in gone
        for frame, stored in enumerate(hashes)
        if abs(stored - asked) <= reach
    )
    found = zip(hits.rows.tolist(), hits.files.tolist(), hits.values[:, 0].tolist(), strict=True)
    assert list(found) == [(row, number, frame) for row, _, number, frame in expected]
    assert len(table) == sum(len(h) for n, h in enumerate(files) if n not in gone)


def test_keys() -> None:
    table = HashTable(columns=1)
    table.add("a", prints([1]))
    with pytest.raises(RecognizerError, match="'a' is stored already"):
        table.add("a", prints([2]))
    table.delete("a")
    with pytest.raises(RecognizerError, match="'a' is not stored"):
        table.delete("a")
    assert table.key(table.add("a", prints([2]))) == "a"
    assert len(table.lookup(np.array([1]))) == 0
    assert len(table.lookup(np.array([2]))) == 1


def test_last_of_each_hash() -> None:
    kept = last_of_each_hash(prints([5, 3, 5, 4, 3]))
    assert kept.hashes.tolist() == [5, 4, 3]
    assert kept.frames.tolist() == [2, 3, 4]


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), max_size=10))
def test_expand_ranges(ranges: list[tuple[int, int]]) -> None:
    starts, stops = np.array(ranges, np.int64).reshape(-1, 2).T
    owner, position = expand_ranges(starts, stops)
    expected = [(i, p) for i, (a, b) in enumerate(ranges) for p in range(a, b)]
    assert list(zip(owner.tolist(), position.tolist(), strict=True)) == expected


@given(st.lists(st.integers(0, 30), max_size=15), st.integers(1, 4), st.integers(0, 8))
def test_pairs_and_triplets(times: list[int], least: int, span: int) -> None:
    times.sort()
    i, j = pairs_within(np.array(times, np.int64), least, least + span)
    expected = [
        (a, b)
        for a in range(len(times))
        for b in range(len(times))
        if least <= times[b] - times[a] <= least + span
    ]
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == expected
    chains = zip(*(x.tolist() for x in triplets(i, j, len(times))), strict=True)
    assert list(chains) == [(a, b, c) for a, b in expected for b2, c in expected if b2 == b]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 3)), max_size=20), st.booleans())
def test_popular_offsets(votes: list[tuple[int, int]], adjacent: bool) -> None:
    files, offsets = np.array(votes, np.int64).reshape(-1, 2).T
    hits = Hits(np.arange(len(votes)), files, np.zeros((len(votes), 1), np.int32))
    counts = Counter(votes)
    best: dict[int, tuple[int, int]] = {}
    for (file, offset), count in sorted(counts.items()):
        total = count + (counts[file, offset + 1] if adjacent else 0)
        if total > best.get(file, (0, 0))[0]:
            best[file] = (total, offset)
    expected = sorted((-total, file, offset) for file, (total, offset) in best.items())
    found = zip(*(x.tolist() for x in popular_offsets(hits, offsets, adjacent)), strict=True)
    assert [(-count, file, offset) for file, offset, count in found] == expected
