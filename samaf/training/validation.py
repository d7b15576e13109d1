"""How well an encoder does on the validation split: the figures that models are chosen by.

Clips of the split are distorted in fixed ways, with strengths drawn for each clip. Each
is cut twice: on the hop grid of the original and anywhere. Every block is a query; the nearest
hash among the originals of the validation split, and of the train split at the end of a run,
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from samaf.audio import SAMPLE_RATE, load
from samaf.errors import AudioError, CorpusError
from samaf.features import FeatureParameters, blocks, encoder_input, mfcc
from samaf.files import save_arrays
from samaf.training import channels, codecs
from samaf.training import distortions as d
from samaf.training.corpora import Clip, Corpus
from samaf.training.preparation import LEAST_SECONDS, load_distortion_sounds
from samaf.training.prepared import make_once
from samaf.training.workers import spread

Encode = Callable[[np.ndarray], np.ndarray]  # (m, steps, values) -> h (m, bits)
SEED = 7
CLIPS = 120  # of the validation split, spread over it
FORMAT = 3  # raise when a condition changes
VOCODERS = ("codec2", "lpc10", "amr", "speex", "g723.1", "realaudio")
TELEPHONES = ("opus", "amr", "amr-wb", "g711-alaw", "g722")

_CONDITIONS: dict[str, Callable[..., d.Distorted]] = {
    "clean": lambda x, r, m: _kept(x),
    "echo": lambda x, r, m: _kept(d.echo(x, r)),
    "babble": lambda x, r, m: _kept(d.mix(x, d.babble(m.speech, 6, len(x), r), r.uniform(0, 10))),
    "music": lambda x, r, m: _kept(d.mix(x, d.excerpt(m.music, len(x), r), r.uniform(-2, 8))),
    "room": lambda x, r, m: _kept(
        d.mix(
            d.reverberated(x, m.rooms[r.integers(len(m.rooms))]),
            d.excerpt(m.noise, len(x), r),
            r.uniform(3, 15),
        )
    ),
    "noise": lambda x, r, m: _kept(d.mix(x, d.coloured_noise(len(x), r), r.uniform(-3, 15))),
    "filter": lambda x, r, m: _kept(d.equaliser(x, r)),
    "line": lambda x, r, m: _kept(d.line(x, r)),
    "codec": lambda x, r, m: _kept(d.codec(x, r)),
    "vocoder": lambda x, r, m: _kept(_coded(x, r, VOCODERS)),
    "packet loss": lambda x, r, m: _kept(_coded(x, r, TELEPHONES, r.uniform(0.03, 0.2))),
    "replayed": lambda x, r, m: _kept(_replayed(x, r, m)),
    "denoised": lambda x, r, m: _kept(
        channels.denoised(d.mix(x, d.excerpt(m.noise, len(x), r), r.uniform(0, 10)), r)
    ),
    "clipped": lambda x, r, m: _kept(d.codec(d.normalised(channels.clipped(x, r)), r)),
    "hum": lambda x, r, m: _kept(channels.hum(x, r)),
    "speed": lambda x, r, m: _moved(x, r.uniform(0.85, 1.18), 1.0),
    "pitch": lambda x, r, m: _moved(x, s := r.uniform(0.8, 1.25), 1 / s),
    "tempo": lambda x, r, m: _moved(x, 1.0, r.uniform(0.7, 1.45)),
    "far speed": lambda x, r, m: _moved(x, _far(r, 0.2, 0.4), 1.0),
    "far pitch": lambda x, r, m: _moved(x, s := _far(r, 0.25, 0.45), 1 / s),
    "far tempo": lambda x, r, m: _moved(x, 1.0, _far(r, 0.35, 0.6)),
}
_NEEDS = {
    "babble": ("speech",),
    "music": ("music",),
    "room": ("rooms", "noise"),
    "replayed": ("rooms", "noise"),
    "denoised": ("noise",),
}


def _coded(
    samples: np.ndarray, rng: np.random.Generator, names: Sequence[str], loss: float = 0.0
) -> np.ndarray:
    """Send through one of the codecs that are there, in its lowest mode or with losses."""
    usable = [name for name in names if name in codecs.available()]
    name = usable[int(rng.integers(len(usable)))]
    rate = codecs.CODECS[name].bit_rates[0]
    seconds = len(samples) / SAMPLE_RATE
    lost = codecs.burst_losses(seconds, loss, rng.uniform(1, 3), rng) if loss else None
    return codecs.transmitted(samples, name, rate, lost)


def _replayed(
    samples: np.ndarray, rng: np.random.Generator, sounds: d.DistortionSounds
) -> np.ndarray:
    """Play by a loudspeaker into a room with noise; record with gain control and a codec."""
    out = d.normalised(channels.loudspeaker(samples, rng))
    out = d.reverberated(out, sounds.rooms[int(rng.integers(len(sounds.rooms)))])
    out = d.mix(out, d.excerpt(sounds.noise, len(out), rng), rng.uniform(5, 20))
    out = channels.gain_control(d.normalised(channels.microphone(out, rng)), rng)
    return d.codec(d.normalised(out), rng)


def _kept(samples: np.ndarray) -> d.Distorted:
    return d.Distorted(d.normalised(samples), 1.0, 1.0)


def _moved(samples: np.ndarray, speed: float, step: float) -> d.Distorted:
    return d.Distorted(d.change_speed(samples, speed), 1 / (speed * step), step)


def _far(rng: np.random.Generator, least: float, most: float) -> float:
    """Draw a factor, up or down, whose logarithm lies between two values."""
    return float(np.exp(rng.choice((-1, 1)) * rng.uniform(least, most)))


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
        Share of query blocks on the hop grid whose nearest hash is of the right recording.
    off_grid
        The same for blocks that begin anywhere. The figures below are of those on the grid.
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
    off_grid: float
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
    *,
    references: Sequence[str] = ("validation", "train"),
) -> ValidationSet:
    """Make or reopen the validation set of a corpus.

    ``references`` name the splits whose originals are searched, that of validation first.

    Clips that are unreadable or shorter than 3 s are left out. A condition is left out where
    the split holds no sound to make it with.

    Raises
    ------
    CorpusError
        There is no clip to ask about.
    """
    depends = f"{corpus.digest} {parameters} {clips} {SEED} {FORMAT} {references}"
    key = sha256(depends.encode()).hexdigest()[:16]
    path = folder / f"conditions-{key}.npz"
    make_once(path, lambda: _write(corpus, parameters, path, clips, references, progress))
    with np.load(path) as file:
        keys = [name.split("/") for name in sorted(file.files)]
        numbers = sorted({int(number) for kind, number, *_ in keys if kind == "reference"})
        place = {number: i for i, number in enumerate(numbers)}
        originals = [file[f"reference/{number:05}"] for number in numbers]
        queries: dict[str, list[tuple[int, np.ndarray, float]]] = {}
        for kind, number, *tau in keys:
            if tau:
                frames = file["/".join((kind, number, *tau))]
                queries.setdefault(kind, []).append((place[int(number)], frames, float(tau[0])))
    return ValidationSet(originals, queries)


def _write(
    corpus: Corpus,
    parameters: FeatureParameters,
    path: Path,
    clips: int,
    references: Sequence[str],
    progress: Callable[[int, int], None],
) -> None:
    own = corpus.select("speech", "validation")
    chosen = set(own[:: max(1, len(own) // clips)][:clips])
    jobs = [(c, c in chosen) for split in references for c in corpus.select("speech", split)]
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
    save_arrays(path, **arrays)


def _workshop(
    corpus: Corpus, parameters: FeatureParameters
) -> tuple[d.DistortionSounds, FeatureParameters]:
    return load_distortion_sounds(corpus, "validation"), parameters


def _work(
    job: tuple[Clip, bool], workshop: tuple[d.DistortionSounds, FeatureParameters]
) -> tuple[np.ndarray, dict[str, tuple[np.ndarray, float]]] | None:
    """Make the frames of a clip and of its distorted copies; None if it is unreadable or short."""
    clip, queried = job
    sounds, parameters = workshop
    try:
        samples = load(clip.path)
    except AudioError:
        return None
    if len(samples) < LEAST_SECONDS * parameters.sample_rate:
        return None
    made = {}
    for number, (name, condition) in enumerate(_CONDITIONS.items() if queried else ()):
        if not all(len(getattr(sounds, kind)) for kind in _NEEDS.get(name, ())):
            continue
        seed = sha256(f"{SEED} {number} {clip.path.name}".encode("utf-8", "surrogateescape"))
        rng = np.random.default_rng(np.frombuffer(seed.digest(), np.uint32))
        copy = condition(samples, rng, sounds)
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
    rng = np.random.default_rng(SEED)
    results = {}
    for name, queries in data.queries.items():
        on_grid: list[np.ndarray] = []
        off_grid: list[np.ndarray] = []
        true, wrong, worse = [], [], []
        for number, frames, tau in queries:
            begin = int(rng.integers(1, parameters.hop_frames))
            for first, right in ((begin, off_grid), (0, on_grid)):
                bits = _signs(states(frames[first:]))
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
        rates, others = np.concatenate(true), np.concatenate(wrong)
        results[name] = Figures(
            len(others),
            float(np.concatenate(on_grid).mean()),
            float(np.concatenate(off_grid).mean()),
            float(rates.mean()),
            float(rates.std()),
            float(others.mean()),
            float(others.std()),
            float(np.concatenate(worse).mean()),
        )
    return results


@dataclass(frozen=True, slots=True)
class Summary:
    """Means over conditions, and how near unrelated speech comes to clean clips.

    Attributes
    ----------
    on_grid, off_grid
        Mean accuracy of the conditions.
    impostor_ber
        Mean bit error rate between a clean block and the nearest of any other recording.
    """

    on_grid: float
    off_grid: float
    impostor_ber: float


def summary(figures: Mapping[str, Figures]) -> Summary:
    """Summarise the figures of all conditions."""
    rows = figures.values()
    return Summary(
        float(np.mean([row.accuracy for row in rows])),
        float(np.mean([row.off_grid for row in rows])),
        figures["clean"].wrong_ber,
    )


def _signs(h: np.ndarray) -> np.ndarray:
    return np.where(h >= 0, 1, -1).astype(np.float32)
