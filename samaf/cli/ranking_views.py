"""How the ranking of a model of vectors is printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from samaf.cli.media_views import media_record
from samaf.cli.render import Lines, Record, View, labelled, shown_path
from samaf.cli.text import clock
from samaf.records import RankingResult

RANKING_FIELDS = (
    *("rank", "reference_id", "reference", "labels", "segment"),
    *("query_start", "query_stop", "reference_start", "reference_stop"),
    *("votes", "distance", "distances"),
)


def _ranking_record(result: RankingResult) -> Record:
    ranking = [
        {
            "rank": rank,
            "reference_id": ranked.recording.recording_id,
            "reference": ranked.recording.name,
            "labels": dict(ranked.recording.labels),
            "segment": ranked.segment,
            "query_start": round(ranked.query_start, 3),
            "query_stop": round(ranked.query_stop, 3),
            "reference_start": round(ranked.reference_start, 3),
            "reference_stop": round(ranked.reference_stop, 3),
            "votes": ranked.votes,
            "distance": round(ranked.distance, 4),
            "distances": [round(distance, 4) for distance in ranked.distances],
        }
        for rank, ranked in enumerate(result.ranking, 1)
    ]
    return {
        "query": result.query,
        "duration": round(result.duration, 3),
        "sha256": result.sha256,
        "padded": result.padded,
        "media": media_record(result.media),
        "ranking": ranking,
    }


def _ranking_lines(result: RankingResult) -> Lines:
    name = shown_path(result.query) + " (padded with silence)" * result.padded
    for rank, ranked in enumerate(result.ranking, 1):
        yield (
            name,
            str(rank),
            ranked.recording.name,
            str(ranked.votes),
            f"{ranked.distance:.2f}",
            clock(ranked.query_start),
            clock(ranked.query_stop),
            clock(ranked.reference_start),
            clock(ranked.reference_stop),
            labelled(ranked.recording.labels),
        )
    if not result.ranking:
        yield (name, "", f"none: {result.reason}", *[""] * 7)


RANKING: View[RankingResult] = View(
    (
        *("clip", ">rank", "recording", ">votes", ">distance"),
        *(">from", ">to", ">from", ">to", "labels"),
    ),
    _ranking_lines,
    _ranking_record,
    ("query", "duration", "sha256", "padded", "media", *RANKING_FIELDS),
)
