"""The API: reports."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from samaf.report import Case
from samaf.web.context import context, json_body
from samaf.web.jobs import DONE, Job
from samaf.web.openapi import Operation, Schema, ref
from samaf.web.problems import Problem
from samaf.web.reports import MOST_CLIPS
from samaf.web.schemas import ID, TEXT, items, record

LONGEST_FIELD = 4000  # characters of a field of the case
CASE_FIELDS = tuple(each.name for each in fields(Case))
TYPES = {
    "html": "text/html",
    "pdf": "application/pdf",
    "csv": "text/csv",
    "json": "application/json",
    "jsonld": "application/ld+json",
}
# A report carries its style and its pictures in itself; it gets no rights of the page.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


async def create_report(request: Request) -> Response:
    """Make a report on queries that are done."""
    here = context(request)
    body = await json_body(request)
    jobs = done_jobs(request, body.get("queries"))
    if len({str(job.options) for job in jobs}) > 1:
        raise Problem(
            422, "these clips were queried with different options; make a report for each"
        )
    made = here.reports.start(
        [here.jobs.clip(job) for job in jobs],
        [job.clip for job in jobs],
        options=jobs[0].options,
        case=_case(body.get("case", {})),
        log=here.settings.write,
    )
    return JSONResponse(asdict(made), 202, {"location": f"/api/reports/{made.id}"})


def done_jobs(request: Request, ids: Any) -> list[Job]:
    """Give the queries with these ids; `Problem` where one is not done, or they are too many."""
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise Problem(422, "queries: give a list of ids")
    if not 1 <= len(ids) <= MOST_CLIPS:
        raise Problem(422, f"queries: give 1 to {MOST_CLIPS}")
    jobs = [context(request).jobs.get(each) for each in dict.fromkeys(ids)]
    for job in jobs:
        if job.state != DONE:
            raise Problem(409, f"{job.clip}: this query is not done; its answer is needed")
    return jobs


def _case(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Problem(422, "case: give an object of texts")
    for name, text in value.items():
        if name not in CASE_FIELDS:
            raise Problem(422, f"case: has no {name[:40]!a}; there are {', '.join(CASE_FIELDS)}")
        if not isinstance(text, str) or len(text) > LONGEST_FIELD:
            raise Problem(422, f"{name}: give a text of {LONGEST_FIELD:,} characters at most")
    return value


async def list_reports(request: Request) -> Response:
    """List the reports, the newest first."""
    return JSONResponse({"reports": [asdict(each) for each in context(request).reports.all()]})


async def get_report(request: Request) -> Response:
    """Give a report with the names of its files."""
    return JSONResponse(asdict(context(request).reports.get(request.path_params["id"])))


async def delete_report(request: Request) -> Response:
    """Remove a report with its files."""
    context(request).reports.remove(request.path_params["id"])
    return Response(status_code=204)


async def get_report_file(request: Request) -> Response:
    """Give a file of a report."""
    name = request.path_params["name"]
    path = context(request).reports.file(request.path_params["id"], name)
    kind = TYPES.get(name.rpartition(".")[2], "text/plain")
    shown = "inline" if kind in ("text/html", "application/pdf") else "attachment"
    return FileResponse(
        path,
        media_type=kind,
        filename=name,
        content_disposition_type=shown,
        headers={"content-security-policy": POLICY},
    )


REPORT: Schema = record(
    {
        "id": ID,
        "number": {"type": "integer"},
        "created_at": TEXT,
        "clips": items(TEXT),
        "state": {"enum": ["running", "done", "failed"]},
        "files": {"type": "object", "additionalProperties": TEXT},
        "error": TEXT,
    }
)
SCHEMAS = {"Report": REPORT}
_BODY: Schema = {
    "type": "object",
    "required": ["queries"],
    "properties": {
        "queries": {"type": "array", "items": ID, "minItems": 1, "maxItems": MOST_CLIPS},
        "case": {
            "type": "object",
            "properties": {
                name: {"type": "string", "maxLength": LONGEST_FIELD} for name in CASE_FIELDS
            },
            "additionalProperties": False,
        },
    },
}

OPERATIONS = [
    Operation(
        "POST",
        "/api/reports",
        create_report,
        "Make a report on queries that are done.",
        (202, "application/json", ref("Report")),
        body=("application/json", _BODY),
        errors=(400, 403, 404, 409, 413, 422),
    ),
    Operation(
        "GET",
        "/api/reports",
        list_reports,
        "List the reports, the newest first.",
        (200, "application/json", record({"reports": items(ref("Report"))})),
    ),
    Operation(
        "GET",
        "/api/reports/{id}",
        get_report,
        "Give a report with the names of its files.",
        (200, "application/json", ref("Report")),
        {"id": ID},
        errors=(404,),
    ),
    Operation(
        "DELETE",
        "/api/reports/{id}",
        delete_report,
        "Remove a report with its files.",
        (204, "", {}),
        {"id": ID},
        errors=(403, 404),
    ),
    Operation(
        "GET",
        "/api/reports/{id}/files/{name}",
        get_report_file,
        "Give a file of a report: report.html, report.pdf, report.json, matches.csv, ...",
        (200, "application/octet-stream", {"type": "string", "format": "binary"}),
        {"id": ID, "name": {"type": "string", "pattern": "^[a-z.-]+$"}},
        errors=(404,),
    ),
]
