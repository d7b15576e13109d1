"""Lists of the store as JSON and CSV, labels, duplicates and reports."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import pytest
from web.conftest import NAMES, Server, finished

import samaf

pytestmark = pytest.mark.process


def test_pages_of_recordings_follow_the_last_id(server: Server) -> None:
    client = server.client()
    names, query = [], "limit=2"
    while query:
        page = client.get(f"/recordings.json?{query}").json()
        assert len(page["recordings"]) <= 2
        names += [each["name"] for each in page["recordings"]]
        query = page["next"]
    assert names == [f"{name}.ogg" for name in NAMES]
    assert client.get("/api/recordings?name=GARDEN").json()["recordings"][0]["name"] == names[1]
    assert client.get("/api/recordings?name=%25").json()["recordings"] == []
    assert client.get("/recordings.json?label=speaker").status_code == 422
    assert client.get("/recordings.json?after=x").status_code == 422


def test_lists_are_the_records_of_the_shell(server: Server, store: Path) -> None:
    client = server.client()
    lines = list(csv.DictReader(io.StringIO(client.get("/recordings.csv").text)))
    with samaf.open(str(store)) as engine:
        shown = {each.sha256: each for each in engine.list()}
        assert {line["sha256"] for line in lines} == set(shown)
        statistics = client.get("/statistics.json").json()["statistics"][0]
        assert statistics["recordings"] == engine.stats().recordings == 3
        entries = client.get("/audit.json?limit=1000").json()["entries"]
        assert [each["entry_id"] for each in entries] == list(range(len(entries), 0, -1))
        newest = client.get("/audit.json?limit=1").json()
        older = client.get(f"/audit.json?{newest['next']}").json()
        assert older["entries"][0] == entries[1]


def test_labels_are_set_and_removed(server: Server) -> None:
    client = server.client()
    path = "/api/recordings/3/labels"
    labelled = client.patch(path, json={"labels": {"case": "17", "speaker": "C"}}).json()
    assert labelled["labels"]["case"] == "17"
    found = client.get("/recordings.json?label=case=17&label=speaker=C").json()["recordings"]
    assert [each["recording_id"] for each in found] == [3]
    assert "speaker" not in client.patch(path, json={"labels": {"speaker": None}}).json()["labels"]
    assert client.patch(path, json={"labels": {"a": 1}}).status_code == 422
    assert client.patch("/api/recordings/99/labels", json={"labels": {}}).status_code == 404


def test_decisions_are_paged_and_asked_for_by_clip(server: Server, clip: Path) -> None:
    client = server.client()
    job = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
    digest = finished(client, job["id"])["result"]["sha256"]
    for decision in ("accepted", "rejected"):
        path = f"/api/queries/{job['id']}/matches/1/decisions"
        client.post(path, json={"decision": decision, "name": "Di"})
    found, query = [], f"clip={'0' * 64}&clip={digest}&limit=1"
    while query and len(found) < 2:
        page = client.get(f"/api/decisions?{query}").json()
        (each,) = page["decisions"]
        found.append((each["clip_sha256"], each["decision"]))
        query = page["next"]
    assert found == [(digest, "rejected"), (digest, "accepted")]
    nothing = {"decisions": [], "next": ""}
    assert client.get(f"/api/decisions?clip={'0' * 64}").json() == nothing
    assert client.get("/api/decisions?before=1").json() == nothing
    assert client.get("/api/decisions?clip=x").status_code == 422
    assert client.get("/api/decisions?" + f"clip={digest}&" * 51).status_code == 422


def test_a_recording_lists_the_clips_found_in_it(server: Server, clip: Path) -> None:
    client = server.client()
    job = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
    finished(client, job["id"])
    matches = client.get("/recordings/1.json").json()["matches"]
    assert {"query_id": job["id"], "query": clip.name, "match": 1}.items() <= matches[0].items()
    assert client.get("/recordings/99.json").status_code == 404


def test_a_draft_is_given_without_waiting(server: Server) -> None:
    client = server.client()
    address = "/api/recordings/3"
    shown = client.get(f"{address}/sound?draft=1").json()
    assert (shown["decoded"], shown["duration"] > 5) == (0, True)
    assert client.get(f"{address}/peaks?draft=1").content == b""
    whole = client.get(f"{address}/sound").json()
    assert whole["decoded"] == whole["duration"] == shown["duration"]
    tile = client.get(f"{address}/peaks?level=3&draft=1")
    assert tile.headers["cache-control"] == "no-store"
    assert tile.content == client.get(f"{address}/peaks?level=3").content != b""


def test_audio_comes_by_ranges(server: Server) -> None:
    client = server.client()
    whole = client.get("/api/recordings/2/audio").content
    assert whole[:4] == b"RIFF"
    part = client.get("/api/recordings/2/audio", headers={"range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, whole[1000:2000])
    for wrong in ("bytes=99999999-", "bytes=0-1,5-6"):
        answer = client.get("/api/recordings/2/audio", headers={"range": wrong})
        assert answer.status_code == 416


def test_duplicates_are_found_in_the_background(server: Server) -> None:
    client = server.client()
    assert client.post("/api/duplicates").status_code == 202
    for _ in range(1200):
        known = client.get("/duplicates.json").json()
        if known["state"] != "running":
            break
        time.sleep(0.1)
    assert (known["state"], known["duplicates"]) == ("done", [])


def test_a_report_holds_the_decision_and_is_logged(server: Server, clip: Path) -> None:
    client = server.client()
    job = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
    finished(client, job["id"])
    path = f"/api/queries/{job['id']}/matches/1/decisions"
    decision = {"decision": "rejected", "comment": "<b>other</b> room", "name": "Cy"}
    assert client.post(path, json=decision).status_code == 201
    body = {"queries": [job["id"]], "case": {"examiner": "Cy"}}
    report = client.post("/api/reports", json=body).json()
    while report["state"] == "running":
        time.sleep(0.2)
        report = client.get(f"/api/reports/{report['id']}").json()
    assert report["state"] == "done", report["error"]
    answer = client.get(f"/api/reports/{report['id']}/files/report.html")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "&lt;b&gt;other&lt;/b&gt; room" in answer.text
    entry = client.get("/audit.json?limit=1").json()["entries"][0]
    assert (entry["act"], entry["sha256"]) == ("report", report["files"]["report.json"])
    for wrong in ("../state.json", "state.json", "%2e%2e%2fstate.json"):
        assert client.get(f"/api/reports/{report['id']}/files/{wrong}").status_code == 404
    assert client.post("/api/reports", json={"queries": []}).status_code == 422
    wrong_case = {"queries": [job["id"]], "case": {"colour": "red"}}
    assert "no 'colour'" in client.post("/api/reports", json=wrong_case).json()["error"]
