"""Training data: the frames of clips and of their distorted copies, memory-mapped.

Batches are drawn from the map by a generator that depends on seed and step alone, so that a
resumed run sees the same batches. `samaf.training.preparation` makes the data.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from samaf.features import FeatureParameters, encoder_input
from samaf.training import spectral
from samaf.training.sampling import (
    CANDIDATES,
    HardNegatives,
    Sampling,
    active_before,
    choose_moments,
)

JITTER_FRAMES = 12  # a query's hop grid meets the reference's within half a hop


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Prepared frames of ``n`` clips, original first, then its copies.

    Attributes
    ----------
    frames
        float16 (frames in all, coefficients), memory-mapped.
    starts, counts
        int64 (n, 1 + copies): where each version begins and how long it is.
    tau
        float32 (n, 1 + copies): the original's frame f went to frame f x tau.
    weights
        float64 (n,): how often a clip is drawn; sums to 1.
    skipped
        Reasons of clips that are left out: unreadable or too short.
    speakers
        str (n,): who speaks in each clip.
    hard_negatives
        Blocks of other speakers that resemble each block, if they were looked for.
    """

    frames: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    tau: np.ndarray
    weights: np.ndarray
    skipped: tuple[str, ...] = ()
    speakers: np.ndarray = field(default_factory=lambda: np.empty(0, str))
    hard_negatives: HardNegatives | None = None
    active: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Count active frames before each frame of each original, int32 (n, longest + 1)."""
        counted = np.zeros((len(self.starts), self.counts[:, 0].max() + 1), np.int32)
        for row, start, count in zip(counted, self.starts[:, 0], self.counts[:, 0], strict=True):
            row[: count + 1] = active_before(self.frames[start : start + count, 0])
            row[count + 1 :] = row[count]
        object.__setattr__(self, "active", counted)

    def scale(self, coefficients: int, block_frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Give mean and deviation of each coefficient over originals, float32 each.

        The deviation is that within blocks, since models may subtract the block's mean.
        """
        sums, within, total, parts = 0.0, 0.0, 0, 0
        for start, count in zip(self.starts[:, 0], self.counts[:, 0], strict=True):
            frames = self.frames[start : start + count, :coefficients].astype(np.float64)
            sums, total = sums + frames.sum(0), total + count
            cut = frames[: count // block_frames * block_frames]
            pieces = cut.reshape(-1, block_frames, coefficients)
            within, parts = within + pieces.var(axis=1).sum(0), parts + len(pieces)
        mean, deviation = np.asarray(sums) / total, np.sqrt(np.asarray(within) / parts)
        return mean.astype(np.float32), deviation.astype(np.float32)

    def pairs(
        self,
        seed: int,
        step: int,
        count: int,
        parameters: FeatureParameters,
        sampling: Sampling = Sampling(),  # noqa: B008  # frozen
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw pairs of one moment, in the original and in a distorted copy.

        With ``augmented``, half of the pairs get another voice, half of the copies further
        distortions and some another tempo or pitch, and pairs run backwards or go on as others
        (``samaf.training.spectral``); that needs frames with as many coefficients as bands.

        Returns
        -------
        blocks
            float32 (2 count, steps, values): the originals, then the copies.
        moments
            float32 (count, 2): clip number and first frame in the original.
        """
        rng = np.random.default_rng((seed, step))
        known = self.hard_negatives is not None and self.hard_negatives.clips.shape[1] > 0
        partners = int(count * sampling.hard_negatives) if known else 0
        clip = self._clips(count - partners, sampling.anchors_per_clip, rng)
        drawn = spectral.draw(count, rng) if sampling.augmented else None
        pace = drawn.pace if drawn else np.ones(count)
        pace[count - partners :] = pace[:partners]  # hard negatives run as their pairs do
        tau = drawn.tau if drawn else np.full(count, np.nan)
        size = parameters.block_frames * np.abs(pace)
        version = rng.integers(1, self.starts.shape[1], count)
        own = slice(len(clip))
        at = self._moments(clip, version[own], size[own], tau[own], rng)
        if self.hard_negatives and partners:
            other = slice(len(clip), None)
            negatives, frames = self.hard_negatives.draw(clip[:partners], at[:partners], rng)
            span = self._span(negatives, version[other], size[other], tau[other])
            clip, at = np.r_[clip, negatives], np.r_[at, np.clip(frames, *span)]
        stretch = self._stretch(clip, version, tau)
        half, copy_size = size / 2, size * stretch
        jitter = rng.uniform(-JITTER_FRAMES, JITTER_FRAMES, count)
        copy_at = (at + half) * self.tau[clip, version] - copy_size / 2 + jitter
        copy_at = np.clip(copy_at, 0, self.counts[clip, version] - copy_size)
        at = np.clip(at, 0, self.counts[clip, 0] - size)
        moments = np.stack([clip, at], axis=1).astype(np.float32)
        if drawn is None:
            starts = np.concatenate(
                [
                    self.starts[clip, 0] + at.astype(np.int64),
                    self.starts[clip, version] + copy_at.astype(np.int64),
                ]
            )
            return self._cut(starts, parameters), moments
        whole = replace(parameters, coefficients=parameters.mel_bands)
        originals = self._powers(clip, 0, at, drawn.pace, 0, whole)
        pace = drawn.pace * stretch
        copies = self._powers(clip, version, copy_at, pace, spectral.CONTEXT_FRAMES, whole)
        spectral.splice(originals, copies, drawn)
        copies = spectral.with_voice(copies, drawn.voice + drawn.shift, whole)
        copies = spectral.distorted(copies, self._background(rng, drawn, whole), drawn)
        originals = spectral.with_voice(originals, drawn.voice, whole)
        cut = spectral.cepstra(np.concatenate([originals, copies]), whole)
        return encoder_input(cut[..., : parameters.coefficients], parameters), moments

    def _clips(self, count: int, moments: int, rng: np.random.Generator) -> np.ndarray:
        """Draw clips by their weights, ``moments`` times each: different ones, if they suffice."""
        different = -(-count // moments)
        again = different > np.count_nonzero(self.weights)
        drawn = rng.choice(len(self.weights), different, p=self.weights, replace=bool(again))
        return np.repeat(drawn, moments)[:count]

    def _stretch(self, clip: np.ndarray, version: np.ndarray, tau: np.ndarray) -> np.ndarray:
        """Give the factor of a prepared copy's pace that makes its time factor ``tau``."""
        return np.where(np.isnan(tau), 1.0, self.tau[clip, version] / tau)

    def _span(
        self, clip: np.ndarray, version: np.ndarray, size: np.ndarray, tau: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give the first and last frame at which blocks lie inside original and copy."""
        half, prepared = size / 2, self.tau[clip, version]
        copy_half = half * self._stretch(clip, version, tau)
        last = np.minimum(
            self.counts[clip, 0] - size,
            (self.counts[clip, version] - copy_half) / prepared - half,
        )
        first = np.maximum(copy_half / prepared - half, 0)
        return first, np.maximum(first, last)

    def _moments(
        self,
        clip: np.ndarray,
        version: np.ndarray,
        size: np.ndarray,
        tau: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw the first frame of each block, by what the blocks hold."""
        first, last = self._span(clip, version, size, tau)
        at = first[:, None] + rng.random((len(clip), CANDIDATES)) * (last - first)[:, None]
        begin = at.astype(np.int64)
        end = np.minimum(begin + np.rint(size).astype(np.int64)[:, None], self.active.shape[1] - 1)
        rows = clip[:, None]
        activity = (self.active[rows, end] - self.active[rows, begin]) / size[:, None]
        return at[np.arange(len(clip)), choose_moments(activity, rng)]

    def _powers(
        self,
        clip: np.ndarray,
        version: np.ndarray | int,
        at: np.ndarray,
        pace: np.ndarray,
        before: int,
        parameters: FeatureParameters,
    ) -> np.ndarray:
        """Read band powers of blocks at another pace, with ``before`` frames before each.

        float32 (n, before + block_frames, mel_bands). Blocks of negative pace begin with
        their last frame. A clip's outermost frame stands for what would come before it.
        """
        begin = at - np.minimum(pace, 0) * (parameters.block_frames - 1)
        rows = begin[:, None] + pace[:, None] * np.arange(-before, parameters.block_frames)
        rows = np.clip(rows, 0, self.counts[clip, version][:, None] - 1.001)
        lower = rows.astype(np.int64)
        part = (rows - lower)[..., None].astype(np.float32)
        lower += self.starts[clip, version][:, None]
        frames = self.frames[lower] * (1 - part) + self.frames[lower + 1] * part
        return spectral.powers(frames, parameters)

    def _background(
        self, rng: np.random.Generator, drawn: spectral.Draw, parameters: FeatureParameters
    ) -> np.ndarray:
        """Mix blocks of any clips and copies where one is requested, (n, frames, bands)."""
        count = len(drawn.sounds)
        pair = np.repeat(np.arange(count), drawn.sounds)
        clip = rng.choice(len(self.weights), len(pair), p=self.weights)
        version = rng.integers(self.starts.shape[1], size=len(pair))
        at = rng.random(len(pair)) * (self.counts[clip, version] - parameters.block_frames)
        power = self._powers(clip, version, at, np.ones(len(pair)), 0, parameters)
        power /= np.maximum(power.mean(axis=(1, 2), keepdims=True), parameters.floor)
        mixed = np.zeros((count, *power.shape[1:]), np.float32)
        np.add.at(mixed, pair, power)
        return mixed

    def blocks(
        self, seed: int, step: int, count: int, parameters: FeatureParameters
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw blocks of originals and copies alike, as the paper trained on both.

        Shapes are those of ``pairs``: ``2 count`` blocks; moments are all 0.
        """
        rng = np.random.default_rng((seed, step))
        clip = rng.choice(len(self.weights), 2 * count, p=self.weights)
        version = rng.integers(self.starts.shape[1], size=2 * count)
        space = np.maximum(self.counts[clip, version] - parameters.block_frames, 0)
        starts = self.starts[clip, version] + rng.integers(space + 1)
        return self._cut(starts, parameters), np.zeros((count, 2), np.float32)

    def _cut(self, starts: np.ndarray, parameters: FeatureParameters) -> np.ndarray:
        rows = starts[:, None] + np.arange(parameters.block_frames)
        cut = self.frames[rows, : parameters.coefficients].astype(np.float32)
        return encoder_input(cut, parameters)
