"""The least rights that a user of a server needs, as SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping

from samaf.errors import StoreError
from samaf.store.urls import is_file, redacted, resolve

# On single tables, so the audit log can be added to and never changed.
WRITER: Mapping[str, str] = {
    "store": "UPDATE (revision, last_recording_id)",
    "fingerprinters": "INSERT",
    "recordings": "INSERT, DELETE, UPDATE (path, name)",
    "labels": "INSERT, DELETE",
    "hash_rows": "INSERT, DELETE",
    "deletions": "INSERT",
    "audit": "INSERT",
}
OWNER = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER"
ROLES = ("reader", "writer", "owner")


def grant_sql(url: str | None, role: str, user: str, host: str = "%") -> list[str]:
    """Return the statements that give a user the rights of a role, and no more.

    Parameters
    ----------
    role
        "reader" (asks), "writer" (also adds, deletes, relabels, relocates) or "owner" (also makes
        the store, upgrades, restores, prunes, vacuums).
    user, host
        Who, and where from; the user must exist.

    Raises
    ------
    StoreError
        The store is a file, or a name cannot be one.
    """
    database = resolve(url)
    if is_file(database):
        raise StoreError(
            f"{redacted(database)}: a file has no users; the rights of the file and of its "
            "folder say who reads and who writes (chmod, chown), and SQLite's readers write to the "
            "folder too: who may not reads a copy, or a read-only mount"
        )
    if role not in ROLES:
        raise StoreError(f"{role!a}: no such role; there are {', '.join(ROLES)}")
    for name in (user, host):
        if not name or not name.isprintable() or len(name) > 255:
            raise StoreError(f"{name!a:.80}: cannot be a user's name; give printable characters")
    whom = f"{_text(user)}@{_text(host)}"
    name = str(database.database)
    # In the name of a whole database, _ and % stand for other characters.
    everything = "`" + re.sub(r"([_%])", r"\\\1", _doubled(name)) + "`.*"
    if role == "owner":
        return [f"GRANT {OWNER} ON {everything} TO {whom};"]
    statements = [f"GRANT SELECT ON {everything} TO {whom};"]
    if role == "writer":
        statements += [
            f"GRANT {rights} ON `{_doubled(name)}`.`{table}` TO {whom};"
            for table, rights in WRITER.items()
        ]
    return statements


def _doubled(name: str) -> str:
    return name.replace("`", "``")


def _text(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
