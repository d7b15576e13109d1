"""The whole benchmark on the bundled clips, asked of real stores."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.field.answers import read_answers
from benchmarks.field.excerpts import recording_name
from benchmarks.field.plan import NO_OTHERS, NO_SOURCE, NO_SPEAKER, STORED
from benchmarks.field.stores import DISTRACTOR, is_distractor, opened, source_of
from samaf.fingerprinters.card import read_card, write_model
from samaf.matching.alignment import error_rates
from samaf.training.corpora import open_corpus

pytestmark = pytest.mark.slow
CLIPS = sorted((Path(__file__).parents[3] / "samaf" / "clips").glob("*.ogg"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine voices of the validation split and three of the train split."""
    root = tmp_path_factory.mktemp("corpus")
    with (root / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "kind", "split", "speaker", "recording"])
        for number, clip in enumerate(CLIPS):
            (root / clip.stem).mkdir()
            shutil.copy(clip, root / clip.stem)
            split = "validation" if number < 9 else "train"
            writer.writerow([f"{clip.stem}/{clip.name}", "speech", split, clip.stem, clip.stem])
    return root


def _field(corpus: Path, tmp_path: Path, *more: str) -> str:
    given = ["field", "--corpus", str(corpus), "--work", str(tmp_path / "work"), "--jobs", "1"]
    given += ["--lengths", "2", "--conditions", "Clean,Offset", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, [*given, *more])
    assert done.exit_code == 0, done.output
    return done.output


def test_clips_are_asked_once_with_their_recording_and_without(
    corpus: Path, tmp_path: Path
) -> None:
    file = tmp_path / "out" / "answers.jsonl"
    output = _field(corpus, tmp_path, "--clips", "1")
    answers = list(read_answers(file))
    assert len(answers) == 8
    assert len({answer.key for answer in answers}) == 8
    clean = {answer.without: answer for answer in answers if answer.condition == "Clean"}
    assert clean[STORED].right
    assert clean[STORED].right_first
    best = clean[STORED].candidates[0]
    assert best["recording"] == clean[STORED].clip
    assert best["score"] == pytest.approx(clean[STORED].matches[0]["score"], abs=0.01)
    assert clean[NO_OTHERS].right_first
    for without in (NO_SPEAKER, NO_SOURCE):
        assert not clean[without].matches
        assert clean[without].clip not in {c["recording"] for c in clean[without].candidates}
        # A corpus without sources: nothing but the speaker is left out.
        assert len(clean[without].candidates) == 3
    assert "| as it is (a clean cut) | 100 / 100 |" in output
    assert (tmp_path / "out" / "report.md").read_text("utf-8") in output
    assert (tmp_path / "out" / "det.png").is_file()

    before = file.read_bytes()
    _field(corpus, tmp_path, "--clips", "2")
    assert file.read_bytes().startswith(before)
    assert len(list(read_answers(file))) == 16
    done = file.read_bytes()
    _field(corpus, tmp_path, "--clips", "2")
    assert file.read_bytes() == done


def test_a_model_that_is_not_shipped_is_measured(corpus: Path, tmp_path: Path, model: Path) -> None:
    card = read_card(model.with_suffix(".json"))
    other = str(write_model(model.read_bytes(), replace(card, family="lstm"), tmp_path))
    _field(corpus, tmp_path, "--clips", "1", "--model", other, "--stores", "whole")
    assert all(answer.right_first for answer in read_answers(tmp_path / "out" / "answers.jsonl"))
    (path,) = (tmp_path / "work").glob("*-1x.db")
    with opened(path, other) as engine:
        assert engine.fingerprinter.card.name == "projections"


def test_distractors_make_the_stores_larger(corpus: Path, tmp_path: Path) -> None:
    _field(corpus, tmp_path, "--clips", "1", "--times", "3", "--conditions", "Clean")
    assert len(list(read_answers(tmp_path / "out" / "answers.jsonl"))) == 4
    (path,) = (tmp_path / "work").glob("*-3x.db")
    with opened(path) as engine:
        table = engine.index.table
        distractors = [r.recording_id for r in engine.list() if r.name.startswith(DISTRACTOR)]
        added = table.counts[np.isin(table.recording_ids, distractors)].sum()
    assert added == 2 * (table.total - added)


def test_distractors_are_drawn_from_other_speech_than_what_is_queried(
    corpus: Path, tmp_path: Path
) -> None:
    _field(corpus, tmp_path, "--clips", "1", "--times", "3", "--conditions", "Clean")
    opened_corpus = open_corpus(corpus)
    (path,) = (tmp_path / "work").glob("*-3x.db")
    with opened(path) as engine:
        table = engine.index.table
        names = {r.recording_id: r for r in engine.list()}
        splits = {recording_name(c.path): c.split for c in opened_corpus.clips}
        queried, made = [], []
        for position, number in enumerate(table.recording_ids.tolist()):
            name = names[number].name
            if is_distractor(name):
                made.append(table.rows(position))
            elif splits[recording_name(names[number].path)] == "validation":
                queried.append(table.rows(position))
    assert queried
    assert made
    rates = [error_rates(rows[:, None] ^ own[None]).min() for rows in made for own in queried]
    assert min(rates) > 0.2  # copies differ in an eighth of the bits
    assert source_of("distractor-7 of a/b/c", {}) == "a/b/c"
    assert source_of("x.wav", {"x.wav": "d"}) == "d"


def test_a_part_of_the_store_holds_the_clips_recording_and_so_many_others(
    corpus: Path, tmp_path: Path
) -> None:
    _field(corpus, tmp_path, "--clips", "1", "--part", "2", "--conditions", "Clean")
    answers = {a.without: a for a in read_answers(tmp_path / "out" / "answers.jsonl")}
    assert answers[STORED].right
    for without, count in ((STORED, 3), (NO_OTHERS, 3), (NO_SOURCE, 2), (NO_SPEAKER, 2)):
        assert 1 <= len(answers[without].candidates) <= count


def test_conditions_are_drawn_and_stores_chosen(corpus: Path, tmp_path: Path) -> None:
    given = ["--clips", "3", "--lengths", "1,2", "--stores", "source,whole", "--draw", "1"]
    _field(corpus, tmp_path, *given, "--conditions", "Clean,Offset,OneChannel")
    asked = [a.key for a in read_answers(tmp_path / "out" / "answers.jsonl")]
    assert len(asked) == len(set(asked)) == 12
    assert {without for *_, without in asked} == {STORED, NO_SOURCE}
    # One condition for a clip and a length, the same in both stores, not always the same one.
    drawn = {(clip, condition, seconds) for clip, condition, seconds, _ in asked}
    assert len(drawn) == 6
    assert len({condition for _, condition, _ in drawn}) > 1


def test_impostors_alone_are_reported_and_deep_ones_have_evidence(
    corpus: Path, tmp_path: Path
) -> None:
    given = ["--clips", "1", "--lengths", "1", "--conditions", "Clean", "--stores", "source"]
    output = _field(corpus, tmp_path, *given, "--deep")
    (answer,) = read_answers(tmp_path / "out" / "answers.jsonl")
    assert {"ber", "weighted", "size", "manipulation"} <= set(answer.candidates[0])
    assert "lag_ms" not in answer.candidates[0]
    assert "| speech, all | 1 |" in output


def test_a_store_that_is_not_known_is_refused(corpus: Path, tmp_path: Path) -> None:
    given = ["field", "--corpus", str(corpus), "--out", str(tmp_path), "--stores", "half"]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 1
    assert "--stores half: no such store; give some of whole, speaker" in done.output


def test_lengths_that_cannot_be_asked_are_refused(corpus: Path, tmp_path: Path) -> None:
    given = ["field", "--corpus", str(corpus), "--out", str(tmp_path), "--lengths", "0.5"]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 1
    assert "--lengths 0.5: give seconds from 1 on" in done.output
