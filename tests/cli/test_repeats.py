"""samaf duplicates, copies and compare on real sound."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import av
import numpy as np
import pytest
from shell import BRUNO, Run

from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, faster, wav

GRETA = CLIPS / "greta-weather.ogg"


def code(source: Path, target: Path) -> None:
    """Convert a sound file to the format of the target's suffix."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        track = made.add_stream("mp3", rate=SAMPLE_RATE, layout="mono")
        for frame in given.decode(audio=0):
            made.mux(track.encode(frame))
        made.mux(track.encode(None))


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_duplicates_are_listed_once(run: Run, tmp_path: Path) -> None:
    assert run("duplicates").stdout == "no two recordings share audio\n"
    bruno, greta = load(BRUNO), load(GRETA)
    mixed = np.concatenate([greta[3_333 : 4 * SAMPLE_RATE], bruno[4 * SAMPLE_RATE :]])
    (tmp_path / "mixed.wav").write_bytes(wav(mixed))
    assert run("add", "mixed.wav").exit_code == 0
    told = run("duplicates", "--json")
    pairs = [json.loads(line) for line in told.stdout.splitlines()]
    assert {(p["first"], p["second"]) for p in pairs} == {
        (BRUNO.name, "mixed.wav"),
        (GRETA.name, "mixed.wav"),
    }
    (match,) = next(p["matches"] for p in pairs if p["first"] == BRUNO.name)
    assert match["query_start"] == pytest.approx(4, abs=0.5)
    assert match["reference_start"] == pytest.approx(4 - 3_333 / SAMPLE_RATE, abs=0.5)
    rows = list(csv.DictReader(io.StringIO(run("duplicates", "--csv").stdout)))
    assert [row["second"] for row in rows] == ["mixed.wav", "mixed.wav"]
    assert "mixed.wav" in run("duplicates").stdout


def test_duplicates_of_no_store_and_an_empty_one(run: Run) -> None:
    assert run("duplicates").exit_code == 1
    assert run("add", BRUNO).exit_code == 0
    assert run("delete", "1").exit_code == 0
    assert run("duplicates", "--json").stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["wav", "mp3"])
def test_a_moved_copy_is_found(run: Run, tmp_path: Path, codec: str) -> None:
    speech = load(BRUNO).copy()
    copied = slice(SAMPLE_RATE, SAMPLE_RATE + 40_000)
    speech[100_123 : 100_123 + 40_000] = speech[copied]
    (tmp_path / "forged.wav").write_bytes(wav(speech))
    if codec == "mp3":
        code(tmp_path / "forged.wav", tmp_path / "forged.mp3")
    told = json.loads(run("copies", f"forged.{codec}", "--json").stdout)
    (copy,) = told["copies"]
    assert copy["correlation"] > 0.8
    assert copy["second_start"] - copy["first_start"] == pytest.approx(5.258, abs=0.005)
    places = [copy["first_start"], copy["first_stop"]]
    assert places == pytest.approx([1, 3.5], abs=0.5)
    assert "0:06." in run("copies", f"forged.{codec}").stdout


@pytest.mark.slow
def test_honest_silent_and_short_recordings_hold_no_copies(run: Run, tmp_path: Path) -> None:
    (tmp_path / "silence.wav").write_bytes(wav(np.zeros(80_000, np.float32)))
    tone = np.sin(np.arange(80_000) / 5).astype(np.float32)
    (tmp_path / "tone.wav").write_bytes(wav(tone))
    (tmp_path / "short.wav").write_bytes(wav(tone[:9_000]))
    made = ("silence.wav", "tone.wav", "short.wav")
    told = run("copies", *sorted(CLIPS.glob("*.ogg")), *made, "--json")
    assert told.exit_code == 0
    found = [json.loads(line) for line in told.stdout.splitlines()]
    assert [each["copies"] for each in found] == [[]] * len(found)
    shown = run("copies", "silence.wav", "short.wav", "no.wav")
    assert shown.exit_code == 1
    assert "nothing in it to recognise" in shown.stdout
    assert "shorter than 1 s" in shown.stdout
    assert "no such file" in shown.stderr


@pytest.mark.slow
def test_ringing_is_no_copy(run: Run, tmp_path: Path) -> None:
    at = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    ring = np.zeros(3 * SAMPLE_RATE)
    ring[:SAMPLE_RATE] = 0.05 * (np.sin(2 * np.pi * 440 * at) + np.sin(2 * np.pi * 480 * at))
    noise = np.random.default_rng(1).normal(0, 0.001, 3 * len(ring))
    call = np.concatenate([np.tile(ring, 3) + noise, load(BRUNO)[:80_000]])
    (tmp_path / "call.wav").write_bytes(wav(call.astype(np.float32)))
    (told,) = map(json.loads, run("copies", "call.wav", "--json").stdout.splitlines())
    assert told["copies"] == []
    assert told["tones"] > 0
    assert "repeated tones" in run("copies", "call.wav").stdout


@pytest.fixture
def untold(tmp_path: Path) -> None:
    """Files that nothing can be told about."""
    (tmp_path / "short.wav").write_bytes(wav(load(BRUNO)[:14_400]))
    (tmp_path / "silent.wav").write_bytes(wav(np.zeros(80_000, np.float32)))


@pytest.mark.usefixtures("untold")
def test_compare_says_what_could_not_be_compared(run: Run) -> None:
    short, silent = "short.wav: shorter than 1 s", "silent.wav: nothing in it to recognise"
    for pair, reason in (
        (("short.wav", BRUNO), short),
        ((BRUNO, "silent.wav"), silent),
        (("silent.wav", "short.wav"), f"{silent}: silence or a steady tone; {short}"),
    ):
        assert f"not compared: {reason}" in run("compare", *pair).stdout
        told = run("compare", *pair, "--json")
        answer = json.loads(told.stdout)
        assert (answer["common"], answer["matches"]) == (None, [])
        assert reason in answer["reason"]
        assert f"samaf: not compared: {reason}" in told.stderr
    told = run("compare", "silent.wav", "silent.wav", "--csv")
    (row,) = csv.DictReader(io.StringIO(told.stdout))
    assert (row["common"], row["reason"].count("silent.wav")) == ("", 1)
    assert (told.exit_code, told.stderr.count("\n")) == (0, 1)


@pytest.mark.usefixtures("untold")
def test_copies_and_fingerprints_say_why_there_are_none(run: Run) -> None:
    told = run("copies", "short.wav", "silent.wav", BRUNO, "--json")
    reasons = [json.loads(line)["reason"] for line in told.stdout.splitlines()]
    assert reasons[0] == "shorter than 1 s"
    assert reasons[1].startswith("nothing in it to recognise")
    assert reasons[2] == ""
    assert [line.rpartition("/")[2] for line in told.stderr.splitlines()] == [
        f"short.wav: {reasons[0]}",
        f"silent.wav: {reasons[1]}",
    ]
    (row,) = csv.DictReader(io.StringIO(run("copies", "short.wav", "--csv").stdout))
    assert row["reason"] == "shorter than 1 s"
    for form in ((), ("--json",), ("--csv",)):
        told = run("fingerprint", "short.wav", *form)
        assert told.exit_code == 0
        assert "short.wav: 0.90 s are too short for a hash" in told.stderr


@pytest.mark.slow
def test_compare_tells_every_stretch_and_the_manipulation(run: Run, tmp_path: Path) -> None:
    bruno, greta = load(BRUNO), load(GRETA)
    quick = faster(bruno[: 5 * SAMPLE_RATE], 1.25)
    (tmp_path / "quick.wav").write_bytes(wav(quick))
    (match,) = json.loads(run("compare", "quick.wav", BRUNO, "--json").stdout)["matches"]
    assert match["manipulation"]["tau"] == pytest.approx(0.8, abs=0.03)
    assert match["manipulation"]["rho"] == pytest.approx(1.25, abs=0.04)
    assert "speed 1.2" in run("compare", "quick.wav", BRUNO).stdout
    (tmp_path / "silence.wav").write_bytes(wav(np.zeros(48_000, np.float32)))
    for pair in ((BRUNO, "silence.wav"), ("silence.wav", BRUNO)):
        assert json.loads(run("compare", *pair, "--json").stdout)["matches"] == []
    mixed = [bruno[: 4 * SAMPLE_RATE], greta[: 3 * SAMPLE_RATE], bruno[5 * SAMPLE_RATE :]]
    (tmp_path / "cut.wav").write_bytes(wav(np.concatenate(mixed)))
    told = json.loads(run("compare", "cut.wav", BRUNO, "--json").stdout)["matches"]
    assert sorted(m["query_start"] for m in told) == pytest.approx([0, 7], abs=0.5)
    assert sorted(m["reference_stop"] for m in told) == pytest.approx(
        [4, len(bruno) / SAMPLE_RATE], abs=0.5
    )


@pytest.mark.slow
def test_repeats_in_every_form(run: Run) -> None:
    bruno, greta = load(BRUNO)[: 4 * SAMPLE_RATE], load(GRETA)
    Path("twice.wav").write_bytes(wav(np.concatenate([bruno, greta, bruno])))
    shown = run("repeats", "twice.wav")
    assert shown.exit_code == 0
    assert "twice.wav" in shown.stdout
    (record,) = [
        json.loads(line) for line in run("repeats", "twice.wav", "--json").stdout.splitlines()
    ]
    assert (record["cluster"], record["count"]) == (1, 2)
    assert record["places"][1]["start"] == pytest.approx(4 + len(greta) / SAMPLE_RATE, abs=0.3)
    rows = list(csv.DictReader(io.StringIO(run("repeats", "twice.wav", "--csv").stdout)))
    assert [row["recording"] for row in rows] == ["twice.wav", "twice.wav"]
    labels = run("repeats", "twice.wav", "--format", "audacity").stdout.splitlines()
    assert [label.split("\t")[2] for label in labels] == [
        f"piece 1, place {n} of 2" for n in (1, 2)
    ]


def test_nothing_recurs_in_one_clip_and_an_empty_store(run: Run) -> None:
    assert run("repeats", GRETA).stdout == "nothing recurs\n"
    assert "no such file" in run("repeats", "gone.wav").stderr
    assert run("add", BRUNO).exit_code == 0
    assert run("repeats").stdout == "nothing recurs\n"


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_clusters_and_overlaps_end_with_a_status_of_their_own(run: Run) -> None:
    assert run("duplicates", "--clusters").stdout == "no two recordings share audio\n"
    mixed = np.concatenate([load(GRETA)[3_333 : 4 * SAMPLE_RATE], load(BRUNO)])
    Path("mixed.wav").write_bytes(wav(mixed))
    assert run("add", "mixed.wav").exit_code == 0
    told = run("duplicates", "--clusters", "--json")
    assert told.exit_code == 3
    (group,) = [json.loads(line) for line in told.stdout.splitlines()]
    assert {r["recording"] for r in group["recordings"]} == {BRUNO.name, GRETA.name, "mixed.wav"}
    rows = list(csv.DictReader(io.StringIO(run("duplicates", "--clusters", "--csv").stdout)))
    assert len(rows) == 3
    assert run("duplicates", "--clusters", "--least-shared", "60").exit_code == 0
    assert "leave --format" in run("duplicates", "--clusters", "--format", "rttm").stderr

    Path("test").mkdir()
    Path("test", "leak.wav").write_bytes(wav(load(BRUNO)[2_000 : 5 * SAMPLE_RATE]))
    leaks = run("overlap", "samaf.db", "test", "--csv")
    assert leaks.exit_code == 3
    assert {row["second"] for row in csv.DictReader(io.StringIO(leaks.stdout))} == {
        str(Path("test", "leak.wav").absolute())
    }
    assert "leak.wav" in run("overlap", "samaf.db", "test").stdout
    assert "give --out" in run("overlap", "samaf.db", "test", "--format", "srt").stderr
    assert run("overlap", "samaf.db", "test", "--format", "srt", "--out", "labels").exit_code == 3
    assert f"{BRUNO.name} at 0:00" in Path("labels", "leak.wav.srt").read_text()
    Path("test", "leak.wav").unlink()
    Path("test", "tone.wav").write_bytes(wav(np.zeros(2 * SAMPLE_RATE, np.float32)))
    clean = run("overlap", "samaf.db", "test")
    assert clean.exit_code == 0
    assert "not compared: nothing in it to recognise" in clean.stderr
    assert "share nothing" in clean.stdout
