"""The matches of a record as CSV: one line a match, one for a clip without any."""

from __future__ import annotations

import csv
import io

from samaf.report.record import Examination
from samaf.text import spreadsheet_cell

FIELDS = (
    *("clip", "sha256", "duration", "outcome", "reason"),
    *("reference_id", "reference", "reference_sha256"),
    *("query_start", "query_stop", "reference_start", "reference_stop"),
    *("ber", "score", "log10_lr", "altered", "channel"),
)


def matches_csv(record: Examination) -> str:
    """Write the matches of a record."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n", restval="")
    writer.writeheader()
    for clip in record.clips:
        about = {
            "clip": spreadsheet_cell(clip.given),
            "sha256": clip.item.sha256 if clip.item else "",
            "duration": round(clip.item.duration, 3) if clip.item else "",
            "outcome": clip.outcome,
            "reason": spreadsheet_cell(clip.reason),
        }
        for found in clip.matches:
            ratios = [e.log10_lr for e in found.evidence if e.log10_lr is not None]
            writer.writerow(
                {
                    **about,
                    "reference_id": found.recording.recording_id,
                    "reference": spreadsheet_cell(found.recording.name),
                    "reference_sha256": found.recording.sha256,
                    "query_start": round(found.query_start, 3),
                    "query_stop": round(found.query_stop, 3),
                    "reference_start": round(found.reference_start, 3),
                    "reference_stop": round(found.reference_stop, 3),
                    "ber": round(found.ber, 4),
                    "score": round(found.score, 2),
                    "log10_lr": round(min(ratios), 2) if ratios else "",
                    "altered": found.alteration.text,
                    "channel": found.channel,
                }
            )
        if not clip.matches:
            writer.writerow(about)
    return out.getvalue()
