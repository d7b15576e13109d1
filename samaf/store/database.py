"""Transactions on a store's database: begun, tried again, and their faults told in one line."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from samaf.errors import StoreError
from samaf.store.dialects import WRITES, dialect_of
from samaf.store.urls import redacted

T = TypeVar("T")

ATTEMPTS = 5
FIRST_PAUSE = 0.05  # s; doubled after each attempt


class Database:
    """A database and how to work with it.

    Attributes
    ----------
    name
        Its URL without password, for messages.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.name = redacted(url)
        self.dialect = dialect_of(url)
        self._readers = self.dialect.engine(url)
        self._writers = self._readers.execution_options(**{WRITES: True})

    def close(self) -> None:
        """Give back all connections."""
        self._readers.dispose()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction that sees one state of the database."""

        def attempt() -> T:
            with self._readers.connect() as connection:
                return work(connection)

        return self._try(attempt)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` and commit; all of it happens, or nothing and an error.

        It is run again after a deadlock, and after a lost connection unless that was lost
        during the commit: then nobody knows whether the work was done.
        """

        def attempt() -> T:
            with self._writers.connect() as connection:
                result = work(connection)
                try:
                    connection.commit()
                except DBAPIError as error:
                    if error.connection_invalidated:
                        raise self._error(error) from error
                    raise
                return result

        return self._try(attempt)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a reading transaction that stays open; it is not tried again."""
        with self.faults(), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def schema_change(self, new: bool) -> Iterator[Connection]:
        """Open a connection that may change the schema while no other process does."""
        with self.faults(), self.dialect.schema_change(self._readers, new) as connection:
            yield connection

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn the errors of SQLAlchemy into a `StoreError` that names the database."""
        try:
            yield
        except SQLAlchemyError as error:
            raise self._error(error) from error

    def _try(self, attempt: Callable[[], T]) -> T:
        for number in range(ATTEMPTS - 1):
            try:
                return attempt()
            except DBAPIError as error:
                if not self.dialect.is_transient(error):
                    raise self._error(error) from error
            # At random, or two writers would meet again.
            time.sleep(FIRST_PAUSE * 2**number * random.uniform(0.5, 1.5))
        with self.faults():
            return attempt()

    def _error(self, error: SQLAlchemyError) -> StoreError:
        # The text of SQLAlchemy's own errors may hold statements and values.
        reason = (
            self.dialect.reason(error)
            if isinstance(error, DBAPIError)
            else f"{type(error).__name__} in the database library"
        )
        return StoreError(f"{self.name}: {reason}")
