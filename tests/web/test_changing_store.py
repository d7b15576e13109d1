"""A store that is locked, changes or vanishes while it is served, and a clock that jumps."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from web.conftest import NAMES, Server, finished, servers, write_wav

import samaf
from samaf.audio import load
from samaf.demo import CLIPS

pytestmark = pytest.mark.process

LOCKED_S = 1.0
# Clocks read a file with the seconds by which they are wrong.
WRONG_CLOCK = """
import datetime, pathlib, time
file, right, real = pathlib.Path({file!r}), time.time, datetime.datetime
def now():
    return right() + float(file.read_text())
class Wrong(real):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(now(), tz)
time.time, datetime.datetime = now, Wrong
"""


@pytest.fixture(scope="module")
def changing(
    store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Path]]:
    """A server of a store of its own."""
    folder = tmp_path_factory.mktemp("changing")
    own = folder / "own.db"
    shutil.copy(store, own)
    with servers(own) as start:
        yield start(folder, "--write"), own


def ask(server: Server, clip: Path) -> dict[str, Any]:
    client = server.client()
    return finished(
        client, client.post("/api/queries", files={"clip": clip.open("rb")}).json()["id"]
    )


def test_a_locked_store_is_waited_for(changing: tuple[Server, Path], clip: Path) -> None:
    server, db = changing
    job = ask(server, clip)
    lock = sqlite3.connect(db, check_same_thread=False)
    lock.execute("BEGIN EXCLUSIVE")
    released = threading.Event()

    def release() -> None:
        released.set()
        lock.rollback()

    timer = threading.Timer(LOCKED_S, release)
    timer.start()
    decided = server.client().post(
        f"/api/queries/{job['id']}/matches/1/decisions", json={"decision": "accepted", "name": "A"}
    )
    assert (decided.status_code, released.is_set()) == (201, True)
    timer.join()
    lock.close()


def test_what_is_added_meanwhile_is_found(
    changing: tuple[Server, Path], tmp_path: Path, store: Path
) -> None:
    server, db = changing
    added = CLIPS / "greta-weather.ogg"
    piece = tmp_path / "piece.wav"
    write_wav(piece, load(added)[16_000 : 6 * 16_000])
    assert ask(server, piece)["result"]["matches"] == []
    with samaf.open(str(db), cache_folder=store.parent) as engine:
        assert [result.status for result in engine.add([added])] == ["added"]
    names = [each["name"] for each in server.client().get("/recordings.json").json()["recordings"]]
    assert names == [f"{name}.ogg" for name in (*NAMES, "greta-weather")]
    assert ask(server, piece)["result"]["matches"][0]["reference"] == added.name
    with samaf.open(str(db), cache_folder=store.parent) as engine:
        engine.delete(4)
    assert ask(server, piece)["result"]["matches"] == []
    assert server.client().get("/recordings/4").status_code == 404


def test_a_store_that_vanished_is_named_until_it_is_back(
    changing: tuple[Server, Path], clip: Path
) -> None:
    server, db = changing
    away = db.with_name("away.db")
    for path in db.parent.glob("own.db*"):
        path.rename(path.with_name(path.name.replace("own", "away")))
    assert away.exists()
    job = ask(server, clip)
    page = server.client().get("/recordings")
    assert (job["state"], page.status_code) == ("failed", 422)
    assert job["error"].startswith("the store: ")  # not there, or no longer
    assert "the store: is no longer where it was opened" in page.text
    for text in (job["error"], page.text):
        assert str(db.parent) not in text
        assert "Traceback" not in text
    assert not db.exists()
    for path in db.parent.glob("away.db*"):
        path.rename(path.with_name(path.name.replace("away", "own")))
    assert ask(server, clip)["state"] == "done"
    assert server.client().get("/recordings").status_code == 200


def test_a_clock_that_jumps_changes_no_order(
    start: Callable[..., Server], tmp_path: Path, clip: Path
) -> None:
    wrong = tmp_path / "wrong-by"
    (tmp_path / "sitecustomize.py").write_text(WRONG_CLOCK.format(file=str(wrong)))
    wrong.write_text("0")
    server = start(tmp_path, "--write", PYTHONPATH=str(tmp_path))
    jobs, reports = [], []
    for seconds in ("86400", "0", "-86400"):  # tomorrow, today, yesterday
        wrong.write_text(seconds)
        jobs.append(ask(server, clip))
        client = server.client()
        reports.append(client.post("/api/reports", json={"queries": [jobs[-1]["id"]]}).json())
        path = f"/api/queries/{jobs[-1]['id']}/matches/1/decisions"
        decision = {"decision": "accepted", "name": seconds}
        assert client.post(path, json=decision).status_code == 201
    days = [each["created_at"][:10] for each in jobs]
    assert days[0] > days[1] > days[2]
    for is_restarted in (False, True):
        if is_restarted:
            server.end(signal.SIGKILL)
            server = start(tmp_path, "--write")
        client = server.client()
        for name, made in (("queries", jobs), ("reports", reports)):
            listed = [each["id"] for each in client.get(f"/api/{name}").json()[name]]
            assert listed == [each["id"] for each in reversed(made)]
        decisions = client.get("/api/decisions").json()["decisions"]
        assert [each["name"] for each in decisions[:3]] == ["-86400", "0", "86400"]
