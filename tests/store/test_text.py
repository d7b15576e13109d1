r"""Escaped text takes every string and gives it back."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from samaf.store.text import escape, unescape

NEARLY_ESCAPES = st.lists(
    st.sampled_from(["\\", "u", "d", "8", "c", "e", "9", "0", "\udce9", "\ud83d", "ä", "\\udc80"])
).map("".join)


@given(NEARLY_ESCAPES | st.text(st.characters(codec=None, categories=None)))
@example("\\\udc80\\udc80\\\\udc80")
def test_the_way_back(text: str) -> None:
    stored = escape(text)
    stored.encode()  # no surrogate is left
    assert unescape(stored) == text


def test_usual_names_stay_as_they_are() -> None:
    for name in ("talk.wav", "C:\\new\\u\\talk.wav", "\\\\host\\share", "ä😀", "a\\\\b"):
        assert escape(name) == name


def test_bytes_that_are_not_utf8_can_be_read_by_people() -> None:
    assert escape("caf\udce9.wav") == "caf\\udce9.wav"
    assert escape("caf\\udce9.wav") == "caf\\\\udce9.wav"
