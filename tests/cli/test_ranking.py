"""A store of a model of vectors: candidates instead of matches, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from shell import BRUNO, STRANGER, Run
from vectormodel import NAME, write_vector_model

import samaf
from samaf import db
from samaf.audio import SAMPLE_RATE, load
from samaf.cli import cli
from samaf.demo import CLIPS, wav


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_vector_model(tmp_path_factory.mktemp("vectormodel")))


@pytest.fixture(scope="module")
def ranked(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of six clips, as a file to copy."""
    path = tmp_path_factory.mktemp("ranked") / "samaf.db"
    clips = [str(clip) for clip in sorted(CLIPS.iterdir()) if clip != STRANGER][:6]
    words = ["--db", str(path), "add", "--fingerprinter", model, *clips]
    assert CliRunner().invoke(cli, words).exit_code == 0
    return path


@pytest.fixture
def ranking(ranked: Path, tmp_path: Path) -> None:
    """The test's own store, of six clips."""
    shutil.copy(ranked, tmp_path / "samaf.db")


def asked(run: Run, model: str, *arguments: object) -> dict[str, object]:
    result = run("query", "--model", model, *arguments, "--json")
    assert result.exit_code == 0
    return json.loads(result.stdout)


@pytest.mark.usefixtures("ranking")
def test_a_query_gives_its_candidates(run: Run, model: str, tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(wav(load(BRUNO)[round(2.5 * SAMPLE_RATE) :][: 4 * SAMPLE_RATE]))
    answer = asked(run, model, clip)
    assert "matches" not in answer
    assert not answer["padded"]
    candidates = answer["ranking"]
    assert isinstance(candidates, list)
    assert 1 < len(candidates) <= 5
    assert candidates[0]["reference"] == BRUNO.name
    assert [each["rank"] for each in candidates] == list(range(1, len(candidates) + 1))
    assert sum(each["votes"] for each in candidates) <= 5
    (bruno,) = (each for each in candidates if each["reference"] == BRUNO.name)
    assert bruno["segment"] == 1
    assert bruno["reference_start"] == 2.5
    assert (
        bruno["distances"][0] == bruno["distance"] == min(each["distance"] for each in candidates)
    )
    table = run("query", "--model", model, clip)
    assert BRUNO.name in table.stdout
    assert "this model cannot tell" in table.stderr
    rows = list(csv.DictReader(io.StringIO(run("query", "--model", model, clip, "--csv").stdout)))
    assert [row["reference"] for row in rows] == [each["reference"] for each in candidates]
    assert json.loads(rows[0]["distances"]) == candidates[0]["distances"]


@pytest.mark.usefixtures("ranking")
def test_the_audit_log_names_the_candidates(run: Run, model: str) -> None:
    names = [each["reference"] for each in asked(run, model, BRUNO, "--audit")["ranking"]]
    assert f"{BRUNO.name}: nearest {', '.join(names)}" in run("db", "audit").stdout
    assert "unknown" not in run("db", "audit").stdout


@pytest.mark.usefixtures("ranking")
@pytest.mark.parametrize("k", [300_000_000, 10**20])
def test_more_candidates_than_there_are_recordings(run: Run, model: str, k: int) -> None:
    candidates = asked(run, model, BRUNO, "-k", k)["ranking"]
    assert candidates == asked(run, model, BRUNO, "-k", 1000)["ranking"]
    assert len(candidates) == 6


@pytest.mark.usefixtures("ranking")
def test_short_silent_and_broken_clips(run: Run, model: str, tmp_path: Path) -> None:
    short, silent = tmp_path / "short.wav", tmp_path / "silent.wav"
    short.write_bytes(wav(load(BRUNO)[: 2 * SAMPLE_RATE]))
    silent.write_bytes(wav(np.zeros(5 * SAMPLE_RATE, np.float32)))
    assert asked(run, model, short)["padded"]
    assert "padded with silence" in run("query", "--model", model, short).stdout
    assert asked(run, model, silent)["ranking"] == []
    assert (
        "none: nothing in it to recognise: silence" in run("query", "--model", model, silent).stdout
    )
    (tmp_path / "text.wav").write_text("no sound")
    broken = run("query", "--model", model, tmp_path / "text.wav", "--json")
    assert broken.exit_code == 1
    assert "cannot be decoded" in broken.stderr
    failed = run("add", "--model", model, short)
    assert failed.exit_code == 1
    assert "shorter than 4 s" in failed.stderr


@pytest.mark.usefixtures("ranking")
@pytest.mark.parametrize(
    "arguments",
    [
        ("query", BRUNO, "--deep"),
        ("query", BRUNO, "--granularity", 2),
        ("query", BRUNO, "--max-false-matches", 0.5),
        ("monitor", BRUNO),
        ("duplicates",),
        ("compare", BRUNO, BRUNO),
        ("copies", BRUNO),
    ],
    ids=lambda arguments: " ".join(str(a) for a in arguments if a != BRUNO),
)
def test_what_only_hashes_can_do_is_refused_in_one_line(
    run: Run, model: str, arguments: tuple[object, ...]
) -> None:
    result = run(*arguments, "--model", model)
    assert result.exit_code == 1
    assert NAME in result.stderr
    assert "a model of hashes" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not result.stdout


def test_stores_of_the_other_family_are_refused_by_both_names(
    run: Run, model: str, store: Path
) -> None:
    for command in ("add", "query"):
        result = run(command, BRUNO, "--model", model)
        assert result.exit_code == 1
        assert NAME in result.stderr
        assert "2LST256C" in result.stderr


@pytest.mark.usefixtures("ranking")
def test_the_store_is_looked_after_like_any_other(run: Run, model: str, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    for command in (
        ("db", "check"),
        ("db", "verify", "--audio", CLIPS, "--model", model),
        ("db", "backup", tmp_path / "backup"),
        ("db", "export", tmp_path / "all.csv"),
        ("db", "copy", tmp_path / "samaf.db", other),
        ("index", "rebuild", "--model", model),
        ("stats",),
        ("label", BRUNO.name, "speaker=Bruno"),
        ("fingerprint", BRUNO, "--model", model),
        ("delete", BRUNO.name),
    ):
        result = run(*command)
        assert result.exit_code == 0, (command, result.output)
    answer = asked(run, model, BRUNO)
    assert BRUNO.name not in json.dumps(answer["ranking"])
    imported = tmp_path / "imported.db"
    assert run("db", "import", tmp_path / "all.csv", "--db", imported).exit_code == 0
    answers = [asked(run, model, BRUNO, "--db", url) for url in (imported, other)]
    assert answers[0]["ranking"] == answers[1]["ranking"] != []


def test_a_store_is_given_over_to_the_other_family_and_back(run: Run, model: str) -> None:
    assert run("add", *sorted(CLIPS.iterdir())[:3]).exit_code == 0
    assert run("rehash", "--model", model).exit_code == 0
    candidates = asked(run, model, BRUNO)["ranking"]
    assert BRUNO.name in json.dumps(candidates)
    assert run("rehash", "--model", "2LST256C").exit_code == 0
    assert json.loads(run("query", BRUNO, "--json").stdout)["matches"][0]["reference"] == BRUNO.name


@pytest.mark.usefixtures("ranking")
def test_an_open_engine_follows_the_store(model: str) -> None:
    with samaf.open(model=model) as engine, samaf.open(model=model, index="ivf") as other:
        before = engine.query(BRUNO)
        assert other.query(BRUNO) == before
        list(other.add(STRANGER))
        names = [each.recording.name for each in engine.query(STRANGER).ranking]
        assert STRANGER.name in names
        other.delete(STRANGER.name)
        assert engine.query(BRUNO, audit=True) == before
        kept = list(engine.store.audit())[-1].details
        assert len(kept["ranking"]) == len(before.ranking)


def test_an_open_engine_follows_a_restored_store(model: str, tmp_path: Path) -> None:
    one, another = tmp_path / "one.wav", tmp_path / "another.wav"
    for path, clip in ((one, BRUNO), (another, STRANGER)):
        path.write_bytes(wav(load(clip)[: 8 * SAMPLE_RATE]))
    other, backup = tmp_path / "other.db", tmp_path / "other.backup"
    with samaf.open(str(other), model=model) as filled:
        list(filled.add(another))
    db.backup(str(other), backup)
    with samaf.open(model=model) as engine:
        list(engine.add(one))
        assert engine.query(one).ranking[0].distance == 0
        # What is restored has the number of what was there, and as many vectors.
        db.restore(None, backup, replace=True)
        found = engine.query(another).ranking[0]
        assert (found.recording.name, found.distance) == (another.name, 0)
        assert engine.query(one).ranking[0].distance > 1
