"""Recordings with labels and hashes as a table for other programs, and back.

One line a recording, as Parquet or CSV by the ending of the file. The columns are those of
`COLUMNS`; each line says which fingerprinter its hashes are of, so lines of several files
can be joined without mixing them up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from samaf.errors import StoreError
from samaf.records import Codes, Recording
from samaf.store.maintenance import sheets
from samaf.store.maintenance.files import new_file
from samaf.store.maintenance.merging import MergeResult, batches, contents, take
from samaf.store.maintenance.sheets import BadLineError, Line, Sheet
from samaf.store.maintenance.transfer import Progress, no_progress
from samaf.store.rows import StoredFingerprinter, media_of, media_text
from samaf.store.store import Store
from samaf.store.text import escape, unescape


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written to a file.

    Attributes
    ----------
    url
        The store, without password.
    path
        The file.
    recordings, hashes
        How many it holds.
    bytes
        Its size.
    """

    url: str
    path: str
    recordings: int
    hashes: int
    bytes: int


def export(url: str | None, path: Path, *, on_progress: Progress = no_progress) -> ExportResult:
    """Write all recordings, as of one moment, with labels and hashes to a new file.

    Raises
    ------
    StoreError
        The ending is neither ``.parquet`` nor ``.csv``, the file exists or cannot be
        written, the store belongs to no fingerprinter, or pyarrow is missing.
    """
    sheet = sheets.of(path)
    recordings = hashes = 0
    with Store.open(url, create=False) as store:
        fingerprinter = store.fingerprinter()
        if fingerprinter is None:
            raise StoreError(f"{store.url}: holds nothing yet; `samaf add` fills it")
        total = store.stats().hashes

        def lines() -> Iterator[list[Line]]:
            nonlocal recordings, hashes
            for batch in contents(store):
                yield [_line(recording, packed, fingerprinter) for recording, packed in batch]
                recordings += len(batch)
                hashes += sum(len(packed) for _, packed in batch)
                on_progress(hashes, total)

        with new_file(path) as temporary:
            sheet.write(temporary, lines(), fingerprinter.bits // 8)
    return ExportResult(store.url, str(path), recordings, hashes, path.stat().st_size)


def import_(url: str | None, path: Path, *, on_progress: Progress = no_progress) -> MergeResult:
    """Add the recordings of a file that `export` wrote, or another program like it.

    A recording that is here already (same SHA-256) is passed over but for labels that it
    lacks. Each batch is one transaction, so the same command goes on where it was stopped.

    Raises
    ------
    StoreError
        The file cannot be read, a line cannot be understood, or its hashes are of another
        fingerprinter than the store's.
    """
    sheet = sheets.of(path)
    with sheets.reading(path):
        done, total = 0, sheet.count(path)
        lines = _lines(sheet, path)
        first = list(islice(lines, 1))  # what is no table makes no store
        with Store.open(url) as store:
            taken = MergeResult(str(path), store.url)

            def items() -> Iterator[tuple[Recording, Codes]]:
                for fingerprinter, recording, hashes in chain(first, lines):
                    store.bind(fingerprinter)
                    yield recording, hashes

            for batch in batches(items()):
                taken = take(taken, store, batch, "import")
                done += len(batch)
                on_progress(done, total)
    return taken


def _lines(sheet: Sheet, path: Path) -> Iterator[tuple[StoredFingerprinter, Recording, Codes]]:
    """Yield what the lines of a file say."""
    for number, line in enumerate(sheet.read(path), 1):
        try:
            fingerprinter = _fingerprinter(line)
            recording, hashes = _item(line, fingerprinter)
        except (TypeError, ValueError, RecursionError) as error:
            raise StoreError(
                f"{path}: recording {number} of the file cannot be read ({error}); "
                "fix it or export again"
            ) from None
        yield fingerprinter, recording, hashes


def _line(recording: Recording, hashes: Codes, fingerprinter: StoredFingerprinter) -> Line:
    return {
        "recording_id": recording.recording_id,
        "sha256": recording.sha256,
        "name": escape(recording.name),
        "path": escape(recording.path),
        "duration": recording.duration,
        "added_at": recording.added_at,
        "labels": {escape(name): escape(value) for name, value in recording.labels.items()},
        "model": fingerprinter.name,
        "digest": fingerprinter.digest,
        "bits": fingerprinter.bits,
        "family": fingerprinter.family,
        "parameters": json.dumps(dict(fingerprinter.parameters), sort_keys=True),
        "informative": hashes.informative,
        "hashes": hashes.packed,
        "streams": hashes.streams,
        "media": media_text(recording.media) or "",
    }


def _fingerprinter(line: Line) -> StoredFingerprinter:
    bits = int(line["bits"])
    digest = str(line["digest"]).lower()
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise BadLineError(f"its digest {digest!a:.80} has not 64 hexadecimal digits")
    if not 0 < bits < 1 << 16 or bits % 8:
        raise BadLineError(f"hashes of {bits} bits; they are multiples of 8")
    parameters = json.loads(str(line["parameters"]))
    if not isinstance(parameters, dict):
        raise BadLineError("its parameters are no JSON object")
    return StoredFingerprinter(digest, str(line["model"]), bits, str(line["family"]), parameters)


def _item(line: Line, fingerprinter: StoredFingerprinter) -> tuple[Recording, Codes]:
    packed, informative = line["hashes"], line["informative"]
    width = fingerprinter.bits // 8
    if len(packed) % width:
        raise BadLineError(f"{len(packed)} bytes are no whole hashes of {width}")
    packed = packed.reshape(-1, width)
    if len(informative) != len(packed) or not len(packed):
        raise BadLineError(f"{len(packed)} hashes and {len(informative)} flags")
    recording = Recording(
        sha256=str(line["sha256"]),
        name=unescape(str(line["name"])),
        path=unescape(str(line["path"])),
        duration=float(line["duration"]),
        labels={unescape(str(n)): unescape(str(v)) for n, v in line["labels"].items()},
        media=media_of(line.get("media")),
    )
    streams = int(line.get("streams") or 1)
    sides = len(recording.media.sides) if recording.media else 0
    if streams not in (1, 1 + sides) or len(packed) % streams:
        raise BadLineError(f"hashes of {streams} streams, and {sides} sides are described")
    return recording, Codes(packed, informative, streams=streams)
