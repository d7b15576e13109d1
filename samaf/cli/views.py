"""How matches are printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from samaf.cli.media_views import media_record, with_channel
from samaf.cli.render import Lines, Record, View, labelled, shown_path
from samaf.cli.text import clock
from samaf.records import Comparison, Duplicate, Match, QueryResult


def match_record(match: Match) -> Record:
    """Give the JSON object of a match: times to 1 ms, rates to 4 digits."""
    manipulation = match.manipulation
    return {
        "reference_id": match.recording.recording_id,
        "reference": match.recording.name,
        "labels": dict(match.recording.labels),
        "query_start": round(match.query_start, 3),
        "query_stop": round(match.query_stop, 3),
        "reference_start": round(match.reference_start, 3),
        "reference_stop": round(match.reference_stop, 3),
        "ber": round(match.ber, 4),
        "score": round(match.score, 2),
        "log10_lr": round(match.log10_lr, 2),
        "manipulation": {
            "tau": round(manipulation.tau, 4),
            "rho": round(manipulation.rho, 4),
            "reversed": manipulation.reversed,
        },
        "channel": match.channel,
        "reference_channel": match.reference_channel,
    }


MATCH_FIELDS = (
    "reference_id",
    "reference",
    "labels",
    "query_start",
    "query_stop",
    "reference_start",
    "reference_stop",
    "ber",
    "score",
    "log10_lr",
    "manipulation",
    "channel",
    "reference_channel",
)
MATCH_TITLES = (
    *(">from", ">to", "recording", ">from", ">to"),
    *("altered", ">BER", ">score", ">log10 LR"),
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
    )


def _query_record(result: QueryResult) -> Record:
    return {
        "query": result.query,
        "duration": round(result.duration, 3),
        "sha256": result.sha256,
        "media": media_record(result.media),
        "matches": [match_record(match) for match in result.matches],
    }


def _query_lines(result: QueryResult) -> Lines:
    name = shown_path(result.query)
    for match in result.matches:
        clip = with_channel(name, match.channel)
        yield (clip, *match_cells(match), labelled(match.recording.labels))
    if not result.matches:
        unknown = f"unknown: {result.reason}" if result.reason else "unknown"
        yield (name, "", "", unknown, *[""] * 7)


QUERY: View[QueryResult] = View(
    ("clip", *MATCH_TITLES, "labels"),
    _query_lines,
    _query_record,
    ("query", "duration", "sha256", "media", *MATCH_FIELDS),
)


def _heard_lines(match: Match) -> Lines:
    yield match_cells(match)


MONITORED: View[Match] = View(MATCH_TITLES, _heard_lines, match_record, MATCH_FIELDS)


def _stretch_record(match: Match) -> Record:
    """Give a match without its recording, for those where that is known."""
    left_out = {"reference_id", "reference", "labels"}
    return {name: value for name, value in match_record(match).items() if name not in left_out}


def _stretch_cells(match: Match) -> tuple[str, ...]:
    start, stop, _, *others = match_cells(match)
    return (start, stop, *others)


STRETCH_TITLES = (">A from", ">to", ">B from", ">to", "altered", ">BER", ">score", ">log10 LR")
STRETCH_FIELDS = MATCH_FIELDS[3:]


def _comparison_record(comparison: Comparison) -> Record:
    return {
        "first": comparison.first,
        "second": comparison.second,
        # Nobody knows where nothing could be compared.
        "common": None if comparison.reason else bool(comparison.matches),
        "reason": comparison.reason,
        "first_media": media_record(comparison.first_media),
        "second_media": media_record(comparison.second_media),
        "matches": [_stretch_record(match) for match in comparison.matches],
    }


def _comparison_lines(comparison: Comparison) -> Lines:
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
    _comparison_lines,
    _comparison_record,
    ("first", "second", "common", "reason", "first_media", "second_media", *STRETCH_FIELDS),
)


def _duplicate_record(pair: Duplicate) -> Record:
    return {
        "first_id": pair.first.recording_id,
        "first": pair.first.name,
        "second_id": pair.second.recording_id,
        "second": pair.second.name,
        "matches": [_stretch_record(match) for match in pair.matches],
    }


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
    _duplicate_record,
    ("first_id", "first", "second_id", "second", *STRETCH_FIELDS),
)
