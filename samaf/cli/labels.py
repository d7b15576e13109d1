"""The labels of recordings from a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path

from samaf.errors import QueryError
from samaf.text import escaped, printable

FILE = "file"  # the column that says which recording


def read_labels(path: Path) -> dict[str, dict[str, str]]:
    """Read labels by file: the column ``file`` holds names or paths, each other one a label.

    A name is meant for every file of that name; a path, from the current folder, for one.
    Empty cells give no label.

    Raises
    ------
    QueryError
        The file cannot be read or is no such table.
    """
    try:
        # With or without the mark that spreadsheets put in front.
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            columns = [title.strip() for title in next(lines, [])]
            _check_columns(path, columns)
            labels: dict[str, dict[str, str]] = {}
            for cells in lines:
                if cells:
                    _read_line(path, lines.line_num, columns, cells, labels)
            return labels
    except OSError as error:
        raise _fault(path, f"cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise _fault(path, "is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise _fault(path, f"is no CSV ({error}); separate cells with commas") from None


def without_file(labels: Iterable[str], files: Iterable[Path]) -> list[str]:
    """Give the names and paths of `read_labels` that none of the files has."""
    given: set[str] = set()
    for path in files:
        given |= {printable(path.name), printable(path.absolute())}
    return [name for name in labels if name not in given]


def _check_columns(path: Path, columns: list[str]) -> None:
    if FILE not in columns:
        present = ", ".join(columns) or "none"
        raise _fault(
            path, f"has no column {FILE!r} (its columns: {present}); the first line names them"
        )
    if len(columns) == 1:
        raise _fault(path, "has no column besides 'file'; each other column is a label")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise _fault(path, f"has the column {twice[0]!r} twice; name it once")
    if "" in columns:
        raise _fault(path, f"has a column without a name, number {columns.index('') + 1}; name it")


def _read_line(
    path: Path, number: int, columns: list[str], cells: list[str], labels: dict[str, dict[str, str]]
) -> None:
    if len(cells) != len(columns):
        raise _fault(
            path, f"line {number} has {len(cells)} cells instead of {len(columns)}; fix it"
        )
    row = dict(zip(columns, cells, strict=True))
    name = row.pop(FILE).strip()
    if not name:
        raise _fault(path, f"line {number} names no file; fill in the column {FILE!r}")
    key = os.path.abspath(name) if os.sep in name else name
    if key in labels:
        raise _fault(path, f"line {number} names {name} again; keep one line a file")
    labels[key] = {column: value for column, value in row.items() if value}


def _fault(path: Path, reason: str) -> QueryError:
    return QueryError(escaped(f"{path}: {reason}"))
