"""Decoded sounds, cached on disk within a limit: each is decoded once, by a process of the pool."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

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

    async def get(self, source: Path, name: str, sha256: str, backwards: bool = False) -> Sound:
        """Give the sound of a file, decoded now if it is not in the cache.

        Parameters
        ----------
        name
            Of the file, for messages.
        sha256
            Of its bytes, which must be these.

        Raises
        ------
        SamafError
            The file is not there, is another one, or cannot be decoded.
        """
        sound = Sound(self.folder / f"{sha256}{'-backwards' if backwards else ''}.wav")
        key = sound.path.stem
        assert KEY.fullmatch(key)
        if not (sound.path.exists() and sound.peaks.exists()):
            making = self._making.get(key)
            if making is None:
                work = self._make(source, name, sound.path, sha256, backwards)
                making = self._making[key] = asyncio.create_task(work)
                making.add_done_callback(lambda _: self._making.pop(key, None))
            await asyncio.shield(making)  # the others wait on when one page is closed
        os.utime(sound.path)
        return sound

    async def _make(self, source: Path, name: str, out: Path, sha256: str, backwards: bool) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self.pool.ask(
            "sound",
            path=str(source),
            name=name,
            out=str(out),
            sha256=sha256,
            backwards=backwards,
        )
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
