"""Matches on their way to a file, a command or a web server, which may fail and be slow.

Each receiver has a queue and a thread of its own, so that none holds up the streams or another.
What could not be delivered is tried again, after a second, then after twice as long each time.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from samaf.text import escaped, printable

WAITING = 10_000  # records for one receiver; then the oldest goes
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0  # between two tries
ANSWER_SECONDS = 30.0  # that a command or a server may take
END_SECONDS = 10.0  # in which all that is left is tried at the end
COMMAND_TRIES = 10
AGAIN = frozenset({408, 425, 429})  # answers of a server that mean later, not never

_log = logging.getLogger(__name__)


class Failed(Exception):
    """A record could not be delivered; ``final`` where another try is of no use."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Receiver(Protocol):
    """Takes records.

    Attributes
    ----------
    name
        For messages, without secrets.
    tries
        For one record; None has no end.
    """

    @property
    def name(self) -> str:
        """See the class."""
        ...

    @property
    def tries(self) -> int | None:
        """See the class."""
        ...

    def deliver(self, record: dict[str, Any]) -> None:
        """Hand a record over; `Failed` where that failed."""
        ...


@dataclass(frozen=True, slots=True)
class DailyFiles:
    """One file of JSON lines for each day (UTC) in a folder."""

    folder: Path
    tries: int | None = None

    @property
    def name(self) -> str:
        """The folder."""
        return printable(self.folder)

    def deliver(self, record: dict[str, Any]) -> None:
        """Append a line, whole or not at all."""
        day = datetime.now(timezone.utc).date().isoformat()
        try:
            with (self.folder / f"{day}.jsonl").open("ab", buffering=0) as file:
                line, end = _line(record), file.tell()
                if file.write(line) < len(line):
                    file.truncate(end)
                    raise Failed("the disk is full")
        except OSError as error:
            raise Failed(error.strerror or str(error)) from None


@dataclass(frozen=True, slots=True)
class Command:
    """A program that is started for each record and reads it from standard input."""

    arguments: Sequence[str]
    tries: int | None = COMMAND_TRIES

    @property
    def name(self) -> str:
        """The program."""
        return self.arguments[0]

    def deliver(self, record: dict[str, Any]) -> None:
        """Run it; its output goes nowhere, its messages where those of samaf go."""
        try:
            done = subprocess.run(
                self.arguments,
                input=_line(record),
                stdout=subprocess.DEVNULL,
                timeout=ANSWER_SECONDS,
                check=False,
                start_new_session=True,  # Ctrl-C is for samaf
            )
        except OSError as error:
            raise Failed(error.strerror or str(error)) from None
        except subprocess.TimeoutExpired:
            raise Failed(f"takes longer than {ANSWER_SECONDS:.0f} s") from None
        if done.returncode:
            raise Failed(f"exit status {done.returncode}")


class _NoRedirection(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow none: the record would not be sent along."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL that each record is posted to."""

    url: str
    tries: int | None = None

    @property
    def name(self) -> str:
        """Its server: the rest of such a URL is often a secret."""
        return urlsplit(self.url).hostname or ""

    def deliver(self, record: dict[str, Any]) -> None:
        """Post it."""
        headers = {"Content-Type": "application/json", "User-Agent": "samaf"}
        request = Request(self.url, _line(record), headers, method="POST")
        try:
            with build_opener(_NoRedirection).open(request, timeout=ANSWER_SECONDS):
                pass
        except HTTPError as error:
            final = 300 <= error.code < 500 and error.code not in AGAIN
            raise Failed(f"the server answers {error.code}", final=final) from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Failed(getattr(reason, "strerror", None) or str(reason)) from None


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


class Delivery(threading.Thread):
    """Hands records to a receiver, in their order.

    Attributes
    ----------
    delivered, failed_tries, dropped
        How many there were.
    """

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(daemon=True)
        self.receiver = receiver
        self.delivered = self.failed_tries = self.dropped = 0
        self._waiting: deque[dict[str, Any]] = deque()
        self._changed = threading.Condition()
        self._deadline: float | None = None  # at the end of the program
        self.start()

    @property
    def waiting(self) -> int:
        """Records that are not delivered yet."""
        return len(self._waiting)

    def put(self, record: dict[str, Any]) -> None:
        """Take a record; never waits."""
        with self._changed:
            if len(self._waiting) >= WAITING:
                self._waiting.popleft()
                self._drop(f"more than {WAITING:,} records wait")
            self._waiting.append(record)
            self._changed.notify()

    def finish(self) -> None:
        """Go on for some seconds at most; say what was not delivered."""
        with self._changed:
            self._deadline = time.monotonic() + END_SECONDS
            self._changed.notify()
        self.join(END_SECONDS)
        if lost := self.waiting:
            _log.error("%s: %d records were not delivered", escaped(self.receiver.name), lost)

    def run(self) -> None:
        """Deliver until the end."""
        while (record := self._next()) is not None:
            tries = 0
            while not self._try(record, tries):
                tries += 1
                if not self._wait(tries):
                    return

    def _next(self) -> dict[str, Any] | None:
        """Wait for a record; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._deadline)
            return self._waiting[0] if self._waiting else None

    def _try(self, record: dict[str, Any], tries: int) -> bool:
        """Deliver the oldest record; tell whether it is done with."""
        try:
            self.receiver.deliver(record)
        except Failed as failure:
            self.failed_tries += 1
            given_up = failure.final or tries + 1 == self.receiver.tries
            if not given_up:
                if FIRST_WAIT_SECONDS * 2.0**tries < LONGEST_WAIT_SECONDS:
                    name, waiting = escaped(self.receiver.name), self.waiting
                    _log.warning("%s: %s; %d records wait", name, failure, waiting)
                return False
            self._drop(str(failure))
        else:
            self.delivered += 1
        with self._changed:
            # The oldest may have gone because there were too many.
            if self._waiting and self._waiting[0] is record:
                self._waiting.popleft()
        return True

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        _log.error("%s: a record was not delivered: %s", escaped(self.receiver.name), reason)

    def _wait(self, tries: int) -> bool:
        """Wait before another try; tell whether there is time for one."""
        wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (tries - 1))
        with self._changed:
            if self._deadline is None:
                self._changed.wait_for(lambda: self._deadline is not None, timeout=wait)
                return True
            time_left = self._deadline - time.monotonic() > FIRST_WAIT_SECONDS
        if time_left:
            time.sleep(FIRST_WAIT_SECONDS)
        return time_left
