"""Raw results on disk: one file per recognizer, set of queries, row and granularity.

    OUT/run.json                       what all of it was measured on
    OUT/references.csv                 the recordings that answers point to
    OUT/samaf+2LST256C/store.json      what storing the references cost
    OUT/samaf+2LST256C/failure.json    why the recognizer stopped, if it did
    OUT/samaf+2LST256C/test/Echo-2s.npz
    OUT/report/                        tables and figures made of these

A cell's file holds the answer to every query, so that a new metric needs no new run.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from benchmarks.errors import BenchmarkError, SettingsError
from benchmarks.files import writing
from benchmarks.protocol import Answers

FORMAT = 1
RUN = "run.json"
REFERENCES = "references.csv"
# What a cell was measured under; the rest of its header was measured.
SETTINGS = (
    "recognizer",
    "parameters",
    "queries",
    "clips",
    "row",
    "row_parameters",
    "seconds",
    "sample",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A recording that answers can point to; its number is its position."""

    key: str
    split: str
    speaker: str
    recording: str
    duration: float


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """The answers to all queries of one row at one granularity.

    Attributes
    ----------
    header
        ``SETTINGS`` and what else was noted: versions, counts, CPU seconds, failures.
    clip
        int32 (q,): the reference that each query was made from.
    begin
        float32 (q,): where the query begins in that reference, s; nan if not known.
    answers
        ``answers.window`` is the position of the query.
    """

    header: Mapping[str, Any]
    clip: np.ndarray
    begin: np.ndarray
    answers: Answers

    def __len__(self) -> int:
        return len(self.clip)


class Results:
    """A folder of raw results.

    Raises
    ------
    BenchmarkError
        When opened: the folder holds results of something else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # What was measured ------------------------------------------------------------

    def start(self, configuration: Mapping[str, Any], references: Iterable[Reference]) -> None:
        """Begin a run, or go on with one of the same configuration."""
        wanted = {"format": FORMAT, **configuration}
        path = self.folder / RUN
        if path.is_file():
            _same(self.folder, self.configuration(), wanted)
            return
        listed = list(references)
        with (
            writing(self.folder / REFERENCES) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, list(Reference.__dataclass_fields__))
            writer.writeheader()
            writer.writerows(asdict(reference) for reference in listed)
        self.write_json(path, wanted)

    def configuration(self) -> dict[str, Any]:
        """Read what the run was started with."""
        found = self.read_json(self.folder / RUN)
        if found is None:
            raise BenchmarkError(
                f"{self.folder}: holds no benchmark results; name the --out folder"
            )
        return found

    def references(self) -> list[Reference]:
        """Read the list of references."""
        with (self.folder / REFERENCES).open(newline="", encoding="utf-8") as file:
            return [
                Reference(
                    line["key"],
                    line["split"],
                    line["speaker"],
                    line["recording"],
                    float(line["duration"]),
                )
                for line in csv.DictReader(file)
            ]

    # Cells ------------------------------------------------------------------------

    def recognizers(self) -> list[str]:
        """Name the recognizers that have left something, in name order."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name.replace("+", ":", 1) for path in self.folder.glob("*+*/"))

    def room(self, recognizer: str) -> Path:
        """Give the folder of one recognizer."""
        return self.folder / recognizer.replace(":", "+")

    def path(self, recognizer: str, queries: str, row: str, seconds: int) -> Path:
        """Give the file of one cell."""
        return self.room(recognizer) / queries / f"{row}-{seconds}s.npz"

    def has(self, settings: Mapping[str, Any]) -> bool:
        """Tell whether a cell is there; refuse one that was measured in another way."""
        path = self.path(
            settings["recognizer"], settings["queries"], settings["row"], settings["seconds"]
        )
        if not path.is_file():
            return False
        header = read_cell(path).header
        _same(path, {key: header[key] for key in SETTINGS}, settings)
        return True

    def write(self, cell: Cell) -> None:
        """Keep a cell, all or nothing."""
        header = cell.header
        path = self.path(header["recognizer"], header["queries"], header["row"], header["seconds"])
        with writing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file,
                header=np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8),
                clip=cell.clip,
                begin=cell.begin,
                window=cell.answers.window,
                reference=cell.answers.reference,
                score=cell.answers.score,
                offset=cell.answers.offset,
            )

    def cells(self, recognizer: str, queries: str) -> Iterator[Cell]:
        """Read all cells of a recognizer and a set of queries, in name order."""
        for path in sorted((self.room(recognizer) / queries).glob("*.npz")):
            yield read_cell(path)

    # Notes ------------------------------------------------------------------------

    def write_json(self, path: Path, content: Mapping[str, Any]) -> None:
        """Keep a note, all or nothing."""
        with writing(path) as temporary:
            text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")

    def read_json(self, path: Path) -> dict[str, Any] | None:
        """Read a note; None when there is none."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise BenchmarkError(
                f"{path}: cannot be read ({error}); remove it and run again"
            ) from None
        if not isinstance(found, dict):
            raise BenchmarkError(f"{path}: is no note of a benchmark; remove it and run again")
        return found


def read_cell(path: Path) -> Cell:
    """Read one cell.

    Raises
    ------
    BenchmarkError
        The file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return Cell(
                json.loads(file["header"].tobytes()),
                file["clip"],
                file["begin"],
                Answers(file["window"], file["reference"], file["score"], file["offset"]),
            )
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise BenchmarkError(f"{path}: cannot be read ({error}); remove it and run again") from None


def _same(where: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in sorted({*found, *wanted}):
        if found.get(key) != wanted.get(key):
            raise SettingsError(
                f"{where}: was measured with {key} = {found.get(key)}, now asked for "
                f"{wanted.get(key)}; name another --out folder"
            )
