"""The store: recordings, their labels and their hashes in an SQL database."""

from samaf.store.changes import Changes
from samaf.store.migration import SchemaStatus, downgrade, status, upgrade
from samaf.store.rows import StoredFingerprinter
from samaf.store.store import Store

__all__ = [
    "Changes",
    "SchemaStatus",
    "Store",
    "StoredFingerprinter",
    "downgrade",
    "status",
    "upgrade",
]
