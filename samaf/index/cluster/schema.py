"""The tables of an index in ClickHouse, and the numbers of its rows.

A row's number is made of the recording's id, its side (0 is the mix of all channels) and the hash's
position in it, so nobody has to hand out numbers: whoever loads a recording, however often, writes
the same rows. What was written twice counts once (`ReplacingMergeTree`, and votes count hashes,
not rows). A recording and side together are called a stream here.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from samaf.errors import IndexDatabaseError
from samaf.index.cluster.connection import Connection

BLOCK_BITS = 24  # of a row's number: 2^24 hashes are 48 days
BLOCKS = 1 << BLOCK_BITS
SIDE_BITS = 6
SIDES = 1 << SIDE_BITS
LONGEST = BLOCKS - 65_536  # hashes of a stream: what a query starts before one lies in no other
SYNCED = "fsync_after_insert = 1, fsync_part_directory = 1"  # a power cut loses nothing

CELL = np.dtype([("cell", "<u4"), ("r", "<u8")])
STREAM = np.dtype([("stream", "<u8"), ("hashes", "<u4"), ("revision", "<u8")])
STATE = np.dtype(
    [
        ("kind", "<u1"),
        ("store_id", "S36"),
        ("digest", "S64"),
        ("codebook", "S64"),
        ("shard", "<u4"),
        ("shards", "<u4"),
        ("revision", "<u8"),
        ("log_entry", "<u8"),
        ("log_hash", "S64"),
    ]
)
# Kinds of state: complete up to a version; being brought to one; being emptied.
DONE, LOADING, EMPTYING = 0, 1, 2
COLUMN = np.dtype([("name", "S60")])


def listed(numbers: Iterable[int]) -> str:
    """Write numbers as an array, which is one element of a statement however long it is."""
    return f"[{','.join(map(str, numbers))}]"


def hash_row(width: int) -> np.dtype:
    """Give the type of a row of hashes of ``width`` bytes."""
    return np.dtype([("r", "<u8"), ("h", f"V{width}")])


def tables(width: int) -> dict[str, tuple[dict[str, str], dict[str, str], str]]:
    """Give by table: types of its columns, their codecs, and engine with order and settings."""
    return {
        "cells": (
            {"cell": "UInt32", "r": "UInt64"},
            {"cell": "Delta, ZSTD(1)", "r": "Delta, LZ4"},
            "ReplacingMergeTree ORDER BY (cell, r) SETTINGS index_granularity = 1024, "
            f"min_compress_block_size = 8192, {SYNCED}",
        ),
        "hashes": (
            {"r": "UInt64", "h": f"FixedString({width})"},
            {"r": "Delta, ZSTD(1)", "h": "NONE"},
            f"ReplacingMergeTree ORDER BY r SETTINGS index_granularity = 256, {SYNCED}",
        ),
        "streams": (
            {"stream": "UInt64", "hashes": "UInt32", "revision": "UInt64"},
            {},
            f"ReplacingMergeTree(revision) ORDER BY stream SETTINGS {SYNCED}",
        ),
        "state": (
            {
                "kind": "UInt8",
                "store_id": "FixedString(36)",
                "digest": "FixedString(64)",
                "codebook": "FixedString(64)",
                "shard": "UInt32",
                "shards": "UInt32",
                "revision": "UInt64",
                "log_entry": "UInt64",
                "log_hash": "FixedString(64)",
            },
            {},
            f"ReplacingMergeTree(revision) ORDER BY kind SETTINGS {SYNCED}",
        ),
    }


def create_sql(width: int) -> list[str]:
    """List the statements that create the tables where there are none; ``{db}`` is the database."""
    statements = []
    for table, (columns, codecs, engine) in tables(width).items():
        listed = ", ".join(
            f"{name} {kind}" + (f" CODEC({codecs[name]})" if name in codecs else "")
            for name, kind in columns.items()
        )
        statements.append(f"CREATE TABLE IF NOT EXISTS {{db}}.{table} ({listed}) ENGINE = {engine}")
    return statements


def check(connection: Connection, width: int) -> bool:
    """Tell whether the tables are there, all of them.

    Raises
    ------
    IndexDatabaseError
        A table has other columns.
    """
    rows = connection.query(
        "SELECT toFixedString(left(table || ' ' || name || ' ' || type, 60), 60) "
        "FROM system.columns WHERE database = '{db}' "
        "AND table IN ('cells', 'hashes', 'streams', 'state')",
        COLUMN,
    )
    there = {row.decode() for row in rows["name"].tolist()}
    made = {row.split()[0] for row in there}
    # The state's table comes last: without it, a writer has not made all of them yet.
    is_whole = "state" in made
    wanted = {
        f"{table} {name} {kind}"
        for table, (columns, _, _) in tables(width).items()
        for name, kind in columns.items()
        if is_whole or table in made
    }
    if lacking := sorted(wanted - there):
        raise IndexDatabaseError(
            f"{connection.name}: has no column {lacking[0]!r}: somebody altered the tables, or "
            "they are of a model with hashes of another length; drop them, or name another database"
        )
    return is_whole


def grant_sql(database: str, user: str, *, writer: bool) -> list[str]:
    """List the statements that give a user the least rights.

    Raises
    ------
    IndexDatabaseError
        The name of the user needs quotes that no name of ours has.
    """
    if "`" in user or "\\" in user:
        raise IndexDatabaseError(f"{user!a}: is no name of a user; give another")
    rights = ["SELECT"]
    if writer:
        rights += ["INSERT", "CREATE TABLE", "TRUNCATE", "ALTER DELETE"]
    return [
        *(f"GRANT {right} ON {database}.* TO `{user}`" for right in rights),
        f"GRANT SELECT ON system.columns TO `{user}`",
        f"GRANT SELECT ON system.parts TO `{user}`",
    ]
