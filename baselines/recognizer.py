"""The protocol that every system under test follows, and the register of systems.

>>> from baselines.recognizer import create
>>> system = create("dejavu:paper")
>>> system.name, system.settings
('dejavu', 'paper')
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast, runtime_checkable

import numpy as np

from samaf.errors import SamafError

SAMPLE_RATE = 16_000  # Hz, of all samples given to a recognizer


class RecognizerError(SamafError):
    """A recognizer that is unknown, or given something that it does not take."""


class UnavailableError(RecognizerError):
    """A recognizer whose third-party program is not installed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One recording that the clip may come from.

    Attributes
    ----------
    key
        The name given to ``add``.
    score
        Higher is better; comparable between queries of one system, not between systems.
    offset_s
        Where the clip starts in the recording, in seconds; nan if the system gives none.
    tau, rho
        Time factor (clip duration / recording duration) and pitch factor (clip frequency /
        recording frequency); nan where the system does not estimate them.
    """

    key: str
    score: float
    offset_s: float = math.nan
    tau: float = math.nan
    rho: float = math.nan


@runtime_checkable
class Recognizer(Protocol):
    """A system that stores recordings and identifies the one that a clip comes from.

    Samples are mono float32, shape (n,), full scale 1, 16 kHz.
    """

    name: str
    settings: str

    def add(self, key: str, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
        """Store a recording under a new key; RecognizerError if the key is taken."""

    def query(self, samples: np.ndarray) -> list[Answer]:
        """Answers, best first; empty when the system finds nothing."""

    def delete(self, key: str) -> None:
        """Forget a recording; RecognizerError if there is none of that key."""

    def stored_bits(self) -> int:
        """Bits of all stored hashes, as wide as the system writes them.

        Recording numbers, times and search tables are not counted.
        """


class System(NamedTuple):
    """Where a recognizer is implemented; the first of its settings is the default."""

    module: str
    cls: str
    settings: tuple[str, ...]


SYSTEMS = {
    "dejavu": System("dejavu", "Dejavu", ("best", "paper")),
    "rafs": System("rafs", "Rafs", ("best", "paper")),
    "panako-nfft": System("panako_nfft", "PanakoNfft", ("best", "paper")),
    "panako-ncteq": System("panako_ncteq", "PanakoNcteq", ("best", "paper")),
    "panako2": System("panako2", "Panako2", ("best", "paper")),
    "random": System("chance", "Chance", ("uniform",)),
    "bruteforce": System("bruteforce", "BruteForce", ("spectrogram",)),
    "chromaprint": System("outside", "Chromaprint", ("best", "paper")),
}
# The paper's "Panako" is the strategy NFFT; today's Panako is the algorithm of 2021.
ALIASES = {
    "panako": "panako2:best",
    "panako:best": "panako2:best",
    "panako:paper": "panako-nfft:paper",
}


def available() -> list[str]:
    """All specs ``NAME:SETTINGS`` that ``create`` knows, whether installed or not."""
    return [f"{name}:{choice}" for name, system in SYSTEMS.items() for choice in system.settings]


def create(spec: str) -> Recognizer:
    """Make an empty recognizer.

    Parameters
    ----------
    spec
        ``NAME`` or ``NAME:SETTINGS``, for example ``rafs`` or ``rafs:paper``. Without
        settings the best ones are taken. ``panako`` stands for ``panako2:best`` and
        ``panako:paper`` for ``panako-nfft:paper``.

    Raises
    ------
    RecognizerError
        The spec is unknown.
    UnavailableError
        The recognizer needs a third-party program that is not on the PATH.
    """
    name, _, settings = ALIASES.get(spec, spec).partition(":")
    system = SYSTEMS.get(name)
    if system is None or (settings and settings not in system.settings):
        known = ", ".join([*available(), *ALIASES])
        raise RecognizerError(f"unknown recognizer {spec!r}: choose one of {known}")
    cls = getattr(importlib.import_module(f"baselines.{system.module}"), system.cls)
    return cast(Recognizer, cls(settings or system.settings[0]))


def checked(samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """The samples as float32 if they are what recognizers take, else RecognizerError."""
    if sample_rate != SAMPLE_RATE:
        raise RecognizerError(
            f"samples at {sample_rate} Hz: recognizers take {SAMPLE_RATE} Hz, resample first"
        )
    samples = np.asarray(samples)
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        raise RecognizerError(
            f"samples of shape {samples.shape} and type {samples.dtype}: "
            "recognizers take one channel of floats, mix down first"
        )
    if not np.isfinite(samples).all():
        raise RecognizerError("samples hold nan or infinity: decode the file again")
    return samples.astype(np.float32, copy=False)
