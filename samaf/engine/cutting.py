"""Recordings of one event, written as files of equal length that run alike from start to end."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from samaf.audio import Audio, Source, read
from samaf.errors import AudioError, SamafError
from samaf.files import atomic
from samaf.records import SyncedRecording
from samaf.text import printable

SAMPLE_RATE = 48_000  # Hz
CHUNK = 10 * SAMPLE_RATE  # samples read at once
LARGEST = 0xFFFFFFFF - 1024  # bytes that a WAV file can announce


def write_synced(
    files: Sequence[Source], results: Sequence[SyncedRecording], folder: Path
) -> list[Path]:
    """Write each recording of a group on the group's time line: mono WAV, 16 bit, 48 kHz.

    Each file begins and ends with its group; what a recording lacks is silence, what it has
    too much is left out. Several groups get a folder each, 1, 2 and so on.

    Parameters
    ----------
    files
        What the results were made from, in the same order.

    Raises
    ------
    AudioError, SamafError
        A file is there already, cannot be written, or would be too long for WAV; or the
        library soxr is missing.
    """
    try:
        import soxr  # noqa: F401
    except ImportError:
        raise SamafError("cutting needs the library soxr: pip install 'samaf[sync]'") from None
    ends: dict[int, float] = {}
    for result in results:
        ends[result.group] = max(ends.get(result.group, 0.0), result.end)
    several = len([group for group in ends if group]) > 1
    places = _places(results, folder, several)
    for file, result, path in zip(files, results, places, strict=True):
        if path:
            _write(file, result, ends[result.group], path)
    return [path for path in places if path]


def _places(results: Sequence[SyncedRecording], folder: Path, several: bool) -> list[Path | None]:
    """Name the files to write; none for a recording in no group."""
    taken: set[Path] = set()
    places: list[Path | None] = []
    for result in results:
        if not result.group:
            places.append(None)
            continue
        home = folder / str(result.group) if several else folder
        stem = Path(result.path).stem
        path, number = home / f"{stem}.wav", 1
        while path in taken:
            number += 1
            path = home / f"{stem}-{number}.wav"
        if path.exists():
            raise AudioError(f"{printable(path)}: is there already; name another folder")
        taken.add(path)
        places.append(path)
    return places


def _write(source: Source, result: SyncedRecording, end: float, path: Path) -> None:
    """Write one recording, complete or not at all."""
    total = round(end * SAMPLE_RATE)
    if 2 * total > LARGEST:
        raise AudioError(
            f"{printable(path)}: {end / 3600:.1f} hours are too long for a WAV file; "
            "cut the recordings into parts first"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            read(source, SAMPLE_RATE) as audio,
            atomic(path) as temporary,
            temporary.open("wb") as file,
            wave.open(file, "wb") as out,
        ):
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(SAMPLE_RATE)
            for samples in _on_line(audio, result, total):
                out.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    except OSError as error:
        raise AudioError(
            f"{printable(path)}: cannot be written ({error.strerror}); name another folder"
        ) from None


def _on_line(audio: Audio, result: SyncedRecording, total: int) -> Iterator[np.ndarray]:
    """Yield ``total`` samples of the time line from its start, float32 (n,) each."""
    done = 0
    edges = [0.0, *(jump.at for jump in result.jumps), audio.duration]
    for begin, stop in zip(edges[:-1], edges[1:], strict=True):
        early = done - round(result.place(begin) * SAMPLE_RATE)
        if early < 0:
            yield from _silence(-early)
            done -= early
            early = 0
        first, last = round(begin * SAMPLE_RATE), round(stop * SAMPLE_RATE)
        for samples in _resampled(audio, first, last, 1 / (1 + result.drift_ppm * 1e-6)):
            kept = samples[early : early + total - done]
            early = max(0, early - len(samples))
            done += len(kept)
            yield kept
    yield from _silence(total - done)


def _resampled(audio: Audio, first: int, last: int, factor: float) -> Iterator[np.ndarray]:
    """Read samples and yield ``factor`` times as many, at the level of the file."""
    import soxr

    stream = soxr.ResampleStream(SAMPLE_RATE, SAMPLE_RATE * factor, 1, "float32", "VHQ")
    while first < last:
        count = min(CHUNK, last - first)
        samples = audio.part(first, count) * np.float32(audio.peak)
        first += count
        yield stream.resample_chunk(samples, last=first >= last)


def _silence(count: int) -> Iterator[np.ndarray]:
    for done in range(0, count, CHUNK):
        yield np.zeros(min(CHUNK, count - done), np.float32)
