"""Which clips, moments and hard negatives a batch is made of.

Weights keep large groups from dominating. Activity says how much of a block is speech. Hard
negatives are blocks of other speakers that a trained model finds most similar: often the same
words in another voice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from samaf.features import FeatureParameters, encoder_input

JOINED_WEIGHT = 0.5  # of clips that are utterances in a row, with pauses that nobody made
QUIET_NEPERS = 6.9  # 30 dB in log energy: frames weaker than a clip's loud ones are pauses
LOUD_QUANTILE = 0.95
CANDIDATES = 4  # moments looked at for each pair
LEAST_ACTIVITY = 0.1  # of a block's frames; what holds less can resemble nothing
ENOUGH_ACTIVITY = 0.4
SPARSE_SHARE = 0.12  # of pairs that take the moment which holds least
STRIDE = 50  # frames between blocks that hard negatives are listed for
RANKS = 16  # hard negatives kept of each block
NEAREST = 0.12  # bit error rate; what is nearer holds hardly anything or is the same sound
ENCODED = 512  # blocks encoded at once


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the pairs of a batch are drawn.

    Attributes
    ----------
    anchors_per_clip
        Pairs drawn from one clip: other moments of a voice are negatives, too.
    hard_negatives
        Share of pairs, at most a half, that are mined as hard negatives of other pairs.
    augmented
        Whether pairs get further voices and distortions in every batch, see
        ``samaf.training.spectral``.
    """

    anchors_per_clip: int = 4
    hard_negatives: float = 0.0
    augmented: bool = False


def clip_weights(
    speakers: np.ndarray, sources: np.ndarray, languages: np.ndarray, joined: np.ndarray
) -> np.ndarray:
    """Weigh clips down whose speaker, source or language has many; joined ones by half.

    float64 (n,); sums to 1. By 1 / sqrt(count) of the speaker and the fourth root of
    the counts of source and language.
    """
    weights = (
        _shares(speakers) ** 0.5
        * _shares(sources) ** 0.25
        * _shares(languages) ** 0.25
        * np.where(joined, JOINED_WEIGHT, 1.0)
    )
    return np.asarray(weights / weights.sum())


def _shares(names: np.ndarray) -> np.ndarray:
    count = Counter(names.tolist())
    return np.array([1 / count[name] for name in names.tolist()], np.float64)


def active_before(energy: np.ndarray) -> np.ndarray:
    """Count the active frames before each frame of a clip.

    Parameters
    ----------
    energy
        float (n,): logarithm of each frame's energy.

    Returns
    -------
    int32 (n + 1,). Frames 30 dB below the clip's loud ones are pauses.
    """
    active = energy > np.quantile(energy, LOUD_QUANTILE) - QUIET_NEPERS
    return np.concatenate([[0], np.cumsum(active)]).astype(np.int32)


def choose_moments(activity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose one of each pair's candidate moments, int (n,).

    Parameters
    ----------
    activity
        float (n, candidates): share of active frames in each block.

    Returns
    -------
    Most pairs take the first that holds enough; some the one that holds least, but
    anything: a syllable and a pause must differ from other syllables and pauses.
    """
    usable = np.where(activity >= LEAST_ACTIVITY, activity, np.inf)
    sparse = usable.argmin(axis=1)
    enough = activity >= ENOUGH_ACTIVITY
    full = np.where(enough.any(axis=1), enough.argmax(axis=1), activity.argmax(axis=1))
    sparse = np.where(np.isfinite(usable.min(axis=1)), sparse, full)
    return np.where(rng.random(len(activity)) < SPARSE_SHARE, sparse, full)


@dataclass(frozen=True, slots=True, eq=False)
class HardNegatives:
    """Blocks of other speakers that resemble each block of the originals.

    Attributes
    ----------
    first
        int64 (clips + 1,): the row of each clip's first block; blocks lie 50 frames apart.
    clips, frames
        int32 (rows, ranks): clip and first frame of each hard negative, the nearest first; 16
        ranks, or as many as there are blocks of other speakers.
    """

    first: np.ndarray
    clips: np.ndarray
    frames: np.ndarray

    def draw(
        self, clip: np.ndarray, frame: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw a hard negative of each moment: clip and first frame."""
        row = np.minimum(
            self.first[clip] + np.rint(frame / STRIDE).astype(np.int64), self.first[clip + 1] - 1
        )
        rank = rng.integers(self.clips.shape[1], size=len(clip))
        offset = frame - STRIDE * (row - self.first[clip])
        return self.clips[row, rank], self.frames[row, rank] + offset


def mine_hard_negatives(
    frames: np.ndarray,
    starts: np.ndarray,
    counts: np.ndarray,
    speakers: np.ndarray,
    encode: Callable[[np.ndarray], np.ndarray],
    parameters: FeatureParameters,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> HardNegatives:
    """Encode the originals of a dataset and find each block's hard negatives.

    Parameters
    ----------
    starts, counts
        int64 (n,): where each original begins in ``frames``, and how long it is.
    encode
        Blocks (m, steps, values) to states (m, bits), whose signs are the hashes.
    parameters
        What the encoder reads.
    """
    size = parameters.block_frames
    places = [np.arange(0, count - size + 1, STRIDE) for count in counts]
    first = np.concatenate([[0], np.cumsum([len(p) for p in places])]).astype(np.int64)
    clip = np.repeat(np.arange(len(counts)), np.diff(first))
    frame = np.concatenate(places)
    rows = (starts[clip] + frame)[:, None] + np.arange(size)
    signs = np.concatenate(
        [
            np.where(
                encode(
                    encoder_input(
                        frames[rows[a : a + ENCODED], : parameters.coefficients].astype(np.float32),
                        parameters,
                    )
                )
                >= 0,
                np.float32(1),
                np.float32(-1),
            )
            for a in range(0, len(rows), ENCODED)
        ]
    )
    speaker = np.unique(speakers, return_inverse=True)[1][clip]
    ranks = min(RANKS, len(signs) - int(np.bincount(speaker).max()))
    near = np.empty((len(signs), ranks), np.int64)
    for a in range(0, len(signs), ENCODED):
        progress(a, len(signs))
        part = slice(a, a + ENCODED)
        ber = 0.5 - signs[part] @ signs.T / (2 * signs.shape[1])
        ber[ber < NEAREST] = 1
        ber[speaker[part, None] == speaker] = 2  # never among as many ranks
        found = np.argpartition(ber, max(ranks - 1, 0), axis=1)[:, :ranks]
        order = np.take_along_axis(ber, found, axis=1).argsort(axis=1)
        near[part] = np.take_along_axis(found, order, axis=1)
    progress(len(signs), len(signs))
    return HardNegatives(first, clip[near].astype(np.int32), frame[near].astype(np.int32))
