"""Training data of the U-Net: mel spectrograms of clips and of noisy copies, memory-mapped.

Preparation decodes every clip once, adds noise ``copies`` times and keeps the logarithms of
band powers as float16. Segments are cut from the map by a generator that depends on seed and
step alone. A cut has the frames that lie beyond a segment's ends where a query has their
reflection; that concerns the first and the last frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from samaf.audio import load
from samaf.errors import AudioError, CorpusError
from samaf.features.melspectrogram import (
    LEAST_POWER,
    MelParameters,
    limited,
    mel_power,
    normalised,
)
from samaf.training.corpora import Clip, Corpus
from samaf.training.distortions import excerpt, mix
from samaf.training.distortions import normalised as full_scale
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
SNR_DB = (0.0, 20.0)  # from equal power to barely audible noise
SOURCES = ("speech", "music")  # kinds of clips that are learnt
ADDED = ("noise", "music")  # kinds of sounds that are added
SILENCE = float(np.log(LEAST_POWER))


@dataclass(frozen=True, slots=True)
class Preparation:
    """What prepared data depends on; its digest stands in the folder's name."""

    corpus: str
    split: str
    copies: int
    seed: int
    features: MelParameters
    format: int = FORMAT

    @property
    def folder(self) -> str:
        """Name of the folder: the split, and a digest over all fields."""
        return f"mel-{folder_name(asdict(self))}"


@dataclass(frozen=True, slots=True, eq=False)
class Spectrograms:
    """Prepared frames of ``n`` clips, clean first, then noisy copies.

    Attributes
    ----------
    frames
        float16 (frames in all, bands), natural logarithms of power, memory-mapped.
    starts, counts
        int64 (n, 1 + copies): where each version begins and how long it is.
    skipped
        Reasons of clips that are left out because they are unreadable.
    """

    frames: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.starts)

    def pairs(
        self,
        seed: int,
        step: int,
        count: int,
        parameters: MelParameters,
        *,
        shift: float | None = None,
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Draw segments, noisy and clean; every clip once before any comes again.

        Parameters
        ----------
        shift
            Give references too: clean segments up to so many seconds away.

        Returns
        -------
        x
            float32 (count, bands, frames): noisy segments, then, with ``shift``, as many
            references.
        y
            The same segments without noise, float32 (count, bands, frames), and the
            moments, float32 (count, 2): clip number and first frame.
        """
        rng = np.random.default_rng((seed, step))
        clip = self._dealt(seed, step * count, count)
        version = rng.integers(1, self.starts.shape[1], count)
        space = np.maximum(self.counts[clip, 0] - parameters.frames, 0)
        at = rng.integers(space + 1)
        x = self.cut(clip, version, at, parameters)
        y = self.cut(clip, 0, at, parameters)
        if shift is not None:
            away = shift * parameters.sample_rate / parameters.step
            there = np.clip(at + np.rint(rng.uniform(-away, away, count)).astype(int), 0, space)
            x = np.concatenate([x, self.cut(clip, 0, there, parameters)])
        return x, (y, np.stack([clip, at], axis=1).astype(np.float32))

    def _dealt(self, seed: int, first: int, count: int) -> np.ndarray:
        """Deal clips from place ``first`` on of an endless row of shuffled packs."""
        packs = {
            pack: np.random.default_rng((seed, 1, pack)).permutation(len(self))
            for pack in range(first // len(self), (first + count - 1) // len(self) + 1)
        }
        places = range(first, first + count)
        return np.array([packs[place // len(self)][place % len(self)] for place in places])

    def cut(
        self,
        clip: np.ndarray,
        version: np.ndarray | int,
        at: np.ndarray,
        parameters: MelParameters,
    ) -> np.ndarray:
        """Cut segments from frame ``at`` on: float32 (n, bands, frames), as models take them.

        A clip that is shorter than a segment is followed by silence.
        """
        rows = at[:, None] + np.arange(parameters.frames)
        beyond = rows >= self.counts[clip, version][:, None]
        rows = np.where(beyond, 0, rows) + self.starts[clip, version][:, None]
        frames = self.frames[rows].astype(np.float32)
        frames[beyond] = SILENCE
        found = limited(np.ascontiguousarray(frames.swapaxes(1, 2)), parameters)
        return normalised(found, parameters) if parameters.normalised else found

    def stored(self, parameters: MelParameters) -> tuple[np.ndarray, np.ndarray]:
        """Give clip and first frame of the segments that a store would hold, (m,) each."""
        hop = parameters.hop_seconds * parameters.sample_rate / parameters.step
        space = np.maximum(self.counts[:, 0] - parameters.frames, 0)
        each = [np.rint(np.arange(0, s + 1, hop)).astype(int) for s in space]
        return np.repeat(np.arange(len(self)), [len(e) for e in each]), np.concatenate(each)


def prepare(
    corpus: Corpus,
    split: str,
    parameters: MelParameters,
    folder: Path,
    *,
    copies: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Spectrograms:
    """Make or reopen the data of one split below ``folder``.

    Clips that come with a noisy recording have that as their one copy.

    Raises
    ------
    CorpusError
        The split has no clip, no sound to add to it, or more than 5 % cannot be read.
    """
    wanted = Preparation(corpus.digest, split, copies, seed, parameters)
    home = folder / wanted.folder
    make_once(home / TABLE, lambda: _write(corpus, wanted, home, progress))
    with np.load(home / TABLE) as table:
        starts, counts, skipped = table["starts"], table["counts"], table["skipped"].tolist()
    frames = np.memmap(home / "frames.f16", np.float16, "r").reshape(-1, parameters.mel_bands)
    return Spectrograms(frames, starts, counts, tuple(skipped))


def _write(
    corpus: Corpus, wanted: Preparation, home: Path, progress: Callable[[int, int], None]
) -> None:
    clips = [c for kind in SOURCES for c in corpus.select(kind, wanted.split)]
    if not clips:
        raise CorpusError(
            f"{corpus.root}: has no speech or music clip in the split {wanted.split!r}; check the "
            "manifest"
        )
    counts, unreadable = [], []
    with (home / "frames.f16").open("wb") as file:
        made = spread(_versions, clips, _workshop, corpus, wanted)
        for done, versions in enumerate(made, 1):
            progress(done, len(clips))
            if isinstance(versions, str):
                unreadable.append(versions)
                continue
            for frames in versions:
                file.write(frames.tobytes())
            counts.append([len(frames) for frames in versions])
    check_readable(corpus, clips, unreadable)
    write_table(home, counts, unreadable)


@dataclass(frozen=True, slots=True, eq=False)
class _Workshop:
    wanted: Preparation
    sounds: list[np.ndarray]


def _workshop(corpus: Corpus, wanted: Preparation) -> _Workshop:
    """Decode the sounds of the split that are added to its clips."""
    if all(clip.noisy for kind in SOURCES for clip in corpus.select(kind, wanted.split)):
        return _Workshop(wanted, [])
    clips = [c for kind in ADDED for c in corpus.select(kind, wanted.split)]
    sounds = load_sounds(clips, wanted.features.sample_rate)
    if not sounds:
        raise CorpusError(
            f"{corpus.root}: has no noise or music in the split {wanted.split!r} to add to its "
            "clips; add some, or noisy recordings beside the clean ones"
        )
    return _Workshop(wanted, sounds)


def _versions(clip: Clip, workshop: _Workshop) -> list[np.ndarray] | str:
    """Make the frames of a clip and of its noisy copies, or say why it is unreadable."""
    wanted, rate = workshop.wanted, workshop.wanted.features.sample_rate
    try:
        samples = load(clip.path, rate)
        copies = [load(clip.noisy, rate)[: len(samples)]] if clip.noisy else []
    except AudioError as error:
        return str(error)
    rng = clip_generator(wanted.seed, clip)
    if not clip.noisy:
        copies = [noisy(samples, rng, workshop.sounds) for _ in range(wanted.copies)]
    made = []
    for version in (samples, *copies):
        padded = np.pad(version, (0, max(0, wanted.features.fft - len(version))))
        made.append(np.log(mel_power(padded, wanted.features)).T.astype(np.float16))
    return made


def noisy(samples: np.ndarray, rng: np.random.Generator, sounds: list[np.ndarray]) -> np.ndarray:
    """Add part of a sound at a random signal-to-noise ratio; float32 (n,), peak 1."""
    added = excerpt(sounds, len(samples), rng)
    return full_scale(mix(samples, added, float(rng.uniform(*SNR_DB))))
