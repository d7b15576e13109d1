"""The index of a store in ClickHouse: connected at its first use, kept current."""

from __future__ import annotations

from collections.abc import Sequence

from samaf.errors import IndexDatabaseError, QueryError, ShardAwayError
from samaf.fingerprinters import AnyFingerprinter, Fingerprinter
from samaf.index.cluster import (
    ClusterIndex,
    ClusterTable,
    Identity,
    IndexUrl,
    Shard,
    catch_up,
    connections,
    grant_sql,
    resolve,
)
from samaf.status import IndexStatus
from samaf.store import Store


def index_grant_sql(url: str, user: str, *, writer: bool) -> list[str]:
    """List the statements that give a user the minimum privileges on an index.

    Raises
    ------
    IndexDatabaseError
        The URL or the user's name cannot be read.
    """
    return grant_sql(resolve(url).database, user, writer=writer)


class DatabaseIndex:
    """The index of one store and model in a database, kept at the store's newest version.

    Shards that do not answer are left out, and listed by the table.

    Raises
    ------
    QueryError
        The model makes vectors.
    """

    def __init__(self, store: Store, fingerprinter: AnyFingerprinter, url: IndexUrl) -> None:
        if not isinstance(fingerprinter, Fingerprinter):
            raise QueryError(
                f"{url}: takes hashes, and {fingerprinter.name} makes vectors; choose exact, flat "
                "or ivf"
            )
        self._store, self._url = store, url
        self._codebook = fingerprinter.codebook()
        card, opened = fingerprinter.card, connections(url)
        self._shards = [
            Shard(
                connection,
                Identity(store.store_id, card.digest, card.codebook_sha256, number, len(opened)),
                card.bits // 8,
            )
            for number, connection in enumerate(opened)
        ]
        self._index: ClusterIndex | None = None

    def get(self) -> ClusterIndex:
        """Give the index at the store's newest version.

        Raises
        ------
        IndexDatabaseError
            No shard answers, or one that does cannot be read or brought to that version.
        """
        table = self._index.table if self._index else None
        if table is None or table.away or not self._store.is_at(table.version):
            shards, away = self._answering()
            catch_up(shards, self._store, self._codebook)
            versions = [state.done for shard in shards if (state := shard.state())]
            version = min(versions, key=lambda version: version.revision)
            self._index = ClusterIndex(ClusterTable(shards, version, away), self._codebook)
        assert self._index
        return self._index

    def check(self) -> None:
        """Refuse an index that no server answers for, or that belongs to another store or model.

        Raises
        ------
        IndexDatabaseError
            See above.
        """
        self._answering()

    def follow(self) -> None:
        """Load what was added to the store.

        Raises
        ------
        IndexDatabaseError
            It could not be loaded.
        """
        try:
            self.get()
        except IndexDatabaseError as error:
            raise IndexDatabaseError(f"all is stored, but the index is behind: {error}") from error

    def status(self) -> IndexStatus:
        """Tell how far the index is behind the store."""
        states = [shard.state() for shard in self._shards]
        revision = self._store.revision
        done = [state.done for state in states if state and not state.is_emptying]
        if len(done) < len(states):
            return IndexStatus(str(self._url), "absent", 0, revision, 0, 0)
        current = all(self._store.is_at(version) for version in done)
        return IndexStatus(
            str(self._url),
            "current" if current else "behind",
            min(version.revision for version in done),
            revision,
            sum(shard.total() for shard in self._shards),
            sum(shard.size() for shard in self._shards),
        )

    def rebuild(self) -> IndexStatus:
        """Empty the index and load all of the store; nothing else may be loading.

        Raises
        ------
        IndexDatabaseError
            It belongs to another store or model: nothing is emptied.
        """
        self._index = None
        for shard in self._shards:
            shard.state()
        for shard in self._shards:
            shard.clear()
        catch_up(self._shards, self._store, self._codebook)
        return self.status()

    def close(self) -> None:
        """Close all connections."""
        for shard in self._shards:
            shard.connection.close()

    def _answering(self) -> tuple[Sequence[Shard], Sequence[str]]:
        """Give the shards that answer, and what the others are called."""
        shards, away = [], []
        fault: ShardAwayError | None = None
        for shard in self._shards:
            try:
                shard.state()
                shards.append(shard)
            except ShardAwayError as error:
                fault = error
                own = shard.identity
                away.append(f"shard {own.shard + 1} of {own.shards} ({shard.connection.name})")
        if fault and not shards:
            raise fault
        return shards, away
