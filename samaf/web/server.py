"""Starting the server: `samaf serve`."""

from __future__ import annotations

import errno
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from samaf.engine.engine import open as open_engine
from samaf.errors import SamafError
from samaf.text import printable
from samaf.web.settings import HOST, PORT, Settings

TOKEN = "SAMAF_TOKEN"
SHORTEST_TOKEN = 16  # characters


def serve(
    url: str | None = None,
    *,
    roots: Sequence[str | os.PathLike[str]] = (),
    write: bool = False,
    host: str = HOST,
    port: int = PORT,
    hosts: Sequence[str] = (),
    user_header: str = "",
    users: Sequence[str] = (),
    index: str = "exact",
    audio: str | os.PathLike[str] | None = None,
    on_start: Callable[[str], None] = lambda _link: None,
) -> None:
    """Serve a store as a page and as an API, until Ctrl-C.

    Parameters
    ----------
    url
        The store, as `samaf.open` takes it; it must be there.
    roots
        Folders whose files may be chosen as clips.
    write
        Allow decisions and labels to be written into the store.
    host, port
        Where to listen; 0 takes a free port.
    hosts
        Names besides those of loopback that requests may give: those of a reverse proxy.
    user_header, users
        Header in which the reverse proxy says who asks, and who is let in.
    index
        Index type, as in `samaf.open`.
    audio
        Folder of the recordings' audio: found by name or SHA-256. By default, and where it lacks
        one, the path that the store has.
    on_start
        Called with the link that opens the page.

    Raises
    ------
    SamafError
        The store cannot be opened, a root is no folder, the port is taken, or another server
        has the store.
    """
    from filelock import FileLock, Timeout
    from platformdirs import user_cache_path, user_data_path

    if bool(user_header) != bool(users):
        raise SamafError(
            "--user-header and --user belong together: the header of the reverse proxy, and who "
            "is let in"
        )
    folders = tuple(_folder(root, "--root") for root in roots)
    with open_engine(url, index=index, create=False) as engine:
        store_id = engine.store.store_id
    with closing(_listening(host, port)) as listener:
        settings = Settings(
            url=url,
            token=_token(),
            folder=user_data_path("samaf") / "serve" / store_id,
            cache=user_cache_path("samaf") / "sounds",
            roots=folders,
            write=write,
            host=host,
            port=listener.getsockname()[1],
            hosts=tuple(hosts),
            user_header=user_header.lower(),
            users=tuple(users),
            index=index,
            audio=None if audio is None else str(_folder(audio, "--audio")),
            workers=len(os.sched_getaffinity(0)),
        )
        try:
            settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(settings.folder / "lock", timeout=0)
            with lock:
                on_start(settings.link)
                _run(settings, listener)
        except Timeout:
            raise SamafError(
                "another samaf serve of this user has the store open; use that one, or end it"
            ) from None
        except OSError as error:
            raise SamafError(
                f"{printable(settings.folder)}: cannot be used ({error.strerror}); queries are "
                "kept there: make it writable, or set XDG_DATA_HOME"
            ) from None


def _run(settings: Settings, listener: socket.socket) -> None:
    import uvicorn

    from samaf.web.app import application

    config = uvicorn.Config(
        application(settings),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        # Slow clients hold a connection, not a thread.
        timeout_keep_alive=30,
    )
    uvicorn.Server(config).run([listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SamafError(
                f"port {port} is taken, perhaps by another samaf serve; choose one with --port, "
                "or 0 for any that is free"
            ) from None
        raise SamafError(
            f"{host}:{port}: cannot listen there ({error.strerror}); choose --host and --port"
        ) from None
    return listener


def _folder(path: str | os.PathLike[str], option: str) -> Path:
    folder = Path(path)
    try:
        resolved = folder.resolve(strict=True)
    except OSError as error:
        raise SamafError(
            f"{printable(folder)}: no folder for {option} ({error.strerror}); check the path"
        ) from None
    if not resolved.is_dir():
        raise SamafError(f"{printable(folder)}: no folder; {option} takes one")
    return resolved


def _token() -> str:
    given = os.environ.get(TOKEN, "")
    if given and len(given) < SHORTEST_TOKEN:
        raise SamafError(f"{TOKEN} is too short; give {SHORTEST_TOKEN} characters or more")
    return given or secrets.token_urlsafe(32)
