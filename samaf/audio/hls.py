"""HLS: a playlist of short files, each fetched when it is its turn, as one file of bytes.

A live playlist is fetched again and again, and its newest parts are given. A part that has gone
before it was fetched breaks the stream off, so that no sound is lost without a word.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from samaf.audio.formats import is_playlist
from samaf.errors import AudioError

if TYPE_CHECKING:
    from samaf.audio.http import Http, HttpFile

PLAYLIST_BYTES = 16 << 20  # a longer one is none
PARTS_BEHIND = 3  # that a live stream starts behind its end, as players do
TRIES = 3  # in a row, of a live playlist or a part of one
REFRESH_SECONDS = 0.5  # at least between two looks at a playlist
REFRESH_SHARE = 0.5  # of the length of a part, otherwise
TITLES_KEPT = 100


class HlsFile:
    """The sound of a playlist, as a binary file: each read gives what has come.

    Parameters
    ----------
    playlist
        The playlist, opened.

    Attributes
    ----------
    complete
        Whether the playlist has ended and all of it was given.
    """

    def __init__(self, http: Http, playlist: HttpFile) -> None:
        self._http = http
        self._name = playlist.name
        self._closed = threading.Event()
        self._parts: deque[Any] = deque()  # to be given, in their order
        self._next: int | None = None  # number of the first part that is not among them
        self._ended = False
        self._wait = REFRESH_SECONDS
        self._failures = 0
        self._part: HttpFile | None = None
        self._header = ""  # address of the header of the parts, and its place there
        self._given_s = 0.0  # sound in the parts that were opened, as the playlist states it
        self._titles: deque[tuple[float, str]] = deque(maxlen=TITLES_KEPT)
        self.complete = False
        self._address = playlist.name
        self._load(playlist)

    def title(self, seconds: float) -> str:
        """Give what the playlist calls the part that holds this second of the sound given."""
        # Decoders read ahead: the part that was opened last may lie seconds after this one.
        titles = [title for since, title in self._titles if since <= seconds]
        return titles[-1] if titles else ""

    def read(self, size: int) -> bytes:
        """Read what has come, at most ``size`` bytes; empty at the end."""
        while not self._closed.is_set():
            if self._part is not None:
                if data := self._part.read(size):
                    return data
                if self._part.fault:
                    raise ConnectionError(f"a part of the playlist: {self._part.fault}")
                self._part.close()
                self._part = None
            elif self._ended and not self._parts:
                self.complete = True
                return b""
            else:
                self._go_on()
        return b""

    def _go_on(self) -> None:
        """Open the next part, or look for new ones; a server may fail for a moment."""
        try:
            if self._parts:
                self._open_next()
            elif not self._closed.wait(self._wait):
                self._load(self._http.file(self._address))
            self._failures = 0
        except ConnectionAbortedError:
            raise
        except OSError:
            self._failures += 1
            if self._ended or self._failures == TRIES:
                raise
            self._closed.wait(self._wait)

    def abandon(self) -> None:
        """Let another thread's read end."""
        self._closed.set()
        if part := self._part:
            part.abandon()

    def close(self) -> None:
        """End the connection."""
        if self._part:
            self._part.close()

    def _load(self, file: HttpFile) -> None:
        """Read a playlist; where it lists others, go to the one that holds the sound."""
        playlist = self._read(file)
        if playlist.is_variant:
            file = self._http.file(urljoin(file.name, _sound_of(playlist, self._name)))
            playlist = self._read(file)
        if playlist.is_variant:
            raise AudioError(f"{self._name}: lists playlists that list others; give one of them")
        self._address = file.name
        self._wait = max(REFRESH_SECONDS, REFRESH_SHARE * (playlist.target_duration or 0))
        self._ended = bool(playlist.is_endlist)
        self._take(playlist.segments, playlist.media_sequence or 0)

    def _read(self, file: HttpFile) -> Any:
        import m3u8

        content = b""
        while len(content) <= PLAYLIST_BYTES and (data := file.read(1 << 16)):
            content += data
        file.close()
        if not is_playlist(content):
            raise AudioError(f"{self._name}: sends no playlist any more")
        try:
            return m3u8.loads(content.decode("utf-8", "replace"))
        except ValueError as error:
            raise AudioError(f"{self._name}: its playlist cannot be read ({error})") from None

    def _take(self, parts: list[Any], first: int) -> None:
        """Note the parts that are new; the first of them has a number."""
        stop = first + len(parts)
        if self._next is None:
            self._next = first if self._ended else max(first, stop - PARTS_BEHIND)
        if first > self._next:
            raise ConnectionAbortedError(f"{first - self._next} parts of the playlist were missed")
        if stop < self._next:
            raise ConnectionAbortedError("the playlist started again")
        self._parts.extend(parts[self._next - first :])
        self._next = stop

    def _open_next(self) -> None:
        part = self._parts[0]
        if part.key and part.key.method not in (None, "NONE"):
            raise AudioError(f"{self._name}: is encrypted ({part.key.method}), which is not read")
        header = part.init_section
        place = f"{header.uri} {header.byterange}" if header else ""
        if header and place != self._header:
            self._part = self._opened(header)
            self._header = place
            return
        self._part = self._opened(part)
        self._parts.popleft()
        self._titles.append((self._given_s, (part.title or "").strip()))
        self._given_s += part.duration or 0

    def _opened(self, part: Any) -> HttpFile:
        first, last = 0, None
        if part.byterange:
            count, _, offset = part.byterange.partition("@")
            first = int(offset or 0)
            last = first + int(count) - 1
        return self._http.file(urljoin(self._address, part.uri), first, last)


def _sound_of(playlist: Any, name: str) -> str:
    """Give the address of the playlist with the sound, and as little else as there is."""
    if not playlist.playlists:
        raise AudioError(f"{name}: lists no playlist with sound")
    variant = min(playlist.playlists, key=lambda each: each.stream_info.bandwidth or 0)
    group = variant.stream_info.audio
    tracks = [
        medium
        for medium in playlist.media
        if medium.type == "AUDIO" and medium.group_id == group and medium.uri
    ]
    tracks.sort(key=lambda medium: medium.default != "YES")
    address: str = tracks[0].uri if tracks else variant.uri
    return address
