"""Uploads: counted while they stream, with harmless names; many of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import UploadFile
from starlette.requests import Request
from web.conftest import Server, finished

from samaf.engine.options import QueryOptions
from samaf.web.jobs import Jobs, clip_path
from samaf.web.problems import Problem
from samaf.web.uploads import clip_name, query_options, read_form
from samaf.web.workers import Pool

CLIENTS = 50
LARGEST_MB = 1500  # of all processes of the server together


def form_of(size: int, limit: int) -> Any:
    """Read a form with a file of so many bytes, sent in pieces without any length given."""
    head = b'--x\r\nContent-Disposition: form-data; name="clip"; filename="a.wav"\r\n\r\n'
    pieces = [head, *[b"\0" * 65_536] * (size // 65_536), b"\r\n--x--\r\n"]
    sent = 0

    async def receive() -> dict[str, Any]:
        nonlocal sent
        sent += 1
        return {
            "type": "http.request", "body": pieces[sent - 1], "more_body": sent < len(pieces)
        }  # fmt: skip

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(b"content-type", b"multipart/form-data; boundary=x")],
    }
    return asyncio.run(read_form(Request(scope, receive), limit)), sent


def test_an_upload_is_counted_while_it_streams() -> None:
    form, _ = form_of(4 << 20, 8 << 20)
    assert form["clip"].size == 4 << 20
    with pytest.raises(Problem) as refused:
        form_of(64 << 20, 8 << 20)
    assert refused.value.status_code == 413


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.wav", "a.wav"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\a.wav", "a.wav"),
        ("..", "clip"),
        ("", "clip"),
        ("a\0b\n.wav", "a\\x00b\\n.wav"),
        ("\u202egnp.wav", "\\u202egnp.wav"),
        ("ä" * 300 + ".wav", "ä" * 118 + ".wav"),
    ],
)
def test_names_are_harmless(given: str, name: str) -> None:
    assert clip_name(UploadFile(None, filename=given)) == name  # type: ignore[arg-type]


def test_options_have_the_defaults_of_the_shell() -> None:
    assert query_options({}) == QueryOptions()
    given = {"k": "2", "search": "deep", "verify": "true", "population": "prompts"}
    assert query_options(given) == QueryOptions(
        k=2, search="deep", verify=True, population="prompts"
    )


def setup_of(folder: Path) -> dict[str, Any]:
    """Describe a store that is not there to the processes of a pool."""
    return {"url": str(folder / "none.db"), "index": "exact", "audio": None, "store": "none.db"}


@pytest.mark.slow
def test_the_oldest_answers_make_room(tmp_path: Path) -> None:
    async def run() -> list[str]:
        pool = Pool(1, setup_of(tmp_path))
        jobs = Jobs(tmp_path / "queries", pool, most_bytes=250)
        jobs.load()
        for name in ("1.wav", "2.wav", "3.wav"):
            place = jobs.new_folder()
            clip_path(place, name).write_bytes(b"x" * 100)
            job = jobs.start(place, name, QueryOptions())
            while jobs.get(job.id).state in ("queued", "running"):
                await asyncio.sleep(0.05)
            assert jobs.get(job.id).state == "failed"  # there is no such store
        await pool.close()
        assert len(list((tmp_path / "queries").iterdir())) == 2
        return [job.clip for job in jobs.page(None, 10)]

    assert asyncio.run(run()) == ["3.wav", "2.wav"]


@pytest.mark.slow
def test_no_more_than_so_many_queries_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samaf.web.jobs.MOST_WAITING", 2)

    async def run() -> None:
        pool = Pool(1, setup_of(tmp_path))
        jobs = Jobs(tmp_path / "queries", pool, most_bytes=1000)
        jobs.load()
        for _ in range(2):
            place = jobs.new_folder()
            clip_path(place, "a.wav").write_bytes(b"x")
            jobs.start(place, "a.wav", QueryOptions())
        with pytest.raises(Problem, match="too many queries wait") as refused:
            jobs.new_folder()
        assert refused.value.status_code == 429
        await jobs.close()
        await pool.close()

    asyncio.run(run())


@pytest.mark.process
def test_many_clients_at_once_lose_nothing(
    start: Callable[..., Server], tmp_path: Path, clip: Path
) -> None:
    server = start(tmp_path)
    content = clip.read_bytes()

    def ask(number: int) -> dict[str, Any]:
        with server.client() as client:
            job = client.post("/api/queries", files={"clip": (f"{number}.wav", content)}).json()
            return finished(client, job["id"], 300)

    with ThreadPoolExecutor(CLIENTS) as clients:
        jobs = list(clients.map(ask, range(CLIENTS)))
    assert [job["clip"] for job in jobs] == [f"{number}.wav" for number in range(CLIENTS)]
    assert {job["state"] for job in jobs} == {"done"}
    answers = [{**job["result"], "query": ""} for job in jobs]
    assert all(answer == answers[0] for answer in answers)
    assert memory_mb(server.process.pid) < LARGEST_MB


def memory_mb(process: int) -> float:
    """Give the memory of a process and of those that it started, in MB."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return own / 1000 + sum(memory_mb(int(child)) for child in children)
