"""Raw results on disk: one file per system, set of queries, transformation and granularity.

    OUT/run.json                       what all of it was measured on
    OUT/references.csv                 the recordings that answers point to
    OUT/samaf+2LST256C/store.json      what storing the references cost
    OUT/samaf+2LST256C/failure.json    why the system stopped, if it did
    OUT/samaf+2LST256C/test/Echo-2s.npz
    OUT/samaf+2LST256C/test/Echo.bits.npz
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

from benchmarks.accuracy.protocol import Answers
from benchmarks.errors import BenchmarkError, SettingsError
from benchmarks.files import writing

FORMAT = 2
RUN = "run.json"
REFERENCES = "references.csv"
ANSWERS = ("window", "reference", "score", "offset")
STORE = "store.json"
FAILURE = "failure.json"


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
    """The answers to all queries of one transformation at one granularity.

    Attributes
    ----------
    header
        Settings, and what else was noted: versions, counts, CPU seconds, failures.
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


@dataclass(frozen=True, slots=True, eq=False)
class BitErrors:
    """Hamming distances of hashes of one transformation.

    Attributes
    ----------
    header
        Settings, with ``bits`` of a hash.
    true, impostor
        int (k,): to the hash of the same moment of the original, and to unrelated hashes.
    """

    header: Mapping[str, Any]
    true: np.ndarray
    impostor: np.ndarray


class Results:
    """A folder of raw results.

    Raises
    ------
    BenchmarkError
        When opened: the folder holds results of something else.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    # What was measured ------------------------------------------------------------

    def start(self, configuration: Mapping[str, Any], references: Iterable[Reference]) -> None:
        """Begin a run, or go on with one of the same configuration."""
        wanted = {"format": FORMAT, **configuration}
        path = self.root / RUN
        if path.is_file():
            _same(self.root, self.configuration(), wanted)
            return
        listed = list(references)
        with (
            writing(self.root / REFERENCES) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, list(Reference.__dataclass_fields__))
            writer.writeheader()
            writer.writerows(asdict(reference) for reference in listed)
        self.write_json(path, wanted)

    def configuration(self) -> dict[str, Any]:
        """Read what the run was started with."""
        found = self.read_json(self.root / RUN)
        if found is None:
            raise BenchmarkError(f"{self.root}: holds no benchmark results; name the --out folder")
        return found

    def references(self) -> list[Reference]:
        """Read the list of references."""
        with (self.root / REFERENCES).open(newline="", encoding="utf-8") as file:
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

    def systems(self) -> list[str]:
        """Name the systems that have left something, in name order."""
        if not self.root.is_dir():
            return []
        return sorted(path.name.replace("+", ":", 1) for path in self.root.glob("*+*/"))

    def folder(self, system: str) -> Path:
        """Give the folder of one system."""
        return self.root / system.replace(":", "+")

    def query_sets(self, system: str) -> list[str]:
        """Name the sets of queries that a system was queried with, in name order."""
        return sorted(path.name for path in self.folder(system).iterdir() if path.is_dir())

    def path(self, settings: Mapping[str, Any]) -> Path:
        """Give the file of a cell, or of bit errors where no length is set."""
        seconds = settings.get("seconds")
        name = f"{settings['transformation']}{f'-{seconds}s' if seconds else '.bits'}.npz"
        return self.folder(settings["system"]) / settings["query_set"] / name

    def has(self, settings: Mapping[str, Any]) -> bool:
        """Tell whether a cell is there; refuse one that was measured in another way."""
        path = self.path(settings)
        if not path.is_file():
            return False
        (header,) = _read(path)
        _same(path, {key: header.get(key) for key in settings}, settings)
        return True

    def write(self, cell: Cell | BitErrors) -> None:
        """Keep a cell or bit errors, all or nothing."""
        arrays = (
            {"clip": cell.clip, "begin": cell.begin, **asdict(cell.answers)}
            if isinstance(cell, Cell)
            else {"true": cell.true, "impostor": cell.impostor}
        )
        with writing(self.path(cell.header)) as temporary, temporary.open("wb") as file:
            header = json.dumps(cell.header, sort_keys=True).encode()
            np.savez_compressed(file, header=np.frombuffer(header, np.uint8), **arrays)

    def cells(self, system: str, query_set: str) -> Iterator[Cell]:
        """Read all cells of a system and a set of queries, in name order."""
        for path in sorted((self.folder(system) / query_set).glob("*-[0-9]s.npz")):
            header, clip, begin, *answers = _read(path, "clip", "begin", *ANSWERS)
            yield Cell(header, clip, begin, Answers(*answers))

    def bit_errors(self, system: str, query_set: str) -> Iterator[BitErrors]:
        """Read all bit errors of a system and a set of queries, in name order."""
        for path in sorted((self.folder(system) / query_set).glob("*.bits.npz")):
            yield BitErrors(*_read(path, "true", "impostor"))

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


def _read(path: Path, *names: str) -> list[Any]:
    """Read the header of a file, and arrays by name.

    Raises
    ------
    BenchmarkError
        The file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return [json.loads(file["header"].tobytes()), *(file[name] for name in names)]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise BenchmarkError(f"{path}: cannot be read ({error}); remove it and run again") from None


def _same(where: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in sorted({*found, *wanted}):
        if found.get(key) != wanted.get(key):
            raise SettingsError(
                f"{where}: was measured with {key} = {found.get(key)}, now wanted is "
                f"{wanted.get(key)}; name another --out folder"
            )
