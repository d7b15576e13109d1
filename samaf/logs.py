"""What the program says beside its answers: lines on standard error, for people or programs.

The modules log through ``logging`` under the name ``samaf``; nothing is shown before
`configure`, warnings excepted. Fields for programs stand in ``extra={"fields": {...}}``.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone

from samaf.text import escaped

FORMATS = ("text", "json")
LEVELS = ("debug", "info", "warning", "error")


class _Text(logging.Formatter):
    """One line a message, harmless on any terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as a line."""
        return "samaf: " + escaped(record.getMessage())


class _Json(logging.Formatter):
    """One object a line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as an object."""
        time = datetime.fromtimestamp(record.created, timezone.utc)
        return json.dumps(
            {
                "time": time.isoformat(timespec="milliseconds"),
                "level": record.levelname.lower(),
                "source": record.name,
                "message": record.getMessage(),
                **getattr(record, "fields", {}),
            }
        )


class _ToStandardError(logging.Handler):
    """Writes where standard error is now: programs and tests put another in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a closed pipe ends nothing."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except OSError:
            pass


def configure(output_format: str = "text", level: str = "warning") -> None:
    """Show messages of a level and above on standard error.

    Parameters
    ----------
    output_format
        One of `FORMATS`.
    level
        One of `LEVELS`.
    """
    handler = _ToStandardError()
    handler.setFormatter(_Json() if output_format == "json" else _Text())
    logger = logging.getLogger("samaf")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
