"""Each command does what it says, in each of its three forms."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shell import BRUNO, STRANGER, Run

from benchmarks.stores.server import DatabaseServer
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, noisy, telephone, wav
from samaf.fingerprinters import ScoreCalibration, load_hash_model
from samaf.fingerprinters.card import write_card

MATCH_KEYS = [
    "reference_id",
    "reference",
    "labels",
    "query_start",
    "query_stop",
    "reference_start",
    "reference_stop",
    "ber",
    "score",
    "log10_lr",
    "score_other_speech",
    "log10_lr_other_speech",
    "score_same_text",
    "log10_lr_same_text",
    "same_text_warning",
    "manipulation",
    "channel",
    "reference_channel",
]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_add_says_what_cannot_be_found_and_what_it_left_out(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "silence.wav").write_bytes(wav(np.zeros(80_000, np.float32)))
    (folder / "notes.txt").write_text("no sound")
    (folder / "more.txt").write_text("none")
    told = run("add", "folder")
    assert told.exit_code == 0
    assert "1 added cannot be found" in told.stdout
    assert "silence.wav: cannot be found: silence, or a steady tone" in told.stderr
    assert "2 files of folders have no known suffix of audio (2 .txt)" in told.stderr
    shown = run("show", "1").stdout
    assert "0% of the blocks" in shown
    (line,) = run("show", "1", "--json").stdout.splitlines()
    media = json.loads(line)["media"]
    assert (media["container"], media["codec"], media["samples"]) == ("wav", "pcm_s16le", 80_000)
    assert (media["mixing"], media["track"], media["informative"]) == ("mono", 1, 0)


def test_add_then_add_again(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "talks" / "deep"
    folder.mkdir(parents=True)
    for clip in sorted(CLIPS.iterdir())[:2]:
        shutil.copy(clip, folder)
    (folder / "notes.txt").write_text("no sound")
    first = run("add", "talks", "--json")
    assert first.exit_code == 0
    told = [json.loads(line) for line in first.stdout.splitlines()]
    assert [(t["status"], t["recording_id"], t["hashes"]) for t in told] == [
        ("added", 1, 40),
        ("added", 2, 40),
    ]
    assert first.stderr.startswith("2 added")
    again = run("add", "talks", BRUNO)
    assert again.exit_code == 0
    assert again.stdout.startswith("0 added")
    assert "3 stored before" in again.stdout


def test_labels_by_name_and_by_path(run: Run, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    shutil.copy(BRUNO, tmp_path / "a" / "talk.ogg")
    shutil.copy(STRANGER, tmp_path / "b" / "talk.ogg")
    (tmp_path / "labels.csv").write_text(
        "\ufefffile,speaker,case\ntalk.ogg,Ann,\na/talk.ogg,Bo,7\n"
    )
    assert run("add", "a", "b", "--labels", "labels.csv").exit_code == 0
    found = [json.loads(line)["labels"] for line in run("list", "--json").stdout.splitlines()]
    assert found == [{"speaker": "Bo", "case": "7"}, {"speaker": "Ann"}]


@pytest.mark.usefixtures("store")
def test_query_as_json(run: Run, tmp_path: Path) -> None:
    excerpt = load(BRUNO)[2 * SAMPLE_RATE : 9 * SAMPLE_RATE]
    damaged = telephone(noisy(excerpt, 20, np.random.default_rng(0)))
    (tmp_path / "clip.wav").write_bytes(wav(damaged))
    result = run("query", "clip.wav", STRANGER, "--json")
    assert result.exit_code == 0
    found, unknown = (json.loads(line) for line in result.stdout.splitlines())
    assert list(found) == ["query", "duration", "sha256", "media", "unsearched", "more", "matches"]
    assert found["query"] == str(tmp_path / "clip.wav")
    assert found["duration"] == 7.0
    best = found["matches"][0]
    assert list(best) == MATCH_KEYS
    assert (best["reference"], best["labels"]["speaker"]) == ("bruno-garden.ogg", "Bruno")
    assert best["reference_start"] - best["query_start"] == pytest.approx(2, abs=0.3)
    assert best["reference_stop"] - best["query_stop"] == pytest.approx(2, abs=0.3)
    assert 0 < best["ber"] < 0.4
    assert best["score"] > 3
    assert set(best["manipulation"]) == {"tau", "rho", "reversed"}
    assert unknown["matches"] == []


@pytest.mark.slow
@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("option", [("--index", "flat"), ("--granularity", "1"), ("-k", "1")])
def test_query_options_give_the_same_best_match(run: Run, option: tuple[str, str]) -> None:
    plain, other = (
        json.loads(run("query", BRUNO, "--json", *options).stdout)["matches"]
        for options in ((), option)
    )
    assert other[0]["reference"] == plain[0]["reference"] == "bruno-garden.ogg"
    assert other[0]["ber"] == 0


@pytest.mark.usefixtures("store")
def test_k_limits_the_matches_of_a_stretch(run: Run) -> None:
    result = run("query", BRUNO, "--csv", "-k", "1", "--max-false-matches", "1")
    whole = [row for row in rows(result.stdout) if float(row["query_start"]) < 1]
    assert [row["reference"] for row in whole] == ["bruno-garden.ogg"]


def test_recordings_beyond_k_are_counted(run: Run, tmp_path: Path) -> None:
    """Three calls that begin with the same announcement."""
    prompt, calls = load(BRUNO)[: 4 * SAMPLE_RATE], tmp_path / "calls"
    calls.mkdir()
    for name in ("amelia-harbour", "greta-weather", "hugo-kitchen"):
        speech = load(CLIPS / f"{name}.ogg")[: 3 * SAMPLE_RATE]
        (calls / f"{name}.wav").write_bytes(wav(np.concatenate([prompt, speech])))
    (tmp_path / "prompt.wav").write_bytes(wav(prompt))
    assert run("add", calls).exit_code == 0
    for search in ((), ("--deep",)):
        few = run("query", "prompt.wav", "--json", "-k", "1", *search)
        assert "at least 2 more recordings match; a higher -k gives more" in few.stderr
        found = json.loads(few.stdout)
        assert (len(found["matches"]), found["more"]) == (1, 2)
    every = run("query", "prompt.wav", "--json", "-k", "3")
    assert "more recordings" not in every.stderr
    found = json.loads(every.stdout)
    assert (len({match["reference"] for match in found["matches"]}), found["more"]) == (3, 0)


@pytest.mark.usefixtures("store")
def test_query_as_a_table(run: Run) -> None:
    result = run("query", BRUNO, STRANGER)
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()[2:4]
    assert "bruno-garden.ogg" in first
    assert "speaker=Bruno, case=7/26" in first
    assert "unknown" in second


@pytest.mark.usefixtures("store")
def test_query_from_standard_input(run: Run) -> None:
    result = run("query", "-", "--json", stdin=BRUNO.read_bytes())
    found = json.loads(result.stdout)
    assert found["query"] == "stdin"
    assert found["matches"][0]["reference"] == "bruno-garden.ogg"


@pytest.mark.usefixtures("store")
def test_query_as_csv(run: Run) -> None:
    found = rows(run("query", BRUNO, STRANGER, "--csv").stdout)
    assert [row["reference"] for row in found] == ["bruno-garden.ogg", ""]
    assert json.loads(found[0]["labels"])["case"] == "7/26"
    assert found[1]["query"] == str(STRANGER)


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_a_long_query_yields_every_excerpt(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    names = ["farid-workshop.ogg", "camille-market.ogg", "ines-river.ogg"]
    parts, starts, at = [], [], 0
    for name in names:
        between = rng.normal(0, 0.02, 9 * SAMPLE_RATE + int(rng.integers(4000)))
        excerpt = load(CLIPS / name)[SAMPLE_RATE : 8 * SAMPLE_RATE]
        starts.append((at + len(between)) / SAMPLE_RATE)
        at += len(between) + len(excerpt)
        parts += [between, excerpt]
    (tmp_path / "long.wav").write_bytes(wav(np.concatenate(parts).astype(np.float32)))
    matches = json.loads(run("query", "long.wav", "--json").stdout)["matches"]
    places = {match["reference"]: match for match in matches}
    assert set(places) == set(names)
    for name, start in zip(names, starts, strict=True):
        match = places[name]
        offset = match["query_start"] - match["reference_start"]
        assert offset == pytest.approx(start - 1, abs=0.4)
        assert match["query_stop"] - match["query_start"] >= 5


@pytest.mark.usefixtures("store")
def test_list_show_delete(run: Run) -> None:
    listed = rows(run("list", "--csv").stdout)
    assert [row["recording_id"] for row in listed] == [str(i) for i in range(1, 12)]
    assert [json.loads(line)["name"] for line in run("list", "--json").stdout.splitlines()] == [
        row["name"] for row in listed
    ]
    bruno = listed[1]
    for key in ("2", "bruno-garden.ogg", bruno["sha256"][:8]):
        assert json.loads(run("show", key, "--json").stdout)["recording_id"] == 2
    assert bruno["sha256"] in run("show", "2").stdout
    refused = run("delete", "1", "nobody.wav")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "nobody.wav" in refused.stderr
    assert len(rows(run("list", "--csv").stdout)) == 11
    gone = run("delete", "bruno-garden.ogg", "2", "5")
    assert "2 deleted" in gone.stdout
    assert "bruno-garden" not in run("list").stdout
    unknown = json.loads(run("query", BRUNO, "--json").stdout)
    assert unknown["matches"] == []


@pytest.mark.usefixtures("store")
def test_stats(run: Run) -> None:
    stats = json.loads(run("stats", "--json").stdout)
    assert (stats["recordings"], stats["hashes"]) == (11, 440)
    assert stats["labels"] == {"speaker": 1, "case": 1}
    assert (stats["index"], stats["day_recordings"], stats["bits"]) == ("absent", 11, 256)
    run("query", BRUNO)
    assert json.loads(run("stats", "--json").stdout)["index"] == "current"
    assert re.search(r"^audio +2:01\.0 *$", run("stats").stdout, re.M)


@pytest.mark.slow
def test_compare_needs_no_store(run: Run, tmp_path: Path) -> None:
    (tmp_path / "part.wav").write_bytes(wav(load(BRUNO)[4 * SAMPLE_RATE :]))
    same = json.loads(run("compare", "part.wav", BRUNO, "--json").stdout)
    assert same["common"]
    (match,) = same["matches"]
    assert match["reference_start"] - match["query_start"] == pytest.approx(4, abs=0.3)
    (tmp_path / "hiss.wav").write_bytes(
        wav(np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32))
    )
    assert "nothing in common" in run("compare", "hiss.wav", BRUNO).stdout
    assert not (tmp_path / "samaf.db").exists()


@pytest.mark.slow
def test_scores_of_a_model_that_is_not_calibrated_come_with_a_warning(
    run: Run, tmp_path: Path
) -> None:
    shipped = load_hash_model()
    shutil.copy(shipped.path, tmp_path / f"{shipped.name}.onnx")
    write_card(replace(shipped.card, calibration=ScoreCalibration()), tmp_path)
    model = tmp_path / f"{shipped.name}.onnx"
    assert run("add", BRUNO, "--model", model).exit_code == 0
    told = run("query", BRUNO, BRUNO, "--model", model)
    assert told.exit_code == 0
    assert told.stderr.count(f"{shipped.name} is not calibrated") == 1
    assert f"benchmarks calibration {model} --write" in told.stderr
    assert not run("compare", BRUNO, BRUNO).stderr


def test_fingerprint(run: Run) -> None:
    whole = json.loads(run("fingerprint", BRUNO, "--json").stdout)
    lines = rows(run("fingerprint", BRUNO, "--csv").stdout)
    assert [line["hash"] for line in lines] == [each["hash"] for each in whole["hashes"]]
    assert [float(line["start"]) for line in lines[:3]] == [0, 0.25, 0.5]
    assert len(bytes.fromhex(lines[0]["hash"])) * 8 == 256
    assert lines[0]["hash"] in run("fingerprint", BRUNO).stdout


def test_models(run: Run) -> None:
    cards = [json.loads(line) for line in run("models", "--json").stdout.splitlines()]
    assert "2LST256C" in [card["name"] for card in cards]
    assert cards[0]["digest"][:12] in run("models").stdout


def test_db_status_and_upgrade(run: Run, store: Path) -> None:
    before = json.loads(run("db", "status", "--json").stdout)
    assert before["schema"] == before["newest"]
    assert json.loads(run("db", "upgrade", "--json").stdout) == before
    assert str(store) in before["url"]


@pytest.mark.usefixtures("store")
def test_index_status_and_rebuild(run: Run) -> None:
    def state() -> str:
        status = json.loads(run("index", "status", "--json").stdout)
        return str(status["state"])

    assert state() == "absent"
    run("query", BRUNO)
    assert state() == "current"
    run("delete", "1")
    assert state() == "behind"
    rebuilt = json.loads(run("index", "rebuild", "--json").stdout)
    assert (rebuilt["state"], rebuilt["hashes"]) == ("current", 400)
    hashes = next(Path(rebuilt["folder"]).glob("hashes-*.bin"))
    content = bytearray(hashes.read_bytes())
    content[100] ^= 1
    hashes.write_bytes(content)
    assert state() == "damaged"
    assert "rebuild" in run("index", "status").stdout


def test_the_store_may_be_named_before_or_after_the_command(run: Run, tmp_path: Path) -> None:
    assert run("--db", tmp_path / "x.db", "add", BRUNO).exit_code == 0
    assert run("stats", "--db", tmp_path / "x.db").exit_code == 0
    assert run("--db", tmp_path / "no.db", "stats", "--db", tmp_path / "x.db").exit_code == 0
    assert run("stats").exit_code == 1


@pytest.mark.slow
def test_the_demo(run: Run, tmp_path: Path) -> None:
    result = run("demo")
    assert result.exit_code == 0
    assert "11 recordings stored" in result.stdout
    assert "lena-stranger.ogg" in result.stdout
    assert "demo/match.png" in result.stdout
    assert (tmp_path / "demo" / "match.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "cache").exists()
    assert not (tmp_path / "samaf.db").exists()


@pytest.mark.slow
def test_the_demo_prints_what_it_cannot_draw(run: Run, tmp_path: Path) -> None:
    (tmp_path / "demo").touch()
    folder = tmp_path / "talks"
    folder.mkdir()
    for clip in sorted(CLIPS.iterdir())[:3]:
        shutil.copy(clip, folder)
    result = run("demo", folder)
    assert result.exit_code == 1
    assert "7 of 7 answers are right" in result.stdout
    assert "demo/match.png: the picture cannot be written" in result.stderr


def test_a_server(run: Run, database_server: DatabaseServer) -> None:
    with database_server.database() as url:
        assert run("add", BRUNO, "--db", url).exit_code == 0
        found = json.loads(run("query", BRUNO, "--db", url, "--json").stdout)
        assert found["matches"][0]["reference"] == "bruno-garden.ogg"
        assert json.loads(run("db", "status", "--db", url, "--json").stdout)["schema"]
        assert run("delete", "1", "--db", url).exit_code == 0
        assert json.loads(run("stats", "--db", url, "--json").stdout)["recordings"] == 0
