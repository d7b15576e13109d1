"""An index in a database from the command line: built, asked, in part away."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shell import BRUNO, STRANGER, Run

import samaf
from benchmarks.cluster.servers import ShardServer, new_url
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import wav
from samaf.errors import IndexDatabaseError

pytestmark = pytest.mark.process

HOLD = """
import sys, time
from chdb import session
held = session.Session(sys.argv[1])
print("held", flush=True)
time.sleep(600)
"""
NewIndex = Callable[..., str]
SCORES = r'"(score|log10)[a-z0-9_]*": [^,}]+'  # they also weigh the best other recording


def answer(result: Any) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def complaint(result: Any) -> str:
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    return str(result.stderr)


def places(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Give matches as they are to the bit."""
    return [
        {key: value for key, value in match.items() if not key.startswith(("score", "log10"))}
        for match in found["matches"]
    ]


@pytest.mark.usefixtures("store")
def test_an_index_is_absent_built_asked_and_built_again(run: Run, new_index: NewIndex) -> None:
    url = new_index(3)
    status = answer(run("index", "status", "--index", url, "--json"))
    assert (status["state"], status["hashes"]) == ("absent", 0)
    here = answer(run("query", BRUNO, "--json"))
    there = answer(run("query", BRUNO, "--json", "--index", url))
    assert places(there) == places(here)
    assert there["matches"][0]["reference"] == "bruno-garden.ogg"
    assert not answer(run("query", STRANGER, "--json", "--index", url))["matches"]
    status = answer(run("index", "status", "--index", url, "--json"))
    assert status["state"] == "current"
    assert status["hashes"] == answer(run("stats", "--json"))["hashes"]
    run("delete", "1")
    assert answer(run("index", "status", "--index", url, "--json"))["state"] == "behind"
    rebuilt = answer(run("index", "rebuild", "--index", url, "--json"))
    assert (rebuilt["state"], rebuilt["folder"]) == ("current", url)
    assert run("add", STRANGER, "--index", url).exit_code == 0
    assert answer(run("index", "status", "--index", url, "--json"))["state"] == "current"
    found = answer(run("query", STRANGER, "--json", "--index", url))
    assert found["matches"][0]["reference"] == STRANGER.name


@pytest.mark.usefixtures("store")
def test_the_embedded_twin(start: Callable[..., Any], run: Run, tmp_path: Path) -> None:
    url = f"chdb://{tmp_path / 'index'}"
    queried, _ = start("query", BRUNO, "--json", "--index", url).communicate()
    assert places(json.loads(queried)) == places(answer(run("query", BRUNO, "--json")))
    rebuilt, _ = start("index", "rebuild", "--json", "--index", url).communicate()
    assert json.loads(rebuilt)["state"] == "current"
    holding = [sys.executable, "-c", HOLD, str(tmp_path / "index")]
    with subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline()
        _, said = start("index", "status", "--index", url).communicate()
        assert b"another process holds the folder" in said
        assert said.count(b"\n") == 1
        holder.kill()


@pytest.mark.usefixtures("store")
def test_time_zones(
    start: Callable[..., Any], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"chdb://{tmp_path / 'index'}"
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # 25 hours apart
        monkeypatch.setenv("TZ", zone)
        queried, _ = start("query", BRUNO, "--json", "--index", url).communicate()
        assert places(json.loads(queried)) == places(answer(run("query", BRUNO, "--json")))
    monkeypatch.setenv("TZ", "UTC+25")
    _, said = start("query", BRUNO, "--index", url).communicate()
    assert b"TZ=UTC+25; set another" in said
    assert said.count(b"\n") == 1


@pytest.mark.usefixtures("store")
def test_a_full_disk(start: Callable[..., Any], run: Run, small_disk: Path) -> None:
    url = f"chdb://{small_disk / 'index'}"
    for verb in (("query", BRUNO), ("index", "rebuild"), ("add", STRANGER)):
        process = start(*verb, "--index", url)
        _, said = process.communicate()
        assert process.returncode == 1
        assert said.endswith(b"free space on its disk\n")
        assert said.count(b"\n") == 1
    assert answer(run("query", STRANGER, "--json"))["matches"]  # stored all the same
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    queried, _ = start("query", BRUNO, "--json", "--index", url).communicate()
    assert places(json.loads(queried)) == places(answer(run("query", BRUNO, "--json")))


@pytest.mark.usefixtures("store")
def test_pairs_and_streams_are_the_same(run: Run, new_index: NewIndex) -> None:
    url = new_index(2)
    Path("again.wav").write_bytes(wav(load(BRUNO)[4 * SAMPLE_RATE :]))
    assert run("add", "again.wav").exit_code == 0
    for command in (("duplicates",), ("monitor", BRUNO)):
        here, there = run(*command, "--json"), run(*command, "--json", "--index", url)
        assert there.exit_code == here.exit_code == 0
        assert re.sub(SCORES, "", there.stdout) == re.sub(SCORES, "", here.stdout)
        assert "reference_start" in here.stdout


@pytest.mark.usefixtures("store")
def test_a_shard_that_is_away_is_named(run: Run, new_index: NewIndex) -> None:
    url = new_index(2)
    assert run("index", "rebuild", "--index", url).exit_code == 0
    away = re.sub(r",127.0.0.1:\d+", ",127.0.0.1:1", url)
    result = run("query", BRUNO, "--json", "--index", away)
    assert result.exit_code == 3
    (missing,) = json.loads(result.stdout)["unsearched"]
    assert missing.startswith("shard 2 of 2 (clickhouse://default@127.0.0.1:1/")
    assert f"not searched: {missing}" in result.stderr
    for verb in (("monitor", BRUNO), ("duplicates",), ("report", BRUNO, "--out", "report")):
        assert "shard 2 of 2" in complaint(run(*verb, "--index", away))
    assert "the server does not answer" in complaint(run("index", "status", "--index", away))
    alone = re.sub(r"@.*/", "@127.0.0.1:1/", url)
    assert "the server does not answer" in complaint(run("query", BRUNO, "--index", alone))


@pytest.mark.usefixtures("store")
def test_an_index_that_is_away_lets_nothing_be_added(run: Run) -> None:
    before = answer(run("stats", "--json"))
    away = "clickhouse://default@127.0.0.1:1/base"
    assert "the server does not answer" in complaint(run("add", STRANGER, "--index", away))
    assert answer(run("stats", "--json"))["recordings"] == before["recordings"]


def test_what_was_added_before_the_index_went_away_is_stored(
    shards: list[ShardServer], tmp_path: Path
) -> None:
    url = new_url(shards[0])
    with samaf.open(tmp_path / "new.db", index=url) as engine:
        adding = engine.add([BRUNO])
        assert next(adding).status == "added"
        shards[0].kill()
        try:
            with pytest.raises(IndexDatabaseError, match="all is stored, but the index is behind"):
                next(adding)
        finally:
            shards[0].start()
        assert engine.query(BRUNO).matches[0].recording.name == BRUNO.name


@pytest.mark.usefixtures("store")
def test_the_index_of_another_store_is_left_alone(run: Run, new_index: NewIndex) -> None:
    url = new_index()
    assert run("index", "rebuild", "--index", url).exit_code == 0
    run("add", BRUNO, "--db", "other.db")
    for command in (("query", BRUNO), ("index", "rebuild"), ("index", "status")):
        said = complaint(run(*command, "--index", url, "--db", "other.db"))
        assert "belongs to the store" in said
    assert answer(run("index", "status", "--index", url, "--json"))["state"] == "current"


def test_rights_are_printed(run: Run) -> None:
    url = "clickhouse://admin@db1,db2/base"
    reader = run("index", "grant-sql", "reader", "--user", "ann", "--index", url)
    assert reader.stdout.splitlines()[0] == "GRANT SELECT ON base.* TO `ann`;"
    assert "INSERT" not in reader.stdout
    writer = run("index", "grant-sql", "writer", "--user", "ann", "--index", url)
    assert set(reader.stdout.splitlines()) < set(writer.stdout.splitlines())
    assert "GRANT INSERT ON base.* TO `ann`;" in writer.stdout
    refused = run("index", "grant-sql", "reader", "--user", "a`b", "--index", url)
    assert "no name of a user" in complaint(refused)
    assert run("index", "grant-sql", "king", "--user", "ann", "--index", url).exit_code == 2


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("oracle://db1/base", "oracle is no database of indexes"),
        ("clickhouse://db1", "names no host or no database"),
        ("chdb://index", "names no folder"),
        ("chdb:///proc/nothing", "cannot be used"),
        ("clickhouse://u@db1/base?password_file=none", "none: cannot be read"),
    ],
)
def test_addresses_of_nothing_are_one_line(run: Run, url: str, reason: str) -> None:
    assert reason in complaint(run("query", BRUNO, "--index", url))
