"""Which database an index lies in: the value of ``--index`` with a scheme.

``chdb:///FOLDER`` is ClickHouse inside this process. ``clickhouse://USER@HOST:PORT/DATABASE`` is a
server, reached over HTTP; several shards stand with commas between, the replicas of one with
bars: ``clickhouse://USER@a1|a2,b1|b2:8123/DATABASE``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from samaf.errors import IndexDatabaseError

PASSWORD_VARIABLE = "SAMAF_INDEX_PASSWORD"
SCHEMES = ("chdb", "clickhouse")
EXAMPLES = "chdb:///FOLDER or clickhouse://USER@HOST:8123/DATABASE"
PORT, TLS_PORT = 8123, 8443
FILES = ("password_file", "ca", "cert", "key")
NUMBERS = ("connect_timeout", "read_timeout", "wait")  # s
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Address:
    """One server."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class IndexUrl:
    """A database of an index, resolved.

    Attributes
    ----------
    folder
        Of chDB; None where servers are meant.
    shards
        The replicas of each shard.
    tls, ca, cert, key
        Whether connections are encrypted, who certifies the server, and who we are.
    wait
        Seconds to wait for a shard that is away before the others are searched alone.
    """

    database: str
    folder: Path | None = None
    shards: tuple[tuple[Address, ...], ...] = ()
    user: str = "default"
    password: str = field(default="", repr=False)
    tls: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""
    connect_timeout: int = 5
    read_timeout: int = 300
    wait: int = 0

    def __str__(self) -> str:
        if self.folder:
            return f"chdb://{self.folder}"
        hosts = ",".join("|".join(map(str, replicas)) for replicas in self.shards)
        return f"clickhouse://{self.user}@{hosts}/{self.database}"


def resolve(text: str) -> IndexUrl:
    """Read the value of ``--index``.

    Raises
    ------
    IndexDatabaseError
        It names no such database, or a file that it names cannot be read.

    Examples
    --------
    >>> str(resolve("clickhouse://samaf@db1,db2/hashes"))
    'clickhouse://samaf@db1:8123,db2:8123/hashes'
    """
    scheme, _, rest = text.partition("://")
    if scheme not in SCHEMES:
        raise _refused(text, f"{scheme} is no database of indexes")
    if scheme == "chdb":
        path = unquote(rest)
        if not path.startswith("/") or "?" in rest:
            raise _refused(text, "names no folder")
        return IndexUrl("samaf", Path(path))
    parts = urlsplit(f"//{rest}", allow_fragments=False)
    userinfo, _, hosts = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    tls = options.pop("tls", "0") == "1"
    values: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for name, value in options.items():
        if name in FILES:
            values[name] = value
        elif name in NUMBERS and value.isdecimal():
            numbers[name] = int(value)
        else:
            raise _refused(text, f"{name}={value} is no option; there are tls=1, " + _options())
    database = parts.path.lstrip("/")
    if not hosts or not IDENTIFIER.fullmatch(database):
        raise _refused(text, "names no host or no database")
    file = values.pop("password_file", "")
    password = unquote(password) or (_first_line(file) if file else "")
    for path in values.values():
        _first_line(path)
    return IndexUrl(
        database,
        None,
        _shards(text, hosts, TLS_PORT if tls else PORT),
        unquote(user) or "default",
        password or os.environ.get(PASSWORD_VARIABLE, ""),
        tls,
        **values,  # type: ignore[arg-type]
        **numbers,  # type: ignore[arg-type]
    )


def _shards(text: str, hosts: str, port: int) -> tuple[tuple[Address, ...], ...]:
    shards = []
    for replicas in hosts.split(","):
        addresses = []
        for host in replicas.split("|"):
            name, _, given = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
            if not re.fullmatch(r"[\w.-]+|\[[0-9a-fA-F:]+\]", name):
                raise _refused(text, f"{host!r} is no host")
            addresses.append(Address(name, int(given) if given else port))
        shards.append(tuple(addresses))
    return tuple(shards)


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise IndexDatabaseError(f"{path}: cannot be read ({error}); name another file") from None


def _options() -> str:
    return ", ".join(f"{name}=..." for name in (*FILES, *NUMBERS))


def _refused(text: str, reason: str) -> IndexDatabaseError:
    shown = re.sub(r"://([^/@:]*):[^@]*@", r"://\1:***@", text)
    return IndexDatabaseError(f"{shown}: {reason}; give {EXAMPLES}")
