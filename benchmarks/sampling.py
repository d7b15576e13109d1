"""Which clips of a corpus are used, and random draws that depend on a text alone."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError
from samaf.errors import CorpusError
from samaf.text import printable
from samaf.training.corpora import Clip, Corpus

SHORTEST, LONGEST = 10.0, 11.0  # s, SAMAF section 4.1


def generator(*seeds: str) -> np.random.Generator:
    """Make a random generator that depends on some texts alone."""
    digest = sha256("\n".join(seeds).encode("utf-8", "backslashreplace")).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))


def comparable(corpus: Corpus) -> Corpus:
    """Keep clips of 10 to 11 s of VoxCeleb1 as distributed; leave other corpora whole.

    VoxCeleb1 is a folder with ``wav/id10001/VIDEO/00001.wav`` and no manifest; its speakers
    are dealt to the splits by ``open_corpus``. Files that are no WAV are left out.

    Raises
    ------
    CorpusError
        It holds no clip of that length.
    """
    if (corpus.root / "manifest.csv").is_file() or not any(corpus.root.glob("wav/id1*")):
        return corpus
    kept = _of_length(corpus.clips)
    if not kept:
        raise CorpusError(
            f"{printable(corpus.root)}: holds no clip of {SHORTEST:g}-{LONGEST:g} s, which are "
            "what the paper takes of VoxCeleb1; add a manifest.csv to choose others"
        )
    return replace(corpus, clips=kept)


def required(corpus: Corpus, kind: str, *splits: str) -> tuple[Clip, ...]:
    """Give the clips of one kind in any of the splits.

    Raises
    ------
    BenchmarkError
        There are none.
    """
    clips = corpus.select(kind, *splits)
    if not clips:
        raise BenchmarkError(
            f"{printable(corpus.root)}: holds no {kind} of the {' or '.join(splits)} split; name "
            "another corpus"
        )
    return clips


def _of_length(clips: Sequence[Clip]) -> tuple[Clip, ...]:
    return tuple(clip for clip in clips if SHORTEST <= _seconds(clip.path) <= LONGEST)


def _seconds(path: Path) -> float:
    """Read the length from a WAV file's header; 0 where there is none."""
    try:
        with path.open("rb") as file, wave.open(file) as header:
            return header.getnframes() / header.getframerate()
    except (OSError, EOFError, wave.Error, ZeroDivisionError):
        return 0.0
