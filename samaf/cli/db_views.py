"""How the records of ``samaf db`` are printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from samaf.cli.render import Lines, View, shown_path

if TYPE_CHECKING:
    from samaf.db import (
        Backup,
        CopyResult,
        ExportResult,
        Fault,
        MergeResult,
        PruneResult,
        SchemaStatus,
        Setting,
        VacuumResult,
    )


def _schema_lines(status: SchemaStatus) -> Lines:
    yield "store", status.url
    yield "schema", status.schema or "none: the database is empty"
    if not status.schema or status.schema < status.newest:
        yield "newest", f"{status.newest}; `samaf db upgrade` goes there"
    elif status.schema > status.newest:
        yield "newest", f"{status.newest} in this program; update samaf"


def _backup_lines(backup: Backup) -> Lines:
    yield "store", backup.url
    yield "backup", f"{shown_path(backup.path)} ({backup.bytes:,} bytes)"
    yield "recordings", f"{backup.recordings:,} with {backup.hashes:,} hashes"
    yield "revision", str(backup.revision)
    yield "sha256", backup.sha256


def _copied_lines(copied: CopyResult) -> Lines:
    yield "from", copied.source
    yield "to", copied.target
    yield "copied", f"{copied.recordings:,} recordings with {copied.hashes:,} hashes"
    if copied.present:
        yield "before", f"{copied.present:,} recordings"
    yield "revision", str(copied.revision)


def _taken_lines(taken: MergeResult) -> Lines:
    yield "from", shown_path(taken.source)
    yield "to", taken.target
    yield "added", f"{taken.added:,} recordings with {taken.hashes:,} hashes"
    yield "present", f"{taken.present:,} recordings, {taken.labelled:,} of them got more labels"
    if taken.differing:
        yield "differing", f"{taken.differing:,} recordings have other labels here; they stay"


def _exported_lines(exported: ExportResult) -> Lines:
    yield "store", exported.url
    yield "file", f"{shown_path(exported.path)} ({exported.bytes:,} bytes)"
    yield "recordings", f"{exported.recordings:,} with {exported.hashes:,} hashes"


def _setting_lines(setting: Setting) -> Lines:
    yield setting.name, setting.value, "ok" if setting.sound else setting.remedy


def _vacuumed_lines(vacuumed: VacuumResult) -> Lines:
    yield "store", vacuumed.url
    yield "bytes", f"{vacuumed.before:,} before, {vacuumed.after:,} now"


def _view(titles: Sequence[str], lines: Any, fields: str) -> View[Any]:
    return View(titles, lines, asdict, tuple(fields.split()))


SCHEMA: View[SchemaStatus] = _view((), _schema_lines, "url schema newest")
BACKUP: View[Backup] = _view((), _backup_lines, "url path recordings hashes revision bytes sha256")
COPIED: View[CopyResult] = _view(
    (), _copied_lines, "source target recordings hashes present revision"
)
MERGED: View[MergeResult] = _view(
    (), _taken_lines, "source target added hashes present labelled differing"
)
EXPORTED: View[ExportResult] = _view((), _exported_lines, "url path recordings hashes bytes")
SETTINGS: View[Setting] = _view(("what", "value", ""), _setting_lines, "name value sound remedy")
VACUUMED: View[VacuumResult] = _view((), _vacuumed_lines, "url before after")
FAULTS: View[Fault] = _view(
    ("kind", "where", "what", "how to fix it"),
    lambda fault: [(fault.kind, shown_path(fault.where), fault.what, fault.remedy)],
    "kind where what remedy",
)
PRUNED: View[PruneResult] = _view(
    (">rows", "what", "effect"),
    lambda pruned: [(f"{pruned.rows:,}", pruned.what, pruned.effect if pruned.rows else "-")],
    "what rows effect",
)
