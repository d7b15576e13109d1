"""Verified? Correlation of two signals against lag, and the lag along the clip."""

from __future__ import annotations

from samaf.records import Verification
from samaf.report.pictures.style import WIDTH, styled, svg
from samaf.verification.picture import picture


def lag_curves(verification: Verification) -> bytes:
    """Draw the curves of a verification in the style of a report.

    Raises
    ------
    ValueError
        Nothing was computed.
    """
    with styled():
        figure = picture(verification)
        figure.set_size_inches(WIDTH, 4.0)
        return svg(figure)
