"""The score calibrations that answers rest on."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from samaf.fingerprinters import Fingerprinter, ScoreCalibration


def calibration_of(fingerprinter: Fingerprinter) -> ScoreCalibration:
    """Give a model's score calibration; log a warning, once a model, where nobody has fitted it."""
    calibration = fingerprinter.card.calibration
    if not calibration.calibrated:
        _warn(fingerprinter.path)
    return calibration


@cache
def _warn(model: Path) -> None:
    logging.getLogger("samaf").warning(
        "%s is not calibrated: its scores, and the rates of false matches, are guesses; "
        "fit them with `python -m benchmarks.calibration %s --write`",
        model.stem,
        model,
    )
