"""Which channels are used: averaged, turned round, one alone, or side by side.

All channels count alike, whatever layout a header names. Two things make an average wrong.
Channels that are each other's opposite cancel, and the sound is gone. Channels with different
speakers, one at each end of a telephone call, hide each other, and the weaker one is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MANY_CHANNELS = 4  # up to which pairs by themselves are multiplied faster
FRAME_SECONDS = 0.1  # in which powers are compared
ACTIVE_POWER = 1e-4  # of the loudest: 40 dB below it, nothing is there
FAINTEST_POWER = 1e-10  # 100 dB below full scale: rounding and dither
CANCELLING_POWER = 0.1  # of the power of all channels: 10 dB are lost in the mix
CANCELLING_SHARE = 0.05  # of the frames with sound
CANCELLING_FRAMES = 5
OPPOSITE = -0.5  # correlation of a channel that is turned round
DIFFERENT_CORRELATION = 0.3  # of waveforms; two microphones in one room may be as low
DIFFERENT_ENVELOPES = 0.5  # correlation of levels; two microphones in one room are higher
DIFFERENT_FRAMES = 20  # 2 s with sound, before channels are said to differ


@dataclass(frozen=True, slots=True)
class Mix:
    """Which channels are averaged.

    Attributes
    ----------
    channels
        Numbers from 0; empty for all that there are.
    inverted
        Those whose sign is turned round.
    """

    channels: tuple[int, ...] = ()
    inverted: tuple[int, ...] = ()

    def weights(self, count: int) -> np.ndarray:
        """Give the weight of each of ``count`` channels, float32 (count,).

        Where none of the chosen ones exists, as in a mono part of a file, all are taken.
        """
        chosen = [c for c in self.channels if c < count] or list(range(count))
        weights = np.zeros(count, np.float32)
        weights[chosen] = np.float32(1 / len(chosen))
        weights[[c for c in self.inverted if c < count]] *= -1
        return weights


ALL = Mix()


class ChannelStatistics:
    """What a decision needs to know of the channels, gathered block by block."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._frames = 0  # with sound
        self._cancelled = 0  # of them, where the mix loses it
        self._loudest = 0.0
        self._covariance = np.zeros((count, count))
        self._levels = np.zeros(count)
        self._level_products = np.zeros((count, count))

    def add(self, samples: np.ndarray, weights: np.ndarray, sample_rate: int) -> None:
        """Take float32 (channels, n) and the weights (channels,) that they are mixed with."""
        length = max(1, round(sample_rate * FRAME_SECONDS))
        count = samples.shape[1] // length
        if not count:
            return
        frames = samples[:, : count * length].reshape(self.count, count, length)
        products = _products(frames)
        means = frames.sum(axis=2).T / float(length)
        # Of each frame, (frames, channels, channels); an offset is no sound.
        covariances = products / length - means[:, :, None] * means[:, None, :]
        powers = np.diagonal(covariances, axis1=1, axis2=2).clip(0)
        total = powers.sum(axis=1)
        self._loudest = max(self._loudest, float(total.max()))
        active = total > max(FAINTEST_POWER, ACTIVE_POWER * self._loudest)
        self._frames += int(active.sum())
        signs = weights / np.abs(weights).max()
        mixed = covariances @ signs @ signs
        taken = powers @ np.abs(signs)
        self._cancelled += int((active & (mixed < CANCELLING_POWER * taken)).sum())
        self._covariance += covariances[active].sum(axis=0)
        levels = powers[active] ** 0.25
        self._levels += levels.sum(axis=0)
        self._level_products += levels.T @ levels

    @property
    def frames(self) -> int:
        """How many frames hold sound."""
        return self._frames

    @property
    def cancels(self) -> bool:
        """Whether the mix loses what its channels hold."""
        share = self._cancelled / max(1, self._frames)
        return self._cancelled >= CANCELLING_FRAMES and share > CANCELLING_SHARE

    def uncancelled(self, mix: Mix) -> Mix:
        """Give a mix that keeps what ``mix`` loses: opposites turned round, else one channel."""
        strongest = int(np.argmax(np.diag(self._covariance)))
        opposite = np.flatnonzero(self._correlation()[strongest] < OPPOSITE)
        if not mix.inverted and not mix.channels and len(opposite):
            return Mix(inverted=tuple(map(int, opposite)))
        return Mix((strongest,))

    def sides(self) -> tuple[Mix, ...]:
        """Give the channels of each side where they differ; empty where they do not."""
        if self._frames < DIFFERENT_FRAMES:
            return ()
        powers = np.diag(self._covariance)
        alike = (np.abs(self._correlation()) >= DIFFERENT_CORRELATION) | (
            self._envelope_correlation() >= DIFFERENT_ENVELOPES
        )
        groups: list[list[int]] = []
        for channel in map(int, np.argsort(-powers, kind="stable")):
            if powers[channel] < ACTIVE_POWER * powers.max():
                break
            group = next((group for group in groups if alike[group[0], channel]), None)
            if group is None:
                groups.append([channel])
            else:
                group.append(channel)
        return tuple(map(self._side, sorted(groups, key=min))) if len(groups) > 1 else ()

    def _side(self, group: Sequence[int]) -> Mix:
        correlation = self._correlation()[group[0]]
        return Mix(
            tuple(sorted(group)), tuple(c for c in sorted(group) if correlation[c] < OPPOSITE)
        )

    def _correlation(self) -> np.ndarray:
        return _normalised(self._covariance)

    def _envelope_correlation(self) -> np.ndarray:
        mean = self._levels / self._frames
        return _normalised(self._level_products / self._frames - np.outer(mean, mean))


def _products(frames: np.ndarray) -> np.ndarray:
    """Multiply channels with each other in each frame and sum: float (frames, channels, channels).

    Parameters
    ----------
    frames
        float32 (channels, frames, n).
    """
    channels, count, _ = frames.shape
    if channels > MANY_CHANNELS:
        turned = frames.transpose(1, 0, 2)
        return np.asarray(np.matmul(turned, turned.transpose(0, 2, 1)), float)
    products = np.empty((count, channels, channels))
    for one in range(channels):
        for other in range(one + 1):
            product = np.einsum("fn,fn->f", frames[one], frames[other])
            products[:, one, other] = products[:, other, one] = product
    return products


def _normalised(covariance: np.ndarray) -> np.ndarray:
    deviation = np.sqrt(np.diag(covariance).clip(1e-30))
    return np.asarray(covariance / np.outer(deviation, deviation))
