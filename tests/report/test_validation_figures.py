"""Figures of the validation in a model card: read, left out with a warning, or shown."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace

import pytest

from samaf.report import Examination, write_html
from samaf.report.drawn import drawn
from samaf.report.record import ValidatedLength, Validation
from samaf.report.validation import ENTRY, is_inside, nearest_length, validation_of

LENGTHS = (
    ValidatedLength(1.0, 500, 600, 0.5, 0.5, (2.0, 4.0), (0.1, 0.5)),
    ValidatedLength(3.0, 500, 600, 0.9, 0.3, (4.0, 8.0), (0.2, 0.6)),
    ValidatedLength(10.0, 400, 500, None, None, (9.0,), (0.1,)),
)
VALIDATION = Validation(
    "excerpts of the validation split",
    conditions=("telephone", "street noise"),
    voices=86,
    true=1400,
    false=1700,
    cllr=0.31,
    lengths=LENGTHS,
    true_lrs=(0.5, 1.5, 2.1),
    false_lrs=(-1.1, -0.5, 0.2),
)


def test_the_entry_of_a_card_is_read() -> None:
    assert validation_of({}, "M") is None
    given = {key: value for key, value in asdict(VALIDATION).items() if key != "cllr_min"}
    given["lengths"] = [
        {name: list(v) if isinstance(v, tuple) else v for name, v in length.items()}
        for length in given["lengths"]
    ]
    for name in ("conditions", "true_lrs", "false_lrs"):
        given[name] = list(given[name])
    assert validation_of({ENTRY: given, "validation": {}}, "M") == VALIDATION


def test_an_entry_of_another_shape_is_left_out_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert validation_of({ENTRY: {"population": "x", "rates": []}}, "M") is None
    assert "no such key 'rates' in figures.decision" in caplog.text
    assert "left out of the report" in caplog.text


def test_the_nearest_length_is_nearest_by_ratio() -> None:
    lengths = [nearest_length(VALIDATION, seconds) for seconds in (0.8, 1.7, 1.8, 6.0, 60.0)]
    assert [length.seconds for length in lengths if length] == [1.0, 1.0, 3.0, 10.0, 10.0]
    assert nearest_length(replace(VALIDATION, lengths=()), 1.0) is None
    assert [is_inside(VALIDATION, seconds) for seconds in (0.9, 1.0, 5.0, 11.0)] == [
        *(False, True, True, False)
    ]


@pytest.mark.slow
def test_figures_are_shown_with_their_pictures(phone: tuple[Examination, dict[str, bytes]]) -> None:
    record, pictures = phone
    record = replace(record, model=replace(record.model, validation=VALIDATION))
    names = set(dict(drawn(record)))
    assert {"hit-rates", "tippett", "clip-0001-match-01-scores"} <= names
    page = write_html(record, pictures)
    for words in (
        "excerpts of the validation split",
        "telephone, street noise",
        "simulated damage",
        "inside the validated range of lengths: yes",
        "90.0 %",
        "Tippett plot",
        "Scores of validation queries of 10 s",
    ):
        assert words in page
    (clip,) = record.clips
    assert clip.item
    long = replace(clip, item=replace(clip.item, duration=60.0))
    assert "inside the validated range of lengths: no" in write_html(
        replace(record, clips=(long,)), pictures
    )
