"""Answers as label tracks or as cut sound, in one ZIP file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from samaf.engine.engine import Engine
from samaf.engine.references import References
from samaf.errors import AudioError
from samaf.media import MediaInfo
from samaf.records import Recording
from samaf.report.exports.annotations import on_clip, on_recordings
from samaf.report.exports.cut import CutSegment, cut, segments_of
from samaf.report.exports.formats import label_files
from samaf.text import printable
from samaf.web.answers import matches_of, ranked

NOT_CUT = "not-cut.txt"  # says what is missing in the ZIP file


@dataclass(frozen=True, slots=True)
class Answered:
    """A clip and its answer.

    Attributes
    ----------
    path
        Where the clip is.
    name
        What it is called.
    result
        As ``samaf query --json`` prints it.
    """

    path: str
    name: str
    result: Mapping[str, Any]


def write_labels(engine: Engine, clips: Sequence[Answered], out: Path, label_format: str) -> None:
    """Write a label track of each clip, and of each recording that is still stored."""
    stored = _stored(engine, clips)
    found = [(clip, list(matches_of(clip.result, stored))) for clip in clips]
    files = [on_clip(clip.name, clip.result["duration"], matches) for clip, matches in found]
    files += on_recordings(
        (clip.name, [match for match in matches if match.recording.sha256])
        for clip, matches in found
    )
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, text in label_files(files, label_format).items():
            archive.writestr(name, text)


def write_cuts(
    engine: Engine,
    clips: Sequence[Answered],
    out: Path,
    cut_format: str,
    padding_s: float,
    audio: str | None,
) -> None:
    """Write the matched segments of clips and recordings as sound files.

    What cannot be cut, such as a recording whose file is gone, stands in `NOT_CUT`.

    Parameters
    ----------
    padding_s
        Seconds kept on either side of each segment.
    audio
        Folder of the recordings' audio; by default the paths that the store has.

    Raises
    ------
    AudioError
        Nothing could be cut.
    """
    missing = []
    with (
        References(audio) as references,
        ZipFile(out, "w", ZIP_STORED) as archive,
        TemporaryDirectory(dir=out.parent) as folder,
    ):
        known, stored = _stored(engine, clips), {}
        names = {
            each["reference_id"]: each["reference"] for c in clips for each in ranked(c.result)
        }
        missing += [
            f"{name}: was deleted from the store"
            for number, name in names.items()
            if number not in known
        ]
        for number, recording in known.items():
            try:
                path = references.path(recording)
            except AudioError as error:
                missing.append(_harmless(error, recording))
            else:
                stored[number] = replace(recording, path=str(path))
        segments = sorted(_segments(clips, stored), key=lambda pair: (pair[1].path, pair[0]))
        for path_text, some in groupby(segments, key=lambda pair: pair[1].path):
            try:
                pieces = cut(some, Path(folder), cut_format=cut_format, padding_s=padding_s)
            except AudioError as error:
                missing.append(str(error).replace(printable(path_text), Path(path_text).name))
                continue
            for piece in pieces:
                archive.write(piece, piece.name)
                piece.unlink()
        if missing and not archive.namelist():
            raise AudioError(missing[0])
        if missing:
            archive.writestr(NOT_CUT, "".join(f"{line}\n" for line in missing))


def _stored(engine: Engine, clips: Sequence[Answered]) -> dict[int, Recording]:
    """Give the recordings of all answers by their ids, as far as they are still stored."""
    ids = {found["reference_id"] for clip in clips for found in ranked(clip.result)}
    return engine.store.get_many(sorted(ids))


def _segments(
    clips: Sequence[Answered], stored: Mapping[int, Recording]
) -> Iterator[tuple[int, CutSegment]]:
    """List the segments of all matches, numbered through."""
    first = 1
    for clip in clips:
        about = clip.result["media"]
        media = None if about is None else MediaInfo.from_dict(about)
        matches = list(matches_of(clip.result, stored))
        for number, segment in segments_of(clip.path, clip.result["sha256"], media, matches, first):
            if segment.path:  # else the recording is gone
                yield number, segment
        first += len(matches)


def _harmless(error: AudioError, recording: Recording) -> str:
    """Give the line of an error without the folder of a recording."""
    return str(error).replace(f"{printable(Path(recording.path).parent)}/", "")
