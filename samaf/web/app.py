"""The application: routes, errors, and what starts and ends with the server."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from samaf.engine.engine import open as open_engine
from samaf.errors import SamafError
from samaf.web import api, browse, exports, media, pages, pairs, records_api, reports_api
from samaf.web.context import Context
from samaf.web.duplicates import Duplicates
from samaf.web.jobs import Jobs
from samaf.web.openapi import document, routes
from samaf.web.problems import on_any, on_http, on_samaf
from samaf.web.reports import Reports
from samaf.web.schemas import SCHEMAS
from samaf.web.security import Guard
from samaf.web.settings import LISTENING, UPLOADS_AT_ONCE, Settings
from samaf.web.sounds import Sounds
from samaf.web.uploads import Roots
from samaf.web.workers import Pool

OPERATIONS = [
    *api.OPERATIONS,
    *media.OPERATIONS,
    *pairs.OPERATIONS,
    *records_api.OPERATIONS,
    *reports_api.OPERATIONS,
    *exports.OPERATIONS,
]


async def openapi(request: Request) -> Response:
    """Give the OpenAPI document of the API."""
    return JSONResponse(document(OPERATIONS, {**SCHEMAS, **reports_api.SCHEMAS}))


def application(settings: Settings) -> Starlette:
    """Make the application that serves a store."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with open_engine(settings.url, index=settings.index, create=False) as engine:
            shutil.rmtree(settings.temporary, ignore_errors=True)
            settings.temporary.mkdir(mode=0o700)
            setup = {
                "url": settings.url,
                "index": settings.index,
                "audio": settings.audio,
                "store": engine.store.url,
            }
            pool = Pool(settings.workers, setup)
            listening = Pool(LISTENING, setup)
            jobs = Jobs(settings.folder / "queries", pool, settings.most_uploads)
            jobs.load()
            duplicates = Duplicates(settings.folder / "duplicates.json", pool)
            duplicates.load()
            reports = Reports(settings.folder / "reports", pool)
            reports.load()
            app.state.context = Context(
                settings,
                engine,
                pool,
                listening,
                jobs,
                duplicates,
                reports,
                Sounds(settings.cache, listening, settings.most_sounds),
                Roots(settings.roots),
                asyncio.Semaphore(UPLOADS_AT_ONCE),
            )
            warming = asyncio.create_task(_warm_up(pool))
            yield
            warming.cancel()
            await jobs.close()
            await duplicates.close()
            await reports.close()
            await pool.close()
            await listening.close()

    return Starlette(
        routes=[
            *pages.ROUTES,
            *browse.ROUTES,
            Route("/api/openapi.json", openapi),
            *routes(OPERATIONS),
            Mount("/static", StaticFiles(packages=[("samaf.web", "static")])),
        ],
        middleware=[Middleware(Guard, settings=settings)],
        exception_handlers={HTTPException: on_http, SamafError: on_samaf, Exception: on_any},
        lifespan=lifespan,
    )


async def _warm_up(pool: Pool) -> None:
    with suppress(SamafError, asyncio.CancelledError):  # the first query says what is wrong
        await pool.warm_up()
