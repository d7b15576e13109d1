"""Answers that were kept as JSON, as records again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from samaf.records import Manipulation, Match, Recording


def ranked(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the matches of an answer, or its ranking."""
    found: list[dict[str, Any]] = result.get("matches", result.get("ranking", []))
    return found


def match_of(found: Mapping[str, Any], recording: Recording) -> Match:
    """Give a match of `samaf.json_records.match_record` with its places."""
    return Match(
        recording,
        found["query_start"],
        found["query_stop"],
        found["reference_start"],
        found["reference_stop"],
        found["ber"],
        found["score"],
        Manipulation(**found["manipulation"]),
        channel=found.get("channel", ""),
        reference_channel=found.get("reference_channel", ""),
    )


def matches_of(result: Mapping[str, Any], stored: Mapping[int, Recording]) -> Iterator[Match]:
    """Give the matches of an answer; a recording that was deleted has its name alone."""
    for found in ranked(result):
        number = found["reference_id"]
        gone = Recording("", found["reference"], "", 0.0, recording_id=number)
        yield match_of(found, stored.get(number, gone))
