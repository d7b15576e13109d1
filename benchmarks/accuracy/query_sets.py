"""Sets of queries: the references, and transformed clips that are made once and kept.

A prepared clip is a NumPy file of int16 samples (peak 32,767, 16 kHz, mono) whose name is the
digest of everything it depends on, so that a run that was killed goes on where it
stopped and several runs share their clips. 10 s take 320 kB.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.results import Reference
from benchmarks.accuracy.transformations import (
    ORIGINAL,
    Transformation,
    require_sox,
    transform,
)
from benchmarks.errors import BenchmarkError, TransformationError
from benchmarks.files import writing
from benchmarks.surroundings import around_clip
from benchmarks.terminal import Progress
from samaf.audio import SAMPLE_RATE, load
from samaf.errors import AudioError
from samaf.text import printable
from samaf.training.corpora import Clip, Corpus

FORMAT = 1  # raise when a transformation's result changes though its parameters do not
JOBS = 2
PEAK = 32_767


@dataclass(frozen=True, slots=True)
class Prepared:
    """The transformed clips of one run.

    Attributes
    ----------
    files
        By (position of the clip, name of the transformation); what failed is missing.
    failures
        The reason by the same key.
    """

    files: dict[tuple[int, str], Path]
    failures: dict[tuple[int, str], str]

    def samples(self, clip: int, transformation: str) -> np.ndarray:
        """Read a transformed clip, float32 (n,), peak 1."""
        return read_samples(self.files[clip, transformation])


def default_work() -> Path:
    """Give the folder for prepared clips in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "samaf" / "benchmarks"


def surroundings_split(split: str) -> str:
    """Tell which split's voices, rooms, noises and music are laid over clips of a split.

    Never those of the train split: models were trained on them.
    """
    return "validation" if split == "validation" else "test"


def prepare(
    corpus: Corpus,
    clips: Sequence[Clip],
    transformations: Sequence[Transformation],
    work: Path,
    *,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Prepared:
    """Make what is missing of transformations x clips.

    Raises
    ------
    BenchmarkError
        SoX is missing, or the folder cannot be written.
    """
    require_sox(transformations)
    prepared = Prepared({}, {})
    tasks = [(number, clip, tuple(transformations), work) for number, clip in enumerate(clips)]
    with ProcessPoolExecutor(jobs, initializer=_start, initargs=(corpus,)) as pool:
        for done, made in enumerate(pool.map(_prepare_clip, tasks, chunksize=2), start=1):
            for key, result in made.items():
                if isinstance(result, Path):
                    prepared.files[key] = result
                else:
                    prepared.failures[key] = result
            if progress:
                progress(done, len(tasks))
    return prepared


_corpus: list[Corpus] = []  # of a worker process


def _start(corpus: Corpus) -> None:
    _corpus[:] = [corpus]


def _prepare_clip(
    task: tuple[int, Clip, tuple[Transformation, ...], Path],
) -> dict[tuple[int, str], Path | str]:
    """Make the missing transformations of one clip: a path or a reason each."""
    number, clip, transformations, work = task
    corpus = _corpus[0]
    split = surroundings_split(clip.split)
    results: dict[tuple[int, str], Path | str] = {}
    try:
        digest = sha256(clip.path.read_bytes()).hexdigest()
    except OSError as error:
        return {
            (number, transformation.name): f"{printable(clip.path)}: {error.strerror}"
            for transformation in transformations
        }
    samples: np.ndarray | None = None
    for transformation in transformations:
        path = work / transformation.name / f"{_key(transformation, digest, corpus, split)}.npy"
        if not path.is_file():
            try:
                if samples is None:
                    samples = load(clip.path)
                around = around_clip(corpus, split, clip)
                write_samples(path, transform(transformation, samples, digest, around))
            except (AudioError, TransformationError) as error:
                results[number, transformation.name] = f"{printable(clip.path)}: {error}"
                continue
        results[number, transformation.name] = path
    return results


def _key(transformation: Transformation, digest: str, corpus: Corpus, split: str) -> str:
    """Digest everything that the transformed clip depends on."""
    parts = [str(FORMAT), transformation.kind, transformation.parameters, digest]
    if transformation.lifelike:
        parts += [transformation.name, corpus.digest, split]
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def write_samples(path: Path, samples: np.ndarray) -> None:
    """Keep samples of peak 1 as int16, all or nothing."""
    with writing(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.rint(samples * PEAK).astype(np.int16))


def read_samples(path: Path) -> np.ndarray:
    """Read samples that ``write_samples`` kept, float32 (n,)."""
    return np.load(path, allow_pickle=False).astype(np.float32) / PEAK


def count_samples(path: Path) -> int:
    """Tell how many samples ``write_samples`` kept."""
    return len(np.load(path, mmap_mode="r"))


@dataclass(frozen=True, slots=True, eq=False)
class QuerySet:
    """References, and the transformed clips of one split that are queried.

    Attributes
    ----------
    name
        The split of the clips, behind what was done to the store: ``test``, ``open-test``.
    originals
        Every speech clip of the corpus that could be decoded, in its order: the references.
    files
        The originals' samples.
    clips
        int (c,): positions of the clips that are queried, among the originals.
    """

    name: str
    corpus: Corpus
    originals: tuple[Clip, ...]
    files: tuple[Path, ...]
    clips: np.ndarray
    transformations: tuple[Transformation, ...]
    prepared: Prepared

    def references(self) -> list[Reference]:
        """Describe the originals for the results."""
        return [
            Reference(
                clip.path.relative_to(self.corpus.root).as_posix(),
                clip.split,
                clip.speaker,
                clip.recording,
                round(count_samples(file) / SAMPLE_RATE, 3),
            )
            for clip, file in zip(self.originals, self.files, strict=True)
        ]

    def subset(self, name: str, transformations: Sequence[str], clips: int) -> QuerySet:
        """Give some transformations of at most so many clips, spread over all."""
        count = len(self.clips)
        places = np.linspace(0, count - 1, min(clips, count)).round().astype(int).tolist()
        new = {old: number for number, old in enumerate(places)}

        def kept(entries: dict[tuple[int, str], Any]) -> dict[tuple[int, str], Any]:
            return {
                (new[clip], transformation): value
                for (clip, transformation), value in entries.items()
                if clip in new and transformation in transformations
            }

        return replace(
            self,
            name=name,
            clips=self.clips[places],
            transformations=tuple(t for t in self.transformations if t.name in transformations),
            prepared=Prepared(kept(self.prepared.files), kept(self.prepared.failures)),
        )

    def configuration(self) -> dict[str, Any]:
        """Tell what results rest on."""
        return {
            "corpus": self.corpus.root.name,
            "corpus_digest": self.corpus.digest,
            "references": len(self.originals),
        }


def gather(
    corpus: Corpus,
    split: str,
    transformations: Sequence[Transformation],
    work: Path,
    *,
    clips: int | None = None,
    jobs: int = JOBS,
    progress: Callable[[str], Progress] | None = None,
) -> QuerySet:
    """Prepare originals and transformed clips.

    Parameters
    ----------
    clips
        How many clips of the split to query, spread over it; all by default.
    progress
        Given a stage's name, gives the function that is called with how far it is.

    Raises
    ------
    BenchmarkError
        No speech of the split could be decoded.
    """
    report = progress or (lambda _: lambda done, total: None)
    speech = corpus.select("speech", "train", "validation", "test")
    decoded = prepare(corpus, speech, [ORIGINAL], work, jobs=jobs, progress=report("originals"))
    files = sorted(decoded.files.items())
    originals = tuple(speech[number] for (number, _), _ in files)
    chosen = np.flatnonzero([clip.split == split for clip in originals])
    if not len(chosen):
        raise BenchmarkError(
            f"{corpus.root}: the {split} split holds no usable speech; name another --split"
        )
    if clips is not None and clips < len(chosen):
        chosen = chosen[np.linspace(0, len(chosen) - 1, clips).round().astype(int)]
    prepared = prepare(
        corpus,
        [originals[number] for number in chosen],
        transformations,
        work,
        jobs=jobs,
        progress=report("transformed clips"),
    )
    paths = tuple(path for _, path in files)
    return QuerySet(split, corpus, originals, paths, chosen, tuple(transformations), prepared)
