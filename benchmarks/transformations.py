"""What clips suffer: the paper's 22 rows through SoX, and conditions of real life.

Parameters are data, in ``data/transformations.csv`` and ``data/conditions.csv``.
"""

from __future__ import annotations

import csv
import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import numpy as np

from benchmarks.conditions import CONDITIONS, Surroundings, generator
from benchmarks.errors import BenchmarkError, RowError
from samaf.audio import SAMPLE_RATE
from samaf.training.distortions import normalised

DATA = Path(__file__).parent / "data"
RAW_FLOAT = ["-t", "raw", "-r", str(SAMPLE_RATE), "-e", "floating-point", "-b", "32", "-c", "1"]
# Without search over tau, rho and direction no fixed-step hash can follow these six.
EXTREME = frozenset({"Reverse", "Pitch0.5", "Pitch1.5", "Speed0.5", "Speed1.5", "Tempo0.5"})


@dataclass(frozen=True, slots=True)
class Row:
    """One transformation, a row of the tables.

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
        """Whether it is one of the conditions of real life, not one of the paper's rows."""
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
        """Tell where in the original a stretch of the transformed clip begins, in s."""
        return self.place(start + seconds if self.reversed else start, duration)


def _read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(
                line["name"],
                line["kind"],
                line["parameters"],
                float(line["time_factor"] or math.nan),
                float(line["pitch_factor"] or math.nan),
                line["note"],
            )
            for line in csv.DictReader(file)
        ]


def paper_rows() -> list[Row]:
    """Give the 22 rows of the paper, Original first, in its order."""
    return _read(DATA / "transformations.csv")


def lifelike_rows() -> list[Row]:
    """Give the conditions of real life."""
    return _read(DATA / "conditions.csv")


def select_rows(wanted: str) -> list[Row]:
    """Choose rows: ``all``, ``paper``, ``real``, or names with commas between.

    Raises
    ------
    BenchmarkError
        A name is not known.
    """
    every = [*paper_rows(), *lifelike_rows()]
    if wanted == "all":
        return every
    if wanted in {"paper", "real"}:
        return [row for row in every if row.lifelike == (wanted == "real")]
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    unknown = set(names) - {row.name for row in every}
    if unknown or not names:
        known = ", ".join(row.name for row in every)
        raise BenchmarkError(
            f"--rows {wanted}: no such row; choose all, paper, real, or some of {known}"
        )
    return [row for row in every if row.name in names]


def require_sox(rows: Sequence[Row]) -> None:
    """Refuse rows that need SoX where there is none."""
    needing = [row.name for row in rows if row.kind in {"sox", "gsm"}]
    if needing and which("sox") is None:
        raise BenchmarkError(
            f"{needing[0]} needs SoX, which is not on the PATH; install it (Debian: sox)"
        )


def transform(row: Row, samples: np.ndarray, sha256: str, surroundings: Surroundings) -> np.ndarray:
    """Apply a row to a clip; float32 (m,), 16 kHz, peak 1.

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
    RowError
        SoX or a codec refuses, or nothing is left of the clip.
    """
    if row.kind == "none":
        out = samples
    elif row.kind == "noise":
        reach = float(row.parameters)
        drawn = generator(sha256).uniform(-reach, reach, len(samples))
        out = samples + drawn.astype(np.float32)
    elif row.kind == "sox":
        out = _sox(row, samples)
    else:
        values = [float(value) for value in row.parameters.split()]
        seeded = generator(sha256, row.name)
        out = CONDITIONS[row.kind](samples, values, surroundings, seeded)
    if not len(out):
        raise RowError(f"{row.name}: leaves nothing of the clip")
    return normalised(out)


def _sox(row: Row, samples: np.ndarray) -> np.ndarray:
    command = ["sox", "-R", *RAW_FLOAT, "-", *RAW_FLOAT, "-", *row.parameters.split()]
    done = subprocess.run(command, input=samples.tobytes(), capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise RowError(f"{row.name}: SoX refuses the clip ({reason[-1]})")
    return np.frombuffer(done.stdout, np.float32)
