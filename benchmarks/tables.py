"""The one form of all tables, and how it is written: Markdown, CSV, LaTeX."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.metrics import Estimate

ABSENT = "-"
ESTIMATE_COLUMNS = ("", " low", " high", " queries", " clips")
LATEX_ESCAPES = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
    }
)

Value = str | int | float | Estimate


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names its lines.

    Attributes
    ----------
    name
        Of its files.
    note
        What it rests on; may be empty.
    body
        Estimates are proportions and shown as percent with their interval; floats are
        shown as they are.
    """

    name: str
    title: str
    note: str
    head: tuple[str, ...]
    body: tuple[tuple[Value, ...], ...]


Line = tuple[str, str]  # what was measured, and the figure


def of_lines(name: str, title: str, lines: Iterable[Line], note: str = "") -> Table:
    """Make a table of figures that have nothing in common but their subject."""
    return Table(name, title, note, ("what", "measured"), tuple(lines))


def markdown(table: Table) -> str:
    """Write a table as Markdown, with title and note."""
    lines = [
        [text.replace("|", r"\|") for text in line]
        for line in [list(table.head), *(_texts(row) for row in table.body)]
    ]
    rule = ["---", *("---:" for _ in table.head[1:])]
    text = "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]])
    return "\n\n".join(part for part in (f"## {table.title}", table.note, text) if part) + "\n"


def latex(table: Table) -> str:
    """Write a table as LaTeX (package booktabs), title and note as its caption."""
    lines = [
        " & ".join(text.translate(LATEX_ESCAPES) for text in line) + r" \\"
        for line in [list(table.head), *(_texts(row) for row in table.body)]
    ]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{f'{table.title}. {table.note}'.translate(LATEX_ESCAPES)}}}",
            rf"\label{{tab:{table.name}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(table.head) - 1)}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def comma_separated(table: Table) -> str:
    """Write a table as CSV; an estimate takes five columns, nothing is an empty field."""
    wide = [
        any(isinstance(row[column], Estimate) for row in table.body)
        for column in range(len(table.head))
    ]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        [
            f"{name}{part}"
            for name, five in zip(table.head, wide, strict=True)
            for part in (ESTIMATE_COLUMNS if five else ESTIMATE_COLUMNS[:1])
        ]
    )
    for row in table.body:
        fields = (_fields(value, five) for value, five in zip(row, wide, strict=True))
        writer.writerow([field for part in fields for field in part])
    return file.getvalue()


def _texts(row: Sequence[Value]) -> list[str]:
    return [_text(value) for value in row]


def _text(value: Value) -> str:
    if isinstance(value, Estimate):
        return _interval(value)
    if isinstance(value, float):
        return ABSENT if math.isnan(value) else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else value


def _interval(estimate: Estimate) -> str:
    if not estimate.queries:
        return ABSENT
    value, low, high = (100 * v for v in (estimate.value, estimate.low, estimate.high))
    return f"{value:.1f} ({low:.1f}-{high:.1f})"


def _fields(value: Value, five: bool) -> list[str | int]:
    if isinstance(value, Estimate):
        if not value.queries:
            return ["", "", "", 0, 0]
        shares = (f"{v:.6f}" for v in (value.value, value.low, value.high))
        return [*shares, value.queries, value.clips]
    if isinstance(value, float):
        value = "" if math.isnan(value) else f"{value:.6g}"
    return [value, *([""] * 4 if five else [])]
