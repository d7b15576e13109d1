"""Titles between the bytes of the sound, however the network cuts them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from samaf.audio.icy import IcySplitter


def text(content: bytes) -> bytes:
    units = -(-len(content) // 16)
    return bytes([units]) + content.ljust(16 * units, b"\0")


STREAM = (
    b"abcd"
    + text(b"StreamTitle='O'Neil - News';StreamUrl='http://x/';")
    + b"efgh"
    + b"\0"  # no text: the title stays
    + b"ijkl"
    + text("StreamTitle='Müller';".encode("latin-1"))
    + b"mn"
)


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=10))
def test_sound_and_titles_come_apart(cuts: list[int]) -> None:
    splitter = IcySplitter(4)
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in zip(places, places[1:], strict=False)]
    assert b"".join(splitter.sound(piece) for piece in pieces) == b"abcdefghijklmn"
    assert splitter.title == "Müller"


def test_a_title_holds_until_the_next() -> None:
    splitter = IcySplitter(4)
    splitter.sound(STREAM[:4])
    assert splitter.title == ""
    splitter.sound(STREAM[4 : STREAM.index(b"efgh")])
    assert splitter.title == "O'Neil - News"
    splitter.sound(STREAM[STREAM.index(b"efgh") : STREAM.index(b"ijkl") + 4])
    assert splitter.title == "O'Neil - News"


@given(data=st.binary(max_size=300), interval=st.integers(1, 50))
def test_any_bytes_are_taken(data: bytes, interval: int) -> None:
    assert len(IcySplitter(interval).sound(data)) <= len(data)
