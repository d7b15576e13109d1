"""Who is let in: checked before any route, for every request.

A request must give a known ``Host`` (a foreign page that resolves its name to this machine has
another), and the token: as ``Authorization: Bearer``, or as a cookie that the first link sets.
Changes need the origin of our own pages and the CSRF token besides.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samaf.web.problems import Problem, answer
from samaf.web.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD"})
CSRF_HEADER = "x-csrf-token"
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; media-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Lets requests through to an application, or answers them itself."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._hosts = settings.allowed_hosts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            refusal = self._checked(scope)
        except Problem as problem:
            refusal = answer(scope["path"], problem.status_code, problem.detail, problem.headers)
        await (refusal or self._app)(scope, receive, with_headers)

    def _checked(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self._hosts:
            raise Problem(421, "this server has another name; open the link that it printed")
        if scope["method"] in SAFE_METHODS and scope["path"].startswith("/static/"):
            return None
        scope.setdefault("state", {})["user"] = ""
        if scope["method"] in SAFE_METHODS and (signed_in := self._sign_in(scope, headers)):
            return signed_in
        is_program = self._is_bearer(headers)
        if not is_program and not self._has_cookie(headers):
            raise Problem(
                401,
                "open the link that samaf serve printed; programs send its token as "
                "Authorization: Bearer TOKEN",
                {"www-authenticate": "Bearer"},
            )
        if is_program and self._settings.user_header:
            scope["state"]["user"] = self._user(headers)
        if scope["method"] not in SAFE_METHODS:
            self._check_change(headers, is_program)
        return None

    def _sign_in(self, scope: Scope, headers: Headers) -> Response | None:
        """Turn the token of the first link into a cookie."""
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(pairs).get("token")
        if given is None or scope["path"].startswith("/api/"):
            return None
        if not _same(given, self._settings.token):
            raise Problem(401, "the token of this link is not valid any more; open the newest link")
        rest = urlencode([pair for pair in pairs if pair[0] != "token"])
        # One slash: two would lead to another server.
        place = "/" + scope["path"].lstrip("/") + (f"?{rest}" if rest else "")
        response = RedirectResponse(place, 303)
        response.set_cookie(
            self._settings.cookie,
            self._settings.session,
            httponly=True,
            samesite="strict",
            secure=headers.get("x-forwarded-proto") == "https",
        )
        return response

    def _is_bearer(self, headers: Mapping[str, str]) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and _same(given.strip(), self._settings.token)

    def _has_cookie(self, headers: Mapping[str, str]) -> bool:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        given = cookies.get(self._settings.cookie)
        return given is not None and _same(given.value, self._settings.session)

    def _user(self, headers: Mapping[str, str]) -> str:
        """Give who asks, as the reverse proxy says, which alone knows the token."""
        name = headers.get(self._settings.user_header, "")
        if not name:
            raise Problem(401, "the reverse proxy does not say who asks; see docs/serve.md")
        if name not in self._settings.users:
            raise Problem(403, "this user is not on the list of samaf serve --user")
        return name

    def _check_change(self, headers: Mapping[str, str], is_program: bool) -> None:
        origin = headers.get("origin")
        if origin is not None:
            scheme, _, host = origin.partition("://")
            if scheme not in ("http", "https") or host.lower() not in self._hosts:
                raise Problem(403, "a page of another server sent this change")
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Problem(403, "a page of another server sent this change")
        # Behind a proxy that signs people in, a browser's request carries the token, too.
        from_browser = origin is not None or "sec-fetch-site" in headers
        is_trusted = is_program and not (self._settings.user_header and from_browser)
        if not is_trusted and not _same(headers.get(CSRF_HEADER, ""), self._settings.csrf):
            raise Problem(403, "the page is of an earlier run of the server; load it again")


def _same(given: str, wanted: str) -> bool:
    """Compare without telling by the time how much is right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())
