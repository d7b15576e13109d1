"""Cards whose fields are of another kind are refused before anything is computed with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from samaf.errors import FingerprinterError
from samaf.fingerprinters import DEFAULT_MODEL
from samaf.fingerprinters.card import MODELS, read_card

CARD = json.loads((MODELS / f"{DEFAULT_MODEL}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path, value, named",
    [
        (("bits",), 13, "bits is 13"),
        (("bits",), True, "bits is True"),
        (("name",), None, "its name is no text"),
        (("deviation",), [1.0, "2"], "deviation is '2'"),
        (("training",), [], "training is"),
        (("features", "window"), "400", ""),
        (("features", "stack"), 0, ""),
        (("features", "hop_frames"), -1, "hop_frames is -1"),
        (("features", "fft"), 10**9, "fft is 1000000000"),
        (("features", "low_hz"), float("nan"), "low_hz is nan"),
        (("features", "subtract_mean"), 1, "subtract_mean is 1"),
        (("calibration", "mean"), "0.5", "mean is '0.5'"),
        (("calibration", "correlation"), [None], "correlation is None"),
    ],
)
def test_a_field_of_another_kind(
    tmp_path: Path, path: tuple[str, ...], value: object, named: str
) -> None:
    card = json.loads(json.dumps(CARD))
    inner = card
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(FingerprinterError, match="no readable model card") as error:
        read_card(tmp_path / "card.json")
    assert named in str(error.value)


def test_the_card_itself_is_sound(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(json.dumps(CARD))
    assert read_card(tmp_path / "card.json").name == CARD["name"]
