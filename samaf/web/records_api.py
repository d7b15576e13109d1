"""The API: recordings, their labels and matches, statistics, duplicates, the audit log."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from samaf.json_records import recording_record
from samaf.web import browse
from samaf.web.context import context, json_body, must_write, recording_of
from samaf.web.openapi import Handler, Operation, Schema, ref
from samaf.web.problems import Problem
from samaf.web.schemas import NEXT, RECORDING_ID, count, items, limit, record

TEXT: Schema = {"type": "string"}


def _listing(view: browse.View) -> Handler:
    async def listed(request: Request) -> Response:
        return JSONResponse((await view(request)).as_json())

    return listed


async def label_recording(request: Request) -> Response:
    """Set labels of a recording, and remove those that are null; others stay."""
    must_write(request)
    found = await recording_of(request)
    body = await json_body(request)
    labels = body.get("labels")
    if not isinstance(labels, dict) or not all(
        value is None or isinstance(value, str) for value in labels.values()
    ):
        raise Problem(422, "labels: give an object of texts, null to remove one")
    engine = context(request).engine
    changed = await asyncio.to_thread(engine.label, found.recording_id, labels)
    return JSONResponse(recording_record(changed))


async def get_recording(request: Request) -> Response:
    """Give one recording."""
    return JSONResponse(recording_record(await recording_of(request)))


async def find_duplicates(request: Request) -> Response:
    """Look for duplicates in the background; `GET` gives them when they are found."""
    known = context(request).duplicates.start()
    return JSONResponse({"state": known.state}, 202)


OPERATIONS = [
    Operation(
        "GET",
        "/api/recordings",
        _listing(browse.recordings),
        "List recordings by their ids.",
        (200, "application/json", record({"recordings": items(ref("Recording")), "next": NEXT})),
        query={
            "after": count("Only those with a larger id."),
            "limit": limit(),
            "name": {**TEXT, "description": "Only those whose name holds this."},
            "label": {"type": "array", "items": TEXT, "description": "NAME=VALUE; all must fit."},
        },
        errors=(422,),
        operation_id="list_recordings",
    ),
    Operation(
        "GET",
        "/api/recordings/{id}",
        get_recording,
        "Give one recording.",
        (200, "application/json", ref("Recording")),
        {"id": RECORDING_ID},
        errors=(404,),
    ),
    Operation(
        "PATCH",
        "/api/recordings/{id}/labels",
        label_recording,
        "Set and remove labels; needs --write.",
        (200, "application/json", ref("Recording")),
        {"id": RECORDING_ID},
        body=(
            "application/json",
            {
                "type": "object",
                "required": ["labels"],
                "properties": {
                    "labels": {
                        "type": "object",
                        "additionalProperties": {"type": ["string", "null"]},
                    }
                },
            },
        ),
        errors=(400, 403, 404, 413, 422),
    ),
    Operation(
        "GET",
        "/api/recordings/{id}/matches",
        _listing(browse.recording),
        "Give a recording with the matches in it of all queries that are kept.",
        (
            200,
            "application/json",
            record({"recording": ref("Recording"), "matches": items({"type": "object"})}),
        ),
        {"id": RECORDING_ID},
        errors=(404,),
        operation_id="list_recording_matches",
    ),
    Operation(
        "GET",
        "/api/statistics",
        _listing(browse.statistics),
        "Sum the store up.",
        (200, "application/json", record({"statistics": items({"type": "object"})})),
        operation_id="get_statistics",
    ),
    Operation(
        "GET",
        "/api/audit",
        _listing(browse.audit),
        "List the entries of the audit log, the newest first.",
        (200, "application/json", record({"entries": items({"type": "object"}), "next": NEXT})),
        query={"before": count("Only entries with a smaller number."), "limit": limit()},
        errors=(422,),
        operation_id="list_audit_entries",
    ),
    Operation(
        "GET",
        "/api/duplicates",
        _listing(browse.duplicates),
        "Give the pairs of recordings that share audio, as they were found last.",
        (
            200,
            "application/json",
            record({"state": TEXT, "duplicates": items({"type": "object"})}),
        ),
        operation_id="list_duplicates",
    ),
    Operation(
        "POST",
        "/api/duplicates",
        find_duplicates,
        "Look for duplicates in the background.",
        (202, "application/json", record({"state": TEXT})),
        errors=(403,),
    ),
]
