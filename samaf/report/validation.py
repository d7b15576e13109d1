"""What a model card says about the validation of its decision.

It is the entry ``decision`` of the card's ``figures``, with the fields of
`samaf.report.record.Validation`; each may be missing. A card without the entry was not
validated in a way that a report can print, and the report says so.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from samaf.errors import ReportError
from samaf.report.record import ValidatedLength, Validation
from samaf.report.values import read

ENTRY = "decision"

_log = logging.getLogger(__name__)


def validation_of(figures: Mapping[str, Any], model: str) -> Validation | None:
    """Read the validation from the figures of a card; None where there is none."""
    given = figures.get(ENTRY)
    if given is None:
        return None
    try:
        return read(Validation, given, f"the card of {model}", f"figures.{ENTRY}")
    except ReportError as error:
        # A card that knows more than this program must not keep it from reporting.
        _log.warning("%s; its validation is left out of the report", error)
        return None


def nearest_length(validation: Validation, seconds: float) -> ValidatedLength | None:
    """Give the validated length that is nearest to some seconds, by their ratio."""
    usable = [length for length in validation.lengths if length.seconds > 0]
    if not usable or seconds <= 0:
        return None
    return min(usable, key=lambda length: max(length.seconds / seconds, seconds / length.seconds))


def is_inside(validation: Validation, seconds: float) -> bool:
    """Whether a length lies between the shortest and the longest that were validated."""
    lengths = [length.seconds for length in validation.lengths]
    return bool(lengths) and min(lengths) <= seconds <= max(lengths)
