"""The matches of a record as CSV: one line a match, one for a clip without any."""

from __future__ import annotations

from samaf.csv_rows import csv_lines
from samaf.report.examined import Examined, Found
from samaf.report.record import Examination

FIELDS = (
    *("clip", "sha256", "duration", "outcome", "reason"),
    *("reference_id", "reference", "reference_sha256"),
    *("query_start", "query_stop", "reference_start", "reference_stop"),
    *(
        "ber",
        "score",
        "log10_lr",
        "altered",
        "channel",
        "reference_channel",
        "verified",
        "decision",
    ),
)


def matches_csv(record: Examination) -> str:
    """Write the matches of a record."""
    return "".join(csv_lines(FIELDS, map(_clip, record.clips)))


def _clip(clip: Examined) -> dict[str, object]:
    return {
        "clip": clip.given,
        "sha256": clip.item.sha256 if clip.item else "",
        "duration": round(clip.item.duration, 3) if clip.item else None,
        "outcome": clip.outcome,
        "reason": clip.reason,
        "matches": [_match(found) for found in clip.matches],
    }


def _match(found: Found) -> dict[str, object]:
    ratio = found.evidence[0].log10_lr
    return {
        "reference_id": found.recording.recording_id,
        "reference": found.recording.name,
        "reference_sha256": found.recording.sha256,
        "query_start": round(found.query_start, 3),
        "query_stop": round(found.query_stop, 3),
        "reference_start": round(found.reference_start, 3),
        "reference_stop": round(found.reference_stop, 3),
        "ber": round(found.ber, 4),
        "score": round(found.score, 2),
        "log10_lr": None if ratio is None else round(ratio, 2),
        "altered": found.alteration.text,
        "channel": found.channel,
        "reference_channel": found.reference_channel,
        "verified": found.signal.verified if found.signal else None,
        "decision": found.judgements[0].decision if found.judgements else "",
    }
