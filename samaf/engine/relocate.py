"""Paths of recordings that follow their files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from samaf.audio import audio_files
from samaf.audio.source import opened, sha256
from samaf.engine.add import COMMIT_FILES, COMMIT_SECONDS
from samaf.errors import AudioError
from samaf.records import Recording, Relocation
from samaf.store import Store
from samaf.text import printable


def relocate(
    store: Store,
    paths: Iterable[str | os.PathLike[str]],
    on_progress: Callable[[int, int], None],
) -> Iterator[Relocation]:
    """Yield the recordings that were not at their paths; see ``Engine.relocate``."""
    files = list(audio_files(paths))
    missing = {each.sha256: each for each in store.recordings() if not Path(each.path).is_file()}
    names = {recording.name for recording in missing.values()}
    # Most files that were moved keep their names, so that few others have to be read.
    files.sort(key=lambda path: printable(path.name) not in names)
    found: dict[int, tuple[Recording, str]] = {}
    committed = time.monotonic()
    for done, path in enumerate(files):
        if not missing:
            break
        if recording := missing.pop(_digest(path), None):
            found[recording.recording_id] = recording, printable(path.absolute())
        if len(found) >= COMMIT_FILES or time.monotonic() - committed > COMMIT_SECONDS:
            yield from _commit(store, found)
            found, committed = {}, time.monotonic()
        on_progress(done + 1, len(files))
    yield from _commit(store, found)
    for recording in missing.values():
        yield Relocation(recording, recording.path, found=False)


def _digest(path: Path) -> str:
    try:
        with opened(path) as file:
            return sha256(file.file)
    except AudioError:  # gone meanwhile, or not to be read
        return ""


def _commit(store: Store, found: dict[int, tuple[Recording, str]]) -> Iterator[Relocation]:
    moved = store.relocate({number: path for number, (_, path) in found.items()})
    for recording in moved:
        yield Relocation(recording, found[recording.recording_id][0].path, found=True)
