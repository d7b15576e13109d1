"""Which characters the pages' fonts can show: DejaVu, which comes with matplotlib."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

SANS, MONO = "DejaVu Sans", "DejaVu Sans Mono"
BREAK = "\u200b"  # where a long word may be broken
LONG_WORD = re.compile(r"\S{25,}")
PIECE = 12  # characters of a long word on one line, at least


@cache
def font_folder() -> Path:
    """Give the folder of matplotlib's fonts."""
    import matplotlib

    return Path(matplotlib.get_data_path(), "fonts", "ttf")


@cache
def _characters() -> frozenset[int]:
    from fontTools.ttLib import TTFont

    known: frozenset[int] | None = None
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
        with TTFont(font_folder() / name) as font:
            held = frozenset(font["cmap"].getBestCmap())
        known = held if known is None else known & held
    assert known
    return known


def drawable(text: str) -> str:
    r"""Write characters that the fonts lack or that cannot be printed as escapes.

    Examples
    --------
    >>> drawable("caf\u00e9 \u6f22 \u202e")
    'café \\u6f22 \\u202e'
    """
    known = _characters()
    return "".join(c if c.isprintable() and ord(c) in known else ascii(c)[1:-1] for c in text)


def breakable(text: str) -> str:
    """Let long words be broken; the marks for that have no width."""

    def pieces(match: re.Match[str]) -> str:
        word = match[0]
        return BREAK.join(word[a : a + PIECE] for a in range(0, len(word), PIECE))

    return LONG_WORD.sub(pieces, text)


def shortened(text: str, most: int) -> str:
    """Give at most so many characters of a text, its beginning and its end."""
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[-end:]}"
