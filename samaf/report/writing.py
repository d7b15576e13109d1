"""A report as files: the record, its pages, and what belongs to them, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from samaf.engine.engine import Engine
from samaf.report.drawn import drawn
from samaf.report.examination import ReportOptions, examine
from samaf.report.exports.case_uco import case_uco
from samaf.report.html import html
from samaf.report.pages import Document, document
from samaf.report.pdf import is_available, pdf
from samaf.report.record import Case, Examination
from samaf.report.table import matches_csv
from samaf.report.values import to_json
from samaf.report.whole_folder import new_folder
from samaf.text import printable

RECORD = "report.json"


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A report that was written.

    Attributes
    ----------
    files
        Name and SHA-256 of each file, in the order in which they were written.
    """

    folder: Path
    record: Examination
    files: tuple[tuple[str, str], ...]


class PictureFolder(Mapping[str, bytes]):
    """Pictures in a folder, read when they are wanted, so that many need no memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.svg"

    def save(self, name: str, picture: bytes) -> None:
        """Keep a picture."""
        self._path(name).write_bytes(picture)

    def __getitem__(self, name: str) -> bytes:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in sorted(self._folder.glob("*.svg")))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def write_html(
    record: Examination,
    pictures: Mapping[str, bytes],
    attachments: Sequence[tuple[str, str]] = (),
) -> str:
    """Write a record as one HTML file.

    Parameters
    ----------
    pictures
        Those that `examine` drew, by name; the others are drawn here.
    attachments
        Name and SHA-256 of the files that belong to the report.
    """
    return "".join(html(document(record, attachments), {**pictures, **dict(drawn(record))}))


def write_pdf(
    record: Examination,
    pictures: Mapping[str, bytes],
    attachments: Sequence[tuple[str, str]] = (),
) -> bytes:
    """Write a record as PDF/A-2b; see `write_html`. Raises `ReportError` without typst."""
    return pdf(document(record, attachments), {**pictures, **dict(drawn(record))})


def report(
    engine: Engine,
    clips: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    options: ReportOptions = ReportOptions(),  # noqa: B008  # frozen
    *,
    case: Case = Case(),  # noqa: B008
    log: bool = True,
    more_files: Callable[[Examination], Mapping[str, str]] = lambda _record: {},
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> WrittenReport:
    """Examine clips, and write the report into a new folder.

    The folder gets ``report.json`` (the record), ``report.html``, with typst ``report.pdf``,
    ``matches.csv`` and ``case-uco.jsonld``. The store's audit log gets an entry with the SHA-256
    of all of them; it is written before the folder is there.

    Parameters
    ----------
    log
        Whether the audit log gets its entry: it does not where the store is only to be read.
    more_files
        Gives the text of further files by name, such as label tracks.

    Raises
    ------
    ReportError
        The folder holds something already, or cannot be written.
    StoreError
        The audit log cannot be written.
    """
    folder = Path(out)
    with new_folder(folder) as made, tempfile.TemporaryDirectory(prefix="samaf-") as temporary:
        pictures = PictureFolder(Path(temporary))
        record = examine(
            engine, clips, options, case=case, pictures=pictures.save, on_progress=on_progress
        )
        for name, picture in drawn(record):
            pictures.save(name, picture)
        texts = {
            RECORD: to_json(record),
            "matches.csv": matches_csv(record),
            "case-uco.jsonld": case_uco(record),
            **more_files(record),
        }
        files = [(name, _write(made / name, [text])) for name, text in texts.items()]
        pages = document(record, files)
        files += _pages(made, pages, pictures)
        details = {
            "files": dict(files),
            "clips": [clip.item.sha256 for clip in record.clips if clip.item],
        }
        if log:
            engine.store.log("report", files[0][1], printable(folder.absolute()), details)
    return WrittenReport(folder, record, tuple(files))


def _pages(
    folder: Path, pages: Document, pictures: Mapping[str, bytes]
) -> Iterator[tuple[str, str]]:
    yield "report.html", _write(folder / "report.html", html(pages, pictures))
    if is_available():
        content = pdf(pages, pictures)
        (folder / "report.pdf").write_bytes(content)
        yield "report.pdf", sha256(content).hexdigest()


def _write(path: Path, texts: Sequence[str] | Iterator[str]) -> str:
    """Write texts to a file; give its SHA-256."""
    digest = sha256()
    with path.open("wb") as file:
        for text in texts:
            content = text.encode("utf-8", "backslashreplace")
            digest.update(content)
            file.write(content)
    return digest.hexdigest()
