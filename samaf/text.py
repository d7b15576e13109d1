"""Text that is harmless on any terminal: names of files may hold commands to it."""

from __future__ import annotations

import os


def escaped(text: str) -> str:
    r"""Write each character that cannot be printed as a backslash escape.

    Examples
    --------
    >>> escaped("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def printable(path: str | os.PathLike[str]) -> str:
    r"""Give a path as one line of text that any terminal and database can hold.

    Bytes that are no UTF-8 are escaped, too; see `escaped`.

    Examples
    --------
    >>> printable("caf\udce9.wav")  # a name in Latin-1
    'caf\\xe9.wav'
    """
    return escaped(os.fsencode(path).decode("utf-8", "backslashreplace"))
