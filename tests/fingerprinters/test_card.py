from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from samaf.errors import FingerprinterError
from samaf.features import FeatureParameters
from samaf.fingerprinters import ModelCard, ScoreCalibration, shipped
from samaf.fingerprinters.card import CARD_FORMAT, read_card, write_card

CARD = ModelCard(
    "tiny",
    "lstm",
    16,
    FeatureParameters(stack=4, subtract_mean=True),
    (1.5, 2.25),
    ScoreCalibration(0.49, 0.05, (0.7, 0.2), 0.25, 1.5, population="1,000 validation queries"),
    {"licences": {"CC0": 3}, "minutes": 1.5, "speaker": "Zoë"},
    {"validation": {"on_grid": 0.5}},
    "ab" * 32,
)


def test_a_card_comes_back_as_it_was(tmp_path: Path) -> None:
    path = write_card(CARD, tmp_path)
    assert path == tmp_path / "tiny.json"
    assert read_card(path) == CARD


@pytest.mark.parametrize(
    "change",
    [
        {"onnx_sha256": "cd" * 32},
        {"bits": 32},
        {"deviation": (1.5, 2.0)},
        {"features": FeatureParameters()},
    ],
    ids=str,
)
def test_what_changes_hashes_changes_the_digest(change: dict[str, object]) -> None:
    assert replace(CARD, **change).digest != CARD.digest


def test_figures_and_confidence_leave_the_digest(tmp_path: Path) -> None:
    other = replace(CARD, figures={}, training={}, calibration=ScoreCalibration())
    assert other.digest == CARD.digest
    assert read_card(write_card(CARD, tmp_path)).digest == CARD.digest


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "null", '{"format": 1}', '{"format": "new"}'], ids=repr
)
def test_what_is_no_card_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FingerprinterError, match=r"bad\.json: is no readable model card"):
        read_card(path)


@pytest.mark.parametrize("field", ["bits", "features", "deviation", "calibration", "name"])
def test_a_card_that_lacks_a_field_is_refused(field: str, tmp_path: Path) -> None:
    data = json.loads(CARD.as_json())
    del data[field]
    path = tmp_path / "cut.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(FingerprinterError, match=r"cut\.json"):
        read_card(path)


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(FingerprinterError, match="none.json"):
        read_card(tmp_path / "none.json")


def test_a_card_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = write_card(replace(CARD, format=CARD_FORMAT + 1), tmp_path)
    with pytest.raises(FingerprinterError, match="newer samaf"):
        read_card(path)


def test_shipped_cards_have_models_of_their_name() -> None:
    cards = shipped()
    assert [card.name for card in cards] == sorted(card.name for card in cards)
    assert "2LST256C" in [card.name for card in cards]
