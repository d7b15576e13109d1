r"""Any Python string as text that every database takes, and back without loss.

File names that are not UTF-8 reach Python with surrogates in them (``os.fsdecode``), which no
database stores. Each surrogate is written as a backslash and four hex digits (``\udce9``, as
the codec error handler "backslashreplace" does). A backslash is doubled only where the text
itself would read as such an escape, so all usual names, Windows paths too, stay as they are.
"""

from __future__ import annotations

import re

_ESCAPE = r"ud[89a-f][0-9a-f]{2}"
_TO_ESCAPE = re.compile(rf"(\\*)([\ud800-\udfff])|(\\+)(?={_ESCAPE})")
_ESCAPED = re.compile(rf"(\\+)({_ESCAPE})")


def escape(text: str) -> str:
    r"""Return the text without surrogates; `unescape` is its inverse.

    Examples
    --------
    >>> escape("caf\udce9.wav")
    'caf\\udce9.wav'
    """

    if text.isascii() and "\\ud" not in text:
        return text  # nearly always

    def replaced(match: re.Match[str]) -> str:
        backslashes, surrogate, literal = match.groups()
        if literal:
            return literal * 2
        return f"{backslashes * 2}\\u{ord(surrogate):04x}"

    return _TO_ESCAPE.sub(replaced, text)


def unescape(text: str) -> str:
    """Return the string that `escape` made this text of."""

    def replaced(match: re.Match[str]) -> str:
        # An odd run ends in the escape's own backslash; the others were doubled.
        pairs, odd = divmod(len(match[1]), 2)
        code = chr(int(match[2][1:], 16)) if odd else match[2]
        return "\\" * pairs + code

    return _ESCAPED.sub(replaced, text)
