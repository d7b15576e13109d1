"""samaf report, report verify, validate, and the exports of other commands."""

from __future__ import annotations

import csv
import errno
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from shell import BRUNO, STRANGER, Run

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.report.provenance import EPOCH

FILES = ["report.json", "matches.csv", "case-uco.jsonld", "report.html", "report.pdf"]


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three seconds of a stored recording, in the current folder."""
    monkeypatch.setenv(EPOCH, "1790000000")
    path = tmp_path / "clip.wav"
    path.write_bytes(wav(load(BRUNO)[2 * SAMPLE_RATE : 5 * SAMPLE_RATE]))
    return path


def listed(store: Path) -> list[Any]:
    with samaf.open(str(store)) as engine:
        return list(engine.store.audit())


@pytest.mark.slow
def test_a_report_is_written_entered_and_repeated(run: Run, store: Path, clip: Path) -> None:
    first = run("report", "clip.wav", "--out", "one", "--format", "eaf", "--cut", "cut", "--json")
    assert first.exit_code == 0, first.output
    written = {row["file"]: row["sha256"] for row in json.loads(first.stdout)["files"]}
    assert list(written) == [*FILES[:3], "clip.wav.eaf", "bruno-garden.ogg.eaf", *FILES[3:]]
    assert sorted(path.name for path in Path("one").iterdir()) == sorted(written)
    assert len(list(Path("cut").iterdir())) == 2
    entry = listed(store)[-1]
    assert (entry.act, entry.sha256) == ("report", written["report.json"])
    assert entry.details["files"] == written

    assert run("report", "clip.wav", "--out", "two", "--format", "eaf").exit_code == 0
    for name in written:
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()

    again = run("report", "verify", "one/report.json", "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout) == {
        "report": "one/report.json",
        "clips": 1,
        "results": "identical",
        "differences": [],
    }


@pytest.mark.slow
def test_a_report_is_the_same_in_another_folder_and_store(
    run: Run, store: Path, clip: Path, tmp_path: Path
) -> None:
    assert run("report", "clip.wav", "--out", "one").exit_code == 0
    away = tmp_path / "away"
    away.mkdir()
    shutil.copy(clip, away)
    shutil.copy("one/report.json", away / "r.json")
    clip.unlink()
    stored = sorted(CLIPS.iterdir())[:-1]
    assert run("add", *stored, "--db", away / "other.db").exit_code == 0
    same = run("report", "verify", away / "r.json", "--db", away / "other.db")
    assert "identical" in same.stdout
    assert "surroundings" in same.stdout  # the store has another id
    assert run("add", STRANGER, "--db", away / "other.db").exit_code == 0
    more = run("report", "verify", away / "r.json", "--db", away / "other.db", "--json")
    assert more.exit_code == 1
    assert json.loads(more.stdout)["results"] == "different"
    where = {d["where"] for d in json.loads(more.stdout)["differences"] if d["kind"] == "result"}
    assert "clips 1.matches 1.score" in where  # it counts the hashes of the store
    (away / "clip.wav").write_bytes(wav(load(BRUNO)[: 3 * SAMPLE_RATE]))
    changed = run("report", "verify", away / "r.json", "--db", away / "other.db")
    assert "clips 1.item.sha256" in changed.stdout
    (away / "clip.wav").unlink()
    gone = run("report", "verify", away / "r.json", "--db", away / "other.db")
    assert gone.exit_code == 1
    assert "give the folder of the clips with --clips" in gone.stderr


@pytest.mark.slow
def test_what_cannot_be_reported_leaves_nothing(
    run: Run, store: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("full").mkdir()
    Path("full/x").touch()
    refused = run("report", "clip.wav", "--out", "full")
    assert "full: is there already; give a folder that is new or empty" in refused.stderr
    Path("case.toml").write_text("examinor = 'A'")
    refused = run("report", "clip.wav", "--out", "out", "--case", "case.toml")
    assert "no such key 'examinor'" in refused.stderr
    Path("file").touch()
    assert "cannot be written" in run("report", "clip.wav", "--out", "file/out").stderr
    before = len(listed(store))
    write = Path.open

    def on_a_full_disk(path: Path, mode: str = "r", **more: Any) -> Any:
        if path.name == "matches.csv":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, mode, **more)

    monkeypatch.setattr(Path, "open", on_a_full_disk)
    full = run("report", "clip.wav", "--out", "out")
    assert full.exit_code == 1
    assert "out: the report cannot be written (No space left on device)" in full.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if "out" in path.name) == []
    assert len(listed(store)) == before


@pytest.mark.slow
def test_without_typst_the_html_is_written(
    run: Run, store: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "typst", None)
    Path("text.wav").write_text("no sound")
    result = run("report", "clip.wav", "text.wav", "--out", "out")
    assert result.exit_code == 1  # for text.wav
    assert "pip install 'samaf[report]'" in result.stderr
    assert "text.wav" in result.stderr
    assert sorted(path.name for path in Path("out").iterdir()) == sorted(FILES[:-1])
    rows = list(csv.DictReader(io.StringIO(Path("out/matches.csv").read_text())))
    assert [row["outcome"] for row in rows] == ["found", "failed"]


@pytest.mark.slow
def test_labels_are_printed_for_one_clip_or_written_for_many(
    run: Run, store: Path, clip: Path
) -> None:
    one = run("query", "clip.wav", "--format", "audacity")
    (line,) = one.stdout.splitlines()
    start, stop, text = line.split("\t")
    assert (float(start), float(stop)) == pytest.approx((0, 3), abs=0.3)
    assert text.startswith("bruno-garden.ogg at 0:0")
    several = run("query", "clip.wav", STRANGER, "--format", "srt")
    assert several.exit_code == 2
    assert "give --out DIR" in several.stderr
    assert run("query", "clip.wav", STRANGER, "--format", "rttm").stdout.count("SPEAKER") == 1
    assert run("query", "clip.wav", STRANGER, "--format", "vtt", "--out", "tracks").exit_code == 0
    names = ["bruno-garden.ogg.vtt", "clip.wav.vtt", f"{STRANGER.name}.vtt"]
    assert sorted(path.name for path in Path("tracks").iterdir()) == names
    assert "choose one" in run("query", "clip.wav", "--format", "srt", "--json").stderr
    assert "needs --format" in run("query", "clip.wav", "--out", "tracks").stderr


def test_matched_stretches_are_cut_from_clip_and_recording(
    run: Run, store: Path, clip: Path
) -> None:
    result = run("query", "clip.wav", "--cut", "cut", "--cut-format", "flac", "--json")
    assert result.exit_code == 0, result.stderr
    (match,) = json.loads(result.stdout)["matches"]
    names = sorted(path.name for path in Path("cut").iterdir())
    assert names == [
        "001-clip-clip.wav-0.000s.flac",
        f"001-recording-bruno-garden.ogg-{match['reference_start']:.3f}s.flac",
    ]
    one, other = (load(Path("cut", name)) for name in names)
    assert abs(len(one) - len(other)) < 10
    assert len(one) / SAMPLE_RATE == pytest.approx(match["query_stop"], abs=0.001)
    clip.unlink()
    gone = run("query", BRUNO, "--cut", "more", "--padding", "1")
    assert gone.exit_code == 0
    assert len(list(Path("more").iterdir())) == 2


@pytest.mark.slow
def test_other_commands_export_too(run: Run, clip: Path, tmp_path: Path) -> None:
    shared = run("compare", "clip.wav", BRUNO, "--format", "textgrid", "--cut", "cut")
    assert '"bruno-garden.ogg at 0:0' in shared.stdout
    assert len(list(Path("cut").iterdir())) == 2
    sound = load(BRUNO)
    forged = [sound[: 6 * SAMPLE_RATE], sound[SAMPLE_RATE : 4 * SAMPLE_RATE]]
    Path("forged.wav").write_bytes(wav(__import__("numpy").concatenate(forged)))
    copies = run("copies", "forged.wav", "--format", "vtt", "--cut", "copied")
    assert copies.stdout.count("copy 1, ") == 2
    assert len(list(Path("copied").iterdir())) == 2


@pytest.mark.slow
def test_duplicates_and_streams_export_too(run: Run, store: Path, clip: Path) -> None:
    played = run("monitor", "clip.wav", "--format", "rttm")
    assert "SPEAKER clip.wav 1 0.0" in played.stdout
    assert run("add", "clip.wav").exit_code == 0
    done = run("duplicates", "--format", "audacity", "--out", "tracks", "--cut", "cut")
    assert done.exit_code == 0, done.stderr
    names = sorted(path.name for path in Path("tracks").iterdir())
    assert names == ["bruno-garden.ogg.txt", "clip.wav.txt"]
    assert len(list(Path("cut").iterdir())) == 2


@pytest.mark.slow
def test_an_installation_is_validated(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("validate", "--out", "page", "--json")
    result = json.loads(done.stdout)
    assert result["results"] in {"identical", "the same to 4 digits"}, result["differences"]
    assert (done.exit_code, result["clips"], result["matches"]) == (0, 19, 16)
    assert sorted(path.name for path in Path("page").iterdir()) == [
        "validation.html",
        "validation.pdf",
    ]
    assert "Passed: all results are" in Path("page/validation.html").read_text()
    assert not Path("samaf.db").exists()  # no store is needed, and none is made


def test_a_result_that_differs_fails_the_validation(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from samaf.report import validate
    from samaf.report.validation_set import pinned

    record = pinned()
    first = replace(record.clips[0], hashes_sha256="0" * 64)
    now = replace(
        record,
        clips=(first, *record.clips[1:]),
        program=replace(record.program, numpy="1.0"),
    )
    monkeypatch.setattr(validate, "run", lambda: now)
    done = run("validate", "--out", "page")
    assert done.exit_code == 1
    assert "clips 1.hashes_sha256" in done.stdout
    assert "program.numpy" in done.stdout
    assert "Not passed" in Path("page/validation.html").read_text()
