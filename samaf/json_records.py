"""The JSON objects of the records that cross package boundaries: the same in a shell and over HTTP.

Times are rounded to 1 ms, rates to 4 digits. The ``..._FIELDS`` are the columns of the same
records as CSV; see `samaf.csv_rows`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from math import isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # records import NumPy
    from samaf.events import StreamGap, StreamMatch
    from samaf.media import MediaInfo
    from samaf.records import (
        Duplicate,
        Manipulation,
        Match,
        QueryResult,
        RankingResult,
        Recording,
        RecordingGroup,
        RepeatCluster,
        SyncedRecording,
        Verification,
    )
    from samaf.status import StoreStats

Record = dict[str, Any]


def media_record(media: MediaInfo | None) -> Record | None:
    """Give the JSON object of what was decoded; none where nothing is known."""
    return media.to_dict() if media else None


def match_record(match: Match) -> Record:
    """Give the JSON object of a match: times to 1 ms, rates to 4 digits.

    It has a ``verification`` only where the signals were to be compared.
    """
    record = {
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
        "score_other_speech": round(match.score_other_speech, 2),
        "log10_lr_other_speech": round(match.log10_lr_other_speech, 2),
        "score_same_text": round(match.score_same_text, 2),
        "log10_lr_same_text": round(match.log10_lr_same_text, 2),
        "same_text_warning": match.same_text_warning,
        "manipulation": _manipulation_record(match.manipulation, 4),
        "channel": match.channel,
        "reference_channel": match.reference_channel,
    }
    if match.verification is not None:
        record["verification"] = verification_record(match.verification)
    return record


def _manipulation_record(manipulation: Manipulation, digits: int) -> Record:
    return {
        "tau": round(manipulation.tau, digits),
        "rho": round(manipulation.rho, digits),
        "reversed": manipulation.reversed,
    }


def verification_record(verification: Verification) -> Record:
    """Give the JSON object of a verification; null stands for what does not apply."""
    return {
        "verified": verification.verified,
        "score": round(verification.score, 2),
        "log10_lr": round(verification.log10_lr, 2),
        "z_waveform": _number(verification.z_waveform, 2),
        "z_windows": _number(verification.z_windows, 2),
        "query_start": round(verification.query_start, 3),
        "query_stop": round(verification.query_stop, 3),
        "reference_start": round(verification.reference_start, 4),
        "reference_stop": round(verification.reference_stop, 4),
        "lag_samples": _number(verification.lag_samples, 1),
        "drift_ppm": round(verification.drift_ppm, 1),
        "manipulation": _manipulation_record(verification.manipulation, 7),
        "inverted": verification.inverted,
        "bands": [
            {
                "low": band.low,
                "high": band.high,
                "coherence": round(band.coherence, 3),
                "coherent": band.coherent,
            }
            for band in verification.bands
        ],
        "repeats": [round(start, 3) for start in verification.repeats],
        "reason": verification.reason,
    }


def _number(value: float, digits: int) -> float | None:
    return None if isnan(value) else round(value, digits)


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
    "score_other_speech",
    "log10_lr_other_speech",
    "score_same_text",
    "log10_lr_same_text",
    "same_text_warning",
    "manipulation",
    "channel",
    "reference_channel",
)


def query_record(result: QueryResult) -> Record:
    """Give the JSON object of a query with a model of hashes."""
    return {
        "query": result.query,
        "duration": round(result.duration, 3),
        "sha256": result.sha256,
        "media": media_record(result.media),
        "unsearched": list(result.unsearched),
        "more": result.more,
        "matches": [match_record(match) for match in result.matches],
    }


def event_record(event: StreamMatch | StreamGap) -> Record:
    """Give the JSON object of a match or a gap in a stream."""
    from samaf.events import StreamMatch

    if isinstance(event, StreamMatch):
        return {
            "event": "match",
            "stream": event.stream,
            "title": event.title,
            "start_time": _time(event.start_time),
            "stop_time": _time(event.stop_time),
            **match_record(event.match),
        }
    return {
        "event": "gap",
        "stream": event.stream,
        "start_time": _time(event.start_time),
        "stop_time": _time(event.stop_time),
        "query_start": round(event.at, 3),
        "seconds": round(event.seconds, 3),
        "reason": event.reason,
        "tries": event.tries,
        "over": event.over,
    }


def _time(time: datetime | None) -> str | None:
    return time.isoformat(timespec="milliseconds") if time else None


EVENT_FIELDS = (
    *("event", "stream", "title", "start_time", "stop_time"),
    *MATCH_FIELDS,
    *("seconds", "reason", "tries", "over"),
)


def recording_record(recording: Recording) -> Record:
    """Give the JSON object of a recording."""
    return {
        "recording_id": recording.recording_id,
        "name": recording.name,
        "duration": round(recording.duration, 3),
        "labels": dict(recording.labels),
        "sha256": recording.sha256,
        "path": recording.path,
        "added_at": recording.added_at,
        "revision": recording.revision,
        "media": media_record(recording.media),
    }


RECORDING_FIELDS = (
    "recording_id",
    "name",
    "duration",
    "labels",
    "sha256",
    "path",
    "added_at",
    "revision",
    "media",
)


def stats_record(stats: StoreStats) -> Record:
    """Give the JSON object of the statistics of a store."""
    return {
        **asdict(stats),
        "hours": round(stats.hours, 4),
        "day_hours": round(stats.day_hours, 4),
        "label_hours": {name: round(hours, 4) for name, hours in stats.label_hours.items()},
    }


def stretch_record(match: Match) -> Record:
    """Give a match without its recording, for those where that is known."""
    left_out = {"reference_id", "reference", "labels"}
    return {name: value for name, value in match_record(match).items() if name not in left_out}


STRETCH_FIELDS = MATCH_FIELDS[3:]


def duplicate_record(pair: Duplicate) -> Record:
    """Give the JSON object of two recordings that share audio."""
    return {
        "first_id": pair.first.recording_id,
        "first": pair.first.name,
        "second_id": pair.second.recording_id,
        "second": pair.second.name,
        "matches": [stretch_record(match) for match in pair.matches],
    }


RANKING_FIELDS = (
    *("rank", "reference_id", "reference", "labels", "segment"),
    *("query_start", "query_stop", "reference_start", "reference_stop"),
    *("votes", "distance", "distances"),
)


def ranking_record(result: RankingResult) -> Record:
    """Give the JSON object of a query with a model of vectors."""
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


def synced_record(result: SyncedRecording) -> Record:
    """Give the JSON object of a recording on a time line: times to 1 us, clocks to 0.001 ppm."""
    grouped = result.group > 0
    return {
        "path": result.path,
        "sha256": result.sha256,
        "duration": round(result.duration, 3),
        "group": result.group if grouped else None,
        "offset": round(result.offset, 6) if grouped else None,
        "offset_error": round(result.offset_error, 6) if grouped else None,
        "drift_ppm": round(result.drift_ppm, 3) if grouped else None,
        "drift_error_ppm": round(result.drift_error_ppm, 3) if grouped else None,
        "residual": round(result.residual, 6) if grouped else None,
        "moments": result.moments,
        "reason": result.reason,
        "jumps": [
            {"at": round(jump.at, 3), "seconds": round(jump.seconds, 6)} for jump in result.jumps
        ],
    }


SYNCED_FIELDS = (
    "path",
    "sha256",
    "duration",
    "group",
    "offset",
    "offset_error",
    "drift_ppm",
    "drift_error_ppm",
    "residual",
    "moments",
    "reason",
    "at",
    "seconds",
)


def repeats_record(cluster: RepeatCluster) -> Record:
    """Give the JSON object of a piece that recurs."""
    return {
        "cluster": cluster.number,
        "count": len(cluster.places),
        "seconds": round(cluster.seconds, 3),
        "places": [
            {
                "recording_id": place.recording.recording_id or None,
                "recording": place.recording.name,
                "path": place.recording.path,
                "start": round(place.start, 3),
                "stop": round(place.stop, 3),
            }
            for place in cluster.places
        ],
    }


REPEATS_FIELDS = (
    "cluster",
    "count",
    "seconds",
    "recording_id",
    "recording",
    "path",
    "start",
    "stop",
)


def group_record(group: RecordingGroup) -> Record:
    """Give the JSON object of recordings that share audio."""
    return {
        "group": group.number,
        "count": len(group.recordings),
        "recordings": [
            {
                "recording_id": recording.recording_id,
                "recording": recording.name,
                "path": recording.path,
                "duration": round(recording.duration, 3),
                "shared": round(seconds, 3),
            }
            for recording, seconds in zip(group.recordings, group.seconds, strict=True)
        ],
    }


GROUP_FIELDS = ("group", "count", "recording_id", "recording", "path", "duration", "shared")


def overlap_record(pair: Duplicate) -> Record:
    """Give the JSON object of two recordings of two collections that share audio."""
    return {
        "first": pair.first.path,
        "second": pair.second.path,
        "matches": [stretch_record(match) for match in pair.matches],
    }


OVERLAP_FIELDS = ("first", "second", *STRETCH_FIELDS)
