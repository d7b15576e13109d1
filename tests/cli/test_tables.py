"""Tables on terminals of several widths."""

from __future__ import annotations

import os
import pty
import re
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
from shell import BRUNO, Run

from samaf.cli.render import table

TITLES = ("clip", ">from", "recording", ">score")
LINE = ("an interview of an hour.wav", "1:00:03.2", "bruno-garden.ogg", "-123.4")

Shown = Callable[[int], list[str]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Give the lines of a table on a terminal so many characters wide."""

    def shown(columns: int) -> list[str]:
        ours, theirs = pty.openpty()
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(columns))
        with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", terminal)
            table(TITLES, [LINE, LINE])
        said = _read_all(ours).decode()
        os.close(ours)
        return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines()]

    return shown


def _read_all(terminal: int) -> bytes:
    """Read until nobody holds the other side any more, which is an error here."""
    said = b""
    with suppress(OSError):
        while part := os.read(terminal, 4096):
            said += part
    return said


def test_a_wide_terminal_gets_whole_lines(shown: Shown) -> None:
    lines = shown(80)
    assert len(lines) == 4
    assert re.split("   +", lines[-1]) == list(LINE)


def test_a_narrow_one_folds_text_and_no_number(shown: Shown) -> None:
    lines = shown(50)
    assert max(map(len, lines)) <= 50
    (first, _) = (line for line in lines if LINE[1] in line)
    assert first.endswith("-123.4")
    assert LINE[2] not in first


def test_one_without_room_for_the_numbers_gets_a_cell_a_line(shown: Shown) -> None:
    named = [tuple(re.split("  +", line)) for line in shown(45) if line]
    titles = [title.lstrip(">") for title in TITLES]
    assert named == list(zip(titles, LINE, strict=True)) * 2


def test_numbers_are_whole_at_any_width(shown: Shown) -> None:
    for columns in range(30, 81):
        lines = shown(columns)
        assert max(map(len, lines)) <= columns
        assert [sum(number in line for line in lines) for number in LINE[1::2]] == [2, 2]


@pytest.mark.usefixtures("store")
def test_pipes_get_whole_lines(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert "speaker=Bruno, case=7/26" in run("query", BRUNO).stdout.splitlines()[2]
