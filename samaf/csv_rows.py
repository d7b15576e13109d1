"""JSON objects as lines of CSV, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from samaf.text import escaped

FORMULA_STARTS = ("=", "+", "-", "@")  # a spreadsheet runs such cells


def csv_lines(fields: Sequence[str], records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the title line, then the lines of each record; see `flat`.

    Parameters
    ----------
    fields
        The columns.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    yield _taken(text)
    for record in records:
        for row in flat(record, fields):
            writer.writerow({name: _cell(value) for name, value in row.items()})
        yield _taken(text)


def flat(record: Mapping[str, Any], fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Give one row for each object in the list that a record holds; one row without any.

    Lists that are columns themselves stay in their cells.
    """
    lists = (name for name, value in record.items() if isinstance(value, list))
    listed = next((name for name in lists if name not in fields), None)
    rest = {name: value for name, value in record.items() if name != listed}
    for item in (record[listed] if listed else None) or [{}]:
        yield {**rest, **item}


def _taken(text: io.StringIO) -> str:
    lines = text.getvalue()
    text.seek(0)
    text.truncate()
    return lines


def _cell(value: object) -> object:
    """Make a value fit for a spreadsheet; whatever could run as a formula is quoted."""
    if isinstance(value, Mapping | list):
        return json.dumps(value)
    if not isinstance(value, str):
        return value
    text = escaped(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
