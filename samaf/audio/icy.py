"""ICY metadata: the titles that radio servers put between the bytes of the sound.

On ``Icy-MetaData: 1`` a server answers with ``icy-metaint: N``. After each N
bytes of sound comes a byte, which counts 16 bytes of text each, and that text.
"""

from __future__ import annotations

import re

TITLE = re.compile(r"StreamTitle='(.*?)';", re.DOTALL)
UNIT = 16  # bytes


class IcySplitter:
    """Takes the titles out of a stream.

    Parameters
    ----------
    interval
        Bytes of sound between two texts.

    Attributes
    ----------
    title
        The newest title; empty before the first.
    """

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._sound_left = interval
        self._text_left: int | None = None  # None before the byte that counts it
        self._text = b""
        self.title = ""

    def sound(self, data: bytes) -> bytes:
        """Give the bytes of sound among the next bytes of the stream."""
        parts = []
        while data:
            if self._sound_left:
                part, data = data[: self._sound_left], data[self._sound_left :]
                self._sound_left -= len(part)
                parts.append(part)
            elif self._text_left is None:
                self._text_left, data = data[0] * UNIT, data[1:]
                self._text = b""
            else:
                part, data = data[: self._text_left], data[self._text_left :]
                self._text_left -= len(part)
                self._text += part
            if not self._sound_left and self._text_left == 0:
                self._take_text()
        return b"".join(parts)

    def _take_text(self) -> None:
        if found := TITLE.search(decoded(self._text)):
            self.title = found[1].strip()
        self._sound_left, self._text_left = self._interval, None


def decoded(text: bytes) -> str:
    r"""Read text that is UTF-8 or, on old servers, Latin-1.

    Examples
    --------
    >>> decoded("Café".encode()), decoded("Café".encode("latin-1"))
    ('Café', 'Café')
    """
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")
