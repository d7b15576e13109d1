"""Records reach real programs, servers and disks; what fails is tried again and said."""

from __future__ import annotations

import http.server
import json
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from samaf.cli import delivery
from samaf.cli.delivery import Command, DailyFiles, Delivery, Failed, Webhook

RECORDS = [{"event": "match", "reference": f"clip-{number}.ogg"} for number in range(5)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(delivery, "END_SECONDS", 5.0)


class Server(http.server.BaseHTTPRequestHandler):
    """Keeps what was posted; answers what `answers` says, then 204."""

    posted: list[dict[str, str]] = []  # noqa: RUF012
    answers: list[int] = []  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:  # noqa: N802  # the name that the base class calls
        """Take a record."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.answers.pop(0) if self.answers else 204
        if status == 204:
            assert self.headers["Content-Type"] == "application/json"
            self.posted.append(body)
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def server() -> Iterator[str]:
    Server.posted.clear()
    Server.answers.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/secret"
        server.shutdown()


def test_a_webhook_gets_all_in_order_in_spite_of_failures(server: str) -> None:
    Server.answers[:] = [500, 429, 204, 503]
    hook = Delivery(Webhook(server))
    for record in RECORDS:
        hook.put(record)
    hook.finish()
    assert Server.posted == RECORDS
    assert (hook.delivered, hook.failed_tries, hook.dropped, hook.waiting) == (5, 3, 0, 0)


@pytest.mark.parametrize("status", [400, 404, 302])
def test_what_a_server_refuses_for_good_is_given_up_and_the_next_goes_on(
    server: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    Server.answers[:] = [status]
    hook = Delivery(Webhook(server))
    for record in RECORDS[:2]:
        hook.put(record)
    hook.finish()
    assert Server.posted == RECORDS[1:2]
    assert (hook.delivered, hook.dropped) == (1, 1)
    assert caplog.messages == [
        f"127.0.0.1: a record was not delivered: the server answers {status}"
    ]


def test_a_server_that_is_down_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "END_SECONDS", 0.2)
    monkeypatch.setattr(delivery, "WAITING", 3)
    hook = Delivery(Webhook("http://127.0.0.1:1/"))
    begun = time.monotonic()
    for record in RECORDS:
        hook.put(record)
    assert time.monotonic() - begun < 1
    assert (hook.waiting, hook.dropped) == (3, 2)  # the oldest went
    hook.finish()
    assert hook.waiting == 3


def script(folder: Path, body: str) -> Command:
    path = folder / "program.py"
    path.write_text(f"#!{sys.executable}\nimport json, sys\nfrom pathlib import Path\n{body}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Command([os.fspath(path), "a b; touch injected", str(folder / "out")])


def test_a_command_gets_the_record_and_its_arguments_as_they_are(tmp_path: Path) -> None:
    command = script(
        tmp_path,
        "record = json.load(sys.stdin)\n"
        "with open(sys.argv[2], 'a') as out: print(sys.argv[1], record['reference'], file=out)",
    )
    run = Delivery(command)
    for record in RECORDS[:2]:
        run.put(record)
    run.finish()
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines == ["a b; touch injected clip-0.ogg", "a b; touch injected clip-1.ogg"]
    assert not (tmp_path / "injected").exists()


def test_a_command_that_fails_is_tried_again(tmp_path: Path) -> None:
    command = script(
        tmp_path,
        "out = Path(sys.argv[2])\n"
        "count = len(out.read_text()) if out.exists() else 0\n"
        "out.write_text('x' * (count + 1))\n"
        "sys.exit(count < 2)",
    )
    run = Delivery(command)
    run.put(RECORDS[0])
    run.finish()
    assert (run.delivered, run.failed_tries) == (1, 2)


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda folder: Command([str(folder / "none")]), "No such file"),
        (lambda folder: script(folder, "sys.exit(3)"), "exit status 3"),
    ],
)
def test_a_command_that_never_works_is_given_up(
    prepare: Callable[[Path], Command],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    command = prepare(tmp_path)
    run = Delivery(Command(command.arguments, tries=2))
    run.put(RECORDS[0])
    run.finish()
    assert (run.delivered, run.failed_tries, run.dropped) == (0, 2, 1)
    assert reason in caplog.messages[-1]
    with pytest.raises(Failed, match=reason):
        command.deliver(RECORDS[0])


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "ANSWER_SECONDS", 0.3)
    with pytest.raises(Failed, match="takes longer"):
        script(tmp_path, "import time\ntime.sleep(60)").deliver(RECORDS[0])


def test_a_file_for_each_day_grows_over_restarts(tmp_path: Path) -> None:
    for record in RECORDS[:2]:
        files = Delivery(DailyFiles(tmp_path))
        files.put(record)
        files.finish()
    days = {(datetime.now(timezone.utc)).date().isoformat()}
    written = sorted(tmp_path.iterdir())
    assert {path.stem for path in written} >= days
    lines = [line for path in written for line in path.read_text().splitlines()]
    assert [json.loads(line) for line in lines] == RECORDS[:2]


def test_a_folder_that_is_away_for_a_moment_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "share"
    files = Delivery(DailyFiles(folder))
    for record in RECORDS:
        files.put(record)
    while not files.failed_tries:
        time.sleep(0.01)
    folder.mkdir()
    files.finish()
    (path,) = folder.iterdir()
    assert [json.loads(line) for line in path.read_text().splitlines()] == RECORDS
