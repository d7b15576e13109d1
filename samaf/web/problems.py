"""Errors as answers: one line, without traces and without paths of this machine."""

from __future__ import annotations

import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from samaf.errors import SamafError

_log = logging.getLogger(__name__)
TITLES = {
    400: "Not understood",
    401: "Not signed in",
    403: "Refused",
    404: "Not there",
    405: "Not possible here",
    409: "Not possible now",
    413: "Too large",
    416: "No such range",
    421: "Another server",
    422: "Not possible",
    429: "Too many",
    500: "Internal error",
    503: "Busy",
}


class Problem(HTTPException):
    """An answer that says in one line what is wrong and what helps."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, message, headers)


def answer(path: str, status: int, message: str, headers: Any = None) -> Response:
    """Give an error as JSON to programs, and as a page to people."""
    if path.startswith("/api/") or path.endswith((".json", ".csv")):
        return JSONResponse({"error": message}, status, headers)
    from samaf.web.templating import templates

    title = TITLES.get(status, "Error")
    page = templates.get_template("problem.html").render(
        title=title, message=message, signed_in=status not in (401, 403, 421), csrf="", write=False
    )
    return HTMLResponse(page, status, headers)


def on_http(request: Request, error: Exception) -> Response:
    """Answer an `HTTPException`."""
    assert isinstance(error, HTTPException)
    message = error.detail or TITLES.get(error.status_code, "Error")
    return answer(request.url.path, error.status_code, message, error.headers)


def on_samaf(request: Request, error: Exception) -> Response:
    """Answer an error that samaf raised on purpose: its line says what to do."""
    assert isinstance(error, SamafError)
    store = request.app.state.context.engine.store.url
    return answer(request.url.path, 422, " ".join(str(error).replace(store, "the store").split()))


def on_any(request: Request, error: Exception) -> Response:
    """Answer an error of the program; the log of the server has its trace."""
    _log.error("%s %s", request.method, request.url.path, exc_info=error)
    return answer(request.url.path, 500, "internal error; the log of the server says more")
