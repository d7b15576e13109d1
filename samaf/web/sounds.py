"""Decoded sounds, cached on disk within a limit: each is decoded once, by a process of the pool."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samaf.records import Recording
from samaf.web.pictures import HEADER_BYTES, SAMPLE_RATE
from samaf.web.workers import Pool

KEY = re.compile(r"[0-9a-f]{64}(-backwards)?")


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound that can be played and drawn."""

    path: Path

    @property
    def peaks(self) -> Path:
        """Its peaks of 160 ms."""
        return self.path.with_suffix(".peaks")

    @property
    def samples(self) -> int:
        """How many it has."""
        return (self.path.stat().st_size - HEADER_BYTES) // 2

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples / SAMPLE_RATE


@dataclass(slots=True)
class Sounds:
    """The cache.

    Attributes
    ----------
    most_bytes
        Of all sounds together; the longest unused go first.
    """

    folder: Path
    pool: Pool
    most_bytes: int
    _making: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def clip(self, path: Path, name: str, sha256: str, backwards: bool = False) -> Sound:
        """Give the sound of a clip, decoded now if it is not in the cache.

        Parameters
        ----------
        name, sha256
            Of the file: its name for messages, and the digest of its bytes.

        Raises
        ------
        SamafError
            The file is not there, or cannot be decoded.
        """
        key = f"{sha256}-backwards" if backwards else sha256
        about = {"path": str(path), "name": name, "backwards": backwards}
        return await self._get(key, "clip_sound", about)

    async def recording(self, recording: Recording) -> Sound:
        """Give the sound of a stored recording; see `clip`."""
        about = {"recording_id": recording.recording_id}
        return await self._get(recording.sha256, "recording_sound", about)

    async def _get(self, key: str, task: str, about: dict[str, Any]) -> Sound:
        assert KEY.fullmatch(key)
        sound = Sound(self.folder / f"{key}.wav")
        if not (sound.path.exists() and sound.peaks.exists()):
            making = self._making.get(key)
            if making is None:
                making = asyncio.create_task(self._make(sound.path, task, about))
                self._making[key] = making
                making.add_done_callback(lambda _: self._making.pop(key, None))
            await asyncio.shield(making)  # the others wait on when one page is closed
        os.utime(sound.path)
        return sound

    async def _make(self, out: Path, task: str, about: dict[str, Any]) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self.pool.ask(task, out=str(out), **about)
        await asyncio.to_thread(self._make_room, out)

    def _make_room(self, kept: Path) -> None:
        files = [(path.stat(), path) for path in self.folder.glob("*.wav")]
        size = sum(status.st_size for status, _ in files)
        for status, path in sorted(files, key=lambda each: each[0].st_mtime):
            if size <= self.most_bytes:
                return
            if path != kept:
                path.unlink(missing_ok=True)
                path.with_suffix(".peaks").unlink(missing_ok=True)
                size -= status.st_size
