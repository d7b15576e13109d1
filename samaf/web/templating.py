"""The templates: every value is escaped."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from samaf.text import escaped
from samaf.version import __version__


def clock(seconds: float) -> str:
    """Write a time as people do: 0:03.2, 1:00:00.0."""
    tenths = round(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    rest = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"


def _printable(value: Any) -> Any:
    """Escape what cannot be printed, such as marks that turn text round; markup of ours stays."""
    return escaped(value) if type(value) is str else value


templates = Environment(
    loader=PackageLoader("samaf.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_printable,
)
templates.filters["clock"] = clock
templates.globals["version"] = __version__
