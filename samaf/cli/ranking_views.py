"""How the ranking of a model of vectors is printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from samaf.cli.render import Lines, View, labelled, shown_path
from samaf.cli.text import clock
from samaf.json_records import RANKING_FIELDS, ranking_record
from samaf.records import RankingResult


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
    ranking_record,
    ("query", "duration", "sha256", "padded", "media", *RANKING_FIELDS),
)
