"""Sound over HTTP, fetched here and not by FFmpeg: from one server, unless redirects are followed.

A stream may send its listener elsewhere: by a redirection, or by a playlist whose parts lie on
other servers. A request for one address gets what lies on that server, with the certificate
checked, and a line that says how to follow.
"""

from __future__ import annotations

import base64
import http.client as http_client
import io
import os
import socket
from contextlib import suppress
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
)

from samaf.audio.icy import IcySplitter
from samaf.errors import AudioError
from samaf.text import printable

SCHEMES = ("http", "https")
AGENT = "samaf"
EARLY = "the connection ended early"


class Http:
    """Opens addresses on the server of ``url``, and on others only where ``follow``."""

    def __init__(self, url: str, timeout: float, follow: bool = False) -> None:
        self._origin = urlsplit(url)
        self.timeout = timeout
        self._follow = follow
        self._opener = build_opener(_Plain, _Encrypted, _Redirections(self))

    def check(self, url: str) -> None:
        """Raise `AudioError` where an address lies on another server."""
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            raise AudioError(f"{_address(self._origin)}: asks for {url!a}, which is not opened")
        if not self._follow and _server(parts) != _server(self._origin):
            raise AudioError(
                f"{_address(self._origin)}: leads to another server, {_address(parts)}; "
                "name that address, or give --follow"
            )

    def open(self, url: str, first: int = 0, last: int | None = None) -> http_client.HTTPResponse:
        """Ask for what lies at an address, from a byte on, and up to another."""
        self.check(url)
        parts = urlsplit(url)
        request = Request(
            parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl(),
            headers={"User-Agent": AGENT, "Icy-MetaData": "1"},
        )
        user = parts if parts.username else self._origin
        if user.username and _server(user) == _server(parts):
            pair = f"{unquote(user.username)}:{unquote(user.password or '')}".encode()
            # Not handed on by a redirection to another server.
            request.add_unredirected_header(
                "Authorization", f"Basic {base64.b64encode(pair).decode()}"
            )
        if first or last is not None:
            request.add_header("Range", f"bytes={first}-{'' if last is None else last}")
        try:
            response: http_client.HTTPResponse = self._opener.open(request, timeout=self.timeout)
        except HTTPError as error:
            raise OSError(error.code, f"the server answers {error.code} {error.reason}") from None
        except URLError as error:
            reason = error.reason
            raise reason if isinstance(reason, OSError) else OSError(str(reason)) from None
        except (http_client.HTTPException, UnicodeError) as error:
            raise OSError(f"no answer of a web server: {type(error).__name__}") from None
        return response

    def file(self, url: str, first: int = 0, last: int | None = None) -> HttpFile:
        """Open an address, or some bytes of what lies there, as a file."""
        return HttpFile(self, url, first, last)


class HttpFile:
    """What lies at an address, as a binary file: each read gives what has come.

    Attributes
    ----------
    name
        The address that was requested, or where the server led from there.
    fault
        Why the connection broke off, if it did: FFmpeg takes that for the end of some formats.
    """

    def __init__(self, http: Http, url: str, first: int = 0, last: int | None = None) -> None:
        self._http = http
        self._response = http.open(url, first, last)
        if (first or last is not None) and self._response.status != http_client.PARTIAL_CONTENT:
            raise OSError("the server gives no parts of a file")
        self.name = self._response.geturl()
        # The connection under a number of its own: the response closes its own as it likes.
        self._connection = None
        if not self._response.isclosed():
            self._connection = socket.socket(fileno=os.dup(self._response.fileno()))
        interval = self._response.headers.get("icy-metaint", "")
        self._icy = IcySplitter(int(interval)) if interval.isdigit() and int(interval) else None
        length = self._response.headers.get("Content-Length", "")
        self._length = int(length) if length.isdigit() else None
        self._position = 0
        self._ahead = b""
        self.fault = ""

    def title(self, seconds: float) -> str:
        """Give what the server says that it plays; empty where it says nothing."""
        return self._icy.title if self._icy else ""

    @property
    def has_length(self) -> bool:
        """Whether the server says how long it is, as it does of a file."""
        return self._length is not None

    @property
    def complete(self) -> bool:
        """Whether all came that the server announced; a stream announces nothing."""
        return self._length is not None and not self.fault

    def seekable(self) -> bool:
        """Whether it can be read again: never."""
        return False

    def peek(self, count: int) -> bytes:
        """Give the next bytes, up to ``count``, without taking them."""
        while len(self._ahead) < count and (more := self._receive(count - len(self._ahead))):
            self._ahead += more
        return self._ahead[:count]

    def read(self, size: int = -1) -> bytes:
        """Read what has come, at most ``size`` bytes; empty at the end."""
        size = size if size >= 0 else io.DEFAULT_BUFFER_SIZE
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        data = data or self._receive(size)
        self._position += len(data)
        return data

    def _receive(self, size: int) -> bytes:
        while data := self._receive_any(size):
            if not self._icy:
                return data
            if sound := self._icy.sound(data):
                return sound
        return b""

    def _receive_any(self, size: int) -> bytes:
        try:
            data = self._response.read1(size)
        except TimeoutError:
            data = b""
            self.fault = f"nothing came for {self._http.timeout:g} s"
        except (http_client.HTTPException, OSError):
            data = b""
            self.fault = EARLY
        end = self._position + len(self._ahead) + len(data)
        if not data and end < (self._length or 0):
            self.fault = self.fault or EARLY
        return data

    def abandon(self) -> None:
        """End the connection from another thread than the one that reads, and may wait."""
        if self._connection:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection."""
        self._response.close()
        if self._connection:
            self._connection.close()


class _Redirections(HTTPRedirectHandler):
    """Follows a redirection where its target may be opened."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        """Check the target first; the base class raises where there are too many."""
        self._http.check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Response(http_client.HTTPResponse):
    """An answer that may begin as that of an old radio server does: ICY 200 OK."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.fp: Any = _Icy(self.fp)


class _Icy:
    """A file whose first line is made one of HTTP."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._first = True

    def readline(self, *args: int) -> bytes:
        """Read a line."""
        line: bytes = self._file.readline(*args)
        if self._first and line.startswith(b"ICY "):
            line = b"HTTP/1.0 " + line[4:]
        self._first = False
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _PlainConnection(http_client.HTTPConnection):
    response_class = _Response


class _EncryptedConnection(http_client.HTTPSConnection):
    response_class = _Response


class _Plain(HTTPHandler):
    def http_open(self, req: Request) -> Any:
        """Open with a connection that knows old radio servers."""
        return self.do_open(_PlainConnection, req)


class _Encrypted(HTTPSHandler):
    def https_open(self, req: Request) -> Any:
        """Open with a connection that knows old radio servers."""
        return self.do_open(_EncryptedConnection, req, context=self._context)  # type: ignore[attr-defined]


def _server(parts: SplitResult) -> tuple[str, str, int]:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", port


def _address(parts: SplitResult) -> str:
    return printable(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
