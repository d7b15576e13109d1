"""Raw answers: outcomes, and a file that goes on where it was stopped."""

from pathlib import Path

import pytest

from benchmarks.errors import SettingsError
from benchmarks.field.answers import Answer, AnswerFile
from benchmarks.field.plan import NO_SOURCE, STORED


def _answer(stored: bool = True, matches: tuple[str, ...] = (), first: str = "") -> Answer:
    return Answer(
        "s1/a.opus",
        "s1",
        "Clean",
        2.0,
        STORED if stored else NO_SOURCE,
        1.25,
        1.0,
        {"snr_db": 1.5},
        [{"recording": name, "score": 4.0} for name in matches],
        [{"recording": first, "score": 0.5}] if first else [],
    )


def test_an_answer_is_right_wrong_or_unknown() -> None:
    right, wrong = _answer(matches=("s1/a.opus", "x")), _answer(matches=("x", "s1/a.opus"))
    assert (right.right, right.wrong) == (True, False)
    assert (wrong.right, wrong.wrong) == (False, True)
    unknown = _answer(first="s1/a.opus")
    assert (unknown.right, unknown.wrong, unknown.right_first) == (False, False, True)
    assert not _answer(first="x").right_first


def test_whatever_is_said_of_a_clip_that_is_not_stored_is_wrong() -> None:
    answer = _answer(stored=False, matches=("s1/a.opus",))
    assert (answer.right, answer.wrong) == (False, True)


def test_answers_come_back_as_they_were_and_are_known_by_their_keys(tmp_path: Path) -> None:
    file = AnswerFile(tmp_path, {"seed": 0})
    assert file.keys() == set()
    file.append([_answer(), _answer(stored=False, matches=("x",))])
    again = AnswerFile(tmp_path, {"seed": 0})
    assert list(again.read()) == [_answer(), _answer(stored=False, matches=("x",))]
    assert again.keys() == {("s1/a.opus", "Clean", 2.0, without) for without in (STORED, NO_SOURCE)}


def test_a_line_that_was_cut_short_is_asked_again(tmp_path: Path) -> None:
    file = AnswerFile(tmp_path, {"seed": 0})
    file.append([_answer(), _answer(stored=False)])
    data = file.path.read_bytes()
    file.path.write_bytes(data[:-20])
    again = AnswerFile(tmp_path, {"seed": 0})
    assert list(again.read()) == [_answer()]
    again.append([_answer(stored=False)])
    assert len(list(again.read())) == 2


def test_answers_of_two_kinds_do_not_mix(tmp_path: Path) -> None:
    AnswerFile(tmp_path, {"seed": 0})
    with pytest.raises(SettingsError, match="was measured with seed 0, not 1"):
        AnswerFile(tmp_path, {"seed": 1})
