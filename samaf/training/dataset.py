"""Training data: the frames of clips and of their distorted copies, memory-mapped.

Preparation decodes every clip once, distorts it ``copies`` times and keeps the frames as
float16. Batches are drawn from the map by a generator that depends on seed and step
alone, so that a resumed run sees the same batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from samaf.audio import load
from samaf.errors import AudioError, CorpusError
from samaf.features import FeatureParameters, encoder_input, mfcc
from samaf.training import spectral
from samaf.training.corpora import Clip, Corpus
from samaf.training.distortions import Material, distort
from samaf.training.prepared import (
    TABLE,
    check_readable,
    clip_generator,
    folder_name,
    load_sounds,
    make_once,
    write_table,
)
from samaf.training.workers import spread

FORMAT = 1  # raise when preparation changes what it writes
JITTER_FRAMES = 12  # a query's hop grid meets the reference's within half a hop
LEAST_SECONDS = 3  # shorter clips hold too few moments to be told from their neighbors
MOMENTS = 4  # pairs drawn from one clip: other moments of the same voice are hard negatives


@dataclass(frozen=True, slots=True)
class Preparation:
    """What prepared data depends on; its digest stands in the folder's name.

    ``features`` hold all coefficients that any model of this data may use: models with
    fewer take the first ones.
    """

    corpus: str
    split: str
    copies: int
    seed: int
    features: FeatureParameters
    format: int = FORMAT

    @property
    def folder(self) -> str:
        """Name of the folder: the split, and a digest over all fields."""
        return folder_name(asdict(self))


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
    """

    frames: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    tau: np.ndarray
    weights: np.ndarray
    skipped: tuple[str, ...] = ()

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
        *,
        redrawn: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw pairs of one moment, in the original and in a distorted copy.

        Parameters
        ----------
        redrawn
            Give half of the pairs another voice and half of the copies further
            distortions, let pairs run backwards or go on as others, all drawn anew
            (``samaf.training.spectral``); needs frames with as many coefficients as bands.

        Returns
        -------
        blocks
            float32 (2 count, steps, values): the originals, then the copies.
        moments
            float32 (count, 2): clip number and first frame in the original.
        """
        rng = np.random.default_rng((seed, step))
        clip = rng.choice(len(self.weights), -(-count // MOMENTS), p=self.weights)
        clip = np.repeat(clip, MOMENTS)[:count]
        version = rng.integers(1, self.starts.shape[1], count)
        drawn = spectral.draw(count, rng) if redrawn else None
        size = parameters.block_frames * (np.abs(drawn.pace) if drawn else np.ones(count))
        half = size / 2
        tau = self.tau[clip, version]
        # The copy's block must lie inside the copy, the original's inside the original.
        last = np.minimum(
            self.counts[clip, 0] - size, (self.counts[clip, version] - half) / tau - half
        )
        first = np.maximum(half / tau - half, 0)
        at = first + rng.random(count) * np.maximum(last - first, 0)
        jitter = rng.uniform(-JITTER_FRAMES, JITTER_FRAMES, count)
        there = np.clip((at + half) * tau - half + jitter, 0, self.counts[clip, version] - size)
        at = np.clip(at, 0, self.counts[clip, 0] - size)
        moments = np.stack([clip, at], axis=1).astype(np.float32)
        if drawn is None:
            starts = np.concatenate(
                [
                    self.starts[clip, 0] + at.astype(np.int64),
                    self.starts[clip, version] + there.astype(np.int64),
                ]
            )
            return self._cut(starts, parameters), moments
        whole = replace(parameters, coefficients=parameters.mel_bands)
        originals = self._powers(clip, 0, at, drawn.pace, 0, whole)
        copies = self._powers(clip, version, there, drawn.pace, spectral.CONTEXT_FRAMES, whole)
        spectral.splice(originals, copies, drawn)
        copies = spectral.with_voice(copies, drawn.voice, whole)
        copies = spectral.distorted(copies, self._background(rng, drawn, whole), drawn)
        originals = spectral.with_voice(originals, drawn.voice, whole)
        cut = spectral.cepstra(np.concatenate([originals, copies]), whole)
        return encoder_input(cut[..., : parameters.coefficients], parameters), moments

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
        """Mix blocks of any clips and copies where one is asked for, (n, frames, bands)."""
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


def prepare(
    corpus: Corpus,
    split: str,
    parameters: FeatureParameters,
    folder: Path,
    *,
    copies: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Dataset:
    """Make or reopen the data of one split below ``folder``.

    Raises
    ------
    CorpusError
        No clip of the split is long enough, or more than 5 % cannot be read.
    """
    wanted = Preparation(corpus.digest, split, copies, seed, parameters)
    home = folder / wanted.folder
    make_once(home / TABLE, lambda: _write(corpus, wanted, home, progress))
    return open_dataset(home)


def open_dataset(home: Path) -> Dataset:
    """Open a prepared folder."""
    with np.load(home / TABLE) as table:
        starts, counts, tau = table["starts"], table["counts"], table["tau"]
        weights, skipped = table["weights"], tuple(table["skipped"].tolist())
        coefficients = int(table["coefficients"])
    frames = np.memmap(home / "frames.f16", np.float16, "r").reshape(-1, coefficients)
    return Dataset(frames, starts, counts, tau, weights, skipped)


def _write(
    corpus: Corpus, wanted: Preparation, home: Path, progress: Callable[[int, int], None]
) -> None:
    clips = corpus.select("speech", wanted.split)
    if not clips:
        raise CorpusError(
            f"{corpus.root}: has no speech clip in the split {wanted.split!r}; check the manifest"
        )
    counts, tau, kept, skipped, unreadable = [], [], [], [], []
    with (home / "frames.f16").open("wb") as file:
        made = spread(_versions, clips, _workshop, corpus, wanted)
        for done, (clip, versions) in enumerate(zip(clips, made, strict=True), 1):
            progress(done, len(clips))
            if isinstance(versions, str):
                unreadable.append(versions)
            elif min(len(frames) for frames, _ in versions) < wanted.features.block_frames:
                skipped.append(f"{clip.path}: shorter than {LEAST_SECONDS} s")
            else:
                for frames, _ in versions:
                    file.write(frames.tobytes())
                counts.append([len(frames) for frames, _ in versions])
                tau.append([factor for _, factor in versions])
                kept.append(clip)
    skipped += unreadable
    if not kept:
        raise CorpusError(
            f"{corpus.root}: no usable clip in the split {wanted.split!r} ({skipped[0]})"
        )
    check_readable(corpus, clips, unreadable)
    write_table(
        home,
        counts,
        skipped,
        tau=np.array(tau, np.float32),
        weights=_weights(kept),
        coefficients=wanted.features.coefficients,
    )


def _weights(clips: Sequence[Clip]) -> np.ndarray:
    """Weigh speakers and languages up that have few clips: by 1 / sqrt(count)."""

    def share(names: list[str]) -> np.ndarray:
        count = Counter(names)
        return np.array([count[name] for name in names], np.float64) ** -0.5

    weights = share([c.speaker for c in clips]) * share([c.language for c in clips]) ** 0.5
    return np.asarray(weights / weights.sum())


def load_material(corpus: Corpus, split: str) -> Material:
    """Decode the sounds of a split that serve for distorting; see `load_sounds`."""
    return Material(
        speech=load_sounds(corpus.select("speech", split)),
        music=load_sounds(corpus.select("music", split)),
        noise=load_sounds(corpus.select("noise", split)),
        rooms=load_sounds(corpus.select("rir", split)),
    )


def _workshop(corpus: Corpus, wanted: Preparation) -> tuple[Material, Preparation]:
    return load_material(corpus, wanted.split), wanted


def _versions(
    clip: Clip, workshop: tuple[Material, Preparation]
) -> list[tuple[np.ndarray, float]] | str:
    """Make frames and time factor of the clip and its copies, or say why it is unreadable.

    A clip that is too short gives no frames.
    """
    material, wanted = workshop
    try:
        samples = load(clip.path)
    except AudioError as error:
        return str(error)
    if len(samples) < LEAST_SECONDS * wanted.features.sample_rate:
        return [(np.empty((0, wanted.features.coefficients), np.float16), 1.0)]
    rng = clip_generator(wanted.seed, clip)
    versions = [(mfcc(samples, wanted.features), 1.0)]
    for _ in range(wanted.copies):
        copy = distort(samples, rng, material)
        frames = mfcc(copy.samples, replace(wanted.features, tau=copy.step))
        versions.append((frames, copy.tau))
    return [(frames.astype(np.float16), tau) for frames, tau in versions]
