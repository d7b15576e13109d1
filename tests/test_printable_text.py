"""Names and messages are one line that any terminal and any database can hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samaf.text import escaped, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Anna Müller.wav", "Anna Müller.wav"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("two\nlines\t", r"two\nlines\t"),
        ("right\u202eleft", r"right\u202eleft"),
        ("\udce9", r"\udce9"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, shown: str) -> None:
    assert escaped(text) == shown


@pytest.mark.parametrize("given_as", [os.fsdecode, lambda name: Path(os.fsdecode(name))])
def test_bytes_that_are_no_utf8_are_escaped_in_paths(given_as: object) -> None:
    assert callable(given_as)
    assert printable(given_as(b"caf\xe9.wav")) == r"caf\xe9.wav"
    assert printable(given_as("Zoë.wav".encode())) == "Zoë.wav"


@given(st.text())
def test_escaped_text_is_printable_and_stays_as_it_is(text: str) -> None:
    shown = escaped(text)
    assert shown.isprintable()
    assert escaped(shown) == shown
