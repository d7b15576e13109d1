"""The API as a table of operations: the routes and the OpenAPI document are made from it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samaf.version import __version__

Schema = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response] | Response]
MEANINGS = {
    400: "The request cannot be read.",
    401: "The token is missing or wrong.",
    403: "The change comes from another page, or the server is read-only.",
    404: "There is no such thing.",
    409: "Not possible in this state.",
    413: "The clip is too large.",
    416: "The range lies outside the audio.",
    421: "The Host header names another server.",
    422: "A value is out of its range, or the store refuses.",
    429: "Too many queries wait.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes
    ----------
    path
        With parameters in braces.
    query
        Schemas of the parameters in the URL, by name.
    body
        Media type and schema of what is sent.
    answer
        Status, media types and schema of the answer; no media type without content.
    errors
        Statuses of errors besides 401 and 421.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: tuple[int, str, Schema]
    parameters: dict[str, Schema] = field(default_factory=dict)
    query: dict[str, Schema] = field(default_factory=dict)
    body: tuple[str, Schema] | None = None
    errors: Sequence[int] = ()
    operation_id: str = ""

    @property
    def name(self) -> str:
        """Its operationId: the handler's name where none is given."""
        return self.operation_id or self.handler.__name__


def routes(operations: Sequence[Operation]) -> list[Route]:
    """Give the routes of Starlette; those with fixed segments stand before those without."""
    by_path: dict[str, list[Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, []).append(operation)
    return [
        Route(path, each.handler, methods=[each.method], name=each.name)
        for path in sorted(by_path, key=lambda path: path.count("{"))
        for each in by_path[path]
    ]


def document(operations: Sequence[Operation], schemas: dict[str, Schema]) -> dict[str, Any]:
    """Give the OpenAPI document of the operations."""
    paths: dict[str, Any] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _described(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "samaf",
            "version": __version__,
            "summary": "Identifies the stored recording that a clip comes from",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Error": ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "What is wrong, in one line."}},
}


def ref(name: str) -> Schema:
    """Refer to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _described(operation: Operation) -> dict[str, Any]:
    status, media_type, schema = operation.answer
    answer: dict[str, Any] = {"description": operation.summary}
    if media_type:
        answer["content"] = {kind: {"schema": schema} for kind in media_type.split(", ")}
    answers = {str(status): answer}
    if status == 200 and media_type == "audio/wav":
        answers["206"] = {**answer, "description": "A range of it."}
    for code in sorted({*operation.errors, 401, 421}):
        answers[str(code)] = {
            "description": MEANINGS[code],
            "content": {"application/json": {"schema": ref("Error")}},
        }
    in_path = re.findall(r"\{(\w+)", operation.path)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": answers,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": operation.parameters[name]}
            for name in in_path
        ]
        + [
            {"name": name, "in": "query", "schema": given}
            for name, given in operation.query.items()
        ],
    }
    if operation.body:
        kind, given = operation.body
        described["requestBody"] = {"required": True, "content": {kind: {"schema": given}}}
    return described
