"""The two forms of an exported table: Parquet and CSV, read and written a batch at a time."""

from __future__ import annotations

import csv
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from samaf.errors import StoreError

Line = dict[str, Any]

COLUMNS = (
    "recording_id",
    "sha256",
    "name",
    "path",
    "duration",
    "added_at",
    "labels",
    "model",
    "digest",
    "bits",
    "family",
    "parameters",
    "informative",
    "hashes",
    "streams",
    "media",
)
# What another program need not know, and what files of an older samaf lack.
OPTIONAL = ("recording_id", "added_at", "streams", "media")
NEEDED = tuple(name for name in COLUMNS if name not in OPTIONAL)
# A spreadsheet runs cells that begin so; one that begins with the quote itself gets another,
# so that taking one away always gives back what was there.
QUOTED = ("=", "+", "-", "@", "\t", "\r", "'")
MISSING = "pyarrow, which Parquet needs, is not installed; pip install 'samaf[parquet]', or .csv"


class BadLineError(ValueError):
    """A line of a table that is not what was written."""


class Sheet(ABC):
    """One file format of the table."""

    @abstractmethod
    def write(self, path: Path, batches: Iterator[list[Line]], width: int) -> None:
        """Write batches of lines; ``width``: bytes of a hash."""

    @abstractmethod
    def read(self, path: Path) -> Iterator[Line]:
        """Yield the lines; hashes come as one row of bytes."""

    @abstractmethod
    def count(self, path: Path) -> int:
        """Return the number of lines; 0 where telling would mean reading all."""


class Csv(Sheet):
    """Text: hashes in hexadecimal digits one after the other, flags as letters T and F."""

    def write(self, path: Path, batches: Iterator[list[Line]], width: int) -> None:
        """Write batches of lines."""
        with path.open("w", encoding="utf-8", newline="") as file:
            # The usual CRLF: only characters of the line end are sure to be quoted.
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\r\n")
            writer.writeheader()
            for batch in batches:
                for line in batch:
                    flags = np.where(line["informative"], ord("T"), ord("F")).astype(np.uint8)
                    text = {
                        **line,
                        "labels": json.dumps(line["labels"]),
                        "informative": flags.tobytes().decode(),
                        "hashes": line["hashes"].tobytes().hex(),
                    }
                    writer.writerow({name: _quoted(value) for name, value in text.items()})

    def read(self, path: Path) -> Iterator[Line]:
        """Yield the lines."""
        # Ten days of audio are 220 million digits; the default is 131,072.
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check(path, reader.fieldnames or ())
            for row in reader:
                if None in row or None in row.values():
                    raise StoreError(
                        f"{path}: line {reader.line_num} has too many or too few cells; fix it"
                    )
                line: Line = {name: value.removeprefix("'") for name, value in row.items()}
                labels = json.loads(line["labels"] or "{}")
                flags = line["informative"]
                if not isinstance(labels, dict) or set(flags) - {"T", "F"}:
                    raise BadLineError(f"line {reader.line_num}: labels or flags are wrong")
                packed = np.frombuffer(bytes.fromhex(line["hashes"]), np.uint8)
                informative = np.frombuffer(flags.encode(), np.uint8) == ord("T")
                yield {**line, "labels": labels, "hashes": packed, "informative": informative}

    def count(self, path: Path) -> int:
        """Return 0: lines are counted by reading them."""
        return 0


class Parquet(Sheet):
    """Apache Parquet: hashes as a list of binary values of fixed length, labels as a map."""

    def __init__(self) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise StoreError(MISSING) from None
        self._arrow = pyarrow
        self._parquet = pyarrow.parquet

    def write(self, path: Path, batches: Iterator[list[Line]], width: int) -> None:
        """Write a row group a batch."""
        schema = self._schema(width)
        with self._parquet.ParquetWriter(str(path), schema) as writer:
            for batch in batches:
                writer.write_table(self._table(batch, schema, width))

    def _schema(self, width: int) -> Any:
        arrow = self._arrow
        types = {
            "recording_id": arrow.int64(),
            "duration": arrow.float64(),
            "bits": arrow.int32(),
            "streams": arrow.int32(),
            "labels": arrow.map_(arrow.string(), arrow.string()),
            "informative": arrow.list_(arrow.bool_()),
            "hashes": arrow.list_(arrow.binary(width)),
        }
        return arrow.schema([(name, types.get(name, arrow.string())) for name in COLUMNS])

    def _table(self, batch: Sequence[Line], schema: Any, width: int) -> Any:
        arrow = self._arrow
        columns: dict[str, Any] = {
            name: [line[name] for line in batch]
            for name in COLUMNS
            if name not in {"labels", "informative", "hashes"}
        }
        columns["labels"] = [list(line["labels"].items()) for line in batch]
        ends = np.cumsum([0, *(len(line["hashes"]) for line in batch)]).astype(np.int32)
        flags = np.concatenate([line["informative"] for line in batch])
        packed = np.concatenate([line["hashes"] for line in batch]).tobytes()
        values = arrow.Array.from_buffers(
            arrow.binary(width), int(ends[-1]), [None, arrow.py_buffer(packed)]
        )
        columns["informative"] = arrow.ListArray.from_arrays(ends, arrow.array(flags))
        columns["hashes"] = arrow.ListArray.from_arrays(ends, values)
        return arrow.table([columns[name] for name in COLUMNS], schema=schema)

    def read(self, path: Path) -> Iterator[Line]:
        """Yield the lines, a row group's batch at a time."""
        with self._parquet.ParquetFile(str(path)) as file:
            names = file.schema_arrow.names
            _check(path, names)
            columns = [name for name in COLUMNS if name in names]
            for batch in file.iter_batches(batch_size=64, columns=columns):
                # One recording at a time: each hash becomes a Python object on the way.
                for row in range(batch.num_rows):
                    (line,) = batch.slice(row, 1).to_pylist()
                    if None in (line[name] for name in NEEDED):
                        raise BadLineError("a value is missing")
                    try:
                        packed = np.frombuffer(b"".join(line["hashes"]), np.uint8)
                        flags = np.array(line["informative"], bool)
                        labels = dict(line["labels"])
                    except (TypeError, ValueError):
                        raise BadLineError(
                            "hashes are no lists of binary values, flags no lists of truth values "
                            "or labels no maps"
                        ) from None
                    yield {**line, "labels": labels, "hashes": packed, "informative": flags}

    def count(self, path: Path) -> int:
        """Return what the file says."""
        return int(self._parquet.ParquetFile(str(path)).metadata.num_rows)


def of(path: Path) -> Sheet:
    """Return the format of a file's suffix."""
    ending = path.suffix.lower()
    if ending == ".csv":
        return Csv()
    if ending == ".parquet":
        return Parquet()
    raise StoreError(f"{path}: its ending is neither .parquet nor .csv; give one of them")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what can be wrong with a file into one line."""
    try:
        with path.open("rb"):
            pass
        yield
    except StoreError:
        raise
    except OSError as error:
        reason = error.strerror or "not what its ending says"
        raise StoreError(f"{path}: cannot be read ({reason}); check the path") from None
    except BadLineError as error:
        raise StoreError(f"{path}: {error}; fix it or export again") from None
    except UnicodeDecodeError:
        raise StoreError(f"{path}: is not UTF-8 text; save it as CSV in UTF-8") from None
    except (csv.Error, ValueError, RecursionError) as error:
        # pyarrow's errors about a file are ValueErrors too.
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise StoreError(f"{path}: is not what its ending says ({reason}); export again") from None


def _check(path: Path, columns: Sequence[str]) -> None:
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise StoreError(f"{path}: has no column {missing[0]!r}; a table needs {', '.join(NEEDED)}")


def _quoted(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(QUOTED) else value
