"""Transactions on a store's database: begun, tried again, and their faults reported in one line."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from samaf.errors import StoreError
from samaf.store.dialects import BARE, WRITES, dialect_of
from samaf.store.urls import redacted

T = TypeVar("T")

FIRST_PAUSE = 0.05  # s; doubled after each attempt
LONGEST_PAUSE = 5.0  # s
MOST_LOSSES = 4  # a statement that the server cannot take costs the connection each time
# What values of another kind than the program's cause; SQLite takes any in any column.
STRANGE = (ValueError, TypeError, AttributeError, OverflowError)
PATIENCE = 60.0  # s; a server that is started again is back by then

_log = logging.getLogger(__name__)


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
        self._was_reached = False
        self._readers = self.dialect.engine(url)
        self._writers = self._readers.execution_options(**{WRITES: True})

    @cached_property
    def user(self) -> str:
        """Who we are to the database."""
        return self.read(self.dialect.user)

    def close(self) -> None:
        """Give back all connections."""
        self._readers.dispose()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction that sees one state of the database."""

        def attempt() -> T:
            with self._connect(self._readers) as connection:
                return work(connection)

        return self._try(attempt)

    def write(self, work: Callable[[Connection], T], *, repeatable: bool = False) -> T:
        """Run ``work`` and commit; all of it happens, or nothing and an error.

        It is run again after a deadlock, and after a lost connection unless that was lost
        during the commit: then nobody knows whether the work was done.

        Parameters
        ----------
        repeatable
            Whether doing it twice is the same as doing it once; then it is run again
            whenever the connection was lost.
        """

        def attempt() -> T:
            with self._connect(self._writers) as connection:
                result = work(connection)
                try:
                    connection.commit()
                except DBAPIError as error:
                    if error.connection_invalidated and not repeatable:
                        raise self._error(error) from error
                    raise
                return result

        return self._try(attempt)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a reading transaction that stays open; it is not tried again."""
        try:
            with self.faults(), self._connect(self._readers) as connection:
                yield connection
        except STRANGE as error:
            raise self._strange() from error

    def bare(self, *statements: str) -> None:
        """Run statements that stand in no transaction."""
        with self.faults(), self._readers.connect() as connection:
            bare = connection.execution_options(**{BARE: True})
            for statement in statements:
                bare.exec_driver_sql(statement)
            bare.commit()

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

    @contextmanager
    def _connect(self, engine: Engine) -> Iterator[Connection]:
        try:
            connection = engine.connect()
        except (OSError, ValueError) as error:
            # Certificates that are none, a port that is no number.
            raise StoreError(
                f"{self.name}: cannot connect ({error}); fix the URL or the files that it names"
            ) from error
        with connection:
            self._was_reached = True
            yield connection

    def _try(self, attempt: Callable[[], T]) -> T:
        last = time.monotonic() + PATIENCE
        losses, pause = 0, FIRST_PAUSE
        while True:
            try:
                return attempt()
            except DBAPIError as error:
                fault = self._error(error)
                losses += error.connection_invalidated
                if (
                    not self._may_pass(error)
                    or losses > MOST_LOSSES
                    or time.monotonic() + pause > last
                ):
                    raise fault from error
                _log.warning("%s; trying again in %.1f s", fault, pause)
            except SQLAlchemyError as error:
                raise self._error(error) from error
            except STRANGE as error:
                raise self._strange() from error
            # At random, or two writers would meet again.
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _may_pass(self, error: DBAPIError) -> bool:
        return self.dialect.is_transient(error) or (
            # A server that was there may be starting again; another was never there.
            self._was_reached and self.dialect.is_absence(error)
        )

    def _strange(self) -> StoreError:
        return StoreError(f"{self.name}: holds what no samaf wrote; `samaf db verify` tells more")

    def _error(self, error: SQLAlchemyError) -> StoreError:
        # The text of SQLAlchemy's own errors may hold statements and values.
        reason = (
            self.dialect.reason(error)
            if isinstance(error, DBAPIError)
            else f"{type(error).__name__} in the database library"
        )
        # A database's own words may hold its tables' text, line by line.
        return StoreError(f"{self.name}: {' '.join(reason.split())}")
