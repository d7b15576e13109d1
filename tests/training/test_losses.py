from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from samaf.training import losses

FAR = np.array([[0, 0], [1, 0]], np.float32)  # two clips


def value(tensor: object) -> float:
    return float(np.asarray(tensor))


def states(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_near_bits_have_length_one_and_keep_signs() -> None:
    h = states([0.9, -0.9, 0.9, -0.9], [0.1, 0.2, -0.3, 0.0])
    z = np.asarray(losses.near_bits(h))
    assert np.allclose(np.linalg.norm(z, axis=1), 1, atol=1e-5)
    assert np.array_equal(np.sign(z), np.sign(h))
    assert np.allclose(z[0], [0.5, -0.5, 0.5, -0.5], atol=1e-5)


def test_contrastive_of_two_orthogonal_pairs() -> None:
    # Cosines 1 with the own copy and 0 with the other: log(e + 1) - 1 in both directions.
    h = states([9, 9, 9, 9], [9, -9, 9, -9], [9, 9, 9, 9], [9, -9, 9, -9])
    assert value(losses.contrastive(h, FAR, 1.0)) == pytest.approx(np.log(np.e + 1) - 1, abs=1e-5)


def test_contrastive_weighs_both_directions() -> None:
    # Both copies are like the first original; logits are [[1, 1], [0, 0]].
    h = states([9, 9, 9, 9], [9, -9, 9, -9], [9, 9, 9, 9], [9, 9, 9, 9])
    forward = np.log(2)
    backward = (np.log(np.e + 1) - 1 + np.log(np.e + 1)) / 2
    expected = (forward + backward) / 2
    assert value(losses.contrastive(h, FAR, 1.0)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("other", "pushed"),
    [((0, 0), False), ((0, 49), False), ((0, 50), True), ((0, -50), True), ((1, 0), True)],
)
def test_neighboring_moments_of_one_clip_are_no_negatives(
    other: tuple[int, int], pushed: bool
) -> None:
    h = np.tile(states([9, -9, 9, 9]), (4, 1))  # all alike: negatives cost log 2
    moments = np.array([[0, 0], other], np.float32)
    expected = np.log(2) if pushed else 0
    assert value(losses.contrastive(h, moments)) == pytest.approx(expected, abs=1e-5)


def test_mean_square_error() -> None:
    assert value(losses.mean_square_error(states([1, 2], [3, 4]), states([1, 0], [3, 3]))) == 1.25


def test_similarity_labels_follow_equation_5() -> None:
    angles = np.arccos([1.0, 0.55, 0.275, 0.0, -0.5])
    h = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    labels = np.asarray(losses.similarity_labels(h))[0]
    assert np.allclose(labels, [1, 1, 0.5, 0, 0], atol=1e-5)


def test_hash_loss_of_hand_computed_cases() -> None:
    assert value(losses.hash_loss(states([1, 0], [0, 1], [-1, 0]))) == pytest.approx(0, abs=1e-6)
    # One similar pair (cosine 0.71) at squared distance 1, counted in both orders.
    assert value(losses.hash_loss(states([1, 0], [1, 1]))) == pytest.approx(1, abs=1e-5)
    # With (0, -1), cosines 0 and -0.71, nothing changes.
    assert value(losses.hash_loss(states([1, 0], [1, 1], [0, -1]))) == pytest.approx(1, abs=1e-5)
    # Cosine 0.6 / sqrt(1.36 x 1) -> label 0.9354 of squared distance 1.16.
    cosine = 0.6 / np.sqrt(1.36)
    assert value(losses.hash_loss(states([1, 0], [0.6, 1]))) == pytest.approx(
        min(1, cosine / 0.55) * 1.16, abs=1e-5
    )


def hard_entropy(bits: np.ndarray) -> float:
    """Follow equations 6 and 7 word by word."""
    total, subsets = 0.0, 0
    for row in bits:
        members = bits[bits @ row / len(row) >= 0.55]
        if len(members) < 2:
            continue
        subsets += 1
        entropy = 0.0
        for state in (-1, 1):
            for share in (members == state).mean(axis=0):
                entropy -= share * np.log2(share) if share else 0
        total += entropy / len(row) / len(members)
    return total / max(subsets, 1)


def test_bitwise_entropy_of_a_hand_computed_case() -> None:
    # Two hashes of 8 bits that differ in one: similar, 1 bit of entropy / 8 bits / 2 members.
    h = np.full((2, 8), 9, np.float32)
    h[1, 0] = -9
    assert value(losses.bitwise_entropy(h)) == pytest.approx(1 / 16, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_bitwise_entropy_of_saturated_states_is_that_of_hard_bits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bits = np.where(rng.random((3, 16)) < 0.5, 1, -1)[rng.integers(3, size=8)]
    bits = bits * np.where(rng.random(bits.shape) < 0.1, -1, 1)
    got = value(losses.bitwise_entropy((9 * bits).astype(np.float32)))
    assert got == pytest.approx(hard_entropy(bits), abs=1e-4)


def alike(seed: int) -> np.ndarray:
    """States far from 0 around one centre: labels stay 1 and no bit flips."""
    rng = np.random.default_rng(seed)
    centre = rng.choice([-0.5, 0.5], (1, 12))
    return (centre + rng.uniform(-0.2, 0.2, (6, 12))).astype(np.float32)


@pytest.mark.parametrize(
    "loss",
    [
        lambda h: losses.contrastive(h, np.arange(6, dtype=np.float32).reshape(3, 2), 0.5),
        lambda h: losses.mean_square_error(h[:3], h[3:]),
        losses.hash_loss,
        losses.bitwise_entropy,
        losses.bit_balance,
        losses.quantisation,
    ],
    ids=["contrastive", "mean square", "hash", "entropy", "balance", "quantisation"],
)
def test_gradients_are_those_of_differences(loss: Callable[[object], object]) -> None:
    h = alike(3)
    point = tf.Variable(h)
    with tf.GradientTape() as tape:
        result = loss(point)
    gradient = tape.gradient(result, point).numpy()
    assert np.abs(gradient).max() > 1e-4
    for seed in range(4):
        direction = np.random.default_rng(seed).standard_normal(h.shape).astype(np.float32)
        step = 0.01 * direction
        difference = (value(loss(h + step)) - value(loss(h - step))) / 0.02
        assert float((gradient * direction).sum()) == pytest.approx(difference, rel=0.02, abs=2e-3)


def test_bit_balance_is_0_when_each_bit_is_set_in_half_and_1_when_none_changes() -> None:
    assert value(losses.bit_balance(states([9, 9], [-9, 9], [9, -9], [-9, -9]))) == 0
    assert value(losses.bit_balance(states([9, -9], [9, -9]))) == pytest.approx(1)
    # One bit always set, the other in 3 of 4: (1 + 0.5 ** 2) / 2.
    uneven = states([9, 9], [9, 9], [9, 9], [9, -9])
    assert value(losses.bit_balance(uneven)) == pytest.approx(0.625)


def test_quantisation_is_0_at_bits_and_1_at_zero() -> None:
    assert value(losses.quantisation(states([9, -9]))) == 0
    assert value(losses.quantisation(states([0, 0]))) == 1
    half = np.arctanh(0.5) / 3
    assert value(losses.quantisation(states([half, -half, 9, 9]))) == pytest.approx(0.125)
