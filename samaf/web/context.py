"""What the routes of a server share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request

from samaf.engine.engine import Engine
from samaf.web.jobs import Jobs
from samaf.web.problems import Problem
from samaf.web.settings import Settings
from samaf.web.sounds import Sounds
from samaf.web.uploads import Roots
from samaf.web.workers import Pool

if TYPE_CHECKING:
    from asyncio import Semaphore


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of a running server.

    Attributes
    ----------
    engine
        The store, for all that reads or changes it without a search. Threads share it.
    pool, jobs
        What runs queries, and the queries.
    uploads
        Held while a clip comes in: so many at once.
    """

    settings: Settings
    engine: Engine
    pool: Pool
    jobs: Jobs
    sounds: Sounds
    roots: Roots
    uploads: Semaphore


def context(request: Request) -> Context:
    """Give the parts of the server that a request came to."""
    found: Context = request.app.state.context
    return found


def user(request: Request) -> str:
    """Give who asks, as the reverse proxy says; empty without one."""
    return str(getattr(request.state, "user", ""))


def number(request: Request, name: str, default: int | None, least: int, most: int) -> int | None:
    """Give a whole number of the URL's query."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Problem(422, f"{name}: not a whole number")
    if not least <= int(text) <= most:
        raise Problem(422, f"{name}: out of range; choose {least} to {most}")
    return int(text)


def must_write(request: Request) -> None:
    """Refuse a change of the store where the server only reads."""
    if not context(request).settings.write:
        raise Problem(403, "this server is read-only; start it with samaf serve --write")
