"""How the candidates of a model of vectors are printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from samaf.cli.render import Record, View, here, labelled
from samaf.cli.text import clock
from samaf.records import QueryResult

RANKING_FIELDS = (
    *("rank", "reference_id", "reference", "labels", "segment"),
    *("query_start", "query_stop", "reference_start", "reference_stop"),
    *("votes", "distance", "distances"),
)


def _candidates_record(result: QueryResult) -> Record:
    candidates = [
        {
            "rank": rank,
            "reference_id": candidate.recording.recording_id,
            "reference": candidate.recording.name,
            "labels": dict(candidate.recording.labels),
            "segment": candidate.segment,
            "query_start": round(candidate.query_start, 3),
            "query_stop": round(candidate.query_stop, 3),
            "reference_start": round(candidate.reference_start, 3),
            "reference_stop": round(candidate.reference_stop, 3),
            "votes": candidate.votes,
            "distance": round(candidate.distance, 4),
            "distances": [round(distance, 4) for distance in candidate.distances],
        }
        for rank, candidate in enumerate(result.ranking, 1)
    ]
    return {
        "query": result.query,
        "duration": round(result.duration, 3),
        "sha256": result.sha256,
        "padded": result.padded,
        "candidates": candidates,
    }


def _candidates_lines(result: QueryResult) -> Iterator[Sequence[str]]:
    name = here(result.query) + " (padded with silence)" * result.padded
    for rank, candidate in enumerate(result.ranking, 1):
        yield (
            name,
            str(rank),
            candidate.recording.name,
            str(candidate.votes),
            f"{candidate.distance:.2f}",
            clock(candidate.query_start),
            clock(candidate.query_stop),
            clock(candidate.reference_start),
            clock(candidate.reference_stop),
            labelled(candidate.recording.labels),
        )
    if not result.ranking:
        yield (name, "", f"none: {result.reason}", *[""] * 7)


RANKING: View[QueryResult] = View(
    (
        *("clip", ">rank", "recording", ">votes", ">distance"),
        *(">from", ">to", ">from", ">to", "labels"),
    ),
    _candidates_lines,
    _candidates_record,
    ("query", "duration", "sha256", "padded", *RANKING_FIELDS),
)
