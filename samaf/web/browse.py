"""Recordings, statistics, duplicates, reports and the audit log: as pages, as JSON and as CSV."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from samaf.csv_rows import csv_lines
from samaf.json_records import (
    RECORDING_FIELDS,
    STRETCH_FIELDS,
    recording_record,
    stats_record,
)
from samaf.status import AuditEntry, StoreStats
from samaf.web.answers import ranked
from samaf.web.context import context, number, recording_of
from samaf.web.jobs import Job
from samaf.web.pages import page
from samaf.web.problems import Problem
from samaf.web.reports import Made
from samaf.web.settings import MOST_PAGE, PAGE

LARGEST = (1 << 63) - 1  # an id
MOST_LABELS = 10  # searched for at once


@dataclass(frozen=True, slots=True)
class Listing:
    """Records that are shown together.

    Attributes
    ----------
    name
        Of the list of records in JSON.
    fields
        Columns of the CSV.
    seconds
        That the database took.
    more
        Query of the URL of the next page; empty on the last one.
    others
        What else the page shows, and JSON beside the records.
    """

    title: str
    name: str
    fields: Sequence[str]
    records: Sequence[Mapping[str, Any]]
    seconds: float
    more: str = ""
    others: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Give the JSON object."""
        return {self.name: self.records, "next": self.more, **self.others}


View = Callable[[Request], Awaitable[Listing]]


async def recordings(request: Request) -> Listing:
    """List recordings by their ids, searched by name and labels."""
    store = context(request).engine.store
    given = request.query_params
    after = number(request, "after", 0, 0, LARGEST) or 0
    limit = number(request, "limit", PAGE, 1, MOST_PAGE) or PAGE
    name = given.get("name", "")
    labels = _labels(given.getlist("label"))
    start = time.perf_counter()
    found = await asyncio.to_thread(store.page, after, limit + 1, name=name, labels=labels)
    seconds = time.perf_counter() - start
    shown = found[:limit]
    more = ""
    if len(found) > limit:
        pairs = [("after", shown[-1].recording_id), ("limit", limit)]
        pairs += [("name", name)] if name else []
        pairs += [("label", text) for text in given.getlist("label") if text]
        more = urlencode(pairs)
    records = [recording_record(each) for each in shown]
    return Listing("Recordings", "recordings", RECORDING_FIELDS, records, seconds, more)


def _labels(texts: Sequence[str]) -> dict[str, str]:
    labels = {}
    for text in filter(None, texts):
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise Problem(422, "label: give it as NAME=VALUE")
        labels[name] = value
    if len(labels) > MOST_LABELS:
        raise Problem(422, f"label: give {MOST_LABELS} at most")
    return labels


async def recording(request: Request) -> Listing:
    """Show one recording, and the matches in it of the queries that the server keeps."""
    start = time.perf_counter()
    found = await recording_of(request)
    seconds = time.perf_counter() - start
    matches = [
        match
        for job in context(request).jobs.matching(found.recording_id)
        for match in _matches(job, found.recording_id)
    ]
    fields = ("query_id", "query", "match", *STRETCH_FIELDS)
    others = {"recording": recording_record(found)}
    return Listing(found.name, "matches", fields, matches, seconds, others=others)


def _matches(job: Job, recording_id: int) -> list[dict[str, Any]]:
    assert job.result
    found = ranked(job.result)
    return [
        {"query_id": job.id, "query": job.clip, "match": place}
        | {key: value for key, value in match.items() if key in STRETCH_FIELDS}
        for place, match in enumerate(found, 1)
        if match["reference_id"] == recording_id
    ]


async def statistics(request: Request) -> Listing:
    """Sum the store up."""
    start = time.perf_counter()
    stats = await asyncio.to_thread(context(request).engine.stats)
    seconds = time.perf_counter() - start
    fields = tuple(StoreStats.__dataclass_fields__)
    return Listing("Statistics", "statistics", fields, [stats_record(stats)], seconds)


async def audit(request: Request) -> Listing:
    """List the entries of the audit log, the newest first."""
    store = context(request).engine.store
    before = number(request, "before", None, 0, LARGEST)
    limit = number(request, "limit", PAGE, 1, MOST_PAGE) or PAGE
    start = time.perf_counter()
    entries = await asyncio.to_thread(store.audit_page, before, limit + 1)
    seconds = time.perf_counter() - start
    more = ""
    if len(entries) > limit:
        more = urlencode({"before": entries[limit - 1].entry_id, "limit": limit})
    records = [asdict(entry) for entry in entries[:limit]]
    fields = tuple(AuditEntry.__dataclass_fields__)
    return Listing("Audit log", "entries", fields, records, seconds, more)


async def duplicates(request: Request) -> Listing:
    """List the pairs of recordings that share audio, as they were found last."""
    here = context(request)
    known = here.duplicates.known
    fields = ("first_id", "first", "second_id", "second", *STRETCH_FIELDS)
    others = {
        "state": known.state,
        "error": known.error,
        "finished_at": known.finished_at,
        "current": known.revision == await asyncio.to_thread(lambda: here.engine.store.revision),
    }
    return Listing("Duplicates", "duplicates", fields, known.pairs, 0.0, others=others)


async def reports(request: Request) -> Listing:
    """List the reports that were made, the newest first."""
    records = [asdict(each) for each in context(request).reports.all()]
    fields = tuple(Made.__dataclass_fields__)
    return Listing("Reports", "reports", fields, records, 0.0)


def _handlers(view: View, template: str) -> tuple[Any, Any, Any]:
    async def as_page(request: Request) -> Response:
        listing = await view(request)
        return page(request, template, listing.title, listing=listing, given=request.query_params)

    async def as_json(request: Request) -> Response:
        return JSONResponse((await view(request)).as_json())

    async def as_csv(request: Request) -> Response:
        listing = await view(request)
        headers = {"content-disposition": f"attachment; filename={listing.name}.csv"}
        if listing.more:
            headers["link"] = f'<?{listing.more}>; rel="next"'
        lines = csv_lines(listing.fields, listing.records)
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)

    return as_page, as_json, as_csv


VIEWS: dict[str, tuple[View, str]] = {
    "/recordings": (recordings, "recordings.html"),
    "/recordings/{id}": (recording, "recording.html"),
    "/statistics": (statistics, "statistics.html"),
    "/audit": (audit, "audit.html"),
    "/duplicates": (duplicates, "duplicates.html"),
    "/reports": (reports, "reports.html"),
}


def _routes() -> list[Route]:
    made = []
    for path, (view, template) in VIEWS.items():
        as_page, as_json, as_csv = _handlers(view, template)
        made += [Route(f"{path}.json", as_json), Route(f"{path}.csv", as_csv), Route(path, as_page)]
    return made


ROUTES = _routes()
