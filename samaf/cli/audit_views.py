"""How the records of the audit log are printed; see ``samaf.cli.render.View``."""

from __future__ import annotations

import json
from dataclasses import asdict

from samaf.cli.recording_views import DIGITS
from samaf.cli.render import Lines, View, labelled
from samaf.status import AuditCheck, AuditEntry

LONGEST = 60  # characters of the details, for people


def _audit_lines(entry: AuditEntry) -> Lines:
    who = ", ".join(name for name in (entry.database_user, entry.os_user) if name)
    time = entry.happened_at.replace("T", " ").replace("+00:00", "")
    yield str(entry.entry_id), time, who, entry.act, entry.sha256[:DIGITS], _said(entry)


def _said(entry: AuditEntry) -> str:
    details = entry.details
    if entry.act == "relabel":
        before, after = (labelled(details.get(key) or {}) for key in ("before", "after"))
        return f"{entry.path}: {before or 'no label'} -> {after or 'no label'}"
    if entry.act == "relocate":
        return f"{details.get('before')} -> {entry.path}"
    if entry.act == "query":
        # Entries of earlier versions hold a ranking under the name candidates.
        ranked = details.get("ranking") or details.get("candidates") or []
        matches = details.get("matches") or []
        names = ", ".join(str(each.get("name")) for each in ranked or matches)
        # A ranking is what is nearest; nobody decided that they are the answer.
        answer = f"nearest {names}" if ranked else names
        return f"{entry.path}: {answer or details.get('reason') or 'unknown'}"
    if entry.act == "decision":
        about, decision, name = (details.get(key) for key in ("reference", "decision", "name"))
        return f"{entry.path}, {about}: {decision} ({name})"
    if details and not entry.path:
        return json.dumps(dict(details))[:LONGEST]
    return entry.path


AUDIT: View[AuditEntry] = View(
    (">entry", "UTC", "who", "act", "sha256", "file"),
    _audit_lines,
    asdict,
    tuple(AuditEntry.__dataclass_fields__),
)


def _check_lines(check: AuditCheck) -> Lines:
    yield "entries", f"{check.entries:,} sound"
    yield "newest hash", check.head
    if check.broken:
        yield "broken", f"{check.reason}; restore a backup, and find out who changed the database"


AUDIT_CHECK: View[AuditCheck] = View(
    (), _check_lines, asdict, tuple(AuditCheck.__dataclass_fields__)
)
