"""The schemas of what the API takes and gives."""

from __future__ import annotations

from typing import Any

from samaf.engine.decisions import DECISIONS, LONGEST_COMMENT, LONGEST_NAME
from samaf.engine.options import (
    GRANULARITIES_S,
    GRANULARITY_S,
    MATCHES,
    MAX_FALSE_MATCHES,
    POPULATIONS,
    SEARCHES,
)
from samaf.web.settings import HIGHEST_TRACK, MOST_PAGE, PAGE

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
NEXT: Schema = {"type": "string", "description": "Query of the next page; empty on the last."}
RECORDING_ID: Schema = {"type": "integer", "minimum": 1, "maximum": 1 << 53}


def record(required: dict[str, Schema], **optional: Schema) -> Schema:
    """Give the schema of an object."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
    }


def count(description: str) -> Schema:
    """Give the schema of a whole number from 0 on."""
    return {"type": "integer", "minimum": 0, "maximum": 1 << 53, "description": description}


def limit() -> Schema:
    """Give the schema of the length of a page."""
    return {"type": "integer", "minimum": 1, "maximum": MOST_PAGE, "default": PAGE}


def items(schema: Schema) -> Schema:
    """Give the schema of an array."""
    return {"type": "array", "items": schema}


MATCH = record(
    {
        "reference_id": WHOLE,
        "reference": TEXT,
        "labels": {"type": "object", "additionalProperties": TEXT},
        "query_start": NUMBER,
        "query_stop": NUMBER,
        "reference_start": NUMBER,
        "reference_stop": NUMBER,
    }
)
RESULT = record(
    {"query": TEXT, "duration": NUMBER, "sha256": TEXT},
    matches=items({"$ref": "#/components/schemas/Match"}),
    ranking=items({"$ref": "#/components/schemas/Match"}),
    more=count("Recordings at least that match as well, beyond k for one segment."),
)
JOB = record(
    {
        "id": ID,
        "number": WHOLE,
        "clip": TEXT,
        "size": WHOLE,
        "options": {"type": "object"},
        "state": {"enum": ["queued", "running", "done", "failed", "cancelled", "forgotten"]},
        "created_at": TEXT,
        "started_at": TEXT,
        "finished_at": TEXT,
        "kind": {"enum": ["", "matches", "ranking"]},
        "result": {"anyOf": [{"$ref": "#/components/schemas/Result"}, {"type": "null"}]},
        "reason": TEXT,
        "error": TEXT,
    }
)
CHOSEN: Schema = {"type": "integer", "minimum": 1, "maximum": HIGHEST_TRACK}
EVENT = record({"event": {"const": "query"}, "data": TEXT})  # a query as JSON
ENTRY = record({"name": TEXT, "path": TEXT}, size=WHOLE)
FILES = record({"path": TEXT, "folders": items(ENTRY), "files": items(ENTRY)})
QUERY_FORM: Schema = {
    "type": "object",
    "properties": {
        "clip": {"type": "string", "format": "binary", "description": "The file."},
        "file": {
            "type": "string",
            "description": "Instead: NUMBER/PATH of a file below the server's roots.",
        },
        "granularity_s": {
            "type": "integer",
            "minimum": GRANULARITIES_S[0],
            "maximum": GRANULARITIES_S[1],
            "default": GRANULARITY_S,
        },
        "k": {"type": "integer", "minimum": 1, "maximum": 1000, "default": MATCHES},
        "max_false_matches": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
            "default": MAX_FALSE_MATCHES,
        },
        "search": {"enum": list(SEARCHES), "default": SEARCHES[0]},
        "population": {"enum": list(POPULATIONS), "default": POPULATIONS[0]},
        "verify": {"type": "boolean", "default": False},
        "track": {**CHOSEN, "description": "Sound track, from 1; by default the file's."},
        "channel": {**CHOSEN, "description": "Only this channel, from 1; by default all."},
        "audit": {
            "type": "boolean",
            "default": False,
            "description": "Write question and answer into the audit log; needs --write.",
        },
    },
}
DECISION = record(
    {
        "clip": TEXT,
        "clip_sha256": TEXT,
        "reference": TEXT,
        "reference_sha256": TEXT,
        "query_start": NUMBER,
        "query_stop": NUMBER,
        "reference_start": NUMBER,
        "reference_stop": NUMBER,
        "decision": {"enum": list(DECISIONS)},
        "comment": TEXT,
        "name": TEXT,
        "decided_at": TEXT,
        "entry_id": WHOLE,
    }
)
NEW_DECISION: Schema = {
    "type": "object",
    "required": ["decision"],
    "properties": {
        "decision": {"enum": list(DECISIONS)},
        "comment": {"type": "string", "maxLength": LONGEST_COMMENT, "default": ""},
        "name": {
            "type": "string",
            "maxLength": LONGEST_NAME,
            "description": "Who decides; behind a reverse proxy it says who.",
        },
    },
}
RECORDING = record(
    {
        "recording_id": WHOLE,
        "name": TEXT,
        "duration": NUMBER,
        "labels": {"type": "object", "additionalProperties": TEXT},
        "sha256": TEXT,
        "path": TEXT,
        "added_at": TEXT,
        "revision": WHOLE,
    }
)
PAIR = record(
    {
        "match": {"$ref": "#/components/schemas/Match"},
        "decisions": items({"$ref": "#/components/schemas/Decision"}),
    },
    course=items(items({"type": ["number", "null"]})),
    threshold={"type": ["number", "null"]},
)
SOUND = record(
    {
        "duration": NUMBER,
        "decoded": NUMBER,
        "sample_rate": WHOLE,
        "column_s": NUMBER,
        "columns": WHOLE,
    }
)
SCHEMAS: dict[str, Schema] = {
    "Match": MATCH,
    "Result": RESULT,
    "Query": JOB,
    "Files": FILES,
    "Sound": SOUND,
    "Pair": PAIR,
    "Decision": DECISION,
    "Recording": RECORDING,
}
