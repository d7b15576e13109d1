"""Case files: read, or refused by the name of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from samaf.errors import ReportError
from samaf.report.case import read_case


def case(folder: Path, text: str) -> Path:
    path = folder / "case.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_case_file_gives_texts_and_dates(tmp_path: Path) -> None:
    text = 'laboratory = "Lab Ω"\nissued = 2026-11-29\ndone = "2026-11-28"'
    read = read_case(case(tmp_path, text))
    assert (read.laboratory, read.issued, read.done) == ("Lab Ω", "2026-11-29", "2026-11-28")
    assert (read.examiner, read.state) == ("", "draft")  # nothing is invented


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('laborotory = "x"', "no such key 'laborotory'"),
        ("number = 7", "number is 7, which is no string"),
        ('state = "final"', "write draft or reviewed"),
        ('issued = "soon"', "issued is 'soon', which is no date"),
        ("number = ", "is no TOML"),
        ("[customer]\nname = 1", "customer is {'name': 1}, which is no string"),
    ],
)
def test_what_is_wrong_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ReportError, match=message):
        read_case(case(tmp_path, text))


def test_a_missing_file_and_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="No such file"):
        read_case(tmp_path / "none.toml")
    (tmp_path / "b.toml").write_bytes(b"number = '\xff'")
    with pytest.raises(ReportError, match="is no TOML"):
        read_case(tmp_path / "b.toml")
