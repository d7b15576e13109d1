"""What is said on standard error, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell import BRUNO, Run

from samaf import logs


@pytest.fixture(autouse=True)
def usual_logs() -> Iterator[None]:
    """Leave other tests the usual messages."""
    yield
    logs.configure()


@pytest.mark.usefixtures("store")
def test_a_slow_query_tells_where_the_time_went(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMAF_SLOW_QUERY", "0")
    told = run("--log-format", "json", "--log-level", "info", "query", BRUNO, "--json")
    (line,) = [json.loads(each) for each in told.stderr.splitlines()]
    assert (line["level"], line["slow"], line["matches"]) == ("info", True, 1)
    assert line["query"].endswith(BRUNO.name)
    parts = [line[part] for part in ("decode", "hash", "search", "database")]
    assert all(part > 0 for part in parts)
    assert sum(parts) <= line["seconds"] + 0.001
    text = run("--log-level", "info", "query", BRUNO).stderr
    assert text.startswith("samaf: slow query: ")
    assert "search 0." in text


@pytest.mark.usefixtures("store")
def test_other_queries_are_told_of_on_request_only(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMAF_SLOW_QUERY", "1000")
    assert run("--log-level", "info", "query", BRUNO).stderr == ""
    assert "samaf: query: " in run("--log-level", "debug", "query", BRUNO).stderr


def test_ingest_is_told_of(run: Run) -> None:
    told = run("--log-level", "info", "--log-format", "json", "add", BRUNO, "--json")
    found = [json.loads(line) for line in told.stderr.splitlines() if line.startswith("{")]
    assert [(each["recordings"], each["hashes"] > 0) for each in found] == [(1, True)]


def test_errors_are_objects_too(run: Run, tmp_path: Path) -> None:
    told = run("--log-format", "json", "list", "--db", tmp_path / "no\x1b[2J\nthing.db")
    (line,) = told.stderr.splitlines()
    assert json.loads(line)["level"] == "error"
    assert "no such store" in json.loads(line)["message"]
    assert "\x1b" not in line


@pytest.mark.parametrize(
    "url, shown",
    [
        ("mysql://ann:secret@127.0.0.1:1/hashes", True),
        ("mysql://ann@127.0.0.1:1/hashes?password=secret", True),
        ("mysql://ann@127.0.0.1:1/hashes", False),
    ],
)
def test_a_password_on_the_command_line_is_warned_of(run: Run, url: str, shown: bool) -> None:
    told = run("list", "--db", url).stderr
    assert ("list of processes" in told) == shown
    assert "secret" not in told
