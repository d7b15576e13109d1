"""Probes: the clips that are queried, as they are, distorted, and sounds that are no recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from samaf.audio import SAMPLE_RATE, load
from samaf.features import blocks, mfcc
from samaf.fingerprinters import Fingerprinter, load_hash_model
from samaf.records import Hashes
from samaf.training.corpora import Clip, Corpus
from samaf.training.distortions import DistortionSounds, coloured_noise, distort
from samaf.training.preparation import load_distortion_sounds
from samaf.training.workers import spread

VERSIONS = 3  # of each clip: as it is, then distorted
CLIPS_OF_A_VOICE = {"train": 5, "validation": 8, "test": 50}  # so that no voice outweighs others
VOICES_BEHIND = 24  # recordings of the train split that are left out of the store
SIGNALS = 40
SIGNAL_SECONDS = 10
SIGNAL = "signal"  # kind of a sound that is made here: a tone, a hiss, silence


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A clip as it is or distorted, hashed on a hop grid of its own.

    The moment t of the clip went to t x ``tau``; hash 0 starts ``shift`` hops after the
    version's begin, and so do ``frames``, float32 (n, coefficients).
    """

    frames: np.ndarray
    hashes: Hashes
    tau: float
    shift: float

    def place(self, block: float, half: float) -> float:
        """Give the hash of the original that a hash lies on; ``half`` a block, in hops."""
        return (block + self.shift + half) / self.tau - half


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A clip, its hashes as a reference, and the versions that are queried.

    ``voice`` is what is not independent: the speaker, for other sounds the recording.
    """

    clip: Clip
    voice: str
    reference: np.ndarray
    versions: tuple[Version, ...]


def make_probes(corpus: Corpus, model: str, split: str) -> list[Probe]:
    """Hash references and what is queried for the check of one split.

    References are the speech of the train split and of ``split``, with validation speech for
    ``test``. Queried are speech, music and noise of ``split``; for ``validation`` also
    voices of the train split, which alone share no text with other voices.
    """
    behind = voices_behind(corpus)
    known = dict.fromkeys(("train", "validation", split))
    stored = [c for c in corpus.select("speech", *known) if c not in behind]
    queried = set(_spread_over_voices(stored, split))
    if split != "test":
        queried.update(_spread_over_voices(stored, "train"))
    others = [*corpus.select("music", split), *corpus.select("noise", split)]
    queried.update(others)
    jobs = [(clip, clip in queried) for clip in [*stored, *others]]
    probes = list(spread(_probe, jobs, _workshop, corpus, model, split))
    return probes + list(_signals(load_hash_model(model)))


def voices_behind(corpus: Corpus) -> frozenset[Clip]:
    """Choose the voices that talk behind distorted clips.

    They must not be stored: a clip with such a voice behind it would hold a stored
    recording indeed.
    """
    train = corpus.select("speech", "train")
    recordings = list(dict.fromkeys(c.recording for c in train))
    count = min(VOICES_BEHIND, len(recordings) // 8)
    chosen = set(recordings[:: len(recordings) // count][:count]) if count else set()
    return frozenset(c for c in train if c.recording in chosen)


def _spread_over_voices(clips: Sequence[Clip], split: str) -> Iterator[Clip]:
    """Take clips of one split, of no speaker more than the limit."""
    taken: Counter[str] = Counter()
    for clip in clips:
        if clip.split == split and taken[clip.speaker] < CLIPS_OF_A_VOICE[split]:
            taken[clip.speaker] += 1
            yield clip


def _workshop(corpus: Corpus, model: str, split: str) -> tuple[Fingerprinter, DistortionSounds]:
    speech = tuple(load(c.path) for c in sorted(voices_behind(corpus), key=lambda c: c.path))
    sounds = replace(
        load_distortion_sounds(replace(corpus, clips=_sounds(corpus)), split), speech=speech
    )
    return load_hash_model(model), sounds


def _sounds(corpus: Corpus) -> tuple[Clip, ...]:
    return tuple(c for c in corpus.clips if c.kind != "speech")


def _probe(job: tuple[Clip, bool], workshop: tuple[Fingerprinter, DistortionSounds]) -> Probe:
    """Hash a clip, and its versions if it is queried."""
    (clip, is_queried), (fingerprinter, sounds) = job, workshop
    samples = load(clip.path)
    rng = _generator(clip.path)
    reference = fingerprinter.hashes([samples], clip.path.name).packed
    versions = []
    for number in range(VERSIONS if is_queried else 0):
        seed = f"{clip.path.name} {number}"
        if number == 0:
            versions.append(_version(samples, 1.0, 1.0, fingerprinter, seed, rng))
        else:
            copy = distort(samples, rng, sounds)
            versions.append(_version(copy.samples, copy.tau, copy.step, fingerprinter, seed, rng))
    return Probe(clip, clip.speaker or clip.recording, reference, tuple(versions))


def _generator(path: Path) -> np.random.Generator:
    digest = sha256(path.name.encode("utf-8", "surrogateescape")).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))


def _version(
    samples: np.ndarray,
    tau: float,
    step: float,
    fingerprinter: Fingerprinter,
    seed: str,
    rng: np.random.Generator,
) -> Version:
    """Hash on a random hop grid; a change of tempo is left to the frames' step."""
    parameters = fingerprinter.card.features
    frames = mfcc(samples, replace(parameters, tau=step))
    shift = int(rng.integers(parameters.hop_frames))
    frames = frames[shift:]
    hashes = fingerprinter.hash_blocks(blocks(frames, parameters), seed)
    return Version(frames, hashes, tau, shift / parameters.hop_frames)


def _signals(fingerprinter: Fingerprinter) -> Iterator[Probe]:
    rng = np.random.default_rng(5)
    for number in range(SIGNALS):
        kind, samples = signal(number, rng)
        name = f"{kind} {number}"
        clip = Clip(Path(name), SIGNAL, "", "", name)
        version = _version(samples, 1.0, 1.0, fingerprinter, name, rng)
        yield Probe(clip, name, version.hashes.packed[:0], (version,))


def signal(number: int, rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """Make a sound that is no recording: its kind and float32 (n,), peak about 1."""
    count = SIGNAL_SECONDS * SAMPLE_RATE
    t = np.arange(count) / SAMPLE_RATE
    low, high = np.exp(rng.uniform(np.log(60), np.log(3000), 2))
    hiss = coloured_noise(count, rng)
    hiss /= np.abs(hiss).max()
    kinds = {
        "tone": np.sin(2 * np.pi * low * t),
        "two tones": np.sin(2 * np.pi * low * t) + np.sin(2 * np.pi * high * t),
        "sweep": np.sin(2 * np.pi * low * t**1.5),
        "beeps": np.sin(2 * np.pi * high * t) * (t % rng.uniform(0.2, 1.5) < 0.1),
        "hum and hiss": np.sin(2 * np.pi * 50 * t) + 10 ** rng.uniform(-3, 0) * hiss,
        "hiss": hiss,
        "swelling hiss": hiss * np.sin(2 * np.pi * t * rng.uniform(0.1, 3)) ** 2,
        "silence": np.zeros(count),
    }
    name = list(kinds)[number % len(kinds)]
    sound = kinds[name]
    return name, np.asarray(sound / max(1e-9, np.abs(sound).max()), np.float32)
