"""The API: one match of a query, and what people decided about it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from samaf.engine.decisions import Decision, decide, decisions, page_of_decisions
from samaf.web.answers import ranked
from samaf.web.browse import LARGEST
from samaf.web.context import context, json_body, must_write, number, user
from samaf.web.jobs import Job
from samaf.web.openapi import Operation, ref
from samaf.web.problems import Problem
from samaf.web.schemas import ID, NEW_DECISION, NEXT, count, items, limit, record
from samaf.web.settings import MOST_PAGE, PAGE

SHA256 = re.compile("[0-9a-f]{64}")
MOST_CLIPS = 50  # of one request


def match_of(request: Request) -> tuple[Job, dict[str, Any]]:
    """Give the query and the match that the path means."""
    job = context(request).jobs.get(request.path_params["id"])
    if job.result is None:
        raise Problem(409, "this query is not done")
    matches = ranked(job.result)
    text = request.path_params["match"]
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= len(matches):
        raise Problem(404, f"no such match; this query has {len(matches)}")
    return job, matches[int(text) - 1]


async def get_match(request: Request) -> Response:
    """Give a match, its bit error rate along time, and what was decided about its places."""
    here = context(request)
    job, match = match_of(request)
    assert job.result
    query = match["query_start"], match["query_stop"]
    reference = match["reference_start"], match["reference_stop"]
    found = await asyncio.to_thread(here.engine.store.get_many, [match["reference_id"]])
    course: dict[str, Any] = {}
    if found:
        course = await here.listening.ask(
            "course",
            path=str(here.jobs.clip(job)),
            name=job.clip,
            selection=asdict(job.selection),
            match=match,
        )
    known = await asyncio.to_thread(decisions, here.engine.store, job.result["sha256"])
    about = [
        asdict(each)
        for each in known
        for recording in found.values()
        if each.reference_sha256 == recording.sha256 and each.is_about(query, reference)
    ]
    return JSONResponse({"match": match, **course, "decisions": about})


async def create_decision(request: Request) -> Response:
    """Write a decision about a match into the store's audit log."""
    must_write(request)
    here = context(request)
    job, match = match_of(request)
    assert job.result
    body = await json_body(request)
    given = {name: body.get(name, "") for name in ("decision", "comment", "name")}
    for name, value in given.items():
        if not isinstance(value, str):
            raise Problem(422, f"{name}: not a text")
    found = await asyncio.to_thread(here.engine.store.get_many, [match["reference_id"]])
    if not found:
        raise Problem(409, "the recording of this match was deleted")
    (recording,) = found.values()
    decision = Decision(
        clip=job.clip,
        clip_sha256=job.result["sha256"],
        reference=recording.name,
        reference_sha256=recording.sha256,
        query_start=match["query_start"],
        query_stop=match["query_stop"],
        reference_start=match["reference_start"],
        reference_stop=match["reference_stop"],
        decision=given["decision"],
        comment=given["comment"],
        name=user(request) or given["name"],
    )
    await asyncio.to_thread(decide, here.engine.store, decision)
    return JSONResponse(asdict(decision), 201)


async def list_decisions(request: Request) -> Response:
    """Give a page of the decisions, the newest first."""
    store = context(request).engine.store
    before = number(request, "before", None, 0, LARGEST)
    most = number(request, "limit", PAGE, 1, MOST_PAGE) or PAGE
    clips = [text for text in request.query_params.getlist("clip") if text]
    if len(clips) > MOST_CLIPS or not all(map(SHA256.fullmatch, clips)):
        raise Problem(422, f"clip: give the SHA-256 of {MOST_CLIPS} clips at most")
    known, more = await asyncio.to_thread(page_of_decisions, store, before, most, clips)
    pairs = [("before", more), ("limit", most), *(("clip", clip) for clip in clips)]
    following = urlencode(pairs) if more is not None else ""
    return JSONResponse({"decisions": [asdict(each) for each in known], "next": following})


_MATCH_PATH = {"id": ID, "match": {"type": "integer", "minimum": 1, "maximum": 999_999_999}}

OPERATIONS = [
    Operation(
        "GET",
        "/api/queries/{id}/matches/{match}",
        get_match,
        "Give a match, counted from 1, with the decisions about it.",
        (200, "application/json", ref("Pair")),
        _MATCH_PATH,
        errors=(404, 409),
    ),
    Operation(
        "POST",
        "/api/queries/{id}/matches/{match}/decisions",
        create_decision,
        "Decide about a match; needs --write.",
        (201, "application/json", ref("Decision")),
        _MATCH_PATH,
        body=("application/json", NEW_DECISION),
        errors=(400, 403, 404, 409, 413, 422),
    ),
    Operation(
        "GET",
        "/api/decisions",
        list_decisions,
        "List the decisions, the newest first.",
        (200, "application/json", record({"decisions": items(ref("Decision")), "next": NEXT})),
        query={
            "clip": {
                "type": "array",
                "items": {"type": "string", "pattern": f"^{SHA256.pattern}$"},
                "maxItems": MOST_CLIPS,
                "description": "Only those about the clips with these SHA-256.",
            },
            "before": count("Only those with a smaller entry of the audit log."),
            "limit": limit(),
        },
        errors=(422,),
    ),
]
