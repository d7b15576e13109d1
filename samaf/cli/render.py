"""Records as a table for people, as JSON and as CSV for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from samaf.csv_rows import csv_lines
from samaf.text import escaped

T = TypeVar("T")
Record = dict[str, Any]
Lines = Iterator[Sequence[str]]

LONG_LINE = 100_000  # characters
PADDING = 2  # spaces behind a column, and one more before the next
NARROW = 12  # characters that folding leaves to a cell of text


@dataclass(frozen=True, slots=True)
class View(Generic[T]):
    """How records of one kind are printed.

    Attributes
    ----------
    titles
        Of the table's columns, ">" in front of those with numbers; none for a table of
        names and values.
    lines
        The table's lines for one record.
    record
        The JSON object for one record; it may hold one list of objects.
    fields
        Columns of the CSV: the keys of the object and of the objects in its list.
    """

    titles: Sequence[str]
    lines: Callable[[T], Iterable[Sequence[str]]]
    record: Callable[[T], Record]
    fields: Sequence[str]


def write(
    view: View[T], records: Iterable[T], output_format: str | None, *, at_once: bool = False
) -> None:
    """Print records on standard output: as "json" or "csv" one by one, else as a table.

    ``at_once`` prints the table's lines one by one too, as records come.
    """
    if output_format == "json":
        for record in records:
            # ASCII, so that no encoding of the terminal or the pipe matters.
            sys.stdout.write(json.dumps(view.record(record)) + "\n")
            sys.stdout.flush()
    elif output_format == "csv":
        for lines in csv_lines(view.fields, map(view.record, records)):
            sys.stdout.write(lines)
            sys.stdout.flush()
    elif at_once:
        _lines(view.titles, (line for record in records for line in view.lines(record)))
    else:
        table(view.titles, (line for record in records for line in view.lines(record)))


def table(titles: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Print a table; titles with ">" in front stand over numbers, without titles none stand.

    Text is folded where the terminal is narrow, numbers never are: where they have no room
    beside each other, each cell gets a line of its own, behind its title.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[Text(escaped(cell)) for cell in line] for line in lines]
    if not cells:
        return
    shown = Table(
        box=SIMPLE_HEAD, padding=(0, PADDING, 0, 0), show_edge=False, show_header=bool(titles)
    )
    least = -1
    for title, column in zip(titles or [""] * len(cells[0]), zip(*cells, strict=True), strict=True):
        is_number = title.startswith(">")
        longest = max(len(title.lstrip(">")), *(cell.cell_len for cell in column))
        wide = longest if is_number else min(longest, NARROW)
        justify: Literal["left", "right"] = "right" if is_number else "left"
        shown.add_column(
            title.lstrip(">"), justify=justify, overflow="fold", no_wrap=is_number, min_width=wide
        )
        least += wide + PADDING + 1
    # Pipes and files get whole lines, whatever width a terminal would have.
    width = None if sys.stdout.isatty() else LONG_LINE
    console = Console(file=sys.stdout, highlight=False, width=width)
    if titles and least > console.width:
        for line in cells:
            titled = zip(titles, map(str, line), strict=True)
            table((), [(title.lstrip(">"), cell) for title, cell in titled if cell])
            console.print()
        return
    for line in cells:
        shown.add_row(*line)
    console.print(shown)


def _lines(titles: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Print lines as they come, in columns that grow when a cell needs more."""
    widths = [max(7, len(title)) for title in titles]
    head = [title.lstrip(">") for title in titles]
    for number, line in enumerate(lines):
        cells = [escaped(cell) for cell in line]
        widths = [max(pair) for pair in zip(widths, map(len, cells), strict=True)]
        for shown in [head, cells] if not number else [cells]:
            padded = (
                cell.rjust(width) if title.startswith(">") else cell.ljust(width)
                for title, cell, width in zip(titles, shown, widths, strict=True)
            )
            sys.stdout.write("  ".join(padded).rstrip() + "\n")
        sys.stdout.flush()


def shown_path(path: str) -> str:
    """Give a path as seen from the current folder where it lies below it."""
    folder = os.path.join(os.getcwd(), "")
    return path[len(folder) :] if path.startswith(folder) else path


def labelled(labels: Mapping[str, str]) -> str:
    """Write labels on one line."""
    return ", ".join(f"{name}={value}" for name, value in labels.items())
