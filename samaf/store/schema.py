"""The tables of a store.

Every change here needs a migration in ``migrations/versions`` and a new `NEWEST`; a test
compares the two. Revision names are four digits and count up: their order tells an older
schema from a newer one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CHAR,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy import text as literal
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from samaf.store import text

NEWEST = "0004"

# Longest texts in characters after escaping; longer ones are refused before they get here.
NAME_LENGTH = 1536  # a file name of 255 bytes, each escaped to 6 characters
PATH_LENGTH = 16_000
LABEL_NAME_LENGTH = 255
LABEL_VALUE_LENGTH = 16_000  # x 4 bytes < 65,535 bytes, the size of MySQL's TEXT
USER_LENGTH = 384  # a name of 128 characters at a host of 255

# Binary collation: names that differ in case or accents are different names.
_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_row_format": "DYNAMIC",
    "mysql_default_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


class AnyText(TypeDecorator[str]):
    """Text that may hold any Python string, lone surrogates too."""

    impl = Text
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """Return VARCHAR where a length is given, else TEXT."""
        return dialect.type_descriptor(String(self.length) if self.length else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Escape what no database stores."""
        return None if value is None else text.escape(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Undo the escape."""
        return None if value is None else text.unescape(value)


class Sha256(TypeDecorator[str]):
    """A SHA-256 digest: 64 hexadecimal digits in Python, 32 bytes in the table."""

    impl = LargeBinary(32).with_variant(mysql.BINARY(32), "mysql")
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Pack the digits."""
        return None if value is None else bytes.fromhex(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Unpack the digits."""
        return None if value is None else value.hex()


def _counter() -> TypeEngine[int]:
    """Numbers that only grow: recordings, revisions."""
    return Integer().with_variant(mysql.BIGINT(unsigned=True), "mysql")


def _unsigned() -> TypeEngine[int]:
    """Numbers below 2**32."""
    return Integer().with_variant(mysql.INTEGER(unsigned=True), "mysql")


def _small() -> TypeEngine[int]:
    """Numbers below 2**16."""
    return SmallInteger().with_variant(mysql.SMALLINT(unsigned=True), "mysql")


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# One row, id 1. Every writer updates it first, so writers follow one another and the
# numbers they take rise in the order in which they commit.
store = Table(
    "store",
    metadata,
    Column("id", _small(), primary_key=True, autoincrement=False),
    Column("store_id", CHAR(36), nullable=False),
    Column("revision", _counter(), nullable=False),
    Column("last_recording_id", _counter(), nullable=False),
    Column("blocks_per_row", _small(), nullable=False),
    Column("created_at", DateTime(), nullable=False),
    # Changes up to this revision are not all known any more: an index that is older is
    # rebuilt.
    Column("log_start", _counter(), nullable=False, server_default=literal("0")),
    **_OPTIONS,
)

fingerprinters = Table(
    "fingerprinters",
    metadata,
    Column("id", _unsigned(), primary_key=True, autoincrement=False),
    Column("digest", CHAR(64), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("bits", _small(), nullable=False),
    Column("family", String(255), nullable=False),
    Column("parameters", Text(), nullable=False),
    **_OPTIONS,
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", _counter(), primary_key=True, autoincrement=False),
    Column("sha256", Sha256(), nullable=False, unique=True),
    Column("name", AnyText(NAME_LENGTH), nullable=False),
    Column("path", AnyText(), nullable=False),
    Column("duration", Double(), nullable=False),
    Column("hash_count", _unsigned(), nullable=False),
    Column("added_at", DateTime(), nullable=False),
    Column("revision", _counter(), nullable=False, index=True),
    # Its hashes are those of so many streams, one behind the other: the mix, then each side.
    Column("streams", _small(), nullable=False, server_default=literal("1")),
    # What was decoded, as JSON; NULL where an older samaf stored it.
    Column("media", Text()),
    # 191 x 4 bytes: within InnoDB's limit for an index of any row format.
    Index("ix_recordings_name", "name", mysql_length=191),
    **_OPTIONS,
)

# A position, not the name, is the key: MySQL's collations take "a" and "a " for the same.
labels = Table(
    "labels",
    metadata,
    Column(
        "recording_id",
        _counter(),
        ForeignKey("recordings.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("position", _small(), primary_key=True, autoincrement=False),
    Column("name", AnyText(LABEL_NAME_LENGTH), nullable=False),
    Column("value", AnyText(), nullable=False),
    Index("ix_labels_name_value", "name", "value", mysql_length={"value": 191}),
    **_OPTIONS,
)

hash_rows = Table(
    "hash_rows",
    metadata,
    Column(
        "fingerprinter_id",
        _unsigned(),
        ForeignKey("fingerprinters.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "recording_id",
        _counter(),
        ForeignKey("recordings.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    Column("first_block_id", _unsigned(), primary_key=True, autoincrement=False),
    Column("count", _small(), nullable=False),
    Column(
        "hashes",
        LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"),
        nullable=False,
    ),
    # One bit a hash; NULL when all are informative.
    Column("informative", LargeBinary().with_variant(mysql.VARBINARY(512), "mysql")),
    Column("crc32", _unsigned(), nullable=False),
    **_OPTIONS,
)

deletions = Table(
    "deletions",
    metadata,
    Column("recording_id", _counter(), primary_key=True, autoincrement=False),
    Column("sha256", Sha256(), nullable=False),
    Column("revision", _counter(), nullable=False, index=True),
    Column("deleted_at", DateTime(), nullable=False),
    **_OPTIONS,
)

# Who changed what and when; `samaf.store.audit` chains the entries.
audit = Table(
    "audit",
    metadata,
    Column("id", _counter(), primary_key=True, autoincrement=False),
    Column("happened_at", DateTime(), nullable=False),
    Column("act", String(16), nullable=False),
    Column("sha256", Sha256()),
    Column("path", AnyText(), nullable=False),
    Column("database_user", AnyText(USER_LENGTH), nullable=False),
    Column("os_user", AnyText(USER_LENGTH), nullable=False),
    Column("program", String(64), nullable=False),
    Column("fingerprinter", Sha256()),
    Column("details", Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=False),
    Column("hash", Sha256(), nullable=False),
    **_OPTIONS,
)

# Alembic's own table, so that a new store is stamped without importing alembic.
version = Table(
    "alembic_version",
    MetaData(naming_convention={"pk": "%(table_name)s_pkc"}),
    Column("version_num", String(32), primary_key=True),
)
