"""Clips that come in: uploaded and counted while they stream, or chosen below a root."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from samaf.audio import AUDIO_SUFFIXES
from samaf.engine.options import (
    GRANULARITY_S,
    MATCHES,
    MAX_FALSE_MATCHES,
    POPULATIONS,
    SEARCHES,
    QueryOptions,
)
from samaf.text import printable
from samaf.web.problems import Problem
from samaf.web.settings import HIGHEST_TRACK

FORM_BYTES = 1 << 20  # of a form besides its file
LONGEST_NAME = 240  # bytes; file systems take 255
MOST_FILES = 10_000  # of one folder that are listed


async def read_form(request: Request, most_bytes: int) -> FormData:
    """Read a form with at most one file, and refuse it as soon as it is too large.

    The file waits in a temporary one without a name, which goes with the request.
    """
    if "multipart/form-data" not in request.headers.get("content-type", ""):
        raise Problem(422, "send a form, multipart/form-data, with the file as 'clip'")
    limit = most_bytes + FORM_BYTES
    if int(request.headers.get("content-length", "0") or 0) > limit:
        raise _too_large(most_bytes)
    parser = MultiPartParser(
        request.headers, _counted(request, most_bytes, limit), max_files=1, max_fields=20
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise Problem(400, f"the form cannot be read ({error.message})") from None
    except (KeyError, ValueError, LookupError, UnicodeError):
        raise Problem(400, "the form cannot be read; send multipart/form-data") from None
    except ClientDisconnect:
        raise Problem(400, "the upload broke off; send it again") from None


async def _counted(request: Request, most_bytes: int, limit: int) -> Any:
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > limit:
            raise _too_large(most_bytes)
        yield chunk


def _too_large(most_bytes: int) -> Problem:
    return Problem(
        413,
        f"larger than {most_bytes / (1 << 30):g} GiB; cut the clip, or put it into a folder that "
        "samaf serve gets as --root",
    )


def clip_name(upload: UploadFile) -> str:
    """Give the name of an uploaded file, harmless and without folders."""
    name = printable((upload.filename or "").replace("\\", "/").rpartition("/")[2])
    while len(name.encode()) > LONGEST_NAME:
        name = name[1:]  # the suffix stays
    return "clip" if name in ("", ".", "..") else name


async def store(upload: UploadFile, path: Path) -> None:
    """Write an upload to a file."""
    await upload.seek(0)
    try:
        await asyncio.to_thread(_copy, upload.file, path)
    except OSError as error:
        raise Problem(
            507, f"the clip cannot be kept ({error.strerror}); make room on the server's disk"
        ) from None


def _copy(file: BinaryIO, path: Path) -> None:
    with path.open("xb") as out:
        shutil.copyfileobj(file, out, 1 << 20)


def query_options(values: Mapping[str, Any]) -> QueryOptions:
    """Read the options of a query from a form; those of the shell, with the same defaults.

    Raises
    ------
    Problem, QueryError
        A value is no number, or out of its range.
    """

    def number(name: str, kind: type[int] | type[float], default: float) -> Any:
        text = values.get(name, "")
        if text == "":
            return kind(default)
        try:
            return kind(text)
        except (TypeError, ValueError):
            raise Problem(422, f"{name}: not a number") from None

    def chosen(name: str) -> int | None:
        given: int | None = number(name, int, 0) if values.get(name) else None
        if given is not None and not 1 <= given <= HIGHEST_TRACK:
            raise Problem(422, f"{name}: out of range; choose 1 to {HIGHEST_TRACK}")
        return given

    def text(name: str, default: str) -> Any:
        given = values.get(name, "") or default
        return given if isinstance(given, str) else ""

    return QueryOptions(
        number("granularity_s", int, GRANULARITY_S),
        number("k", int, MATCHES),
        number("max_false_matches", float, MAX_FALSE_MATCHES),
        text("search", SEARCHES[0]),
        text("population", POPULATIONS[0]),
        is_set(values, "verify"),
        chosen("track"),
        chosen("channel"),
    )


def is_set(values: Mapping[str, Any], name: str) -> bool:
    """Whether a form or a URL sets something that is off by default."""
    return values.get(name, "") not in ("", "0", "false", "off")


@dataclass(frozen=True, slots=True)
class Roots:
    """The folders below which clips may be chosen: by their number and a path in them."""

    folders: tuple[Path, ...]

    def file(self, text: str) -> tuple[Path, str]:
        """Give a file that ``ROOT/PATH`` means, and its name; links must not lead out."""
        path = self._resolved(text)
        if not path.is_file():
            raise Problem(404, "no such file below the folders of --root")
        return path, printable(path.name)

    def listing(self, text: str) -> dict[str, Any]:
        """List folders and audio files of the folder that ``ROOT/PATH`` means; "" has the roots."""
        if not text:
            roots = [
                {"name": printable(folder.name) or "/", "path": str(i)}
                for i, folder in enumerate(self.folders)
            ]
            return {"path": "", "folders": roots, "files": []}
        path = self._resolved(text)
        folders, files = [], []
        try:
            entries = sorted(path.iterdir(), key=lambda entry: entry.name)[:MOST_FILES]
        except OSError:
            raise Problem(404, "no such folder below those of --root") from None
        for entry in entries:
            if not self._is_inside(entry) or not _is_sendable(entry.name):
                continue
            record = {"name": entry.name, "path": f"{text}/{entry.name}"}
            if entry.is_dir():
                folders.append(record)
            elif entry.suffix.lower() in AUDIO_SUFFIXES and entry.is_file():
                files.append({**record, "size": entry.stat().st_size})
        return {"path": text, "folders": folders, "files": files}

    def _resolved(self, text: str) -> Path:
        number, _, rest = text.partition("/")
        if not number.isascii() or not number.isdigit() or int(number) >= len(self.folders):
            raise Problem(404, "no such folder; give it as NUMBER/PATH below one of --root")
        root = self.folders[int(number)]
        try:
            path = (root / rest.lstrip("/")).resolve()
        except (OSError, ValueError, RuntimeError):
            raise Problem(404, "no such file below the folders of --root") from None
        if not path.is_relative_to(root):
            raise Problem(404, "no such file below the folders of --root")
        return path

    def _is_inside(self, entry: Path) -> bool:
        try:
            real = entry.resolve()
        except (OSError, RuntimeError):
            return False
        return any(real.is_relative_to(root) for root in self.folders)


def _is_sendable(name: str) -> bool:
    """Whether JSON holds a name as it is: bytes that are no UTF-8 cannot be sent back."""
    return name.isprintable()
