"""One shard of an index: what it holds, up to which version of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samaf.errors import IndexDatabaseError
from samaf.index.cells import nearest_centres
from samaf.index.cluster.connection import Connection
from samaf.index.cluster.schema import (
    BLOCKS,
    CELL,
    DONE,
    EMPTYING,
    LOADING,
    LONGEST,
    SIDE_BITS,
    SIDES,
    STATE,
    STREAM,
    check,
    create_sql,
    hash_row,
    listed,
)
from samaf.status import StoreVersion

TABLES = ("streams", "cells", "hashes", "state")
COUNT = np.dtype([("count", "<u8")])
SIZE = np.dtype([("bytes", "<u8")])


@dataclass(frozen=True, slots=True)
class Identity:
    """What a shard belongs to.

    Attributes
    ----------
    digest, codebook
        SHA-256 of the model with its parameters, and of its codebook.
    shard, shards
        Its number from 0 on, and how many there are: it holds the recordings whose id leaves
        ``shard`` when divided by ``shards``.
    """

    store_id: str
    digest: str
    codebook: str
    shard: int = 0
    shards: int = 1


@dataclass(frozen=True, slots=True)
class ShardState:
    """What a shard's tables say.

    Attributes
    ----------
    done
        The version that it is complete up to.
    loading
        The version that it was last being brought to; ``done`` where that is finished.
    is_emptying
        Whether somebody began to empty it: what is left is of no use.
    """

    done: StoreVersion
    loading: StoreVersion
    is_emptying: bool


class Shard:
    """The tables of one shard.

    Parameters
    ----------
    width
        Bytes of a hash.
    """

    def __init__(self, connection: Connection, identity: Identity, width: int) -> None:
        self.connection, self.identity, self.width = connection, identity, width

    def state(self) -> ShardState | None:
        """Read how far the shard is; None where it holds nothing.

        Raises
        ------
        IndexDatabaseError
            It belongs to another store, model, codebook or number of shards, or its tables were
            altered.
        """
        if not check(self.connection, self.width):
            return None
        rows = self.connection.query("SELECT * FROM {db}.state FINAL ORDER BY kind", STATE)
        if not len(rows):
            return None
        own = self.identity
        for what, theirs, ours in (
            ("the store", _text(rows[0]["store_id"]), own.store_id),
            ("the model", _text(rows[0]["digest"]), own.digest),
            ("the codebook", _text(rows[0]["codebook"]), own.codebook),
        ):
            if theirs != ours:
                raise IndexDatabaseError(
                    f"{self.connection.name}: belongs to {what} {theirs[:12]}, not to {ours[:12]}; "
                    "name another database, or drop its tables"
                )
        place = int(rows[0]["shard"]), int(rows[0]["shards"])
        if place != (own.shard, own.shards):
            raise IndexDatabaseError(
                f"{self.connection.name}: is shard {place[0] + 1} of {place[1]}, not "
                f"{own.shard + 1} of {own.shards}; name all shards in their order, or drop the "
                "tables of all and run `samaf index rebuild`"
            )
        versions = {
            int(row["kind"]): StoreVersion(
                int(row["revision"]), (int(row["log_entry"]), _text(row["log_hash"]))
            )
            for row in rows
        }
        done = versions.get(DONE, StoreVersion())
        return ShardState(done, versions.get(LOADING, done), EMPTYING in versions)

    def note(self, kind: int, version: StoreVersion) -> None:
        """Write that the shard is complete up to a version, or is being brought to it."""
        own = self.identity
        row = (
            *(kind, own.store_id, own.digest, own.codebook, own.shard, own.shards),
            *(version.revision, *version.log_head),
        )
        self.connection.insert("state", np.array([row], STATE))

    def begin(self) -> None:
        """Make the tables where there are none; several may begin at once."""
        for statement in create_sql(self.width):
            self.connection.execute(statement)
        self.note(DONE, StoreVersion())

    def clear(self) -> None:
        """Empty the tables; no other process may be loading."""
        for statement in create_sql(self.width):
            self.connection.execute(statement)
        self.note(EMPTYING, StoreVersion())
        for table in TABLES:  # the state last: it says so as long as there is anything else
            self.connection.execute(f"TRUNCATE TABLE {{db}}.{table}")
        self.note(DONE, StoreVersion())

    def complete(self, streams: Sequence[int]) -> set[int]:
        """Tell which of some streams are loaded, or were and are deleted."""
        if not streams:
            return set()
        rows = self.connection.query(
            f"SELECT * FROM {{db}}.streams FINAL WHERE stream IN {listed(streams)}",
            STREAM,
        )
        return set(rows["stream"].tolist())

    def load(
        self, streams: Sequence[tuple[int, np.ndarray]], codebook: np.ndarray, revision: int
    ) -> None:
        """Insert streams, as (number, hashes uint8 (m, bytes)): the same rows however often."""
        counts = [len(hashes) for _, hashes in streams]
        for stream, count in zip((number for number, _ in streams), counts, strict=True):
            if count > LONGEST:
                raise IndexDatabaseError(
                    f"{self.connection.name}: recording {stream >> SIDE_BITS} has {count:,} "
                    f"hashes; an index takes {LONGEST:,} (48 days); split it"
                )
        if total := sum(counts):
            hashes = np.concatenate([hashes for _, hashes in streams])
            firsts = np.array([stream for stream, _ in streams]) * BLOCKS
            rows = np.repeat(firsts - (np.cumsum(counts) - counts), counts) + np.arange(total)
            cells = np.empty(total, CELL)
            cells["cell"], cells["r"] = nearest_centres(codebook, hashes, 1)[:, 0], rows
            self.connection.insert("cells", cells)
            stored = np.empty(total, hash_row(self.width))
            stored["r"], stored["h"] = rows, hashes.view(f"V{self.width}")[:, 0]
            self.connection.insert("hashes", stored)
        # Last: a stream that is not in this table is not searched.
        listed = [(i, count, revision) for (i, _), count in zip(streams, counts, strict=True)]
        self.connection.insert("streams", np.array(listed, STREAM))

    def remove(self, ids: Sequence[int], revision: int) -> None:
        """Take recordings out.

        Marks of the later revision stay, which a writer that lags behind does not undo.
        """
        own = [i for i in ids if i % self.identity.shards == self.identity.shard]
        if not own:
            return
        rows = self.connection.query(
            f"SELECT * FROM {{db}}.streams FINAL WHERE intDiv(stream, {SIDES}) IN {listed(own)}",
            STREAM,
        )
        streams = sorted({*rows["stream"].tolist(), *(i * SIDES for i in own)})
        marks = np.array([(stream, 0, revision) for stream in streams], STREAM)
        self.connection.insert("streams", marks)
        where = f"intDiv(r, {BLOCKS}) IN {listed(streams)}"
        for table in ("cells", "hashes"):
            self.connection.execute(f"DELETE FROM {{db}}.{table} WHERE {where}")

    def total(self) -> int:
        """Count the hashes of all streams."""
        rows = self.connection.query("SELECT toUInt64(sum(hashes)) FROM {db}.streams FINAL", COUNT)
        return int(rows["count"][0])

    def recordings(self) -> int:
        """Count the recordings that have hashes."""
        rows = self.connection.query(
            f"SELECT uniqExact(bitShiftRight(stream, {SIDE_BITS})) FROM {{db}}.streams FINAL "
            "WHERE hashes > 0",
            COUNT,
        )
        return int(rows["count"][0])

    def size(self) -> int:
        """Give the bytes on disk of all tables."""
        rows = self.connection.query(
            "SELECT toUInt64(sum(bytes_on_disk)) FROM system.parts "
            "WHERE database = '{db}' AND active",
            SIZE,
        )
        return int(rows["bytes"][0])


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace")
