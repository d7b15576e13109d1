"""Which database is meant: the value of ``--db`` or SAMAF_DB as an SQLAlchemy URL."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from samaf.errors import StoreError

VARIABLE = "SAMAF_DB"
DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
}
EXAMPLES = "a file, sqlite:///FILE, or mysql://USER:PASSWORD@HOST/DATABASE"
SECRET_ARGUMENTS = ("password", "passwd", "ssl_key_password")


def resolve(text: str | None = None) -> URL:
    """Turn what the user wrote into a URL that SQLAlchemy can open.

    Parameters
    ----------
    text
        A plain path (an SQLite file), a ``sqlite://``, ``mysql://`` or ``mariadb://``
        URL, or None: then SAMAF_DB, else ``samaf.db`` in the user's data folder.

    Returns
    -------
    URL
        With driver, and with ``charset=utf8mb4`` for servers.

    Raises
    ------
    StoreError
        The URL cannot be read or names another kind of database.

    Examples
    --------
    >>> str(resolve("mysql://samaf@localhost/hashes"))
    'mysql+pymysql://samaf@localhost/hashes?charset=utf8mb4'
    """
    text = text or os.environ.get(VARIABLE) or str(_default_file())
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    scheme = text.partition("://")[0].lower()
    if scheme not in DRIVERS:
        raise StoreError(f"{_scrubbed(text)}: {scheme} is no database of samaf; give {EXAMPLES}")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError(f"{_scrubbed(text)}: not a database URL; give {EXAMPLES}") from None
    url = url.set(drivername=DRIVERS[scheme])
    if not url.database or url.database == ":memory:":
        raise StoreError(f"{redacted(url)}: names no database; give {EXAMPLES}")
    if is_file(url):
        return url
    if "@" in url.database:
        # Parts of the password were taken for the host; they would be shown.
        raise StoreError(f"{_scrubbed(text)}: write each @ in the password as %40 and / as %2F")
    return url.update_query_dict({"charset": "utf8mb4"})


def is_file(url: URL) -> bool:
    """Whether the store is an SQLite file rather than a server's database."""
    return url.drivername == "sqlite"


def redacted(url: URL) -> str:
    """Return the URL for messages and results: no password in it, wherever it stood."""
    secrets = {name: "***" for name in SECRET_ARGUMENTS if name in url.query}
    return url.update_query_dict(secrets).render_as_string(hide_password=True)


def _default_file() -> Path:
    """Return the store's file in the user's data folder, which is made when missing."""
    # Most runs name a store, so they are spared the import.
    from platformdirs import user_data_path

    folder = user_data_path("samaf", appauthor=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be made ({error.strerror}); name another store with --db"
        ) from error
    return folder / "samaf.db"


def _scrubbed(text: str) -> str:
    """Hide whatever may be a password in a URL that could not be parsed."""
    text = re.sub(r"//.*@", "//***@", text, flags=re.DOTALL)
    return re.sub(r"\?.*", "?***", text, flags=re.DOTALL)
