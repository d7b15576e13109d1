"""ClickHouse's HTTP interface over a folder of chDB: what no package registry has a server for.

Runs as a program of its own, so that several folders are several shards: the engine and all SQL
are ClickHouse's; only the passing on of requests is ours. Any user but "nobody" may do anything.

    python chdb_server.py FOLDER [PORT]    prints its port
"""

from __future__ import annotations

import base64
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chdb import session


class Handler(BaseHTTPRequestHandler):
    """Passes statements on to chDB."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client's kernel
    opened: Any = None
    one_at_a_time = Lock()  # a connection stays open between its statements

    def do_GET(self) -> None:
        """Answer a statement in the address."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer a statement in the body, or in the address with data in the body."""
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        if base64.b64encode(b"nobody:").decode() in self.headers.get("Authorization", ""):
            self._reply(403, b"Code: 516. DB::Exception: nobody: Authentication failed")
            return
        arguments = parse_qs(urlsplit(self.path).query)
        sql = arguments.get("query", [""])[0]
        if body.startswith(b"INSERT"):
            statement, _, body = body.partition(b"\n")
            sql = statement.decode()
        with self.one_at_a_time:
            self._pass_on(sql, body, arguments)

    def _pass_on(self, sql: str, body: bytes, arguments: dict[str, list[str]]) -> None:
        try:
            if sql and body:
                head, _, form = sql.rpartition(" FORMAT ")
                with NamedTemporaryFile() as file:
                    file.write(body)
                    file.flush()
                    self.opened.query(f"{head} FROM INFILE '{file.name}' FORMAT {form}")
                self._reply(200, b"")
                return
            if not sql:
                sql = body.decode()
            found = re.search(r"\sFORMAT\s+(\w+)\s*$", sql)
            form = found[1] if found else arguments.get("default_format", ["TabSeparated"])[0]
            text = sql[: found.start()] if found else sql
            self._reply(200, self.opened.query(text, form).bytes())
        except RuntimeError as error:
            self._reply(500, str(error).encode())

    def _reply(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-ClickHouse-Summary", "{}")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Says nothing about clients that go away: writers are killed on purpose."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve one folder until killed."""
    Handler.opened = session.Session(sys.argv[1])
    # Repeated statements would be answered from a cache.
    Handler.opened.query("SET use_query_condition_cache = 0")
    Handler.opened.query(f"SET max_query_size = {1 << 28}")
    Handler.opened.query("CREATE DATABASE IF NOT EXISTS samaf")
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = Server(("127.0.0.1", port), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
