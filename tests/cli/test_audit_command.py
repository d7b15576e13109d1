"""Labels that change, the audit log, and what queries leave in it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest
from shell import BRUNO, STRANGER, Run

from samaf.store import Store

pytestmark = pytest.mark.usefixtures("store")


def log(run: Run) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("db", "audit", "--json").stdout.splitlines()]


@pytest.mark.slow
def test_label(run: Run) -> None:
    told = run("label", BRUNO.name, "speaker=Bruno Ä", "place=garden", "case=", "--json")
    assert json.loads(told.stdout)["labels"] == {"speaker": "Bruno Ä", "place": "garden"}
    last = log(run)[-1]
    assert (last["act"], last["sha256"]) == ("relabel", json.loads(told.stdout)["sha256"])
    assert last["details"]["before"] == {"speaker": "Bruno", "case": "7/26"}  # type: ignore[index]
    assert "speaker=Bruno, case=7/26 -> speaker=Bruno Ä" in run("db", "audit").stdout


@pytest.mark.parametrize("given", ["speaker", "=Bruno"])
def test_what_is_no_label(run: Run, given: str) -> None:
    result = run("label", BRUNO.name, given)
    assert result.exit_code == 2
    assert "is not NAME=VALUE" in result.stderr


def test_queries_are_logged_when_asked(run: Run) -> None:
    before = len(log(run))
    run("query", BRUNO)
    assert len(log(run)) == before
    answers = run("query", BRUNO, STRANGER, "--audit", "--json").stdout.splitlines()
    known, unknown = log(run)[before:]
    for entry, answer in zip((known, unknown), map(json.loads, answers), strict=True):
        assert (entry["act"], entry["sha256"]) == ("query", answer["sha256"])
        details = entry["details"]
        assert isinstance(details, dict)
        assert [each["name"] for each in details["matches"]] == [
            each["reference"] for each in answer["matches"]
        ]
        assert details["options"]["granularity_s"] == 3
    assert f"{BRUNO.name}: {BRUNO.name}" in run("db", "audit").stdout


def test_entries_that_hold_candidates_are_shown_as_rankings(run: Run, store: Path) -> None:
    details = {"candidates": [{"name": "a.wav"}, {"name": "b.wav"}], "matches": []}
    with Store.open(str(store)) as opened:
        opened.log("query", "0" * 64, "clip.wav", details)
    assert "clip.wav: nearest a.wav, b.wav" in run("db", "audit").stdout


def test_verify(run: Run, store: Path) -> None:
    run("delete", "2")
    whole = run("db", "audit", "--verify", "--json")
    assert whole.exit_code == 0
    assert json.loads(whole.stdout) == {
        "entries": 12,
        "head": log(run)[-1]["hash"],
        "broken": 0,
        "reason": "",
    }
    with sqlite3.connect(store) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET os_user = 'nobody' WHERE id = 12")
    broken = run("db", "audit", "--verify")
    assert broken.exit_code == 1
    assert "entry 12 is not what was written" in broken.stdout


def test_hostile_entries_are_printed_harmlessly(run: Run) -> None:
    run("label", "1", "note==cmd|' /C calc'!A0\x1b[2J\n", "\u202e=x")
    table, sheet = run("db", "audit").stdout, run("db", "audit", "--csv").stdout
    assert "\x1b" not in table + sheet
    assert "\u202e" not in table + sheet
    assert table.count("\n") == 14
    rows = list(csv.DictReader(io.StringIO(sheet)))
    assert len(rows) == 12
    assert rows[-1]["act"] == "relabel"
