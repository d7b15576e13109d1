"""What the routes of a server share."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from samaf.engine.engine import Engine
from samaf.records import Recording
from samaf.web.duplicates import Duplicates
from samaf.web.jobs import Jobs
from samaf.web.problems import Problem
from samaf.web.reports import Reports
from samaf.web.settings import Settings
from samaf.web.sounds import Sounds
from samaf.web.uploads import Roots
from samaf.web.workers import Pool

LONGEST_ID = 18  # digits, below 2 ** 63
LARGEST_BODY = 1 << 20  # bytes of a JSON object


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of a running server.

    Attributes
    ----------
    engine
        The store, for all that reads or changes it without a search. Threads share it.
    pool, jobs, duplicates, reports
        What runs queries, the queries, the duplicates, and the reports.
    listening
        What decodes for playing and drawing, apart from the queries, which may take long.
    uploads
        Held while a clip comes in: so many at once.
    """

    settings: Settings
    engine: Engine
    pool: Pool
    listening: Pool
    jobs: Jobs
    duplicates: Duplicates
    reports: Reports
    sounds: Sounds
    roots: Roots
    uploads: asyncio.Semaphore


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


async def recording_of(request: Request) -> Recording:
    """Give the recording whose id stands in the path; `Problem` where there is none."""
    text = request.path_params["id"]
    store = context(request).engine.store
    if text.isascii() and text.isdigit() and len(text) <= LONGEST_ID:
        found = await asyncio.to_thread(store.get_many, [int(text)])
        if int(text) in found:
            return found[int(text)]
    raise Problem(404, "no such recording; it was deleted, or is of another store")


async def json_body(request: Request) -> dict[str, Any]:
    """Read a small JSON object."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Problem(422, "send a JSON object, application/json")
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST_BODY:
            raise Problem(413, "the JSON object is too large")
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise Problem(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Problem(422, "send a JSON object")
    return body
