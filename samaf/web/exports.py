"""The API: answers as files for other programs, as `samaf query` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from samaf.csv_rows import csv_lines
from samaf.json_records import MATCH_FIELDS, RANKING_FIELDS
from samaf.report.exports.cut import CUT_FORMATS
from samaf.report.exports.formats import FORMATS
from samaf.web.context import context
from samaf.web.export_files import Answered
from samaf.web.jobs import Job
from samaf.web.openapi import Operation
from samaf.web.problems import Problem
from samaf.web.reports_api import done_jobs
from samaf.web.schemas import ID

TABLES = {"csv": "text/csv; charset=utf-8", "json": "application/x-ndjson"}
EXPORTS = (*FORMATS, *CUT_FORMATS, *TABLES)
MOST_PADDING_S = 60.0
ABOUT = ("query", "duration", "sha256")
PIECE = 1 << 20  # bytes sent at once


async def export_answers(request: Request) -> Response:
    """Give answers as a file: label tracks or cut sound in a ZIP file, CSV, or lines of JSON."""
    export_format = request.query_params.get("format", "")
    if export_format not in EXPORTS:
        raise Problem(422, f"format: choose one of {', '.join(EXPORTS)}")
    padding_s = _padding(request.query_params.get("padding_s", "0"))
    jobs = done_jobs(request, request.query_params.getlist("query"))
    if export_format in TABLES:
        return _table(jobs, export_format)
    if any(job.kind == "ranking" for job in jobs):
        raise Problem(
            422,
            "this store's model ranks recordings and finds no stretches to export; choose csv or "
            "json",
        )
    here = context(request)
    with TemporaryDirectory(dir=here.settings.temporary, prefix="export-") as folder:
        out = Path(folder) / "out.zip"
        await here.listening.ask(
            "export",
            clips=[
                asdict(Answered(str(here.jobs.clip(job)), job.clip, job.result or {}))
                for job in jobs
            ],
            out=str(out),
            export_format=export_format,
            padding_s=padding_s,
        )
        size = out.stat().st_size
        file = out.open("rb")  # lives on without its name until it is sent
    headers = {**_attachment(f"samaf-{export_format}.zip"), "content-length": str(size)}
    pieces = iterate_in_threadpool(_pieces(file))
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _table(jobs: list[Job], export_format: str) -> Response:
    """Give what ``samaf query --csv`` or ``--json`` prints."""
    kinds = {job.kind for job in jobs}
    records = [job.result or {} for job in jobs]
    if export_format == "json":
        text = "".join(f"{json.dumps(record)}\n" for record in records)
    elif len(kinds) > 1:
        raise Problem(422, "these answers are of different models; export each alone")
    elif "ranking" in kinds:
        text = "".join(csv_lines((*ABOUT, "padded", "media", *RANKING_FIELDS), records))
    else:
        fields = (*ABOUT, "media", "unsearched", "more", *MATCH_FIELDS)
        verified = any("verification" in match for each in records for match in each["matches"])
        text = "".join(csv_lines((*fields, "verification") if verified else fields, records))
    return Response(
        text,
        media_type=TABLES[export_format],
        headers=_attachment(f"samaf.{export_format}"),
    )


def _attachment(name: str) -> dict[str, str]:
    return {"content-disposition": f"attachment; filename={name}"}


def _padding(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = float("nan")
    if not (isfinite(seconds) and 0 <= seconds <= MOST_PADDING_S):
        raise Problem(422, f"padding_s: choose 0 to {MOST_PADDING_S:g} s")
    return seconds


OPERATIONS = [
    Operation(
        "GET",
        "/api/exports",
        export_answers,
        "Give answers as label tracks or cut sound (ZIP), as CSV, or as lines of JSON.",
        (
            200,
            "application/zip, text/csv, application/x-ndjson",
            {"type": "string", "format": "binary"},
        ),
        query={
            "query": {"type": "array", "items": ID, "description": "Those that are done."},
            "format": {"enum": list(EXPORTS)},
            "padding_s": {
                "type": "number",
                "minimum": 0,
                "maximum": MOST_PADDING_S,
                "default": 0,
                "description": "Kept on either side of what is cut, in seconds.",
            },
        },
        errors=(404, 409, 422),
    )
]
