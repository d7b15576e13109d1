"""Messages and times for people."""

from __future__ import annotations


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
