"""Transformed clips, made once and kept.

A prepared clip is a NumPy file of int16 samples (peak 32,767, 16 kHz, mono) named by the
digest of everything it depends on, so that a run that was killed goes on where it
stopped and several runs share their clips. 10 s take 320 kB.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from benchmarks.conditions import surroundings
from benchmarks.errors import RowError
from benchmarks.files import writing
from benchmarks.transformations import Row, require_sox, transform
from samaf.audio import load
from samaf.errors import AudioError
from samaf.text import printable
from samaf.training.corpora import Clip, Corpus

FORMAT = 1  # raise when a row's result changes though its parameters do not
JOBS = 2
PEAK = 32_767

Progress = Callable[[float, int], None]  # clips or cells done, and in all


@dataclass(frozen=True, slots=True)
class Prepared:
    """The transformed clips of one run.

    Attributes
    ----------
    files
        By (position of the clip, row name); what failed is missing.
    failures
        The reason by the same key.
    """

    files: dict[tuple[int, str], Path]
    failures: dict[tuple[int, str], str]

    def samples(self, clip: int, row: str) -> np.ndarray:
        """Read a transformed clip, float32 (n,), peak 1."""
        return read_samples(self.files[clip, row])


def default_work() -> Path:
    """Give the folder for prepared clips in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "samaf" / "benchmarks"


def material_split(split: str) -> str:
    """Tell which split's voices, rooms, noises and music are laid over clips of a split.

    Never those of the train split: models have heard them.
    """
    return "validation" if split == "validation" else "test"


def prepare(
    corpus: Corpus,
    clips: Sequence[Clip],
    rows: Sequence[Row],
    work: Path,
    *,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Prepared:
    """Make what is missing of rows x clips.

    Raises
    ------
    BenchmarkError
        SoX is missing, or the folder cannot be written.
    """
    require_sox(rows)
    prepared = Prepared({}, {})
    tasks = [(number, clip, tuple(rows), work) for number, clip in enumerate(clips)]
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
    task: tuple[int, Clip, tuple[Row, ...], Path],
) -> dict[tuple[int, str], Path | str]:
    """Make the missing rows of one clip: a path or a reason each."""
    number, clip, rows, work = task
    corpus = _corpus[0]
    split = material_split(clip.split)
    results: dict[tuple[int, str], Path | str] = {}
    try:
        digest = sha256(clip.path.read_bytes()).hexdigest()
    except OSError as error:
        return {(number, row.name): f"{printable(clip.path)}: {error.strerror}" for row in rows}
    samples: np.ndarray | None = None
    for row in rows:
        path = work / row.name / f"{_key(row, digest, corpus, split)}.npy"
        if not path.is_file():
            try:
                if samples is None:
                    samples = load(clip.path)
                around = surroundings(corpus, split, clip)
                write_samples(path, transform(row, samples, digest, around))
            except (AudioError, RowError) as error:
                results[number, row.name] = f"{printable(clip.path)}: {error}"
                continue
        results[number, row.name] = path
    return results


def _key(row: Row, digest: str, corpus: Corpus, split: str) -> str:
    """Digest everything that the transformed clip depends on."""
    parts = [str(FORMAT), row.kind, row.parameters, digest]
    if row.lifelike:
        parts += [row.name, corpus.digest, split]
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def write_samples(path: Path, samples: np.ndarray) -> None:
    """Keep samples of peak 1 as int16, all or nothing."""
    with writing(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.rint(samples * PEAK).astype(np.int16))


def read_samples(path: Path) -> np.ndarray:
    """Read samples that ``write_samples`` kept, float32 (n,)."""
    return np.load(path, allow_pickle=False).astype(np.float32) / PEAK
