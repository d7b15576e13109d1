"""What all pictures share: colours, sizes, and writing as SVG that is always the same."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from samaf.report.glyphs import SANS, drawable, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#000000", "#8A8A8A"
PALE = "#CFE3F1"  # a stretch
WIDTH = 6.7  # inches: the text width of a page
DPI = 110  # of what is an image in a picture
NAME = 60  # characters of a name in a picture
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "samaf",
    "font.family": SANS,
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.0,
    "axes.linewidth": 0.7,
    "axes.grid": False,
    "lines.linewidth": 1.1,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "text.parse_math": False,
    "path.simplify": True,
}
_LOCK = Lock()  # matplotlib's settings belong to the whole process


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of reports, whatever the user's settings are."""
    import matplotlib

    with _LOCK, matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        matplotlib.rcdefaults()
        for key, value in _SETTINGS.items():
            matplotlib.rcParams[key] = value
        yield


@contextmanager
def drawing(height: float, width: float = WIDTH) -> Iterator[Any]:
    """Give a figure of a size in inches; write it with `svg` before the ``with`` ends."""
    from matplotlib.figure import Figure

    with styled():
        yield Figure(figsize=(width, height), layout="constrained")


def svg(figure: Figure) -> bytes:
    """Write a figure drawn inside `drawing` as SVG, without a date."""
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def name(text: str) -> str:
    """Give a name as a picture can show it."""
    return shortened(drawable(text), NAME)
