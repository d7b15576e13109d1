"""The audio of stored recordings: found again, checked, and decoded for comparison."""

from __future__ import annotations

import os
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Lock, Thread
from typing import Generic, TypeVar

import numpy as np

from samaf.audio import Audio, audio_files, read
from samaf.audio.source import existing, opened, sha256
from samaf.errors import AudioError
from samaf.media import DEFAULT
from samaf.records import Recording
from samaf.text import printable

KEPT_BYTES = 256 << 20  # of decoded samples, for the next query
PATIENCE_S = 30.0  # for one recording, and besides
PACE = 20.0  # seconds of audio a second: a slow processor decodes faster

Result = TypeVar("Result")


class References:
    """Gives the audio of recordings that a store knows by path, name and SHA-256.

    Parameters
    ----------
    folder
        Where it is looked for first: by name, then by SHA-256. Without one, or where it lacks a
        recording, the path that the store has counts.
    patience
        Seconds that reading one recording may take, besides what its length asks for.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, patience: float = PATIENCE_S
    ) -> None:
        self._folder = None if folder is None else Path(folder)
        self._patience = patience
        self._kept: OrderedDict[str, tuple[Audio, ExitStack]] = OrderedDict()
        self._refused: dict[str, str] = {}
        self._files: _Files | None = None

    def __enter__(self) -> References:
        """Look through the folder's names; `AudioError` where it does not exist."""
        if self._folder is not None:
            self._files = _Files(self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        while self._kept:
            self._drop_oldest()

    def audio(
        self,
        recording: Recording,
        channel: str = "",
        *,
        on_samples: Callable[[np.ndarray | None], None] = lambda _samples: None,
    ) -> Audio:
        """Give the decoded audio of a recording; valid until other recordings are needed.

        Parameters
        ----------
        channel
            Name of a side whose channels differ from the others; "" for the mix.
        on_samples
            As in `samaf.audio.read`; called in another thread.

        Raises
        ------
        AudioError
            It is missing, is not the file that was added, cannot be decoded, or is not read in
            time.
        """
        if recording.sha256 in self._refused:
            raise AudioError(self._refused[recording.sha256])
        if recording.sha256 not in self._kept:
            limit = self._patience + recording.duration / PACE
            try:
                reading = _Patient(lambda: self._read(recording, limit, on_samples))
                self._kept[recording.sha256] = reading.result(limit, recording.name)
            except AudioError as error:
                self._refused[recording.sha256] = str(error)
                raise
        self._kept.move_to_end(recording.sha256)
        audio = self._kept[recording.sha256][0]
        while len(self._kept) > 1 and self._bytes() > KEPT_BYTES:
            self._drop_oldest()
        return audio.side(channel)

    def path(self, recording: Recording) -> Path:
        """Give where the file of a recording is; its bytes may be others.

        Raises
        ------
        AudioError
            It is missing.
        """
        return self._path(recording, self._patience + recording.duration / PACE)

    def _bytes(self) -> int:
        return sum(4 * audio.count * (1 + len(audio.sides)) for audio, _ in self._kept.values())

    def _drop_oldest(self) -> None:
        _, (_, stack) = self._kept.popitem(last=False)
        stack.close()

    def _path(self, recording: Recording, limit: float) -> Path:
        path = self._files.find(recording, limit) if self._files else None
        if path is None:
            path = existing(Path(recording.path))
            if not recording.path or not path.exists():
                raise AudioError(
                    f"{recording.name}: its audio is not at {printable(recording.path)}"
                    f"{' nor below the folder' if self._files else ''}; bring it back, or name "
                    "the folder where it is"
                )
        return path

    def _read(
        self,
        recording: Recording,
        limit: float,
        on_samples: Callable[[np.ndarray | None], None],
    ) -> tuple[Audio, ExitStack]:
        path = self._path(recording, limit)
        with ExitStack() as stack:
            try:
                chosen = recording.media.selection if recording.media else DEFAULT
                audio = stack.enter_context(
                    read(path, track=chosen.track, channel=chosen.channel, on_samples=on_samples)
                )
            except AudioError:
                if _digest(path) == recording.sha256:
                    raise
                raise _changed(path) from None
            if audio.sha256 != recording.sha256:
                raise _changed(path)
            return audio, stack.pop_all()


class _Files:
    """The audio files below a folder, by name and, as far as that was needed, by SHA-256."""

    def __init__(self, folder: Path) -> None:
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        files = list(audio_files([folder]))
        for path in files:
            self._by_name[printable(path.name)].append(path)
        self._unread = iter(files)
        self._by_digest: dict[str, Path] = {}
        self._lock = Lock()

    def find(self, recording: Recording, limit: float) -> Path | None:
        """Find a recording's file within so many seconds; None where there is none."""
        for path in self._by_name[recording.name]:
            if _digest(path) == recording.sha256:
                return path
        started = time.monotonic()
        with self._lock:
            for path in self._unread if recording.sha256 not in self._by_digest else ():
                self._by_digest.setdefault(_digest(path), path)
                if recording.sha256 in self._by_digest or time.monotonic() - started > limit:
                    break
            return self._by_digest.get(recording.sha256)


def _digest(path: Path) -> str:
    """Hash a file; empty where it cannot be read."""
    try:
        with opened(path) as file:
            return sha256(file.file)
    except AudioError:
        return ""


def _changed(path: Path) -> AudioError:
    return AudioError(
        f"{printable(path)}: is not the file that was added, its SHA-256 differs; "
        "name the folder of the right one"
    )


class _Patient(Generic[Result]):
    """Work in a thread that is left behind where it takes too long, as a disk that hangs does."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._done: list[Result] = []
        self._error: list[Exception] = []
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._done.append(self._work())
        except Exception as error:  # raised again where the result is waited for
            self._error.append(error)

    def result(self, seconds: float, name: str) -> Result:
        """Give the result; `AudioError` where it is not there in time."""
        self._thread.join(seconds)
        for error in self._error:
            raise error
        for result in self._done:
            return result
        raise AudioError(
            f"{name}: its audio was not read within {seconds:.0f} s; copy it to a faster disk and "
            "name that folder"
        )
