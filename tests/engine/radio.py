"""A radio station on this machine that does what radio stations do."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Handler = http.server.BaseHTTPRequestHandler
Act = Callable[[Handler], None]


def sends(*parts: bytes, kind: str = "audio/wav", **headers: str) -> Act:
    """Answer with bytes and end, as a live stream does: without a length."""

    def act(handler: Handler) -> None:
        _begin(handler, kind, headers)
        for part in parts:
            handler.wfile.write(part)

    return act


def stalls(*parts: bytes, seconds: float) -> Act:
    """Send bytes, then nothing for a while."""

    def act(handler: Handler) -> None:
        sends(*parts)(handler)
        handler.wfile.flush()
        time.sleep(seconds)

    return act


def announces(length: int, *parts: bytes) -> Act:
    """Announce a length."""
    return sends(*parts, **{"Content-Length": str(length)})


def refuses(status: int) -> Act:
    """Answer with an error."""
    return lambda handler: handler.send_error(status)


def leads_to(path: str) -> Act:
    """Redirect."""

    def act(handler: Handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", path)
        handler.end_headers()

    return act


def _begin(handler: Handler, kind: str, headers: dict[str, str]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


@contextmanager
def station(programme: dict[str, list[Act]]) -> Iterator[str]:
    """Serve paths: each connection gets the next act of its path, at last the last one again."""

    class Radio(Handler):
        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:  # noqa: N802  # the name that the base class calls
            """Do the next act."""
            acts = programme[self.path]
            act = acts.pop(0) if len(acts) > 1 else acts[0]
            with suppress(OSError):  # the listener has gone
                act(self)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Radio) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
