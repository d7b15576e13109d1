"""However a signal is cut, its frames and blocks are those of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from samaf.features import FeatureParameters, blocks, mfcc
from samaf.features.stream import block_chunks, frame_chunks

PLAIN = FeatureParameters()
NOISE = np.random.default_rng(5).uniform(-1, 1, 60_000).astype(np.float32)
warped = st.builds(
    lambda tau, rho: replace(PLAIN, tau=tau, rho=rho),
    st.one_of(st.just(1.0), st.floats(0.5, 2.0)),
    st.sampled_from([1.0, 0.8, 1.3]),
)


def pieces(samples: np.ndarray, cuts: list[int]) -> Iterator[np.ndarray]:
    edges = sorted({0, len(samples), *(cut for cut in cuts if cut < len(samples))})
    for start, stop in zip(edges, edges[1:], strict=False):
        yield samples[start:stop]


def joined(parts: Iterator[np.ndarray]) -> np.ndarray:
    listed = list(parts)
    return np.concatenate(listed) if listed else np.empty((0, 13), np.float32)


def assert_same(a: np.ndarray, b: np.ndarray) -> None:
    """Equal up to the order in which a matrix product adds up its terms."""
    assert a.shape == b.shape
    assert np.allclose(a, b, rtol=0, atol=1e-4)


@pytest.mark.slow
@given(
    count=st.integers(1, 15_000),
    cuts=st.lists(st.integers(0, 15_000), max_size=12),
    parameters=warped,
)
@example(count=13_089, cuts=[], parameters=replace(PLAIN, tau=0.8118))
@settings(max_examples=60, deadline=None)
def test_frames_of_pieces_are_those_of_the_whole(
    count: int, cuts: list[int], parameters: FeatureParameters
) -> None:
    samples = NOISE[:count]
    whole = mfcc(samples, parameters)
    found = joined(frame_chunks(pieces(samples, cuts), parameters))
    # The last window ends after 1 s: what is hardly longer is padded to a block.
    padded = count >= round(parameters.tau * parameters.sample_rate)
    assert len(found) == (max(len(whole), parameters.block_frames) if padded else len(whole))
    assert_same(found[: len(whole)], whole)


@pytest.mark.slow
@given(cuts=st.lists(st.integers(0, 60_000), max_size=8), parameters=warped)
@settings(max_examples=25, deadline=None)
def test_blocks_of_pieces_are_those_of_the_whole(
    cuts: list[int], parameters: FeatureParameters
) -> None:
    whole = blocks(mfcc(NOISE, parameters), parameters)
    parts = list(block_chunks(pieces(NOISE, cuts), parameters))
    assert_same(np.concatenate(parts), whole)


def test_single_samples() -> None:
    samples = NOISE[:1500]
    parts = (samples[i : i + 1] for i in range(len(samples)))
    assert_same(joined(frame_chunks(parts, PLAIN)), mfcc(samples, PLAIN))


def test_empty_pieces_change_nothing() -> None:
    parts = [NOISE[:0], NOISE[:900], NOISE[:0], NOISE[900:3000], NOISE[:0]]
    assert_same(joined(frame_chunks(parts, PLAIN)), mfcc(NOISE[:3000], PLAIN))


def test_no_samples_give_nothing() -> None:
    assert list(frame_chunks([], PLAIN)) == []
    assert list(block_chunks([NOISE[:0]], PLAIN)) == []


@pytest.mark.parametrize(
    ("samples", "expected"),
    # 1 s is a block; 99 hops of 160, a window and one more sample give the 100th frame.
    [(15_999, 0), (16_000, 1), (16_240, 1), (20_000, 1), (20_080, 1), (20_081, 2), (32_000, 4)],
)
def test_number_of_blocks(samples: int, expected: int) -> None:
    assert sum(len(cut) for cut in block_chunks([NOISE[:samples]], PLAIN)) == expected


@pytest.mark.parametrize("tau", [0.5, 0.9, 1.1, 2.0])
def test_a_second_of_the_reference_is_a_block_at_any_tempo(tau: float) -> None:
    parameters = replace(PLAIN, tau=tau)
    enough = round(16_000 * tau)
    assert sum(len(cut) for cut in block_chunks([NOISE[:enough]], parameters)) == 1


def test_the_padded_block_ends_in_the_frames_of_zeros() -> None:
    # Just below a whole block's samples, the last frame is padded with zeros.
    samples = NOISE[:16_000]
    [cut] = block_chunks([samples], PLAIN)
    padded = np.concatenate([samples, np.zeros(400, np.float32)])
    assert np.allclose(cut[0, :-3], mfcc(padded, PLAIN)[:97], atol=1e-5)
