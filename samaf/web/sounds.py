"""Decoded sounds, cached on disk within a limit: each is decoded once, by a process of the pool."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from samaf.engine.playback import HEADER_BYTES, draft_path
from samaf.media import Selection
from samaf.records import Recording
from samaf.web.pictures import SAMPLE_RATE
from samaf.web.workers import Pool

KEY = re.compile(r"[0-9a-f]{64}(-track\d+)?(-channel\d+)?(-backwards)?")


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip as it is played.

    Attributes
    ----------
    name
        For messages.
    sha256
        Of its bytes.
    backwards
        Turned round.
    """

    path: Path
    name: str
    sha256: str
    selection: Selection
    backwards: bool = False

    @property
    def key(self) -> str:
        """Its name in the cache."""
        track, channel = self.selection.track, self.selection.channel
        marks = (
            f"-track{track}" if track else "",
            f"-channel{channel}" if channel else "",
            "-backwards" if self.backwards else "",
        )
        return self.sha256 + "".join(marks)


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound that can be played and drawn."""

    path: Path

    @property
    def peaks(self) -> Path:
        """Its peaks of 160 ms."""
        return self.path.with_suffix(".peaks")

    @property
    def is_there(self) -> bool:
        """Whether it is in the cache."""
        return self.path.exists() and self.peaks.exists()

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

    async def clip(self, clip: Clip) -> Sound:
        """Give the sound of a clip, decoded now if it is not in the cache.

        Raises
        ------
        SamafError
            The file is not there, or cannot be decoded.
        """
        about = {
            "path": str(clip.path),
            "name": clip.name,
            "selection": asdict(clip.selection),
            "backwards": clip.backwards,
        }
        return await self._get(clip.key, "clip_sound", about)

    async def recording(self, recording: Recording) -> Sound:
        """Give the sound of a stored recording; see `clip`."""
        about = {"recording_id": recording.recording_id}
        return await self._get(recording.sha256, "recording_sound", about)

    def so_far(self, key: str) -> Sound | None:
        """Give a sound as far as it is decoded, without waiting; None before that begins."""
        for sound in (self._sound(key), Sound(draft_path(self._sound(key).path))):
            if sound.is_there:
                return sound
        return None

    def _sound(self, key: str) -> Sound:
        assert KEY.fullmatch(key)
        return Sound(self.folder / f"{key}.wav")

    async def _get(self, key: str, task: str, about: dict[str, Any]) -> Sound:
        sound = self._sound(key)
        if not sound.is_there:
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
