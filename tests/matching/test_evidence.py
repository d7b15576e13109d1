"""Evidence beside the bit error rate, with hashes whose bits are counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted import RANDOM, WIDTH, flipped, known, random_hashes

from samaf.fingerprinters.card import Decision, Weights
from samaf.index import ExactIndex, HashTable, Table, table_of
from samaf.matching import PLAIN, Matcher
from samaf.matching.alignment import Alignment, Segment
from samaf.matching.calibration import chance_ber, log10_chance
from samaf.matching.evidence import (
    EVIDENCE,
    WORTHLESS,
    Aligned,
    evidence_of,
    is_copy,
    judged,
    rivals,
    score,
)
from samaf.matching.following import Course
from samaf.matching.hypotheses import Hypothesis
from samaf.records import Hashes, Manipulation

RNG = np.random.default_rng(7)
ROWS = [random_hashes(RNG, 40) for _ in range(4)]
TABLE = table_of(list(enumerate(ROWS)), WIDTH)
SEARCHED = 14_400.0


def aligned(
    query: Hashes, recording: int, first: int, stop: int, at: int, ber: float = 0.25
) -> Aligned:
    """Lay query hashes ``first`` to ``stop`` on a recording from hash ``at`` on."""
    alignment = Alignment(recording, float(at - first), 1.0, first, stop)
    segment = Segment(alignment, first, stop, ber, ber, 0, first, stop)
    return Aligned((PLAIN, query), segment, 1e6, Course(first, np.full(stop - first, ber)))


def column(evidence: np.ndarray, name: str) -> list[float]:
    values: list[float] = evidence[:, EVIDENCE.index(name)].tolist()
    return values


def test_the_evidence_of_two_segments_by_hand() -> None:
    activity = np.full(30, 255, np.uint8)
    activity[10:15] = 51
    query = Hashes(random_hashes(RNG, 30), np.ones(30, bool), None, activity)
    evidence = evidence_of(
        [aligned(query, 0, 0, 20, 5), aligned(query, 1, 10, 15, 0, 0.3)], TABLE, RANDOM
    )
    once = chance_ber(np.array([20, 5]), np.array([1e6, 1e6]), RANDOM)
    assert column(evidence, "margin") == pytest.approx((once - [0.25, 0.3]).tolist())
    assert column(evidence, "length") == pytest.approx(np.log10([24, 24]))
    # 160 hashes of the store, 30 of the query, 3 slopes.
    assert column(evidence, "size") == pytest.approx(np.log10([SEARCHED, SEARCHED]))
    assert column(evidence, "few") == [0.25, 0.25]
    assert column(evidence, "activity") == pytest.approx([(15 + 5 * 0.2) / 20, 0.2])
    only = table_of([(0, ROWS[0])], WIDTH)
    assert column(evidence_of([aligned(query, 0, 0, 20, 5)], only, RANDOM), "few") == [0.5]
    expected = -log10_chance(np.array([0.25, 0.3]), np.array([20, 5]), 1e6, RANDOM)
    assert column(evidence, "ber") == column(evidence, "weighted") == pytest.approx(expected)


def test_chance_reaches_its_bit_error_rate_once() -> None:
    hashes, comparisons = np.array([1.0, 5, 20, 20]), np.array([1e4, 1e4, 1e4, 1e6])
    once = chance_ber(hashes, comparisons, RANDOM)
    assert log10_chance(once, hashes, comparisons, RANDOM) == pytest.approx(0, abs=0.02)
    assert once[0] < once[1] < once[2]
    assert once[3] < once[2]


def all_rivals(
    parts: list[Aligned], scores: np.ndarray, table: Table, places_rival: bool = False
) -> list[float]:
    searched = np.full(len(parts), SEARCHED)
    found = rivals(
        *(parts, scores, table, range(len(parts)), RANDOM, searched), places_rival=places_rival
    )
    return list(found.tolist())


def worth(hashes: int, ber: float = 0.25) -> float:
    """Score a part of a segment by hand."""
    return -float(log10_chance(np.array(ber), np.array(hashes), SEARCHED, RANDOM))


def test_the_rival_is_the_best_of_another_recording() -> None:
    query = known(random_hashes(RNG, 30))
    parts = [aligned(query, n, 0, 20, 5) for n in (0, 0, 1, 2)]
    assert all_rivals(parts, np.array([5.0, 4.0, 3.0, 1.0]), TABLE) == [3, 3, 5, 5]
    assert all_rivals(parts[:2], np.array([5.0, 4.0]), TABLE) == [0, 0]
    assert all_rivals(parts, np.array([5.0, 4.0, -3.0, -1.0]), TABLE) == [0, 0, 5, 5]


def test_what_another_part_of_the_query_holds_is_no_rival() -> None:
    query = known(random_hashes(RNG, 30))
    parts = [aligned(query, 0, 0, 10, 5), aligned(query, 1, 10, 30, 0), aligned(query, 2, 5, 15, 0)]
    assert all_rivals(parts, np.array([9.0, 8.0, 1.0]), TABLE) == [1, 1, 0]
    # Faint ones count wherever they touch, and good ones where they cover more than half.
    assert all_rivals(parts, np.array([3.0, 2.0, 1.0]), TABLE) == [1, 1, 3]
    beside = [aligned(query, 0, 0, 10, 5), aligned(query, 1, 4, 30, 0)]
    assert all_rivals(beside, np.array([99.0, 98.0]), TABLE) == [pytest.approx(worth(6)), 0]


def test_a_copy_of_the_same_audio_is_no_rival() -> None:
    again = flipped(RNG, ROWS[0][3:], 0.1)
    table = table_of([*enumerate(ROWS), (9, again)], WIDTH)
    query = known(flipped(RNG, ROWS[0][5:25], 0.2))
    own, copy, other = (aligned(query, n, 0, 20, at) for n, at in ((0, 5), (4, 2), (1, 7)))
    assert is_copy(own, copy, table)
    assert is_copy(copy, own, table)
    assert not is_copy(own, other, table)
    # The same recordings at places of different audio.
    assert not is_copy(own, aligned(query, 4, 0, 20, 12), table)
    # Parts of the query that do not meet.
    assert not is_copy(aligned(query, 0, 0, 8, 5), aligned(query, 4, 10, 20, 12), table)
    assert all_rivals([own, copy, other], np.array([9.0, 8.0, 1.0]), table) == [1, 1, 9]
    assert worth(20) > 9
    # That a recording was laid on other audio first changes nothing.
    wrong = aligned(query, 4, 0, 20, 12)
    parts, scores = [wrong, own, copy, other], np.array([2.0, 9.0, 8.0, 1.0])
    assert all_rivals(parts, scores, table) == [9, 1, 1, 9]


def test_in_a_store_of_one_recording_other_places_are_rivals() -> None:
    again = flipped(RNG, ROWS[0][20:30], 0.1)
    table = table_of([(0, np.concatenate([ROWS[0], again]))], WIDTH)
    query = known(random_hashes(RNG, 30))

    def of(parts: list[Aligned], scores: np.ndarray) -> list[float]:
        return all_rivals(parts, scores, table, places_rival=True)

    # Three hops apart blocks share audio, seven hops apart they do not.
    own, near, far = (aligned(query, 0, 0, 10, at) for at in (20, 23, 27))
    assert of([own, near], np.array([5.0, 4.0])) == [0, 0]
    assert of([own, near, far], np.array([5.0, 4.0, 3.0])) == [3, 3, 5]
    # What is there twice, and what is surely there as well, is no chance.
    copy = aligned(query, 0, 0, 10, 40)
    assert of([own, copy], np.array([5.0, 4.0])) == [0, 0]
    assert of([own, far], np.array([9.0, 8.0])) == [0, 0]
    assert of([own, far], np.array([9.0, 3.0])) == [3, 0]
    assert all_rivals([own, far], np.array([9.0, 3.0]), table) == [0, 0]


def test_the_score_is_a_weighted_sum_that_bends_above_its_knee() -> None:
    decision = Decision(-1.0, Weights(ber=0.5, rival=-2.0), knee=3.0, slope=0.5)
    evidence = np.zeros((3, len(EVIDENCE)))
    evidence[:, EVIDENCE.index("ber")] = [4, 10, 12]
    evidence[:, EVIDENCE.index("rival")] = [0.5, 0, 0]
    found = score(evidence, replace(RANDOM, decision=decision))
    # 2 - 1 - 1; 5 - 1 is 1 above the knee; 6 - 1 is 2 above it.
    assert found.tolist() == pytest.approx([0, 3.5, 4])


def test_without_a_fit_the_score_is_the_evalue_by_bits() -> None:
    evidence = RNG.normal(size=(5, len(EVIDENCE)))
    assert score(evidence, RANDOM).tolist() == pytest.approx(column(evidence, "ber"))


def _matched(table: HashTable, packed: np.ndarray) -> list[tuple[int, float]]:
    weights = Weights(ber=1.0, rival=-1.0)
    calibration = replace(RANDOM, decision=Decision(0.0, weights))
    matcher = Matcher(ExactIndex(table), calibration, 9, 1e-3, 5)
    found = matcher.find([(PLAIN, known(packed))])
    return [(c.recording_index, round(-c.log10_evalue, 6)) for c in found]


def test_a_recording_that_is_stored_twice_is_found_twice_with_the_score_of_one() -> None:
    clip = flipped(RNG, ROWS[0][5:25], 0.2)
    once = dict(_matched(TABLE, clip))
    twice = dict(_matched(table_of([*enumerate(ROWS), (9, ROWS[0])], WIDTH), clip))
    assert set(once) == {0}
    assert set(twice) == {0, 4}
    # Only that the store is larger counts.
    assert twice[0] == twice[4] == pytest.approx(once[0] - np.log10(200 / 160), abs=0.5)


def test_a_recording_shorter_than_two_hashes_has_copies() -> None:
    table = table_of([(0, ROWS[0]), (1, flipped(RNG, ROWS[0][5:6], 0.1))], WIDTH)
    query = known(flipped(RNG, ROWS[0][5:6], 0.1))
    own, copy = aligned(query, 0, 0, 1, 5), aligned(query, 1, 0, 1, 0)
    assert is_copy(own, copy, table)
    assert is_copy(copy, own, table)
    assert all_rivals([own, copy], np.array([5.0, 5.0]), table) == [0, 0]


def test_a_segment_that_goes_on_into_the_next_recording_is_judged_there_by_what_it_shares() -> None:
    query = known(random_hashes(RNG, 30))
    own = aligned(query, 0, 12, 24, 5)
    long = aligned(query, 1, 0, 24, 5)
    # Its first part is right; the next four hashes straddle the border; then chance, or a copy.
    scores = np.array([7.0, 40.0])
    for ber, shared in ((0.5, 0.0), (0.43, worth(8, 0.43)), (0.1, 40.0)):
        beside = replace(long, course=Course(0, np.repeat([0.1, 0.3, ber], [12, 4, 8])))
        assert all_rivals([own, beside], scores, TABLE)[0] == pytest.approx(shared)
        # A faint one counts as it is.
        assert all_rivals([own, beside], scores / 8, TABLE)[0] == 5
    assert 0 < worth(8, 0.43) < 40 < worth(8, 0.1)


def test_what_a_reversed_segment_shares_is_counted_from_the_end_of_the_clip() -> None:
    query = known(random_hashes(RNG, 30))
    own = aligned(query, 0, 0, 12, 5)
    backwards = Hypothesis(Manipulation(reversed=True), 1.0)
    # Its hashes 0 to 28 are 2 to 30 of the clip: 18 to 28 are shared, and 18 to 22 straddle.
    rates = np.repeat([0.1, 0.3, 0.43], [18, 4, 6])
    long = aligned(query, 1, 0, 28, 5)
    turned = replace(long, grid=(backwards, query), course=Course(0, rates))
    found = all_rivals([own, turned], np.array([7.0, 40.0]), TABLE)
    assert found[0] == pytest.approx(worth(6, 0.43))


def test_a_segment_of_steady_noise_is_worth_nothing() -> None:
    rows = flipped(RNG, ROWS[0][5:25], 0.05)
    scores = []
    for active in (255, 0):
        activity = np.full(20, active, np.uint8)
        query = Hashes(rows, np.ones(20, bool), None, activity)
        scores.append(judged([aligned(query, 0, 0, 20, 5, 0.05)], TABLE, RANDOM).other_speech[0])
    assert scores[0] < -6
    assert scores[1] >= WORTHLESS


@pytest.mark.parametrize("most", [-20.0, -10.0, -5.0, 0.0])
def test_what_passes_does_not_depend_on_where_rivals_are_looked_for(most: float) -> None:
    weights = Weights(ber=0.5, weighted=0.5, rival=-0.6)
    calibration = replace(RANDOM, decision=Decision(weights=weights))
    query = known(random_hashes(RNG, 30))
    parts = [
        aligned(query, n, 0, 20, 5, ber)
        for n, ber in ((0, 0.43), (1, 0.44), (2, 0.45), (3, 0.47), (0, 0.46))
    ]
    whole = judged(parts, TABLE, calibration)
    some = judged(parts, TABLE, calibration, most=most)
    passed = whole.other_speech <= most
    assert (some.other_speech <= most).tolist() == passed.tolist()
    assert (some.evidence[passed] == whole.evidence[passed]).all()
