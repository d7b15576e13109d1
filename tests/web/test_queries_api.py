"""Queries over HTTP: asked, followed, cancelled, forgotten, and safe from a killed server."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from web.conftest import NAMES, TOKEN, Server, finished, write_wav

pytestmark = pytest.mark.process


def test_an_answer_is_the_record_of_the_shell(server: Server, clip: Path, store: Path) -> None:
    client = server.client()
    answer = client.post("/api/queries", files={"clip": clip.open("rb")})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/queries/{answer.json()['id']}"
    job = finished(client, answer.json()["id"])
    shell = subprocess.run(
        [sys.executable, "-m", "samaf", "query", "--db", str(store), "--json", str(clip)],
        capture_output=True,
        check=True,
        text=True,
    )
    assert job["result"] == {**json.loads(shell.stdout), "query": clip.name}
    assert job["result"]["matches"][0]["reference"] == f"{NAMES[0]}.ogg"


def test_a_clip_below_a_root_is_chosen(server: Server, clip: Path) -> None:
    client = server.client()
    listing = client.get("/api/files?folder=0").json()
    (file,) = listing["files"]
    assert file == {"name": clip.name, "path": f"0/{clip.name}", "size": clip.stat().st_size}
    job = client.post("/api/queries", files={"file": (None, file["path"])}).json()
    assert finished(client, job["id"])["state"] == "done"
    client.delete(f"/api/queries/{job['id']}")
    assert clip.exists()


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"granularity_s": "9"}, "granularity 9 s is out of range; choose 1 to 6"),
        ({"k": "many"}, "k: not a number"),
        ({"search": "wild"}, "'wild': no such search"),
        ({"max_false_matches": "nan"}, "maximum false matches are out of range"),
        ({"track": "0"}, "track: out of range; choose 1 to 1000"),
        ({"channel": "left"}, "channel: not a number"),
    ],
)
def test_options_out_of_range_are_refused(
    server: Server, form: dict[str, str], message: str
) -> None:
    answer = server.client().post("/api/queries", files={"clip": b"x"}, data=form)
    assert answer.status_code == 422
    assert message in answer.json()["error"]


def test_a_channel_is_chosen_and_the_question_logged(server: Server, clip: Path) -> None:
    client = server.client()

    def asked(**options: str) -> dict[str, Any]:
        files = {"clip": clip.open("rb")}
        return finished(client, client.post("/api/queries", files=files, data=options).json()["id"])

    job = asked(channel="1", audit="true")
    assert job["result"]["matches"][0]["reference"] == f"{NAMES[0]}.ogg"
    entry = client.get("/audit.json?limit=1").json()["entries"][0]
    assert (entry["act"], entry["sha256"]) == ("query", job["result"]["sha256"])
    assert client.get(f"/api/queries/{job['id']}/audio").content[:4] == b"RIFF"
    assert client.get(f"/api/queries/{job['id']}/matches/1").json()["course"]
    assert "has no channel 2" in asked(channel="2")["error"]


def test_a_clip_that_is_no_sound_fails_in_one_line(server: Server) -> None:
    client = server.client()
    job = client.post("/api/queries", files={"clip": ("note.txt", b"no sound")}).json()
    done = finished(client, job["id"])
    assert done["state"] == "failed"
    assert str(done["error"]).startswith("note.txt: cannot be decoded as audio")


def test_a_silent_clip_is_unknown_with_its_reason(server: Server, tmp_path: Path) -> None:
    write_wav(tmp_path / "silence.wav", np.zeros(48_000))
    client = server.client()
    job = client.post("/api/queries", files={"clip": (tmp_path / "silence.wav").open("rb")}).json()
    done = finished(client, job["id"])
    assert (done["state"], done["result"]["matches"]) == ("done", [])
    assert done["reason"] == "nothing in it to recognise: silence or a steady tone"


def test_a_query_is_followed_until_it_is_done(server: Server, clip: Path) -> None:
    client = server.client()
    job = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
    with client.stream("GET", f"/api/queries/{job['id']}/events") as events:
        states = [
            json.loads(line.removeprefix("data: "))["state"]
            for line in events.iter_lines()
            if line.startswith("data: ")
        ]
    assert states[-1] == "done"
    assert states == sorted(states, key=["queued", "running", "done"].index)


def test_pages_of_queries_are_the_newest_first(server: Server) -> None:
    client = server.client()
    ids = [client.post("/api/queries", files={"clip": b"x"}).json()["id"] for _ in range(3)]
    first = client.get("/api/queries?limit=2").json()["queries"]
    assert [job["id"] for job in first] == ids[:0:-1]
    second = client.get(f"/api/queries?limit=1&before={first[-1]['number']}").json()["queries"]
    assert second[0]["id"] == ids[0]
    assert client.get("/api/queries?limit=0").status_code == 422


def test_a_query_that_runs_is_cancelled_and_another_one_answered(
    server: Server, clip: Path, tmp_path: Path
) -> None:
    long = tmp_path / "long.wav"
    write_wav(long, np.random.default_rng(1).normal(0, 0.1, 16_000 * 600))
    client = server.client()
    jobs = [
        client.post(
            "/api/queries", files={"clip": long.open("rb")}, data={"search": "exhaustive"}
        ).json()
        for _ in range(4)
    ]
    for job in jobs:
        cancelled = client.post(f"/api/queries/{job['id']}/cancel").json()
        assert cancelled["state"] == "cancelled"
    job = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
    assert finished(client, job["id"])["state"] == "done"


def test_a_forgotten_query_is_gone_with_its_clip(server: Server, clip: Path) -> None:
    client = server.client()
    job = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
    finished(client, job["id"])
    kept = list((server.folder / "data").rglob(f"{job['id']}/clip/{clip.name}"))
    assert len(kept) == 1
    assert client.delete(f"/api/queries/{job['id']}").status_code == 204
    assert not kept[0].exists()
    assert client.get(f"/api/queries/{job['id']}").status_code == 404


def test_an_upload_that_breaks_off_leaves_nothing(server: Server) -> None:
    client = server.client()
    before = len(client.get("/api/queries?limit=1000").json()["queries"])
    folders = set((server.folder / "data").rglob("queries/*"))
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            f"POST /api/queries HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Authorization: Bearer {TOKEN}\r\nContent-Length: 1000000\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
            'Content-Disposition: form-data; name="clip"; filename="a.wav"\r\n\r\nabc'.encode()
        )
    assert len(client.get("/api/queries?limit=1000").json()["queries"]) == before
    assert set((server.folder / "data").rglob("queries/*")) == folders


def test_after_a_kill_open_queries_have_failed_and_decisions_are_there(
    start: Callable[..., Server], tmp_path: Path, clip: Path
) -> None:
    server = start(tmp_path, "--write")
    client = server.client()
    done = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
    finished(client, done["id"])
    decision = {"decision": "to check", "comment": "listen again", "name": "Ann"}
    decided = client.post(f"/api/queries/{done['id']}/matches/1/decisions", json=decision)
    assert decided.status_code == 201
    long = tmp_path / "long.wav"
    write_wav(long, np.random.default_rng(1).normal(0, 0.1, 16_000 * 600))
    open_ = [
        client.post("/api/queries", files={"clip": long.open("rb")}, data={"search": "deep"}).json()
        for _ in range(3)
    ]
    server.end(signal.SIGKILL)

    client = start(tmp_path, "--write").client()
    for job in open_:
        state = client.get(f"/api/queries/{job['id']}").json()
        assert (state["state"], state["error"][:16]) == ("failed", "the server ended")
    assert client.get(f"/api/queries/{done['id']}").json()["state"] == "done"
    pair = client.get(f"/api/queries/{done['id']}/matches/1").json()
    assert {name: pair["decisions"][0][name] for name in decision} == decision


def test_a_second_server_is_refused_in_one_line(
    start: Callable[..., Server], tmp_path: Path, store: Path
) -> None:
    server = start(tmp_path)
    for port, message in ((server.port, "port"), (0, "another samaf serve")):
        command = [sys.executable, "-m", "samaf", "serve", "--db", str(store), "--port", str(port)]
        second = subprocess.run(
            command, capture_output=True, text=True, env=environment(tmp_path), check=False
        )
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1
        assert message in second.stderr


def environment(folder: Path) -> dict[str, str]:
    import os

    return os.environ | {
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
