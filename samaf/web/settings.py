"""What a server is given, and its limits."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
PORT = 8765
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

MOST_UPLOAD = 2 << 30  # bytes of one clip
MOST_UPLOADS = 20 << 30  # bytes of all clips kept; the oldest that are done go first
MOST_WAITING = 10_000  # queries that wait or run
MOST_KEPT = 20_000  # queries kept, done ones too
UPLOADS_AT_ONCE = 16
LISTENING = 2  # processes that decode for playing and drawing
MOST_SOUNDS = 8 << 30  # bytes of decoded sounds in the cache; the longest unused go first
MOST_SECONDS = 3600.0  # of one query; a worker that takes longer is ended
HIGHEST_TRACK = 1000  # and channel, that can be chosen
MOST_STREAMS = 100  # server-sent events at once
PAGE = 100  # records on a page
MOST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """How a store is served.

    Attributes
    ----------
    url
        Of the store, as `samaf.open` takes it.
    token
        Secret that a request must know.
    folder
        Queries, their clips and reports are kept here, so that nothing is lost when the server
        ends.
    cache
        Decoded sounds are kept here; all of it can be deleted at any time.
    roots
        Folders whose files may be chosen as clips, resolved.
    write
        Whether labels and decisions may be written into the store.
    host, port
        Where the server listens.
    hosts
        Names besides those of loopback that a request's ``Host`` may give.
    user_header, users
        Header in which a reverse proxy says who asks, and the names that are let in.
    index
        Index type of `samaf.open`.
    audio
        Folder of the recordings' audio; by default the paths that the store has.
    workers
        Queries that run at once.
    """

    url: str | None
    token: str
    folder: Path
    cache: Path
    roots: tuple[Path, ...] = ()
    write: bool = False
    host: str = HOST
    port: int = PORT
    hosts: tuple[str, ...] = ()
    user_header: str = ""
    users: tuple[str, ...] = ()
    index: str = "exact"
    audio: str | None = None
    workers: int = 2
    most_upload: int = MOST_UPLOAD
    most_uploads: int = MOST_UPLOADS
    most_sounds: int = MOST_SOUNDS

    @property
    def temporary(self) -> Path:
        """Folder of what lasts as long as a request; emptied at each start."""
        return self.folder / "temporary"

    @property
    def session(self) -> str:
        """Value of the cookie: it follows from the token, which does not follow from it."""
        return self._derived("session")

    @property
    def csrf(self) -> str:
        """Token that a page sends with each change."""
        return self._derived("csrf")

    @property
    def cookie(self) -> str:
        """Name of the cookie: browsers keep one jar for all ports of a machine."""
        return f"samaf_{self.port}"

    @property
    def link(self) -> str:
        """Address that opens the page."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", HOST) else self.host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/?token={self.token}"

    def allowed_hosts(self) -> frozenset[str]:
        """Give all values that a ``Host`` header may have, in small letters."""
        names = {*LOOPBACK, self.host if ":" not in self.host else f"[{self.host}]"}
        names -= {"0.0.0.0", "[::]"}
        with_port = {f"{name}:{self.port}" for name in names}
        if self.port == 80:
            with_port |= names
        return frozenset(name.lower() for name in with_port | set(self.hosts))

    def _derived(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256).hexdigest()
