"""What clips go through: the paper's 22 transformations by SoX, and conditions of real life.

Conditions of real life are other voices, rooms, music, telephones and poor codecs. Parameters
are data, in ``data/transformations.csv`` and ``data/conditions.csv``.
"""

from __future__ import annotations

import csv
import math
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import numpy as np

from benchmarks.errors import BenchmarkError, TransformationError
from benchmarks.sampling import generator
from benchmarks.surroundings import Surroundings
from samaf.audio import SAMPLE_RATE
from samaf.training import distortions
from samaf.training.distortions import normalised

DATA = Path(__file__).parents[1] / "data"
RAW_FLOAT = ["-t", "raw", "-r", str(SAMPLE_RATE), "-e", "floating-point", "-b", "32", "-c", "1"]
# Without search over tau, rho and direction no fixed-step hash can follow these six.
EXTREME = frozenset({"Reverse", "Pitch0.5", "Pitch1.5", "Speed0.5", "Speed1.5", "Tempo0.5"})

Values = Sequence[float]
Condition = Callable[[np.ndarray, Values, Surroundings, np.random.Generator], np.ndarray]


def _babble(
    samples: np.ndarray, values: Values, around: Surroundings, rng: np.random.Generator
) -> np.ndarray:
    voices, decibels = values
    sounds = _required(around.voices, "speech of other speakers")
    added = distortions.babble(sounds, int(voices), len(samples), rng)
    return distortions.mix(samples, added, decibels)


def _room(
    samples: np.ndarray, values: Values, around: Surroundings, rng: np.random.Generator
) -> np.ndarray:
    rooms = _required(around.rooms, "room responses")
    wet = distortions.reverberated(samples, rooms[int(rng.integers(len(rooms)))])
    noise = distortions.excerpt(_required(around.noises, "noise"), len(wet), rng)
    return distortions.mix(wet, noise, values[0])


def _music(
    samples: np.ndarray, values: Values, around: Surroundings, rng: np.random.Generator
) -> np.ndarray:
    added = distortions.excerpt(_required(around.music, "music"), len(samples), rng)
    return distortions.mix(samples, added, values[0])


def _telephone(coded: Callable[[np.ndarray, Values], np.ndarray]) -> Condition:
    """Change the speed by the first value, then hand the others to a codec."""

    def condition(
        samples: np.ndarray, values: Values, _: Surroundings, __: np.random.Generator
    ) -> np.ndarray:
        fast = distortions.change_speed(samples, values[0])
        return coded(normalised(fast), values[1:])

    return condition


def _codec(encoder: str, container: str) -> Condition:
    def condition(
        samples: np.ndarray, values: Values, _: Surroundings, __: np.random.Generator
    ) -> np.ndarray:
        return distortions.through_codec(samples, encoder, container, SAMPLE_RATE, int(values[0]))

    return condition


CONDITIONS: dict[str, Condition] = {
    "babble": _babble,
    "room": _room,
    "music": _music,
    "g711": _telephone(lambda samples, _: distortions.g711(samples)),
    "gsm": _telephone(lambda samples, _: distortions.gsm(samples)),
    "amr": _telephone(
        lambda samples, values: distortions.through_codec(
            samples, "libopencore_amrnb", "amr", 8_000, int(values[0])
        )
    ),
    "opus": _codec("libopus", "ogg"),
    "mp3": _codec("libmp3lame", "mp3"),
}


def _required(sounds: Sequence[np.ndarray], what: str) -> Sequence[np.ndarray]:
    if not len(sounds):
        raise TransformationError(f"the split holds no {what} to add")
    return sounds


@dataclass(frozen=True, slots=True)
class Transformation:
    """One transformation, a line of the tables.

    Attributes
    ----------
    kind
        ``none``, ``sox``, ``noise`` or one of the conditions of real life.
    parameters
        Of the kind: SoX effects, an amplitude, levels in dB, bits per second.
    tau, rho
        Time and pitch factor, transformed over original; tau is nan where it depends on
        the clip.
    """

    name: str
    kind: str
    parameters: str
    tau: float
    rho: float
    note: str

    @property
    def reversed(self) -> bool:
        """Whether the clip runs backwards."""
        return self.kind == "sox" and self.parameters.split() == ["reverse"]

    @property
    def lifelike(self) -> bool:
        """Whether it is one of the conditions of real life, not one of the paper's."""
        return self.kind in CONDITIONS

    def place(self, moment: float, duration: float) -> float:
        """Tell which moment of the original a moment of the transformed clip was, in s.

        Parameters
        ----------
        duration
            Of the transformed clip, s.
        """
        return duration - moment if self.reversed else moment / self.tau

    def begin(self, start: float, seconds: float, duration: float) -> float:
        """Tell where in the original a segment of the transformed clip begins, in s."""
        return self.place(start + seconds if self.reversed else start, duration)


def _read(path: Path) -> tuple[Transformation, ...]:
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(
            Transformation(
                line["name"],
                line["kind"],
                line["parameters"],
                float(line["time_factor"] or math.nan),
                float(line["pitch_factor"] or math.nan),
                line["note"],
            )
            for line in csv.DictReader(file)
        )


PAPER = _read(DATA / "transformations.csv")  # the paper's 22, Original first, in its order
REAL_LIFE = _read(DATA / "conditions.csv")
ORIGINAL = PAPER[0]


def select_transformations(wanted: str) -> list[Transformation]:
    """Choose transformations: ``all``, ``paper``, ``real``, or names with commas between.

    Raises
    ------
    BenchmarkError
        A name is not known.
    """
    every = [*PAPER, *REAL_LIFE]
    if wanted == "all":
        return every
    if wanted in {"paper", "real"}:
        return [
            transformation
            for transformation in every
            if transformation.lifelike == (wanted == "real")
        ]
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    unknown = set(names) - {transformation.name for transformation in every}
    if unknown or not names:
        known = ", ".join(transformation.name for transformation in every)
        raise BenchmarkError(
            f"--transformations {wanted}: not known; choose all, paper, real, or some of {known}"
        )
    return [transformation for transformation in every if transformation.name in names]


def require_sox(transformations: Sequence[Transformation]) -> None:
    """Refuse transformations that need SoX where there is none."""
    needing = [
        transformation.name
        for transformation in transformations
        if transformation.kind in {"sox", "gsm"}
    ]
    if needing and which("sox") is None:
        raise BenchmarkError(
            f"{needing[0]} needs SoX, which is not on the PATH; install it (Debian: sox)"
        )


def transform(
    transformation: Transformation, samples: np.ndarray, sha256: str, surroundings: Surroundings
) -> np.ndarray:
    """Transform a clip; float32 (m,), 16 kHz, peak 1.

    Parameters
    ----------
    samples
        float32 (n,), 16 kHz, peak-normalised.
    sha256
        Of the clip's bytes; the seed of everything drawn for it.
    surroundings
        What the conditions of real life add.

    Raises
    ------
    TransformationError
        SoX or a codec refuses, or nothing is left of the clip.
    """
    if transformation.kind == "none":
        out = samples
    elif transformation.kind == "noise":
        reach = float(transformation.parameters)
        drawn = generator(sha256).uniform(-reach, reach, len(samples))
        out = samples + drawn.astype(np.float32)
    elif transformation.kind == "sox":
        out = _sox(transformation, samples)
    else:
        values = [float(value) for value in transformation.parameters.split()]
        seeded = generator(sha256, transformation.name)
        out = CONDITIONS[transformation.kind](samples, values, surroundings, seeded)
    if not len(out):
        raise TransformationError(f"{transformation.name}: leaves nothing of the clip")
    return normalised(out)


def _sox(transformation: Transformation, samples: np.ndarray) -> np.ndarray:
    command = ["sox", "-R", *RAW_FLOAT, "-", *RAW_FLOAT, "-", *transformation.parameters.split()]
    done = subprocess.run(command, input=samples.tobytes(), capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise TransformationError(f"{transformation.name}: SoX refuses the clip ({reason[-1]})")
    return np.frombuffer(done.stdout, np.float32)
