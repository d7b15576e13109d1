"""Many rows at once: SQLAlchemy's statements and types without its work on every single row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert

Processor = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have a value for each column of the table."""
    if not rows:
        return
    statement, processors = _prepared(table, connection.dialect)
    columns = (_processed([row[name] for row in rows], processor) for name, processor in processors)
    connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


@lru_cache(maxsize=32)
def _prepared(table: Table, dialect: Dialect) -> tuple[str, list[tuple[str, Processor | None]]]:
    """Return the statement with positional values, and what each column does to its values."""
    statement = insert(table).compile(dialect=dialect)
    processors: list[tuple[str, Processor | None]] = [
        (column.name, column.type.dialect_impl(dialect).bind_processor(dialect))
        for column in table.columns
    ]
    # Places for values have names in some drivers' statements; here they go by position.
    return re.sub(r"%\(\w+\)s", "%s", str(statement)), processors


def _processed(values: list[Any], processor: Processor | None) -> list[Any]:
    if processor is None:
        return values
    first = values[0]
    # Times, users, versions: one value for all rows.
    if all(value is first for value in values):
        return [processor(first)] * len(values)
    return [processor(value) for value in values]
