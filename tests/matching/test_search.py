"""Finding planted segments among random hashes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import RANDOM, WIDTH, flipped, known, random_hashes

from samaf.index import ExactIndex, FlatIndex, Index, table_of
from samaf.matching import PLAIN, Candidate, Matcher
from samaf.matching.alignment import error_rates, heaviest
from samaf.records import Hashes


def store(rng: np.random.Generator, count: int = 60, length: int = 40) -> Index:
    parts = [(100 + n, random_hashes(rng, length)) for n in range(count)]
    return ExactIndex(table_of(parts, WIDTH))


def ask(query: Hashes, index: Index, k: int = 5, window_hashes: int = 9) -> list[Candidate]:
    return Matcher(index, RANDOM, window_hashes, 1e-3, k).find([(PLAIN, query)])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    salt=st.integers(0, 2**32),
    number=st.integers(0, 59),
    start=st.integers(0, 20),
    length=st.integers(1, 20),
    share=st.floats(0, 0.2),
)
def test_noisy_excerpt_is_found_where_it_is(
    salt: int, number: int, start: int, length: int, share: float
) -> None:
    rng = np.random.default_rng(salt)
    index = store(rng)
    excerpt = index.table.rows(number)[start : start + length]
    found = ask(known(flipped(rng, excerpt, share)), index)
    assert [f.recording_index for f in found] == [number]
    segment = found[0].segment
    assert (segment.first, segment.stop) == (0, length)
    assert segment.reference(0) == pytest.approx(start, abs=0.5)
    assert segment.ber == pytest.approx(share, abs=0.1)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(salt=st.integers(0, 2**32), length=st.integers(1, 60))
def test_unknown_clip_has_no_match(salt: int, length: int) -> None:
    rng = np.random.default_rng(salt)
    index = store(rng)
    # One false match in a thousand queries is allowed for; demand a hundredth of that.
    query = known(random_hashes(rng, length))
    found = Matcher(index, RANDOM, 9, 1e-5, 5).find([(PLAIN, query)])
    assert found == []


def test_long_query_yields_every_stretch() -> None:
    rng = np.random.default_rng(3)
    index = store(rng, count=40)
    pieces, truth, at = [], [], 0
    for number in (7, 31, 2, 19):
        gap = random_hashes(rng, int(rng.integers(10, 60)))
        excerpt = flipped(rng, index.table.rows(number)[5:30], 0.15)
        pieces += [gap, excerpt]
        truth.append((number, at + len(gap), at + len(gap) + 25))
        at += len(gap) + 25
    found = ask(known(np.concatenate(pieces)), index)
    placed = sorted((f.recording_index, f.segment.first, f.segment.stop) for f in found)
    assert [p[0] for p in placed] == sorted(t[0] for t in truth)
    for (_, first, stop), (_, begin, end) in zip(placed, sorted(truth), strict=True):
        assert abs(first - begin) <= 2
        assert abs(stop - end) <= 2


def test_same_audio_in_two_recordings_gives_both_and_k_limits_them() -> None:
    rng = np.random.default_rng(4)
    shared = random_hashes(rng, 30)
    table = table_of([(1, shared), (2, random_hashes(rng, 30)), (3, shared)], WIDTH)
    index = ExactIndex(table)
    assert {f.recording_index for f in ask(known(shared[3:20]), index)} == {0, 2}
    assert [f.recording_index for f in ask(known(shared[3:20]), index, k=1)] == [0]


def test_line_of_another_tempo_is_followed() -> None:
    rng = np.random.default_rng(5)
    index = store(rng, count=30, length=80)
    at = np.rint(np.arange(40) * 1.1 + 10).astype(int)  # 10 % faster than the reference
    query = flipped(rng, index.table.rows(12)[at], 0.1)
    found = ask(known(query), index, window_hashes=5)
    assert found[0].recording_index == 12
    assert found[0].segment.alignment.slope == pytest.approx(1.1, abs=0.02)
    assert found[0].segment.hashes >= 36


def test_silent_and_empty_queries_have_no_match() -> None:
    rng = np.random.default_rng(6)
    index = store(rng)
    rows = index.table.rows(3)[:10]
    assert ask(Hashes(rows, np.zeros(10, bool)), index) == []
    assert ask(known(rows[:0]), index) == []
    assert ask(known(rows), ExactIndex(table_of([], WIDTH))) == []


def test_engines_give_the_same_answer() -> None:
    rng = np.random.default_rng(8)
    index = store(rng)
    query = known(flipped(rng, index.table.rows(9)[4:25], 0.2))
    flat = ask(query, FlatIndex(index.table))
    exact = ask(query, index)
    assert [(f.recording_index, f.segment) for f in flat] == [
        (f.recording_index, f.segment) for f in exact
    ]


@given(st.lists(st.integers(-5, 5), max_size=12))
def test_heaviest_slice_is_the_best_of_all(values: list[int]) -> None:
    gain = np.array([values, values[::-1]], float)
    for row, first, stop in zip(gain, *heaviest(gain), strict=True):
        sums = [row[a:b].sum() for a in range(len(row)) for b in range(a + 1, len(row) + 1)]
        assert row[first:stop].sum() == pytest.approx(max([0.0, *sums]))


def test_a_short_clip_is_found_by_its_sure_bits() -> None:
    rng = np.random.default_rng(4)
    index = store(rng)
    true, other = index.table.rows(7)[3:4], index.table.rows(20)[5:6]
    # Nearer to another hash in all bits, but equal to the true one in the quarter that is sure.
    mixed = np.where(rng.random(256) < 0.75, np.unpackbits(other), np.unpackbits(true))
    mixed[:64] = np.unpackbits(true)[:64]
    packed = np.packbits(mixed[None], axis=1)
    reliability = np.full((1, 256), 20, np.uint8)
    reliability[:, :64] = 255
    by_bits = ask(known(packed), index, k=1)
    by_weights = ask(Hashes(packed, np.ones(1, bool), reliability), index, k=1)
    assert [f.recording_index for f in by_bits] != [7]
    assert [f.recording_index for f in by_weights] == [7]
    assert by_weights[0].segment.ber > by_weights[0].segment.weighted_ber


def test_error_rates_by_hand() -> None:
    differing = np.array([[0b1100_0000], [0]], np.uint8)
    assert error_rates(differing).tolist() == [0.25, 0]
    # Agreement 4 - 2 of length sqrt(8 x 4); then 8 x 3 of length sqrt(8 x 8 x 9).
    reliability = np.array([[1, 0, 1, 1, 1, 0, 0, 0], [3] * 8], np.uint8)
    assert error_rates(differing, reliability) == pytest.approx([(1 - 2 / np.sqrt(32)) / 2, 0])


@settings(deadline=None)
@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 4))
def test_weights_leave_the_scatter_of_unrelated_hashes(salt: int, power: float) -> None:
    rng = np.random.default_rng(salt)
    reliability = np.rint(255 * rng.random((2000, 256)) ** power).astype(np.uint8)
    rates = error_rates(random_hashes(rng, 2000), reliability)
    assert rates.mean() == pytest.approx(0.5, abs=0.004)
    assert rates.std() == pytest.approx(1 / 32, rel=0.1)


def test_the_population_decides_what_a_reading_of_the_same_text_is() -> None:
    rng = np.random.default_rng(4)
    packed = random_hashes(rng, 40)
    index = ExactIndex(table_of([(1, packed), (2, random_hashes(rng, 200))], WIDTH))
    read_again = known(flipped(rng, packed[5:30], 0.3))
    played = known(flipped(rng, packed[5:30], 0.1))
    calibration = replace(RANDOM, same_text=0.01, same_text_mean=0.3, same_text_deviation=0.03)
    speech = Matcher(index, calibration, 9, 1e-3, 5)
    prompts = replace(speech, population="prompts")
    (match,) = speech.find([(PLAIN, read_again)])
    assert match.same_text_warning
    assert match.log10_evalue == match.evalues.other_speech < -3 < match.evalues.same_text
    assert not prompts.find([(PLAIN, read_again)])
    (match,) = prompts.find([(PLAIN, played)])
    assert not match.same_text_warning
    assert match.evalues.other_speech <= match.log10_evalue == match.evalues.same_text
