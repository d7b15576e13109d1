"""The API: queries."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from samaf.web.context import context, must_write, number
from samaf.web.jobs import OPEN, Job, clip_path
from samaf.web.openapi import Operation, ref
from samaf.web.problems import Problem
from samaf.web.schemas import EVENT, ID, QUERY_FORM, count, items, limit
from samaf.web.settings import MOST_PAGE, PAGE
from samaf.web.uploads import clip_name, is_set, query_options, read_form, store

HEARTBEAT_SECONDS = 15.0
HEARTBEAT = ":\n\n"  # a comment, so that a proxy keeps a silent stream open
NUMBERS = 1 << 53  # the largest that a browser counts to


async def create_query(request: Request) -> Response:
    """Take a clip, and ask about it in the background."""
    here = context(request)
    async with here.uploads:
        form = await read_form(request, here.settings.most_upload)
        try:
            options, audit = query_options(form), is_set(form, "audit")
            if audit:
                must_write(request)
            clip, file = form.get("clip"), form.get("file")
            if isinstance(clip, UploadFile):
                name = clip_name(clip)
                place = here.jobs.new_folder()
                try:
                    await store(clip, clip_path(place, name))
                    job = here.jobs.start(place, name, options, audit=audit)
                except BaseException:
                    shutil.rmtree(place, ignore_errors=True)
                    raise
            elif isinstance(file, str) and file:
                path, name = here.roots.file(file)
                place = here.jobs.new_folder()
                job = here.jobs.start(place, name, options, path, audit=audit)
            else:
                raise Problem(422, "send the clip as the form's file 'clip', or name one as 'file'")
        finally:
            await form.close()
    return JSONResponse(job.to_record(), 201, {"location": f"/api/queries/{job.id}"})


async def list_queries(request: Request) -> Response:
    """Give the queries, the newest first."""
    before = number(request, "before", None, 0, NUMBERS)
    most = number(request, "limit", PAGE, 1, MOST_PAGE) or PAGE
    jobs = context(request).jobs.page(before, most)
    return JSONResponse({"queries": [job.to_record() for job in jobs]})


async def get_query(request: Request) -> Response:
    """Give a query, with its answer when it is done."""
    return JSONResponse(context(request).jobs.get(request.path_params["id"]).to_record())


async def cancel_query(request: Request) -> Response:
    """End a query that waits or runs; one that is done stays as it is."""
    return JSONResponse(context(request).jobs.cancel(request.path_params["id"]).to_record())


async def delete_query(request: Request) -> Response:
    """End a query, and delete it with its uploaded clip."""
    context(request).jobs.forget(request.path_params["id"])
    return Response(status_code=204)


async def follow_query(request: Request) -> Response:
    """Follow a query as server-sent events, until it is done."""
    jobs, job_id = context(request).jobs, request.path_params["id"]
    jobs.get(job_id)
    queue = jobs.listen()

    async def events() -> AsyncIterator[str]:
        try:
            job: Job | None = jobs.get(job_id)
            while True:
                if job is None:
                    yield HEARTBEAT
                elif job.id == job_id:
                    yield _event(job)
                    if job.state not in OPEN:
                        return
                job = await _next(queue)
        finally:
            jobs.leave(queue)

    return StreamingResponse(events(), media_type="text/event-stream")


async def follow_queries(request: Request) -> Response:
    """Follow all queries as server-sent events: each one whenever it changes."""
    jobs = context(request).jobs
    queue = jobs.listen()

    async def events() -> AsyncIterator[str]:
        try:
            yield HEARTBEAT
            while True:
                job = await _next(queue)
                yield HEARTBEAT if job is None else _event(job)
        finally:
            jobs.leave(queue)

    return StreamingResponse(events(), media_type="text/event-stream")


async def list_files(request: Request) -> Response:
    """List the folders and audio files below the folders that the server was given."""
    listing = await asyncio.to_thread(
        context(request).roots.listing, request.query_params.get("folder", "")
    )
    return JSONResponse(listing)


async def _next(queue: asyncio.Queue[Job]) -> Job | None:
    """Give what comes next, or None where nothing came for a while."""
    try:
        return await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
    except asyncio.TimeoutError:
        return None


def _event(job: Job) -> str:
    return f"event: query\ndata: {json.dumps(job.to_record())}\n\n"


OPERATIONS = [
    Operation(
        "POST",
        "/api/queries",
        create_query,
        "Ask about a clip.",
        (201, "application/json", ref("Query")),
        body=("multipart/form-data", QUERY_FORM),
        errors=(400, 403, 404, 413, 422, 429),
    ),
    Operation(
        "GET",
        "/api/queries",
        list_queries,
        "List the queries, the newest first.",
        (
            200,
            "application/json",
            {
                "type": "object",
                "required": ["queries"],
                "properties": {"queries": items(ref("Query"))},
            },
        ),
        query={"before": count("Only those with a smaller number."), "limit": limit()},
        errors=(422,),
    ),
    Operation(
        "GET",
        "/api/queries/{id}",
        get_query,
        "Give a query, with its answer when it is done.",
        (200, "application/json", ref("Query")),
        {"id": ID},
        errors=(404,),
    ),
    Operation(
        "DELETE",
        "/api/queries/{id}",
        delete_query,
        "End a query, and delete it with its clip.",
        (204, "", {}),
        {"id": ID},
        errors=(403, 404),
    ),
    Operation(
        "POST",
        "/api/queries/{id}/cancel",
        cancel_query,
        "End a query that waits or runs.",
        (200, "application/json", ref("Query")),
        {"id": ID},
        errors=(403, 404),
    ),
    Operation(
        "GET",
        "/api/queries/{id}/events",
        follow_query,
        "Follow a query as server-sent events, until it is done.",
        (200, "text/event-stream", EVENT),
        {"id": ID},
        errors=(404,),
    ),
    Operation(
        "GET",
        "/api/events",
        follow_queries,
        "Follow all queries as server-sent events.",
        (200, "text/event-stream", EVENT),
    ),
    Operation(
        "GET",
        "/api/files",
        list_files,
        "List folders and audio files below the server's roots.",
        (200, "application/json", ref("Files")),
        query={"folder": {"type": "string", "description": "NUMBER/PATH; empty lists the roots."}},
        errors=(404,),
    ),
]
