"""Numbers and times as a report writes them."""

from __future__ import annotations

from math import log10

from samaf.report.examined import Found, Stored
from samaf.report.record import Case, Examination

NAMES = {"speech": "H2a", "text": "H2b"}  # of alternatives, in the propositions
NOT_EXAMINED = "not examined"
NOT_AVAILABLE = "not available"


def moment(seconds: float) -> str:
    """Write a time within a file.

    Examples
    --------
    >>> moment(2.0038), moment(3725.5)
    ('0:02.004', '1:02:05.500')
    """
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 1000:02d}.{rest % 1000:03d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def span(start: float, stop: float) -> str:
    """Write a stretch of a file: from, to."""
    return f"{moment(start)} to {moment(stop)}"


def decibels(value: float | None) -> str:
    """Write a level."""
    return NOT_AVAILABLE if value is None else f"{value:.1f} dB"


def chance(score: float, validated: int) -> str:
    """Write the expected false matches of a score, never rarer than a validation can show.

    ``validated`` is the number of its queries whose recording is not stored; 0 where there is none.

    Examples
    --------
    >>> chance(1.25, 1761), chance(28.2, 1761), chance(-0.3, 1761), chance(28.2, 0)
    ('1 in 17', 'below 1 in 1,761', '2.0', 'not validated')
    """
    if not validated:
        return "not validated"
    if score <= 0:
        return f"{10**-score:.1f}"
    if score > log10(validated):
        return f"below 1 in {validated:,}"
    per = int(10**score)
    digits = max(0, len(str(per)) - 2)
    return f"1 in {per // 10**digits * 10**digits:,}"


def labels(recording: Stored) -> str:
    """Write the labels of a recording on one line."""
    return ", ".join(f"{name}={value}" for name, value in recording.labels)


def count(number: int, one: str, many: str) -> str:
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else many}"


def number_of(case: Case) -> str:
    """Write number and version of a report for the head of each page."""
    version = f", version {case.version}" if case.version else ""
    return f"{case.number}{version}"


def log10_lr(found: Found) -> str:
    """Write the likelihood ratio of a match against the alternative that decided."""
    ratio = found.evidence[0].log10_lr
    return "none" if ratio is None else f"{ratio:.2f}"


def date_of(record: Examination) -> str:
    """Give the date of a report: when it was issued, or made."""
    return record.case.issued or record.made_at
