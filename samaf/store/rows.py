"""Records as rows of the tables, and back; what no table can take is refused here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Row

from samaf.errors import StoreError
from samaf.media import MediaInfo
from samaf.records import Codes, Recording
from samaf.store import schema
from samaf.store.blobs import HashRow, pack
from samaf.store.text import escape

T = TypeVar("T")
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredFingerprinter:
    """What a store knows of the fingerprinter that its hashes come from.

    Attributes
    ----------
    digest
        SHA-256 of model file and parameters, 64 hexadecimal digits: its identity.
    name
        The model's name, for people.
    bits
        Bits of one hash, a multiple of 8.
    family
        The kind of encoder, such as LSTM.
    parameters
        All feature parameters; JSON can hold them.
    """

    digest: str
    name: str
    bits: int
    family: str
    parameters: Mapping[str, Any]


def now() -> datetime:
    """Return UTC time to the second, as the tables hold it: without time zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)


def iso(time: datetime) -> str:
    """Return a time of the tables in ISO 8601."""
    return time.replace(tzinfo=timezone.utc).isoformat()


def chunks(items: Iterable[T], size: int) -> Iterable[list[T]]:
    """Cut items into lists of at most ``size``."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def fingerprinter_values(fingerprinter: StoredFingerprinter) -> Values:
    """Return the columns of a fingerprinter, without its id."""
    return {
        "digest": fingerprinter.digest,
        "name": fingerprinter.name,
        "bits": fingerprinter.bits,
        "family": fingerprinter.family,
        "parameters": json.dumps(dict(fingerprinter.parameters), sort_keys=True),
    }


def fingerprinter_of(row: Row[Any]) -> StoredFingerprinter:
    """Return the fingerprinter that a row describes."""
    return StoredFingerprinter(
        row.digest, row.name, row.bits, row.family, json.loads(row.parameters)
    )


@dataclass(frozen=True, slots=True)
class NewRecording:
    """A recording ready to be inserted: columns of all its rows, without its id.

    Attributes
    ----------
    recording, labels, hash_rows
        Columns of its row, of its labels and of its hashes.
    """

    recording: Values
    labels: list[Values]
    hash_rows: list[HashRow]

    @property
    def sha256(self) -> str:
        """Its identity."""
        return str(self.recording["sha256"])

    def stored(self, recording_id: int, revision: int, added_at: str) -> Recording:
        """Return what is in the store once it is inserted."""
        return Recording(
            sha256=self.sha256,
            name=self.recording["name"],
            path=self.recording["path"],
            duration=self.recording["duration"],
            labels={label["name"]: label["value"] for label in self.labels},
            recording_id=recording_id,
            revision=revision,
            added_at=added_at,
            media=media_of(self.recording["media"]),
        )


def new_recording(recording: Recording, hashes: Codes, blocks_per_row: int) -> NewRecording:
    """Make a recording ready to be inserted.

    Raises
    ------
    StoreError
        A field is of a kind or length that the tables do not hold.
    """
    counts = {"hash_count": len(hashes), "streams": hashes.streams}
    values = {**recording_values(recording), **counts}
    return NewRecording(values, label_values(recording.labels), list(pack(hashes, blocks_per_row)))


def recording_of(row: Row[Any], labels: Mapping[str, str]) -> Recording:
    """Return the recording that a row describes."""
    return Recording(
        sha256=row.sha256,
        name=row.name,
        path=row.path,
        duration=row.duration,
        labels=labels,
        recording_id=row.id,
        revision=row.revision,
        added_at=iso(row.added_at),
        media=media_of(row.media),
    )


def recording_values(recording: Recording) -> Values:
    """Return the columns of a recording that do not depend on the store.

    Raises
    ------
    StoreError
        A field is of a kind or length that the tables do not hold.
    """
    name = _checked("the name", recording.name, schema.NAME_LENGTH)
    if not re.fullmatch(r"[0-9a-fA-F]{64}", recording.sha256):
        raise StoreError(f"{name!a}: {recording.sha256!a} is no SHA-256 (64 hexadecimal digits)")
    if not 0 <= recording.duration < math.inf:
        raise StoreError(f"{name!a}: a recording cannot last {recording.duration} s")
    return {
        "sha256": recording.sha256.lower(),
        "name": name,
        "path": _checked("the path", recording.path, schema.PATH_LENGTH),
        "duration": float(recording.duration),
        "media": media_text(recording.media),
    }


def media_text(media: MediaInfo | None) -> str | None:
    """Write what was decoded as the tables hold it."""
    return json.dumps(media.to_dict()) if media else None


def media_of(text: str | None) -> MediaInfo | None:
    """Read what `media_text` wrote."""
    return MediaInfo.from_dict(json.loads(text)) if text else None


def label_values(labels: Mapping[str, str]) -> list[Values]:
    """Return the columns of labels, without the recording they belong to.

    Raises
    ------
    StoreError
        A label has no name, or its name or value is too long.
    """
    if "" in labels:
        raise StoreError(f"the label with the value {labels['']!a:.80} has no name; name it")
    return [
        {
            "position": position,
            "name": _checked("the label name", name, schema.LABEL_NAME_LENGTH),
            "value": _checked(f"the label {name!a:.80}", value, schema.LABEL_VALUE_LENGTH),
        }
        for position, (name, value) in enumerate(labels.items())
    ]


def _checked(what: str, text: str, length: int) -> str:
    # A surrogate takes six characters once it is escaped.
    if len(text) > length or len(escape(text)) > length:
        raise StoreError(f"{what} {text!a:.80}... has more than {length:,} characters; shorten it")
    return text
