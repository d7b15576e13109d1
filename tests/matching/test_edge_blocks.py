"""Blocks that hang over the ends of short clips, by hand and by search."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.features import FeatureParameters, blocks, mfcc
from samaf.fingerprinters import Fingerprinter, load_hash_model
from samaf.matching import PLAIN, Hypothesis
from samaf.matching.edge_blocks import block_starts, hash_with_padding, is_short, padded_blocks
from samaf.records import Manipulation

FEATURES = FeatureParameters()
SPEECH = load(CLIPS / "bruno-garden.ogg")


@pytest.fixture(scope="module")
def fingerprinter() -> Fingerprinter:
    return load_hash_model("1LST128C")


@pytest.mark.parametrize(
    ("frames", "offset", "expected"),
    [
        (100, 0, [-25, 0, 25]),
        (100, 12, [-13, 12]),
        (130, 12, [-13, 12, 37]),
        # A clip shorter than a block: three quarters of 60 frames must lie in each.
        (60, 0, [-50, -25, 0]),
    ],
)
def test_blocks_start_where_three_quarters_of_them_lie_inside(
    frames: int, offset: int, expected: list[int]
) -> None:
    assert block_starts(frames, offset, FEATURES).tolist() == expected


@given(st.integers(50, 400), st.sampled_from([0, 12]))
def test_no_block_with_enough_of_the_clip_is_left_out(frames: int, offset: int) -> None:
    def held(start: int) -> int:
        return min(start + 100, frames) - max(start, 0)

    starts = block_starts(frames, offset, FEATURES).tolist()
    assert all((start - offset) % 25 == 0 for start in starts)
    least = round(0.75 * min(100, frames))
    assert min(map(held, starts)) >= least
    assert held(starts[0] - 25) < least
    assert held(starts[-1] + 25) < least


def test_what_is_missing_is_the_mean_of_what_is_there() -> None:
    frames = np.arange(200, dtype=np.float32).reshape(100, 2)
    before, inside, after = padded_blocks(frames, np.array([-25, 0, 25]), FEATURES)
    assert np.array_equal(inside, frames)
    assert np.array_equal(before[25:], frames[:75])
    assert before[:25].tolist() == [[74.0, 75.0]] * 25
    assert np.array_equal(after[:75], frames[25:])
    assert after[75:].tolist() == [[124.0, 125.0]] * 25


def test_clips_below_8_s_have_more_grids_and_altered_ones_below_3_s() -> None:
    faster = Manipulation(0.8, 1.25)
    assert [is_short(seconds) for seconds in (1, 7.9, 8)] == [True, True, False]
    assert [is_short(seconds, faster) for seconds in (2.9, 3)] == [True, False]


def test_grids_share_the_prior(fingerprinter: Fingerprinter) -> None:
    frames = mfcc(SPEECH[: 2 * SAMPLE_RATE], fingerprinter.card.features)
    whole, first, second = hash_with_padding(frames, PLAIN, "salt", fingerprinter, True)
    assert [h.origin for h, _ in (whole, first, second)] == [0, -1, -13 / 25]
    assert [h.prior for h, _ in (whole, first, second)] == [1 / 3] * 3
    cut = fingerprinter.hash_blocks(blocks(frames, fingerprinter.card.features), "salt")
    assert np.array_equal(whole[1].packed, cut.packed)
    # The grid that starts on the clip's first frame has the whole blocks in its middle.
    assert np.array_equal(first[1].packed[1:-1], cut.packed)
    faster = Hypothesis(Manipulation(0.9, 1.0), 0.01)
    grids = hash_with_padding(frames, faster, "salt", fingerprinter, True)
    assert [h.prior for h, _ in grids] == [0.005] * 2
    [(alone, _)] = hash_with_padding(frames, faster, "salt", fingerprinter, False)
    assert alone.prior == 0.01
    # Half a second has 49 frames: the last would end after it.
    assert len(hash_with_padding(frames[:49], PLAIN, "salt", fingerprinter, True)) == 2
    assert hash_with_padding(frames[:48], PLAIN, "salt", fingerprinter, True) == []


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[samaf.Engine]:
    home = tmp_path_factory.mktemp("ends")
    single = home / "single.wav"
    single.write_bytes(wav(SPEECH[: int(1.1 * SAMPLE_RATE)]))
    with samaf.open(str(home / "samaf.db"), cache_folder=home) as engine:
        assert all(r.status == "added" for r in engine.add([single, *sorted(CLIPS.iterdir())]))
        yield engine


@pytest.mark.slow
@pytest.mark.parametrize("begin", [2.0, 2.06, 2.13, 2.19])
def test_short_clips_are_found_wherever_they_begin(engine: samaf.Engine, begin: float) -> None:
    start = round(begin * SAMPLE_RATE)
    clip = wav(SPEECH[start : start + round(1.5 * SAMPLE_RATE)])
    best = engine.query(clip).matches[0]
    assert best.recording.name == "bruno-garden.ogg"
    assert best.reference_start - best.query_start == pytest.approx(begin, abs=0.25)


@pytest.mark.slow
@pytest.mark.parametrize("search", ["plain", "deep"])
def test_a_recording_of_one_hash_is_found_by_itself(engine: samaf.Engine, search: str) -> None:
    matches = engine.query(wav(SPEECH[: int(1.1 * SAMPLE_RATE)]), search=search).matches
    # The recording that it was cut from holds the same hash.
    found = {match.recording.name: match.ber for match in matches}
    assert found == {"single.wav": 0, "bruno-garden.ogg": 0}
