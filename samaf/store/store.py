"""The store: what was added, and everything that reads or changes it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select

from samaf.errors import StoreError
from samaf.records import Codes, Recording
from samaf.status import AuditCheck, AuditEntry, StoreStats, StoreVersion
from samaf.store import references
from samaf.store import statements as sql
from samaf.store.audit import (
    Act,
    Author,
    about,
    check,
    entries,
    has,
    log_head,
    newest,
    page_of_entries,
    this_author,
)
from samaf.store.blobs import DamagedRowError
from samaf.store.changes import Changes
from samaf.store.database import Database
from samaf.store.migration import prepare
from samaf.store.rows import NewRecording, StoredFingerprinter, chunks, new_recording, now
from samaf.store.schema import NEWEST
from samaf.store.urls import resolve

DAY = timedelta(days=1)
HASHES_A_PAGE = 1 << 17  # read at once: 4 MB of 256 bits


class Store:
    """A database of recordings and their hashes; make one with `Store.open`.

    Threads may share a store; processes open their own. Each method is one transaction.
    All methods raise `StoreError`, with the database's URL in it, when the database fails.

    Attributes
    ----------
    url
        Where it is, without password.
    store_id
        Its UUID.
    blocks_per_row
        Most hashes that a row of the table holds.
    """

    def __init__(self, database: Database, store_id: str, blocks_per_row: int) -> None:
        self.url = database.name
        self.store_id = store_id
        self.blocks_per_row = blocks_per_row
        self._database = database
        self._fingerprinter: StoredFingerprinter | None = None

    @classmethod
    def open(
        cls, url: str | None = None, *, create: bool = True, blocks_per_row: int | None = None
    ) -> Store:
        """Open a store, or make it.

        Parameters
        ----------
        url
            A file, ``sqlite://``, ``mysql://`` or ``mariadb://`` URL; None for SAMAF_DB or
            the user's own store.
        create
            Whether to make it where there is none.
        blocks_per_row
            Hashes a row of a new store, 1 to 4,096, for good. 1 gives one row a hash.

        Raises
        ------
        StoreError
            It cannot be reached, is no store, is of another schema, or is not there.
        """
        database = Database(resolve(url))
        try:
            store_id, in_store = prepare(database, create, blocks_per_row)
        except BaseException:
            database.close()
            raise
        return cls(database, store_id, in_store)

    def close(self) -> None:
        """Give back all connections."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {self.url}>"

    @property
    def revision(self) -> int:
        """How often the store was changed, read each time."""
        return self._database.read(sql.revision)

    def is_at(self, version: StoreVersion) -> bool:
        """Tell whether the store is still at a version; see `continues`."""
        return self._database.read(
            lambda connection: (
                sql.revision(connection) == version.revision and has(connection, version.log_head)
            )
        )

    def continues(self, version: StoreVersion) -> bool:
        """Tell whether the store went on from a version, by changes that it knows.

        Diverged copies of a store, and one that a file or dump was put back for,
        reach the same revisions; the entries of their audit logs tell them apart.
        """
        return self._database.read(
            lambda connection: (
                sql.log_start(connection) <= version.revision <= sql.revision(connection)
                and has(connection, version.log_head)
            )
        )

    # --- the fingerprinter -------------------------------------------------------------

    def fingerprinter(self) -> StoredFingerprinter | None:
        """Return the fingerprinter that the store belongs to; None before the first `bind`."""
        if self._fingerprinter is None:
            owner = self._database.read(sql.bound)
            self._fingerprinter = owner[1] if owner else None
        return self._fingerprinter

    def bind(self, fingerprinter: StoredFingerprinter) -> None:
        """Make the store belong to a fingerprinter, or see that it does.

        Raises
        ------
        StoreError
            It belongs to another one.
        """
        owner = self.fingerprinter() or self._database.write(
            lambda connection: sql.bind(connection, fingerprinter)
        )
        if owner.digest != fingerprinter.digest:
            raise StoreError(
                f"{self.url}: belongs to the fingerprinter {owner.name} ({owner.digest[:12]}), not "
                f"to {fingerprinter.name} ({fingerprinter.digest[:12]}); take that one, or another "
                "store"
            )

    # --- recordings --------------------------------------------------------------------

    def find(self, sha256: str) -> Recording | None:
        """Return the recording with these bytes, if it is there."""
        recordings = self._select(sql.with_sha256(sha256, sha256))
        return recordings[0] if recordings else None

    def get(self, recording_id: int) -> Recording:
        """Return one recording; `StoreError` when it is not there."""
        recordings = self._select(sql.with_ids([recording_id]))
        if not recordings:
            raise self._unknown(recording_id)
        return recordings[0]

    def get_many(self, ids: Iterable[int]) -> dict[int, Recording]:
        """Return the recordings with these ids, those that are there."""
        return {
            recording.recording_id: recording
            for some in chunks(ids, sql.IDS_A_STATEMENT)
            for recording in self._select(sql.with_ids(some))
        }

    def resolve(self, text: str) -> Recording:
        """Return the recording that a person means; see ``samaf.store.references.find``."""
        return references.find(text, self.url, self._select)

    def recordings(self, labels: Mapping[str, str] | None = None) -> Iterator[Recording]:
        """Yield all recordings in the order of their ids, a page at a time.

        Parameters
        ----------
        labels
            Only those that have all of these labels.
        """
        wanted = dict(labels or {})
        query = sql.with_labels(wanted).limit(sql.IDS_A_STATEMENT)
        last = 0
        while page := self._select(sql.after(query, last)):
            for recording in page:
                # Servers find values that differ in trailing spaces only, too.
                if wanted.items() <= recording.labels.items():
                    yield recording
            last = page[-1].recording_id

    def page(
        self, after: int, limit: int, *, name: str = "", labels: Mapping[str, str] | None = None
    ) -> list[Recording]:
        """Return recordings in the order of their ids, from after one on.

        Parameters
        ----------
        name
            Only those whose name holds this text.
        labels
            Only those that have all of these labels.
        """
        query = sql.with_labels(labels or {})
        if name:
            query = sql.with_name_like(query, name)
        return self._select(sql.after(query, after).limit(limit))

    def add(self, recording: Recording, hashes: Codes) -> tuple[Recording, bool]:
        """Store a recording with its hashes, in one transaction.

        Returns
        -------
        Recording
            As stored; the one that was there before where the bytes are the same.
        bool
            Whether it was added now.

        Raises
        ------
        StoreError
            The store belongs to no fingerprinter yet, the hashes are of another length, or
            a field cannot be stored.
        """
        return self.add_many([(recording, hashes)])[0]

    def add_many(
        self, items: Iterable[tuple[Recording, Codes]], act: str = "add"
    ) -> list[tuple[Recording, bool]]:
        """Store several recordings in one transaction: all of them or none; see `add`.

        Parameters
        ----------
        act
            What the audit log calls it: "add", "import" or "merge".
        """
        fingerprinter = self.fingerprinter()
        new = [self._checked(fingerprinter, *item) for item in items]
        if not new:
            return []
        author = self._author
        return self._database.write(
            lambda connection: sql.add(connection, new, author, act), repeatable=True
        )

    def delete(self, recording_id: int) -> None:
        """Remove a recording, its hashes and labels; the deletion is logged.

        Raises
        ------
        StoreError
            It is not there.
        """
        self.delete_many([recording_id])

    def delete_many(self, ids: Sequence[int]) -> None:
        """Remove several recordings in one transaction: all of them or none; see `delete`."""
        author = self._author
        missing = self._database.write(lambda connection: sql.delete(connection, ids, author))
        if missing is not None:
            raise self._unknown(missing)

    def relabel(self, recording_id: int, labels: Mapping[str, str]) -> None:
        """Give a recording these labels instead of those it has.

        Raises
        ------
        StoreError
            It is not there, or a label cannot be stored.
        """
        self._relabel(recording_id, lambda _: labels)

    def label(self, recording_id: int, labels: Mapping[str, str | None]) -> None:
        """Give a recording these labels beside those it has; None takes one away.

        Raises
        ------
        StoreError
            It is not there, or a label cannot be stored.
        """
        self._relabel(
            recording_id,
            lambda old: {
                name: value for name, value in {**old, **labels}.items() if value is not None
            },
        )

    def complete(self, recording_id: int, labels: Mapping[str, str]) -> None:
        """Give a recording those of these labels that it lacks; those that it has stay.

        Raises
        ------
        StoreError
            It is not there, or a label cannot be stored.
        """
        self._relabel(recording_id, lambda old: {**old, **labels, **old})

    def _relabel(
        self, recording_id: int, change: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> None:
        author = self._author
        if not self._database.write(
            lambda connection: sql.relabel(connection, recording_id, change, author),
            repeatable=True,
        ):
            raise self._unknown(recording_id)

    def relocate(self, paths: Mapping[int, str]) -> list[Recording]:
        """Give recordings other paths, and the names that these end with, in one transaction.

        Parameters
        ----------
        paths
            By the id of a recording. Ids that are not there are passed over.

        Returns
        -------
        The recordings that had another path, as they are now.

        Raises
        ------
        StoreError
            A path cannot be stored.
        """
        author = self._author
        return self._database.write(
            lambda connection: sql.relocate(connection, paths, author), repeatable=True
        )

    # --- the audit log -----------------------------------------------------------------

    def log(
        self,
        act: str,
        sha256: str = "",
        path: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write an entry about what changes no recording by itself: a query, a restored backup.

        Parameters
        ----------
        act
            One of `samaf.store.audit.ACTS`.
        sha256, path
            Of the file that it is about.
        details
            Whatever else should be known; JSON can hold it.
        """
        author, entry = self._author, Act(act, sha256, path, details)
        self._database.write(lambda connection: sql.log(connection, author, entry))

    def audit(self) -> Iterator[AuditEntry]:
        """Yield all entries of the audit log, the oldest first."""
        last = 0
        while page := self._database.read(partial(entries, after=last)):
            yield from page
            last = page[-1].entry_id

    def audit_page(
        self, before: int | None, limit: int, *, act: str = "", digests: Collection[str] = ()
    ) -> list[AuditEntry]:
        """Return entries of the audit log, the newest first; see `audit.page_of_entries`."""
        return self._database.read(
            lambda connection: page_of_entries(connection, before, limit, act, digests)
        )

    def newest_entry(self, without: Collection[str] = ()) -> AuditEntry | None:
        """Return the newest entry of the audit log whose act is not left out."""
        return self._database.read(partial(newest, without=without))

    def entries_about(self, digests: Iterable[str]) -> Sequence[AuditEntry]:
        """Return the audit entries about files with these SHA-256, the oldest first."""
        return [
            entry
            for some in chunks(digests, sql.IDS_A_STATEMENT)
            for entry in self._database.read(partial(about, digests=some))
        ]

    def check_audit(self) -> AuditCheck:
        """Tell whether the audit log is what was written."""
        return self._database.read(check)

    @property
    def _author(self) -> Author:
        fingerprinter = self.fingerprinter()
        digest = fingerprinter.digest if fingerprinter else ""
        return this_author(self._database.user, digest)

    # --- hashes ------------------------------------------------------------------------

    def hashes(self, recording_id: int) -> Codes:
        """Return the hashes of a recording.

        Raises
        ------
        StoreError
            It is not there, or its hashes are damaged.
        """

        def work(connection: Connection) -> Codes:
            size = sql.size(connection, recording_id)
            if size is None:
                raise self._unknown(recording_id)
            return next(self._read_hashes(connection, [size]))[1]

        return self._database.read(work)

    def changes(self, since_revision: int) -> Changes:
        """Return what was added and deleted after a revision, as of one moment.

        Where the changes since then are not all known any more, those since 0 are returned.
        The transaction lasts until ``added`` was read to its end or closed.
        """
        with ExitStack() as stack:
            connection = stack.enter_context(self._database.snapshot())
            version = StoreVersion(sql.revision(connection), log_head(connection))
            if fingerprinter := self.fingerprinter():
                sql.expect(connection, fingerprinter.digest)
            if since_revision < sql.log_start(connection):
                since_revision = 0
            deleted = sql.deleted_since(connection, since_revision)
            added = self._added(connection, since_revision, stack.pop_all())
        return Changes(version, added, deleted, since_revision)

    def stats(self) -> StoreStats:
        """Return the store's totals."""
        fingerprinter = self.fingerprinter()

        def work(connection: Connection) -> StoreStats:
            totals = sql.totals(connection, now() - DAY)
            labels = sql.label_totals(connection)
            hashes = int(totals.hashes)
            return StoreStats(
                url=self.url,
                store_id=self.store_id,
                revision=sql.revision(connection),
                schema=NEWEST,
                fingerprinter=fingerprinter.name if fingerprinter else "",
                recordings=totals.recordings,
                hours=totals.seconds / 3600,
                hashes=hashes,
                hash_bytes=hashes * fingerprinter.bits // 8 if fingerprinter else 0,
                labels={row.name: row.recordings for row in labels},
                label_values={row.name: row.different for row in labels},
                label_hours={row.name: row.seconds / 3600 for row in labels},
                digest=fingerprinter.digest if fingerprinter else "",
                bits=fingerprinter.bits if fingerprinter else 0,
                database_bytes=self._database.dialect.size(connection),
                day_recordings=int(totals.new),
                day_hours=totals.new_seconds / 3600,
            )

        return self._database.read(work)

    # --- inside ------------------------------------------------------------------------

    def _select(self, query: Select[Any]) -> list[Recording]:
        return self._database.read(lambda connection: sql.recordings(connection, query))

    def _checked(
        self, fingerprinter: StoredFingerprinter | None, recording: Recording, hashes: Codes
    ) -> NewRecording:
        if fingerprinter is None:
            raise StoreError(f"{self.url}: belongs to no fingerprinter yet; bind it to one first")
        if hashes.bits != fingerprinter.bits:
            raise StoreError(
                f"{self.url}: holds hashes of {fingerprinter.bits} bits, and those of "
                f"{recording.name!a} have {hashes.bits}; take the fingerprinter "
                f"{fingerprinter.name}"
            )
        return new_recording(recording, hashes, self.blocks_per_row)

    def _added(
        self, connection: Connection, since: int, transaction: ExitStack
    ) -> Iterator[tuple[int, Codes]]:
        with transaction:
            for sizes in sql.sizes(connection, since):
                for page in _pages(sizes):
                    yield from self._read_hashes(connection, page)

    def _read_hashes(
        self, connection: Connection, sizes: list[sql.Size]
    ) -> Iterator[tuple[int, Codes]]:
        recording_id = 0
        try:
            for recording_id, hashes in sql.read_hashes(connection, sizes):
                yield recording_id, hashes
        except DamagedRowError as error:
            ids = [each.recording_id for each in sizes if each.recording_id > recording_id]
            raise StoreError(
                f"{self.url}: the hashes of recording {ids[0]} are damaged ({error}); delete it "
                "and add its file again, or restore a backup"
            ) from error

    def _unknown(self, recording_id: int) -> StoreError:
        return StoreError(
            f"{self.url}: no recording {recording_id}; `samaf list` shows those that are there"
        )


def _pages(sizes: list[sql.Size]) -> Iterator[list[sql.Size]]:
    """Cut where more than `HASHES_A_PAGE` would be read at once."""
    page: list[sql.Size] = []
    total = 0
    for size in sizes:
        if page and total + size.hashes > HASHES_A_PAGE:
            yield page
            page, total = [], 0
        page.append(size)
        total += size.hashes
    yield page
