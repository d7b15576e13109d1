"""The laws of confidence that answers rest on."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from samaf.fingerprinters import Confidence, Fingerprinter


def law(fingerprinter: Fingerprinter) -> Confidence:
    """Give a model's law; log a warning, once a model, where nobody has fitted it."""
    confidence = fingerprinter.card.confidence
    if not confidence.calibrated:
        _warn(fingerprinter.path)
    return confidence


@cache
def _warn(model: Path) -> None:
    logging.getLogger("samaf").warning(
        "%s is not calibrated: its scores, and the rates of false matches, are guesses; "
        "fit them with `python -m benchmarks.calibration %s --write`",
        model.stem,
        model,
    )
