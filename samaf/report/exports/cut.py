"""Matched segments as sound files, sample by sample as they were decoded."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from samaf.audio import Audio, read
from samaf.errors import AudioError, ReportError
from samaf.files import atomic
from samaf.media import DEFAULT, MediaInfo, Selection
from samaf.records import CopiesResult, Duplicate, Match, QueryResult, Recording
from samaf.report.exports.annotations import safe_name
from samaf.report.record import Examination
from samaf.text import printable

CUT_FORMATS = ("wav", "flac")
BITS = 24  # 16- and 24-bit files are cut without any rounding


@dataclass(frozen=True, slots=True)
class CutSegment:
    """A segment of a file to cut out.

    Attributes
    ----------
    sha256
        Of the file that was matched; not checked where it is empty.
    start, stop
        Seconds.
    role, name
        For the name of the piece.
    selection, sample_rate
        The track and channel that were decoded, and the rate in Hz; 0 where it is not known.
    side
        The channels of the side that matched; "" for all that were decoded.
    """

    path: str
    sha256: str
    start: float
    stop: float
    role: str
    name: str
    selection: Selection = DEFAULT
    sample_rate: int = 0
    side: str = ""


def cut_name(segment: CutSegment, number: int, cut_format: str) -> str:
    """Name a piece: number, role, file and start.

    Examples
    --------
    >>> cut_name(CutSegment("a/b c.ogg", "", 2.0, 5.0, "clip", "b c.ogg"), 1, "wav")
    '001-clip-b_c.ogg-2.000s.wav'
    """
    name = safe_name(segment.name)
    return f"{number:03d}-{segment.role}-{name}-{segment.start:.3f}s.{cut_format}"


def segments_of(
    path: str, sha256: str, media: MediaInfo | None, matches: Iterable[Match], first: int = 1
) -> Iterator[tuple[int, CutSegment]]:
    """List the segments of matches, of the clip and of the recordings, with numbers."""
    for number, match in enumerate(matches, first):
        clip = (match.query_start, match.query_stop, "clip", PurePath(path).name)
        yield number, CutSegment(path, sha256, *clip, *_sound(media), match.channel)
        found, channel = match.recording, match.reference_channel
        there = (match.reference_start, match.reference_stop, "recording", found.name)
        yield number, CutSegment(found.path, found.sha256, *there, *_sound(found.media), channel)


def numbered_segments(results: Iterable[QueryResult]) -> Iterator[tuple[int, CutSegment]]:
    """List the segments of several queries, numbered through."""
    first = 1
    for result in results:
        yield from segments_of(result.query, result.sha256, result.media, result.matches, first)
        first += len(result.matches)


def segments_of_record(
    record: Examination, recordings: Mapping[int, Recording]
) -> Iterator[tuple[int, CutSegment]]:
    """List the segments of all matches of a report, numbered through.

    Parameters
    ----------
    recordings
        Those of the store by id: the record does not say where they are.
    """
    number = 0
    selection = Selection(record.settings.track, record.settings.channel)
    for clip in record.clips:
        for found in clip.matches:
            number += 1
            assert clip.item is not None
            here = (found.query_start, found.query_stop, "clip", clip.item.name)
            about = (clip.given, clip.item.sha256, *here, selection, clip.item.sample_rate)
            yield number, CutSegment(*about, found.channel)
            stored = recordings[found.recording.recording_id]
            there = (found.reference_start, found.reference_stop, "recording", stored.name)
            side = found.reference_channel
            yield (
                number,
                CutSegment(stored.path, stored.sha256, *there, *_sound(stored.media), side),
            )


def segments_of_pairs(pairs: Iterable[Duplicate]) -> Iterator[tuple[int, CutSegment]]:
    """List the segments that pairs of recordings share, numbered through."""
    first = 1
    for pair in pairs:
        one = pair.first
        yield from segments_of(one.path, one.sha256, one.media, pair.matches, first)
        first += len(pair.matches)


def _sound(media: MediaInfo | None) -> tuple[Selection, int]:
    return (media.selection, media.sample_rate) if media else (DEFAULT, 0)


def segments_of_copies(
    result: CopiesResult, selection: Selection = DEFAULT
) -> Iterator[tuple[int, CutSegment]]:
    """List the segments that a recording holds twice."""
    name = PurePath(result.path).name
    for number, copy in enumerate(result.copies, 1):
        for role, start, stop in (
            ("first", copy.first_start, copy.first_stop),
            ("second", copy.second_start, copy.second_stop),
        ):
            about = (result.path, result.sha256, start, stop, role, name)
            yield number, CutSegment(*about, selection)


def cut(
    segments: Iterable[tuple[int, CutSegment]],
    folder: Path,
    *,
    cut_format: str = "wav",
    padding_s: float = 0.0,
) -> list[Path]:
    """Cut segments out of their files, mono as they are hashed, at their own sample rate.

    Parameters
    ----------
    segments
        With the number of the match that each belongs to.
    padding_s
        Seconds to keep on either side, as far as the file has them.

    Raises
    ------
    AudioError
        A file is gone, cannot be decoded, or has other bytes than those that were matched.
    ReportError
        The folder cannot be written.
    """
    groups: dict[tuple[str, str, Selection, int], list[tuple[int, CutSegment]]] = {}
    for number, segment in segments:
        key = (segment.path, segment.sha256, segment.selection, segment.sample_rate)
        groups.setdefault(key, []).append((number, segment))
    written = []
    for (path, sha256, chosen, known_rate), some in groups.items():
        rate = known_rate or _sample_rate(path)
        with read(path, rate, track=chosen.track, channel=chosen.channel) as audio:
            if sha256 and audio.sha256 != sha256:
                raise AudioError(
                    f"{printable(path)}: is not the file that was matched, its SHA-256 differs; "
                    "bring that one back"
                )
            for number, segment in some:
                target = folder / cut_name(segment, number, cut_format)
                samples = _samples(audio.side(segment.side), segment, padding_s)
                _save(samples, rate, target, cut_format)
                written.append(target)
    return written


def _sample_rate(path: str) -> int:
    with read(path) as audio:
        return audio.media.sample_rate


def _samples(audio: Audio, segment: CutSegment, padding_s: float) -> np.ndarray:
    first = max(0, round((segment.start - padding_s) * audio.sample_rate))
    last = min(audio.count, round((segment.stop + padding_s) * audio.sample_rate))
    return audio.part(first, max(0, last - first), normalised=False)


def _save(samples: np.ndarray, sample_rate: int, path: Path, cut_format: str) -> None:
    full = 1 << (BITS - 1)
    values = np.clip(np.rint(samples.astype(np.float64) * full), -full, full - 1).astype("<i4")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            if cut_format == "flac":
                _save_flac(values, sample_rate, temporary)
            else:
                _save_wav(values, sample_rate, temporary)
    except OSError as error:
        raise ReportError(
            f"{printable(path)}: cannot be written ({error.strerror or error}); make room for it "
            "or give another folder"
        ) from None


def _save_wav(values: np.ndarray, sample_rate: int, path: Path) -> None:
    with path.open("wb") as file, wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(BITS // 8)
        out.setframerate(sample_rate)
        out.writeframes(values.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())


def _save_flac(values: np.ndarray, sample_rate: int, path: Path) -> None:
    import av

    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=sample_rate, layout="mono")
        stream.format = "s32"  # of which FLAC keeps the upper 24 bits
        frame = av.AudioFrame.from_ndarray(values.reshape(1, -1) << 8, format="s32", layout="mono")
        frame.sample_rate = sample_rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
