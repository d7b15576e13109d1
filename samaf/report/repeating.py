"""An examination repeated from its record: is it the same on this machine?"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from samaf.audio.source import opened, sha256
from samaf.engine.engine import Engine
from samaf.engine.options import POPULATIONS, QueryOptions
from samaf.errors import AudioError, ReportError
from samaf.report.differences import Difference, differences, verdict
from samaf.report.examination import ReportOptions, examine
from samaf.report.examined import Examined
from samaf.report.record import FORMAT, KIND, Examination
from samaf.report.values import from_json
from samaf.text import printable


@dataclass(frozen=True, slots=True)
class RepeatResult:
    """What became of an examination that was repeated.

    Attributes
    ----------
    clips
        How many were examined again.
    verdict
        "identical", "the same to 4 digits" or "different".
    """

    path: str
    clips: int
    verdict: str
    differences: tuple[Difference, ...]


def read_record(path: Path) -> Examination:
    """Read the ``report.json`` of a report.

    Raises
    ------
    ReportError
        It cannot be read, is no such record, or was written by a newer samaf.
    """
    name = printable(path)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ReportError(f"{name}: {error.strerror}; give the report.json of a report") from None
    record = from_json(Examination, text, name)
    if record.kind != KIND or record.format != FORMAT:
        raise ReportError(
            f"{name}: is a {record.kind!a:.40} of format {record.format}, and this samaf reads "
            f"format {FORMAT}; use the version that wrote it"
        )
    return record


def repeat(
    engine: Engine,
    path: str | os.PathLike[str],
    *,
    clips: str | os.PathLike[str] | None = None,
    audio: str | os.PathLike[str] | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> RepeatResult:
    """Hash the clips of a record again, ask the store again, and say what differs.

    Parameters
    ----------
    path
        The ``report.json``.
    clips
        Folder of the clips; by default where they were, or beside the record.
    audio
        Folder of the recordings' audio; see ``Engine.query``.

    Raises
    ------
    ReportError
        The record cannot be read, or a clip is not found.
    QueryError
        Its options are out of range.
    """
    record = read_record(Path(path))
    settings = record.settings
    population = next((name for name in POPULATIONS if name == settings.population), None)
    if population is None:
        raise ReportError(f"{printable(Path(path))}: no such population {settings.population!a}")
    options = QueryOptions(
        settings.granularity_s,
        settings.k,
        settings.max_false_matches,
        settings.search,
        population,  # type: ignore[arg-type]
        settings.verify,
        settings.track,
        settings.channel,
    )
    folders = [Path(clips)] if clips else [Path(), Path(path).parent]
    found = [_clip(clip, folders) for clip in record.clips]
    again = examine(
        engine,
        found,
        ReportOptions(options, audio, pictures=False),
        case=record.case,
        on_progress=on_progress,
    )
    changed = differences(record, again)
    return RepeatResult(printable(Path(path)), len(found), verdict(changed), changed)


def _clip(clip: Examined, folders: list[Path]) -> Path:
    """Find the file of a clip: its bytes decide where several have its name."""
    places = [folder / name for folder in folders for name in (clip.given, Path(clip.given).name)]
    there = [place for place in places if place.is_file()]
    for place in there:
        if clip.item and _digest(place) == clip.item.sha256:
            return place
    if there:
        return there[0]  # other bytes: that is a difference
    if clip.item is None:
        return Path(clip.given)
    raise ReportError(f"{clip.given}: is not there; give the folder of the clips with --clips")


def _digest(path: Path) -> str:
    try:
        with opened(path) as file:
            return sha256(file.file)
    except AudioError:
        return ""
