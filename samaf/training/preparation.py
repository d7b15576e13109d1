"""Preparation of training data: decode, distort, keep the frames.

Clips are distorted in rounds, one copy of each clip a round, behind a first round of
originals. Each finished round is kept: preparation that was stopped goes on with the next
one, and more copies cost only what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from samaf.audio import load
from samaf.errors import AudioError, CorpusError
from samaf.features import FeatureParameters, mfcc
from samaf.files import save_arrays
from samaf.fingerprinters import Fingerprinter
from samaf.training.corpora import Clip, Corpus
from samaf.training.dataset import Dataset
from samaf.training.distortions import DistortionSounds, distort
from samaf.training.prepared import (
    TABLE,
    check_readable,
    clip_generator,
    folder_name,
    load_sounds,
    make_once,
)
from samaf.training.sampling import HardNegatives, clip_weights, mine_hard_negatives
from samaf.training.workers import spread

FORMAT = 2  # raise when preparation changes what it writes
LEAST_SECONDS = 3  # shorter clips hold too few moments to be distinguished from their neighbors
FRAMES = "frames.f16"
Version = tuple[np.ndarray, float]  # frames float16 (n, coefficients), time factor


@dataclass(frozen=True, slots=True)
class Preparation:
    """What prepared data depends on; its digest stands in the folder's name.

    ``features`` hold all coefficients that any model of this data may use: models with
    fewer take the first ones.
    """

    corpus: str
    split: str
    seed: int
    features: FeatureParameters
    format: int = FORMAT

    @property
    def folder(self) -> str:
        """Name of the folder: the split, and a digest over all fields."""
        return folder_name(asdict(self))


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
    """Make, extend or reopen the data of one split below ``folder``.

    Of several processes that share a folder one makes it and the others wait.

    Raises
    ------
    CorpusError
        No clip of the split is long enough, or more than 5 % cannot be read.
    """
    wanted = Preparation(corpus.digest, split, seed, parameters)
    home = folder / wanted.folder
    if _rounds(home) < 1 + copies:
        home.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(home / "table.lock"):
            if _rounds(home) < 1 + copies:  # nobody made them in the meantime
                _extend(corpus, wanted, home, copies, progress)
    return open_dataset(home, copies)


def open_dataset(home: Path, copies: int) -> Dataset:
    """Open a prepared folder with the first ``copies`` copies of each clip."""
    with np.load(home / TABLE) as table:
        starts, counts, tau = (table[name][:, : 1 + copies] for name in ("starts", "counts", "tau"))
        speakers, skipped = table["speaker"], tuple(table["skipped"].tolist())
        weights = clip_weights(speakers, table["source"], table["language"], table["joined"])
        coefficients = int(table["coefficients"])
    frames = np.memmap(home / FRAMES, np.float16, "r").reshape(-1, coefficients)
    return Dataset(frames, starts, counts, tau, weights, skipped, speakers)


def _rounds(home: Path) -> int:
    """Count the finished rounds, that of the originals included."""
    if not (home / TABLE).is_file():
        return 0
    with np.load(home / TABLE) as table:
        return int(table["starts"].shape[1])


def _extend(
    corpus: Corpus,
    wanted: Preparation,
    home: Path,
    copies: int,
    progress: Callable[[int, int], None],
) -> None:
    """Make the rounds that are missing; each ends with a new table."""
    clips = corpus.select("speech", wanted.split)
    if not clips:
        raise CorpusError(
            f"{corpus.root}: has no speech clip in the split {wanted.split!r}; check the manifest"
        )
    first = _rounds(home)
    numbers = range(first, 1 + copies)
    jobs = [(clip, number) for number in numbers for clip in clips]
    made = _counted(spread(_version, jobs, _workshop, corpus, wanted), len(jobs), progress)
    if first:
        with np.load(home / TABLE) as file:
            table = dict(file)
    else:
        table = _originals(corpus, clips, wanted, home, [next(made) for _ in clips])
    kept = set(table["clip"].tolist())
    for _ in range(max(first, 1), 1 + copies):
        versions = [version for i, version in enumerate([next(made) for _ in clips]) if i in kept]
        _append(home, table, _readable(corpus, versions))


def _counted(
    made: Iterator[Version | str], total: int, progress: Callable[[int, int], None]
) -> Iterator[Version | str]:
    for done, version in enumerate(made, 1):
        progress(done, total)
        yield version


def _originals(
    corpus: Corpus,
    clips: Sequence[Clip],
    wanted: Preparation,
    home: Path,
    versions: Sequence[Version | str],
) -> dict[str, Any]:
    """Write the round of originals of the clips that can be used; give the table."""
    unreadable = [version for version in versions if isinstance(version, str)]
    long_enough = [
        not isinstance(version, str) and len(version[0]) >= wanted.features.block_frames
        for version in versions
    ]
    short = [
        f"{clip.path}: shorter than {LEAST_SECONDS} s"
        for clip, version, usable in zip(clips, versions, long_enough, strict=True)
        if not usable and not isinstance(version, str)
    ]
    skipped = short + unreadable
    kept = [i for i, usable in enumerate(long_enough) if usable]
    if not kept:
        raise CorpusError(
            f"{corpus.root}: no usable clip in the split {wanted.split!r} ({skipped[0]})"
        )
    check_readable(corpus, clips, unreadable)
    chosen = [clips[i] for i in kept]
    empty = np.empty((len(kept), 0), np.int64)
    table = {
        "starts": empty,
        "counts": empty,
        "tau": empty.astype(np.float32),
        "clip": np.array(kept),
        "skipped": np.array(skipped, dtype=str),
        "speaker": np.array([c.speaker for c in chosen], dtype=str),
        "source": np.array([c.source for c in chosen], dtype=str),
        "language": np.array([c.language for c in chosen], dtype=str),
        "joined": np.array([c.joined for c in chosen]),
        "coefficients": np.array(wanted.features.coefficients),
    }
    _append(home, table, _readable(corpus, [versions[i] for i in kept]))
    return table


def _readable(corpus: Corpus, versions: Sequence[Version | str]) -> list[Version]:
    for version in versions:
        if isinstance(version, str):  # it could be read a moment ago
            raise CorpusError(f"{corpus.root}: changed while it was prepared ({version})")
    return [version for version in versions if not isinstance(version, str)]


def _append(home: Path, table: dict[str, Any], versions: Sequence[Version]) -> None:
    """Write one version of each clip behind the last round, then the table that knows it."""
    counts = np.array([len(frames) for frames, _ in versions], np.int64)
    begin = int(table["counts"].sum())
    with (home / FRAMES).open("r+b" if begin else "wb") as file:
        file.seek(begin * int(table["coefficients"]) * 2)
        file.truncate()  # what a round left that was not finished
        for frames, _ in versions:
            file.write(frames.tobytes())
    taus = np.array([tau for _, tau in versions], np.float32)
    starts = begin + np.cumsum(counts) - counts
    for name, column in (("starts", starts), ("counts", counts), ("tau", taus)):
        table[name] = np.concatenate([table[name], column[:, None]], axis=1)
    save_arrays(home / TABLE, **table)


def load_distortion_sounds(corpus: Corpus, split: str) -> DistortionSounds:
    """Decode the sounds of a split that serve for distorting; see `load_sounds`."""
    return DistortionSounds(
        speech=load_sounds(corpus.select("speech", split)),
        music=load_sounds(corpus.select("music", split)),
        noise=load_sounds(corpus.select("noise", split)),
        rooms=load_sounds(corpus.select("rir", split)),
    )


def _workshop(corpus: Corpus, wanted: Preparation) -> tuple[DistortionSounds, Preparation]:
    return load_distortion_sounds(corpus, wanted.split), wanted


def _version(
    job: tuple[Clip, int], workshop: tuple[DistortionSounds, Preparation]
) -> Version | str:
    """Make the frames of a clip, or of its copy of that number, or say why it is unreadable.

    A clip that is too short gives no frames.
    """
    (clip, number), (sounds, wanted) = job, workshop
    features = wanted.features
    try:
        samples = load(clip.path)
    except AudioError as error:
        return str(error)
    if len(samples) < LEAST_SECONDS * features.sample_rate:
        return np.empty((0, features.coefficients), np.float16), 1.0
    if not number:
        return mfcc(samples, features).astype(np.float16), 1.0
    copy = distort(samples, clip_generator(wanted.seed, clip, number), sounds)
    frames = mfcc(copy.samples, replace(features, tau=copy.step)).astype(np.float16)
    return frames, copy.tau


def add_hard_negatives(
    dataset: Dataset,
    home: Path,
    fingerprinter: Fingerprinter,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Dataset:
    """Mine hard negatives with a trained model, or read them from ``home``."""
    path = home / f"hard-negatives-{fingerprinter.digest[:16]}.npz"

    def write() -> None:
        found = mine_hard_negatives(
            dataset.frames,
            dataset.starts[:, 0],
            dataset.counts[:, 0],
            dataset.speakers,
            fingerprinter.states,
            fingerprinter.card.features,
            progress,
        )
        save_arrays(path, first=found.first, clips=found.clips, frames=found.frames)

    make_once(path, write)
    with np.load(path) as file:
        return replace(dataset, hard_negatives=HardNegatives(**file))
