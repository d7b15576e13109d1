"""The case file: who examined what for whom, in TOML."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path

from samaf.errors import ReportError
from samaf.report.record import Case
from samaf.report.values import read
from samaf.text import printable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

STATES = ("draft", "reviewed")
DATES = ("received", "done", "issued")


def read_case(path: Path) -> Case:
    """Read a case file; its keys are the fields of `Case`.

    Raises
    ------
    ReportError
        It cannot be read, has a key that there is not, or a value of a wrong type.
    """
    name = printable(path)
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{name}: {error.strerror}; give a readable case file") from None
    except ValueError as error:  # no UTF-8, no TOML
        raise ReportError(f"{name}: is no TOML ({error}); correct it") from None
    for key in DATES:
        if isinstance(given.get(key), date | datetime):
            given[key] = given[key].isoformat()
    case = read(Case, given, name)
    if case.state not in STATES:
        raise ReportError(f"{name}: state is {case.state!a:.40}; write {' or '.join(STATES)}")
    for key in DATES:
        _check_date(getattr(case, key), key, name)
    return case


def _check_date(text: str, key: str, name: str) -> None:
    try:
        if text:
            datetime.fromisoformat(text)
    except ValueError:
        raise ReportError(
            f"{name}: {key} is {text!a:.40}, which is no date; write it as 2026-11-29"
        ) from None
