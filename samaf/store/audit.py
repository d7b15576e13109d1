"""The audit log: who changed what and when, in entries that are chained to each other.

The hash of an entry is the SHA-256 of a JSON array (ASCII, no spaces) of its number, time,
act, SHA-256 of the file, path, database user, operating system's user, program,
fingerprinter, details, and the hash of the entry before (64 zeros before the first). So an
entry cannot be changed or taken away without all hashes after it becoming wrong, and the
newest hash, kept elsewhere, proves all entries up to it.

Entries are written by the transaction that acts. Writers hold the row of the table
``store``, so there is one order.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.exc import DBAPIError

from samaf.errors import StoreError
from samaf.status import AuditCheck, AuditEntry
from samaf.store import schema
from samaf.store.bulk import insert_rows
from samaf.store.rows import Values, iso, now
from samaf.version import __version__

ACTS = (
    *("add", "delete", "relabel", "relocate", "import", "merge", "restore", "rehash"),
    *("query", "report", "decision"),
)
BEGINNING = "0" * 64  # stands for the entry before the first
NO_ENTRY = (0, "")
ENTRIES_A_PAGE = 1000

_log = logging.getLogger(__name__)
_audit = schema.audit.c
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts, and with what.

    Attributes
    ----------
    database_user
        As the server knows it; empty for a file.
    os_user
        Name and machine.
    program
        Name and version.
    fingerprinter
        Digest; empty while the store belongs to none.
    """

    database_user: str
    os_user: str
    program: str
    fingerprinter: str


@dataclass(frozen=True, slots=True)
class Act:
    """What is done: one of `ACTS`, to the file with this SHA-256 and path.

    Attributes
    ----------
    details
        Whatever else should be known; JSON can hold it.
    """

    act: str
    sha256: str = ""
    path: str = ""
    details: Mapping[str, Any] | None = None


def this_author(database_user: str, fingerprinter: str) -> Author:
    """Return the author that this process is."""
    return Author(database_user, _os_user(), f"samaf {__version__}", fingerprinter)


def _os_user() -> str:
    # Not from the environment, which anybody can set.
    import pwd

    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    return f"{name}@{socket.gethostname()}"[: schema.USER_LENGTH]


def log_head(connection: Connection) -> tuple[int, str]:
    """Return number and hash of the newest entry; 0 and "" before the first."""
    last = connection.execute(
        select(_audit.id, _audit.hash).where(
            _audit.id == select(func.max(_audit.id)).scalar_subquery()
        )
    ).first()
    return (last.id, last.hash) if last else NO_ENTRY


def has(connection: Connection, entry: tuple[int, str]) -> bool:
    """Tell whether there is an entry of this number and hash; see `log_head`."""
    if entry == NO_ENTRY:
        return log_head(connection) == NO_ENTRY
    number, wanted = entry
    stored = connection.execute(select(_audit.hash).where(_audit.id == number)).scalar()
    return bool(stored == wanted)


def append(connection: Connection, author: Author, acts: Iterable[Act]) -> None:
    """Write entries; the caller's transaction holds the row of the table ``store``.

    Raises
    ------
    StoreError
        An act is none of `ACTS`.
    """
    number, previous = log_head(connection)
    previous = previous or BEGINNING
    happened_at = now()
    shown_time = iso(happened_at)
    entries: list[Values] = []
    for act in acts:
        if act.act not in ACTS:
            raise StoreError(f"{act.act!r}: no act of the audit log; give {', '.join(ACTS)}")
        number += 1
        entry: Values = {
            "id": number,
            "happened_at": happened_at,
            "act": act.act,
            "sha256": act.sha256 or None,
            "path": act.path,
            "database_user": author.database_user,
            "os_user": author.os_user,
            "program": author.program,
            "fingerprinter": author.fingerprinter or None,
            "details": json.dumps(act.details) if act.details else "",
        }
        previous = entry["hash"] = _hash({**entry, "happened_at": shown_time}.values(), previous)
        entries.append(entry)
    insert_rows(connection, schema.audit, entries)


def entries(connection: Connection, after: int) -> list[AuditEntry]:
    """Return the entries that follow one, a page of them."""
    return [_entry(row) for row in _page(connection, after)]


def page_of_entries(
    connection: Connection,
    before: int | None,
    limit: int,
    act: str = "",
    digests: Collection[str] = (),
) -> list[AuditEntry]:
    """Return entries, the newest first: of one act or some files only, where these are given.

    Parameters
    ----------
    before
        Only those with a smaller number.
    """
    query = select(schema.audit).order_by(_audit.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_audit.id < before)
    if act:
        query = query.where(_audit.act == act)
    if digests:
        query = query.where(_audit.sha256.in_(digests))
    return [_entry(row) for row in connection.execute(query)]


def newest(connection: Connection, without: Iterable[str] = ()) -> AuditEntry | None:
    """Return the newest entry of an act that is not left out, if there is one."""
    row = connection.execute(
        select(schema.audit).where(_audit.act.not_in(without)).order_by(_audit.id.desc()).limit(1)
    ).first()
    return _entry(row) if row else None


def about(connection: Connection, digests: Iterable[str]) -> list[AuditEntry]:
    """Return the entries about files with these SHA-256, the oldest first."""
    query = select(schema.audit).where(_audit.sha256.in_(digests)).order_by(_audit.id)
    return [_entry(row) for row in connection.execute(query)]


def check(connection: Connection) -> AuditCheck:
    """Go through all entries and compute each hash again."""
    count, previous = 0, BEGINNING
    for row in _all(connection):
        count += 1
        if row.id != count:
            return AuditCheck(count - 1, previous, count, f"entry {count} is missing")
        number, happened_at, *rest = tuple(row)[:-1]
        if row.hash != _hash((number, iso(happened_at), *rest), previous):
            return AuditCheck(count - 1, previous, count, f"entry {count} is not what was written")
        previous = row.hash
    return AuditCheck(count, previous)


def _all(connection: Connection) -> Iterator[Row[Any]]:
    last = 0
    while page := _page(connection, last):
        yield from page
        last = page[-1].id


def _page(connection: Connection, after: int) -> Sequence[Row[Any]]:
    return connection.execute(
        select(schema.audit).where(_audit.id > after).order_by(_audit.id).limit(ENTRIES_A_PAGE)
    ).all()


def _hash(content: Iterable[Any], previous: str) -> str:
    return sha256(_encode([*content, previous]).encode()).hexdigest()


def _entry(row: Row[Any]) -> AuditEntry:
    try:
        details = json.loads(row.details) if row.details else {}
    except (ValueError, RecursionError):
        details = None
    if not isinstance(details, dict):
        details = {"unreadable": row.details}
    return AuditEntry(
        entry_id=row.id,
        happened_at=iso(row.happened_at),
        act=row.act,
        sha256=row.sha256 or "",
        path=row.path,
        database_user=row.database_user,
        os_user=row.os_user,
        program=row.program,
        fingerprinter=row.fingerprinter or "",
        details=details,
        hash=row.hash,
    )


# --- rights ----------------------------------------------------------------------------

REFUSAL = "the audit log is only ever added to"
TRIGGERS = {
    "sqlite": "CREATE TRIGGER IF NOT EXISTS audit_no_{verb} BEFORE {verb} ON audit "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    "mysql": "CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit FOR EACH ROW "
    f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{REFUSAL}'",
}
EXISTS = 1359
NO_RIGHT = (1142, 1227, 1419)  # no TRIGGER; no SUPER; no SUPER while the binary log is on


def protect(connection: Connection) -> None:
    """Let the database refuse to change or delete entries, where the user may order that."""
    for verb in ("update", "delete"):
        try:
            connection.exec_driver_sql(TRIGGERS[connection.dialect.name].format(verb=verb))
        except DBAPIError as error:
            code = error.orig.args[0] if error.orig else 0
            if code in NO_RIGHT:
                _log.warning(
                    "the server refuses to make triggers (error %d), so only the chain of hashes "
                    "guards the audit log; grant TRIGGER, with the binary log also set "
                    "log_bin_trust_function_creators, and run `samaf db upgrade`",
                    code,
                )
                return
            if code != EXISTS:
                raise
