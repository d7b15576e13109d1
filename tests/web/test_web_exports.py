"""Answers as label tracks, cut sound and tables, and what cannot be exported."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from web.conftest import NAMES, Server, finished

import samaf
from samaf.audio import load
from samaf.demo import CLIPS
from samaf.errors import AudioError
from samaf.json_records import query_record
from samaf.web.export_files import NOT_CUT, Answered, write_cuts, write_labels

pytestmark = pytest.mark.process

RECORDING = f"{NAMES[0]}.ogg"


@pytest.fixture(scope="module")
def answered(server: Server, clip: Path) -> dict[str, Any]:
    """A query that is done."""
    client = server.client()
    job = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
    return finished(client, job["id"])


def exported(server: Server, ids: list[str], **values: str) -> Any:
    return server.client().get("/api/exports", params={"query": ids, **values})


def test_labels_are_those_of_the_shell(server: Server, answered: dict[str, Any]) -> None:
    answer = exported(server, [answered["id"]], format="audacity")
    assert answer.headers["content-disposition"] == "attachment; filename=samaf-audacity.zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    match = answered["result"]["matches"][0]
    start, stop = match["query_start"], match["query_stop"]
    place = f"{RECORDING} at 0:{match['reference_start']:06.3f}"
    assert texts["excerpt.wav.txt"] == f"{start:.6f}\t{stop:.6f}\t{place}\n"
    assert texts[f"{RECORDING}.txt"].endswith("\texcerpt.wav at 0:00.000\n")
    assert len(texts) == 2


def test_sound_is_cut_out_of_clip_and_recording(
    server: Server, answered: dict[str, Any], clip: Path
) -> None:
    answer = exported(server, [answered["id"]], format="flac", padding_s="0.5")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        pieces = {name: archive.read(name) for name in archive.namelist()}
    match = answered["result"]["matches"][0]
    first = f"001-clip-excerpt.wav-{match['query_start']:.3f}s.flac"
    second = f"001-recording-{RECORDING}-{match['reference_start']:.3f}s.flac"
    assert sorted(pieces) == [first, second]
    # The clip has nothing on either side, the recording has.
    assert np.array_equal(load(pieces[first]), load(clip))
    length = match["reference_stop"] - match["reference_start"] + 1
    assert len(load(pieces[second])) / 16_000 == pytest.approx(length, abs=0.001)


def test_tables_are_those_of_the_shell(server: Server, answered: dict[str, Any]) -> None:
    line = exported(server, [answered["id"]], format="json").text
    assert json.loads(line) == answered["result"]
    (row,) = csv.DictReader(io.StringIO(exported(server, [answered["id"]], format="csv").text))
    assert (row["query"], row["reference"]) == ("excerpt.wav", RECORDING)


def test_what_cannot_be_exported_is_refused(server: Server, answered: dict[str, Any]) -> None:
    bad = server.client().post("/api/queries", files={"clip": b"no sound"}).json()
    finished(server.client(), bad["id"])
    for ids, values, status in (
        ([], {"format": "csv"}, 422),
        ([answered["id"]], {"format": "mp3"}, 422),
        ([answered["id"]], {"format": "wav", "padding_s": "nan"}, 422),
        ([bad["id"]], {"format": "csv"}, 409),
        (["0" * 16], {"format": "csv"}, 404),
    ):
        assert exported(server, ids, **values).status_code == status
    assert list((server.folder / "data").rglob("export-*")) == []


@pytest.fixture(scope="module")
def moved(store: Path, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A store whose recordings are gone from where they were, and an answer."""
    folder = tmp_path_factory.mktemp("moved")
    shutil.copy(store, folder / "store.db")
    with closing(sqlite3.connect(folder / "store.db")) as connection, connection:
        connection.execute("UPDATE recordings SET path = '/gone/' || name")
    with samaf.open(str(folder / "store.db"), cache_folder=store.parent) as engine:
        result: Any = engine.query(clip)
        yield engine, [Answered(str(clip), clip.name, query_record(result))], folder


def test_a_recording_that_is_gone_is_named_beside_the_clip(moved: Any) -> None:
    engine, clips, folder = moved
    write_cuts(engine, clips, folder / "out.zip", "wav", 0.0, None)
    with zipfile.ZipFile(folder / "out.zip") as archive:
        piece, missing = archive.namelist()
        assert piece.startswith("001-clip-excerpt.wav")
        assert missing == NOT_CUT
        assert archive.read(NOT_CUT).startswith(f"{RECORDING}: its audio is not at".encode())
        assert b"/gone" not in archive.read(NOT_CUT)
    lost = [Answered("/none/excerpt.wav", "excerpt.wav", clips[0].result)]
    with pytest.raises(AudioError, match="its audio is not at"):
        write_cuts(engine, lost, folder / "out.zip", "wav", 0.0, None)


def test_the_folder_of_audio_has_what_moved(moved: Any) -> None:
    engine, clips, folder = moved
    write_cuts(engine, clips, folder / "out.zip", "wav", 0.0, str(CLIPS))
    with zipfile.ZipFile(folder / "out.zip") as archive:
        names = sorted(archive.namelist())
    assert [name[:13] for name in names] == ["001-clip-exce", "001-recording"]


def test_a_deleted_recording_is_named_by_the_labels_of_the_clip(moved: Any) -> None:
    engine, clips, folder = moved
    found = {**clips[0].result["matches"][0], "reference_id": 99, "reference": "old.wav"}
    result = {**clips[0].result, "matches": [found]}
    clips = [Answered(clips[0].path, "excerpt.wav", result)]
    write_labels(engine, clips, folder / "out.zip", "srt")
    with zipfile.ZipFile(folder / "out.zip") as archive:
        assert archive.namelist() == ["excerpt.wav.srt"]
        place = f"old.wav at 0:{found['reference_start']:06.3f}"
        assert place in archive.read("excerpt.wav.srt").decode()
    write_cuts(engine, clips, folder / "out.zip", "wav", 0.0, None)
    with zipfile.ZipFile(folder / "out.zip") as archive:
        assert archive.read(NOT_CUT) == b"old.wav: was deleted from the store\n"
