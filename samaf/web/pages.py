"""The pages in a browser; scripts fill them through the API."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from samaf.engine.options import (
    GRANULARITIES_S,
    GRANULARITY_S,
    MATCHES,
    MAX_FALSE_MATCHES,
)
from samaf.web.context import context, user
from samaf.web.templating import templates


def page(request: Request, template: str, title: str, **values: Any) -> Response:
    """Fill a template."""
    settings = context(request).settings
    text = templates.get_template(template).render(
        title=title,
        signed_in=True,
        csrf=settings.csrf,
        write=settings.write,
        user=user(request),
        place=request.url.path,
        **values,
    )
    return HTMLResponse(text)


async def ask(request: Request) -> Response:
    """Show where clips are dropped, and the answers."""
    return page(
        request,
        "ask.html",
        "Ask",
        roots=bool(context(request).settings.roots),
        granularities=range(GRANULARITIES_S[0], GRANULARITIES_S[1] + 1),
        granularity_s=GRANULARITY_S,
        k=MATCHES,
        max_false_matches=MAX_FALSE_MATCHES,
        empty=not context(request).engine.store.revision,
    )


async def pair(request: Request) -> Response:
    """Show a clip and the recordings that it was found in."""
    job = context(request).jobs.get(request.path_params["id"])
    return page(request, "pair.html", job.clip, query_id=job.id)


ROUTES = [Route("/", ask), Route("/queries/{id}", pair)]
