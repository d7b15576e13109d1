"""How matches are printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from samaf.cli.media_views import with_channel
from samaf.cli.render import Lines, View, labelled, shown_path
from samaf.cli.text import clock
from samaf.json_records import (
    MATCH_FIELDS,
    STRETCH_FIELDS,
    Record,
    duplicate_record,
    media_record,
    query_record,
    stretch_record,
)
from samaf.records import Comparison, Duplicate, Match, QueryResult

MATCH_TITLES = (
    *(">from", ">to", "recording", ">from", ">to"),
    *("altered", ">BER", ">score", ">log10 LR", "same text"),
)


def match_cells(match: Match) -> tuple[str, ...]:
    """Give the cells of a table for `MATCH_TITLES`."""
    return (
        clock(match.query_start),
        clock(match.query_stop),
        with_channel(match.recording.name, match.reference_channel),
        clock(match.reference_start),
        clock(match.reference_stop),
        str(match.manipulation) or "-",
        f"{match.ber:.3f}",
        f"{match.score:.1f}",
        f"{match.log10_lr:.1f}",
        "verify" if match.same_text_warning else "-",
    )


def query_lines(result: QueryResult) -> Lines:
    """Give the lines of a table for `QUERY`."""
    name = shown_path(result.query)
    for match in result.matches:
        clip = with_channel(name, match.channel)
        yield (clip, *match_cells(match), labelled(match.recording.labels))
    if not result.matches:
        unknown = f"unknown: {result.reason}" if result.reason else "unknown"
        yield (name, "", "", unknown, *[""] * 8)


QUERY: View[QueryResult] = View(
    ("clip", *MATCH_TITLES, "labels"),
    query_lines,
    query_record,
    ("query", "duration", "sha256", "media", "unsearched", "more", *MATCH_FIELDS),
)


def _stretch_cells(match: Match) -> tuple[str, ...]:
    start, stop, _, *others = match_cells(match)
    return (start, stop, *others)


STRETCH_TITLES = (">A from", ">to", ">B from", ">to", *MATCH_TITLES[5:])


def _comparison_record(comparison: Comparison) -> Record:
    return {
        "first": comparison.first,
        "second": comparison.second,
        # Nobody knows where nothing could be compared.
        "common": None if comparison.reason else bool(comparison.matches),
        "reason": comparison.reason,
        "first_media": media_record(comparison.first_media),
        "second_media": media_record(comparison.second_media),
        "matches": [stretch_record(match) for match in comparison.matches],
    }


def comparison_lines(comparison: Comparison) -> Lines:
    """Give the lines of a table for `COMPARISON`."""
    names = shown_path(comparison.first), shown_path(comparison.second)
    for match in comparison.matches:
        first = with_channel(names[0], match.channel)
        second = with_channel(names[1], match.reference_channel)
        yield (first, second, "same speech", *_stretch_cells(match))
    if not comparison.matches:
        reason = comparison.reason
        answer = f"not compared: {reason}" if reason else "nothing in common"
        yield (*names, answer, *[""] * len(STRETCH_TITLES))


COMPARISON: View[Comparison] = View(
    ("A", "B", "", *STRETCH_TITLES),
    comparison_lines,
    _comparison_record,
    ("first", "second", "common", "reason", "first_media", "second_media", *STRETCH_FIELDS),
)


def _duplicate_lines(pair: Duplicate) -> Lines:
    for match in pair.matches:
        seconds = f"{match.query_stop - match.query_start:.1f} s"
        start, stop, begin, end, _, *others = _stretch_cells(match)
        first = with_channel(pair.first.name, match.channel)
        second = with_channel(pair.second.name, match.reference_channel)
        yield (first, second, seconds, start, stop, begin, end, *others[:2])


DUPLICATES: View[Duplicate] = View(
    ("A", "B", ">shared", ">A from", ">to", ">B from", ">to", ">BER", ">score"),
    _duplicate_lines,
    duplicate_record,
    ("first_id", "first", "second_id", "second", *STRETCH_FIELDS),
)
