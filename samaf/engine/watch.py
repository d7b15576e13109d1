"""Folders that are watched: what comes is added, and what moves is followed.

The folders are looked through again and again. Notifications of the kernel would come sooner, but
network folders send none for what other machines write, and none come while nobody listens.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from samaf.audio.files import audio_states
from samaf.audio.source import existing
from samaf.engine.seen_files import SeenFile, SeenFiles
from samaf.errors import AudioError
from samaf.records import AddResult
from samaf.store import Store
from samaf.text import printable

LOOK_SECONDS = 2.0  # between two looks at a folder, and as long as a look takes
SETTLED_SECONDS = 10.0  # without a change, after which a file counts as whole
GONE_SECONDS = 30.0  # after which a file counts as removed, not as on its way

State = tuple[int, int]
Add = Callable[[Sequence[Path]], Iterator[AddResult]]

_log = logging.getLogger(__name__)


def watched_folders(given: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Give the folders as they are watched, each once.

    Raises
    ------
    AudioError
        One of them is no folder.
    """
    folders = [existing(Path(each)).absolute() for each in given]
    for folder in folders:
        if not folder.is_dir():
            raise AudioError(f"{printable(folder)}: is no folder; watch the folder of a file")
    return [folder for folder in dict.fromkeys(folders) if not set(folder.parents) & set(folders)]


def watch(
    folders: Sequence[Path], store: Store, add: Add, seen: SeenFiles, until: Event
) -> Iterator[AddResult]:
    """Yield what becomes of files until ``until`` is set; see ``Engine.watch``.

    Parameters
    ----------
    add
        Stores files.
    """
    watched = [WatchedFolder(folder, seen) for folder in folders]
    while not until.is_set():
        began = time.monotonic()
        for folder in watched:
            folder.look()
        looked = time.monotonic() - began
        for folder in watched:
            for result in add(folder.settled()):
                if event := folder.take(result, store):
                    yield event
                if until.is_set():
                    return
        for folder in watched:
            yield from folder.removed(store)
        until.wait(max(LOOK_SECONDS, looked))


class WatchedFolder:
    """What happens in one folder, from one look to the next."""

    def __init__(
        self, top: Path, seen: SeenFiles, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._top, self._seen, self._clock = top, seen, clock
        self._changing: dict[Path, tuple[State, float]] = {}  # and since when like that
        self._missing: dict[Path, float] = {}  # since when
        self._by_name: dict[str, Path] = {}
        self._trouble = ""

    def look(self) -> None:
        """Look through the folder; where it is away, nothing has changed."""
        states, errors = audio_states(self._top)
        known = self._seen.below(self._top)
        trouble = f"{printable(errors[0].filename)}: {errors[0].strerror}" if errors else ""
        if len(known) > 1 and not states:
            # What is left of a network folder that is not mounted is an empty one.
            trouble = trouble or f"{printable(self._top)}: all files are gone at once"
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                _log.warning("%s; nothing counts as removed until it is back", trouble)
            else:
                _log.warning("%s: is back", printable(self._top))
        now = self._clock()
        self._changing = {
            path: before
            if (before := self._changing.get(path)) and before[0] == state
            else (state, now)
            for path, state in states.items()
            if not (seen := known.get(path)) or seen.state != state
        }
        if trouble:
            self._missing.clear()
        else:
            gone = known.keys() - states.keys()
            self._missing = {path: self._missing.get(path, now) for path in gone}

    def settled(self) -> list[Path]:
        """Give the files that are new or changed, and have not changed for a while."""
        now = self._clock()
        paths = [
            path
            for path, (state, since) in self._changing.items()
            if state[0] and now - since >= SETTLED_SECONDS
        ]
        self._by_name = {printable(path): path for path in paths}
        return paths

    def take(self, result: AddResult, store: Store) -> AddResult | None:
        """Note what became of a settled file; tell what happened, if anything did."""
        path = self._by_name[result.path]
        state, _ = self._changing.pop(path)
        before = self._seen.get(path)
        recording = result.recording
        if recording is None:
            if not path.exists():
                return None
            self._seen.put(path, SeenFile(state, ""))
            return result
        self._seen.put(path, SeenFile(state, recording.sha256))
        if before and before.sha256 == recording.sha256:
            return None  # touched
        if before and before.sha256 and (old := store.find(before.sha256)):
            message = f"recording {old.recording_id} had this path; it stays in the store"
            return replace(result, status="replaced", message=message)
        if result.status == "present" and not Path(recording.path).is_file():
            paths = {recording.recording_id: printable(path)}
            moved = next(iter(store.relocate(paths)), None)
            if moved is None:  # its path cannot be written as text, or another process was first
                return result
            message = f"was {recording.path}"
            return replace(result, status="moved", recording=moved, message=message)
        return result

    def removed(self, store: Store) -> Iterator[AddResult]:
        """Yield the recordings whose files are gone for good, as far as one can know."""
        now = self._clock()
        for path, since in list(self._missing.items()):
            if now - since < GONE_SECONDS:
                continue
            del self._missing[path]
            seen = self._seen.get(path)
            self._seen.forget(path)
            recording = store.find(seen.sha256) if seen and seen.sha256 else None
            if recording and recording.path == printable(path):  # else it moved
                message = f"recording {recording.recording_id} stays in the store"
                yield AddResult(printable(path), "removed", recording, message=message)
