"""A stream in pieces gives what a query of the whole gives, each candidate once."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import RANDOM, WIDTH, flipped, known, random_hashes

from samaf.index import ExactIndex, Index, table_of
from samaf.matching import Candidate, Matcher
from samaf.matching.stream import KEPT_HASHES, LOOK_HASHES, Follower
from samaf.records import Hashes


def store(rng: np.random.Generator, count: int = 20, length: int = 60) -> Index:
    return ExactIndex(table_of([(100 + n, random_hashes(rng, length)) for n in range(count)], 32))


def heard(
    follower: Follower, stream: np.ndarray, index: Index, rng: np.random.Generator
) -> list[Candidate]:
    """Feed a stream in pieces of 20 to 100 hashes."""
    found, at = [], 0
    while at < len(stream):
        size = int(rng.integers(20, 100))
        found += follower.feed(known(stream[at : at + size]), index)
        at += size
    return found + follower.finish(index)


def follower(k: int = 1) -> Follower:
    return Follower(Matcher(ExactIndex(table_of([], WIDTH)), RANDOM, 9, 0.01, k))


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(salt=st.integers(0, 2**32))
def test_planted_stretches_are_found_once_and_in_order(salt: int) -> None:
    rng = np.random.default_rng(salt)
    index = store(rng)
    parts, truth, at = [], [], 0
    for number in rng.permutation(20)[:6].tolist():
        gap, length = int(rng.integers(0, 80)), int(rng.integers(12, 50))
        first = int(rng.integers(0, 60 - length))
        parts += [random_hashes(rng, gap)]
        parts += [flipped(rng, index.table.rows(number)[first : first + length], 0.15)]
        truth.append((number, at + gap, at + gap + length, first))
        at += gap + length
    found = heard(follower(), np.concatenate(parts), index, rng)
    assert [f.recording_index for f in found] == [t[0] for t in truth]
    for candidate, (_, first, stop, there) in zip(found, truth, strict=True):
        assert candidate.segment.first == pytest.approx(first, abs=2)
        assert candidate.segment.stop == pytest.approx(stop, abs=2)
        assert candidate.segment.reference(first) == pytest.approx(there, abs=0.5)


@pytest.mark.slow
def test_what_is_longer_than_the_memory_is_one_finding() -> None:
    rng = np.random.default_rng(1)
    index = store(rng, count=3, length=5 * KEPT_HASHES)
    played = flipped(rng, index.table.rows(1)[40 : 40 + 4 * KEPT_HASHES], 0.2)
    stream = np.concatenate([random_hashes(rng, 33), played, random_hashes(rng, 90)])
    (candidate,) = heard(follower(), stream, index, rng)
    assert candidate.recording_index == 1
    assert candidate.segment.first == pytest.approx(33, abs=2)
    assert candidate.segment.stop == pytest.approx(33 + len(played), abs=2)
    assert candidate.segment.reference(33) == pytest.approx(40, abs=1)
    assert candidate.segment.reference(33 + len(played)) == pytest.approx(40 + len(played), abs=1)
    assert candidate.segment.ber == pytest.approx(0.2, abs=0.01)


def test_a_match_is_given_while_the_stream_goes_on() -> None:
    rng = np.random.default_rng(2)
    index = store(rng)
    one = follower()
    assert one.feed(known(index.table.rows(5)[:40]), index) == []
    assert one.feed(known(random_hashes(rng, 20)), index) == []
    (candidate,) = one.feed(known(random_hashes(rng, LOOK_HASHES)), index)
    assert candidate.recording_index == 5
    assert one.finish(index) == []


@pytest.mark.slow
def test_k_limits_what_is_given_for_one_stretch() -> None:
    rng = np.random.default_rng(3)
    shared = random_hashes(rng, 40)
    index = ExactIndex(table_of([(1, shared), (2, random_hashes(rng, 40)), (3, shared)], WIDTH))
    stream = np.concatenate([shared, random_hashes(rng, 200)])
    assert len(heard(follower(1), stream, index, rng)) == 1
    assert {f.recording_index for f in heard(follower(2), stream, index, rng)} == {0, 2}


@pytest.mark.slow
def test_a_store_that_changes_is_searched_as_it_is() -> None:
    rng = np.random.default_rng(4)
    rows = [(n, random_hashes(rng, 600)) for n in range(4)]
    before, after = ExactIndex(table_of(rows, WIDTH)), ExactIndex(table_of(rows[2:], WIDTH))
    one = follower()
    played = rows[3][1][:500]
    assert one.feed(known(played[:200]), before) == []
    assert one.feed(known(played[200:]), after) == []
    (candidate,) = one.feed(known(random_hashes(rng, 60)), after)
    assert candidate.recording_index == 1
    assert (candidate.segment.first, candidate.segment.stop) == (0, 500)


@pytest.mark.slow
@pytest.mark.parametrize("played", [500, 40, 6])
def test_a_store_that_changes_before_the_stream_ends(played: int) -> None:
    rng = np.random.default_rng(7)
    rows = [(n, random_hashes(rng, 600)) for n in range(4)]
    before, after = ExactIndex(table_of(rows, WIDTH)), ExactIndex(table_of(rows[3:], WIDTH))
    for last in (3, 0):  # one that is still there, one that is gone
        one = follower()
        assert one.feed(known(rows[last][1][:played]), before) == []
        found = [(f.recording_index, f.segment.first, f.segment.stop) for f in one.finish(after)]
        assert found == ([(0, 0, played)] if last == 3 else [])


def test_short_and_silent_streams() -> None:
    rng = np.random.default_rng(5)
    index = store(rng)
    assert follower().finish(index) == []
    short = follower()
    assert short.feed(known(index.table.rows(4)[10:15]), index) == []
    assert [f.recording_index for f in short.finish(index)] == [4]
    silent = follower()
    rows = random_hashes(rng, 300)
    assert silent.feed(Hashes(rows, np.zeros(300, bool)), index) == []
    assert silent.finish(index) == []


def test_memory_does_not_grow() -> None:
    rng = np.random.default_rng(6)
    index = store(rng, count=2)
    one = follower()
    # Nothing to recognise: searched and kept like all others, but quick.
    piece = Hashes(random_hashes(rng, 60), np.zeros(60, bool))

    def held(pieces: int) -> int:
        for _ in range(pieces):
            one.feed(piece, index)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    early, late = held(4), held(8)
    tracemalloc.stop()
    assert late < early + 20_000
