"""How verified matches are printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from math import isnan

from samaf.cli.render import Lines, View
from samaf.cli.text import clock
from samaf.cli.views import COMPARISON, QUERY, comparison_lines, query_lines
from samaf.records import Band, Comparison, Match, QueryResult, Verification

VERIFIED_TITLES = (
    *("signals", ">z", ">log10 LR", "agree in the clip"),
    *(">lag, samples", ">drift, ppm", "bands, Hz"),
)


def verified_cells(match: Match) -> tuple[str, ...]:
    """Give the cells of a table for `VERIFIED_TITLES`."""
    verification = match.verification
    if verification is None:
        return ("",) * len(VERIFIED_TITLES)
    if verification.reason:
        return (f"not compared: {verification.reason}", *[""] * 6)
    z = (verification.z_waveform, verification.z_windows)
    begin, end = clock(verification.query_start), clock(verification.query_stop)
    exact = not isnan(verification.lag_samples)
    return (
        "verified" if verification.verified else "not verified",
        " / ".join("-" if isnan(value) else f"{value:.1f}" for value in z),
        f"{verification.log10_lr:.1f}",
        f"{begin}-{end}" if exact else "",
        f"{verification.lag_samples:.1f}" if exact else "",
        _drift(verification) if exact else "",
        bands_text(verification.bands),
    )


def _drift(verification: Verification) -> str:
    """Write the drift of a clock; a change of speed stands with the alteration."""
    return "" if str(verification.manipulation) else f"{verification.drift_ppm:+.0f}"


def bands_text(bands: tuple[Band, ...]) -> str:
    """Write the bands that agree, neighbors as one.

    Examples
    --------
    >>> edges = (150, 300, True), (300, 600, True), (600, 1200, False), (1200, 2000, True)
    >>> bands_text(tuple(Band(low, high, 0.5, agrees) for low, high, agrees in edges))
    '150-600, 1200-2000'
    """
    joined: list[list[int]] = []
    for band in bands:
        if band.coherent and joined and joined[-1][1] == band.low:
            joined[-1][1] = band.high
        elif band.coherent:
            joined.append([band.low, band.high])
    return ", ".join(f"{low}-{high}" for low, high in joined)


def _query_lines(result: QueryResult) -> Lines:
    for match, (*cells, labels) in zip(result.matches, query_lines(result), strict=False):
        yield (*cells, *verified_cells(match), labels)
    if not result.matches:
        for *cells, labels in query_lines(result):
            yield (*cells, *[""] * len(VERIFIED_TITLES), labels)


VERIFIED_QUERY: View[QueryResult] = View(
    (*QUERY.titles[:-1], *VERIFIED_TITLES, QUERY.titles[-1]),
    _query_lines,
    QUERY.record,
    (*QUERY.fields, "verification"),
)


def _comparison_lines(comparison: Comparison) -> Lines:
    for match, cells in zip(comparison.matches, comparison_lines(comparison), strict=False):
        yield (*cells, *verified_cells(match))
    if not comparison.matches:
        for cells in comparison_lines(comparison):
            yield (*cells, *[""] * len(VERIFIED_TITLES))


VERIFIED_COMPARISON: View[Comparison] = View(
    (*COMPARISON.titles, *VERIFIED_TITLES),
    _comparison_lines,
    COMPARISON.record,
    (*COMPARISON.fields, "verification"),
)
