"""Text for people: harmless on any terminal."""

from __future__ import annotations

import os


def plain(text: str) -> str:
    r"""Write whatever cannot be printed as an escape: names may hold terminal commands.

    Examples
    --------
    >>> plain("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def stored_name(path: str | os.PathLike[str]) -> str:
    """Write a file's name as the store has it: bytes that are no UTF-8 are escaped, too."""
    return plain(os.fsencode(path).decode("utf-8", "backslashreplace"))


def complain(message: str) -> None:
    """Say in one line on standard error what could not be done."""
    import logging

    logging.getLogger("samaf").error(message)


def warn(message: str) -> None:
    """Say in one line on standard error what should be fixed."""
    import logging

    logging.getLogger("samaf").warning(message)


def clock(seconds: float) -> str:
    """Write a time as people do.

    Examples
    --------
    >>> clock(3.25), clock(3599.96), clock(36_000)
    ('0:03.2', '1:00:00.0', '10:00:00.0')
    """
    tenths = round(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    rest = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"
