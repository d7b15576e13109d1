"""How well an encoder does on the validation split: the figures that models are chosen by.

Clips of the split are distorted in named ways, with strengths drawn anew for each clip.
Every block of a distorted clip is a query; the nearest hash among the originals of the
train and validation splits answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from samaf.audio import load
from samaf.errors import AudioError, CorpusError
from samaf.features import FeatureParameters, blocks, encoder_input, mfcc
from samaf.training import distortions as d
from samaf.training.corpora import Clip, Corpus
from samaf.training.dataset import LEAST_SECONDS, load_material
from samaf.training.prepared import make_once
from samaf.training.workers import spread

Encode = Callable[[np.ndarray], np.ndarray]  # (m, steps, values) -> h (m, bits)
SEED = 7
CLIPS = 120  # of the validation split, spread over it

_CONDITIONS: dict[str, Callable[..., d.Distorted]] = {
    "echo": lambda x, r, m: _kept(d.echo(x, r)),
    "babble": lambda x, r, m: _kept(d.mix(x, d.babble(m.speech, 6, len(x), r), 5)),
    "music": lambda x, r, m: _kept(d.mix(x, d.excerpt(m.music, len(x), r), 5)),
    "room": lambda x, r, m: _kept(
        d.mix(
            d.reverberated(x, m.rooms[r.integers(len(m.rooms))]),
            d.excerpt(m.noise, len(x), r),
            10,
        )
    ),
    "noise": lambda x, r, m: _kept(d.mix(x, d.coloured_noise(len(x), r), r.uniform(0, 20))),
    "filter": lambda x, r, m: _kept(d.equaliser(x, r)),
    "line": lambda x, r, m: _kept(d.line(x, r)),
    "codec": lambda x, r, m: _kept(d.codec(x, r)),
    "speed": lambda x, r, m: _moved(x, r.uniform(0.85, 1.18), 1.0),
    "pitch": lambda x, r, m: _moved(x, s := r.uniform(0.8, 1.25), 1 / s),
    "tempo": lambda x, r, m: _moved(x, 1.0, r.uniform(0.7, 1.45)),
}
_NEEDS = {"babble": ("speech",), "music": ("music",), "room": ("rooms", "noise")}


def _kept(samples: np.ndarray) -> d.Distorted:
    return d.Distorted(d.normalised(samples), 1.0, 1.0)


def _moved(samples: np.ndarray, speed: float, step: float) -> d.Distorted:
    return d.Distorted(d.change_speed(samples, speed), 1 / (speed * step), step)


@dataclass(frozen=True, slots=True, eq=False)
class ValidationSet:
    """Frames of the references and of each condition's queries.

    ``references`` holds one array (n, coefficients) a clip; ``queries`` by condition the
    number of the reference, the frames and the time factor of each distorted clip.
    """

    references: list[np.ndarray]
    queries: dict[str, list[tuple[int, np.ndarray, float]]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Results of one condition.

    Attributes
    ----------
    accuracy
        Share of query blocks whose nearest hash is of the right recording.
    true_ber, true_deviation
        Mean and deviation of the bit error rate to the hash of the same moment.
    wrong_ber, wrong_deviation
        The same for the nearest hash of any other recording.
    overlap
        Share of query blocks to which some other recording is at least as near as the
        hash of the same moment.
    """

    queries: int
    accuracy: float
    true_ber: float
    true_deviation: float
    wrong_ber: float
    wrong_deviation: float
    overlap: float


def prepare_validation(
    corpus: Corpus,
    parameters: FeatureParameters,
    folder: Path,
    clips: int = CLIPS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ValidationSet:
    """Make or reopen the validation set of a corpus.

    Clips that are unreadable or shorter than 3 s are left out. A condition is left out where
    the split holds no sound to make it with.

    Raises
    ------
    CorpusError
        There is no clip to ask about.
    """
    key = sha256(f"{corpus.digest} {parameters} {clips} {SEED} 1".encode()).hexdigest()[:16]
    path = folder / f"conditions-{key}.npz"
    make_once(path, lambda: _write(corpus, parameters, path, clips, progress))
    with np.load(path) as file:
        keys = [name.split("/") for name in sorted(file.files)]
        numbers = sorted({int(number) for kind, number, *_ in keys if kind == "reference"})
        place = {number: i for i, number in enumerate(numbers)}
        references = [file[f"reference/{number:05}"] for number in numbers]
        queries: dict[str, list[tuple[int, np.ndarray, float]]] = {}
        for kind, number, *tau in keys:
            if tau:
                frames = file["/".join((kind, number, *tau))]
                queries.setdefault(kind, []).append((place[int(number)], frames, float(tau[0])))
    return ValidationSet(references, queries)


def _write(
    corpus: Corpus,
    parameters: FeatureParameters,
    path: Path,
    clips: int,
    progress: Callable[[int, int], None],
) -> None:
    own = corpus.select("speech", "validation")
    chosen = set(own[:: max(1, len(own) // clips)][:clips])
    jobs = [(c, c in chosen) for c in (*own, *corpus.select("speech", "train"))]
    arrays: dict[str, Any] = {}
    for number, made in enumerate(spread(_work, jobs, _workshop, corpus, parameters)):
        progress(number + 1, len(jobs))
        if made is None:
            continue
        arrays[f"reference/{number:05}"], queried = made
        for name, (frames, tau) in queried.items():
            arrays[f"{name}/{number:05}/{tau!r}"] = frames
    if all(name.startswith("reference/") for name in arrays):
        raise CorpusError(
            f"{corpus.root}: has no usable speech clip in the split 'validation'; check the "
            "manifest"
        )
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, **arrays)
    temporary.replace(path)


def _workshop(
    corpus: Corpus, parameters: FeatureParameters
) -> tuple[d.Material, FeatureParameters]:
    return load_material(corpus, "validation"), parameters


def _work(
    job: tuple[Clip, bool], workshop: tuple[d.Material, FeatureParameters]
) -> tuple[np.ndarray, dict[str, tuple[np.ndarray, float]]] | None:
    """Make the frames of a clip and of its distorted copies; None if it is unreadable or short."""
    clip, queried = job
    material, parameters = workshop
    try:
        samples = load(clip.path)
    except AudioError:
        return None
    if len(samples) < LEAST_SECONDS * parameters.sample_rate:
        return None
    made = {}
    for number, (name, condition) in enumerate(_CONDITIONS.items() if queried else ()):
        if not all(len(getattr(material, kind)) for kind in _NEEDS.get(name, ())):
            continue
        seed = sha256(f"{SEED} {number} {clip.path.name}".encode("utf-8", "surrogateescape"))
        rng = np.random.default_rng(np.frombuffer(seed.digest(), np.uint32))
        copy = condition(samples, rng, material)
        frames = mfcc(copy.samples, replace(parameters, tau=copy.step)).astype(np.float16)
        made[name] = (frames, copy.tau)
    return mfcc(samples, parameters).astype(np.float16), made


def measure(
    encode: Encode, data: ValidationSet, parameters: FeatureParameters
) -> dict[str, Figures]:
    """Hash everything and look every query block up."""

    def states(frames: np.ndarray) -> np.ndarray:
        cut = blocks(frames[:, : parameters.coefficients].astype(np.float32), parameters)
        return encode(encoder_input(cut, parameters))

    signs = [_signs(states(frames)) for frames in data.references]
    owner = np.repeat(np.arange(len(signs)), [len(rows) for rows in signs])
    every = np.concatenate(signs)
    half = parameters.block_frames / 2
    results = {}
    for name, queries in data.queries.items():
        right, true, wrong, worse = [], [], [], []
        for number, frames, tau in queries:
            bits = _signs(states(frames))
            ber = (1 - bits @ every.T / every.shape[1]) / 2
            right.append(owner[ber.argmin(axis=1)] == number)
            own = ber[:, owner == number]
            other = ber[:, owner != number].min(axis=1)
            # The block around the same moment: blocks start every hop, the middle moves by tau.
            middle = np.arange(len(bits)) * parameters.hop_frames + half
            place = np.rint((middle / tau - half) / parameters.hop_frames).astype(int)
            inside = np.flatnonzero((place >= 0) & (place < own.shape[1]))
            true.append(own[inside, place[inside]])
            worse.append(other[inside] <= true[-1])
            wrong.append(other)
        hits, rates, others = np.concatenate(right), np.concatenate(true), np.concatenate(wrong)
        results[name] = Figures(
            len(hits),
            float(hits.mean()),
            float(rates.mean()),
            float(rates.std()),
            float(others.mean()),
            float(others.std()),
            float(np.concatenate(worse).mean()),
        )
    return results


def _signs(h: np.ndarray) -> np.ndarray:
    return np.where(h >= 0, 1, -1).astype(np.float32)
