"""Recordings of three minutes, joined from the corpus, and queries cut out of them.

The paper's 235 songs are not available. Each song here joins clips of the corpus, speech and
music as they come, each at a speed of its own between 0.8 and 1.25: a clip that is in
several songs sounds different in each. The songs are not kept, only their vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.files import writing
from benchmarks.sampling import generator, required
from benchmarks.terminal import Progress
from samaf.audio import load
from samaf.fingerprinters import VectorFingerprinter
from samaf.training.corpora import SPLITS, Clip, Corpus

SECONDS = 180
SLOWEST, FASTEST = 0.8, 1.25
SNR = 10.0  # dB, of the noise that is added to a query
GROUP = 5  # values of a vector that the last layer brings to mean 0 and deviation 1


@dataclass(frozen=True, slots=True, eq=False)
class Songs:
    """The vectors of songs, and of queries cut from them at any place.

    Attributes
    ----------
    stored
        float32 (songs, segments, values).
    clean, noisy
        float32 (queries, values): 4 s each, as they are and with noise of the corpus.
    song
        int (queries,): what each was cut from.
    """

    stored: np.ndarray
    clean: np.ndarray
    noisy: np.ndarray
    song: np.ndarray


def prepared(
    corpus: Corpus,
    fingerprinter: VectorFingerprinter,
    songs: int,
    queries: int,
    folder: Path,
    progress: Progress,
) -> Songs:
    """Encode songs and queries; what was encoded before is read from the folder."""
    name = f"songs-{fingerprinter.digest[:12]}-{corpus.digest[:12]}-{songs}-{queries}.npz"
    path = folder / name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        made = _encoded(corpus, fingerprinter, songs, queries, progress)
        with writing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, stored=made.stored, clean=made.clean, noisy=made.noisy, song=made.song)
    with np.load(path, allow_pickle=False) as file:
        return Songs(file["stored"], file["clean"], file["noisy"], file["song"])


def _encoded(
    corpus: Corpus,
    fingerprinter: VectorFingerprinter,
    songs: int,
    queries: int,
    progress: Progress,
) -> Songs:
    rate, size = fingerprinter.sample_rate, fingerprinter.card.features.segment_samples
    pieces = [clip for kind in ("speech", "music") for clip in corpus.select(kind, *SPLITS)]
    if not pieces:
        raise BenchmarkError(f"{corpus.root}: holds no speech or music; name another corpus")
    noises = required(corpus, "noise", "test")
    queried = np.sort(generator("asked songs").integers(0, songs, queries))
    stored, clean, noisy = [], [], []
    for number in range(songs):
        samples = song(pieces, number, rate)
        stored.append(fingerprinter.vectors([samples], fingerprinter.hop).values)
        rng = generator("query", str(number))
        for _ in range(int((queried == number).sum())):
            start = rng.integers(0, len(samples) - size)
            cut = samples[start : start + size]
            noise = load(noises[rng.integers(len(noises))].path, rate)
            clean.append(cut)
            noisy.append(with_noise(cut, noise, SNR, rng))
        progress(number + 1, songs)
    encode = fingerprinter.encode
    return Songs(np.stack(stored), encode(np.stack(clean)), encode(np.stack(noisy)), queried)


def song(pieces: list[Clip], number: int, rate: int) -> np.ndarray:
    """Join clips to one recording of three minutes, float32 (n,)."""
    rng = generator("song", str(number))

    def parts() -> Iterator[np.ndarray]:
        left = SECONDS * rate
        while left > 0:
            clip = load(pieces[rng.integers(len(pieces))].path, rate)
            places = np.arange(0, len(clip) - 1, rng.uniform(SLOWEST, FASTEST))
            part = np.interp(places, np.arange(len(clip)), clip).astype(np.float32)[:left]
            left -= len(part)
            yield part

    return np.concatenate(list(parts()))


def with_noise(
    samples: np.ndarray, noise: np.ndarray, snr: float, rng: np.random.Generator
) -> np.ndarray:
    """Add noise at a signal-to-noise ratio in dB, from any place of it on, float32 (n,)."""
    placed = np.resize(np.roll(noise, rng.integers(len(noise))), len(samples))
    levels = np.sqrt([np.mean(np.square(each)) for each in (samples, placed)])
    gain = levels[0] / max(levels[1], 1e-9) * 10 ** (-snr / 20)
    return np.asarray(samples + gain * placed, dtype=np.float32)


def resized(stored: np.ndarray, songs: int) -> np.ndarray:
    """Give the first songs, and further ones where there are too few."""
    if songs <= len(stored):
        return stored[:songs]
    return np.concatenate([stored, more(stored, songs - len(stored))])


def more(stored: np.ndarray, songs: int) -> np.ndarray:
    """Give further songs, float32 (songs, segments, values), that are like those there are.

    Each vector is halfway between two drawn ones, with the mean and deviation that all have:
    no copy of any, and as spread out as they are.
    """
    rng = generator("further songs", str(songs))
    vectors = stored.reshape(-1, stored.shape[-1])
    vectors = vectors[~np.isnan(vectors[:, 0])]
    count = songs * stored.shape[1]
    first, second = (vectors[rng.integers(0, len(vectors), count)] for _ in range(2))
    groups = (first + second).reshape(count, -1, GROUP)
    groups -= groups.mean(axis=2, keepdims=True)
    groups /= np.maximum(groups.std(axis=2, keepdims=True), 1e-6)
    return groups.reshape(songs, *stored.shape[1:])
