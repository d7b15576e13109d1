"""Which database is meant: the value of ``--db`` or SAMAF_DB as an SQLAlchemy URL.

A server's password may stand in the URL, in SAMAF_DB_PASSWORD, in a file of its own
(``?password_file=FILE``) or in a MySQL option file (``?read_default_file=FILE``); all but the
first keep it out of process lists and shell histories. It ends up in the URL's own field,
which SQLAlchemy never shows.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from samaf.errors import StoreError

VARIABLE = "SAMAF_DB"
PASSWORD_VARIABLE = "SAMAF_DB_PASSWORD"
DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
}
EXAMPLES = "a file, sqlite:///FILE, or mysql://USER:PASSWORD@HOST/DATABASE"
SECRET_ARGUMENTS = ("password", "passwd")
PASSWORD_FILE = "password_file"
OPTION_FILE = "read_default_file"
# Of TLS: who certifies the server, and how we prove who we are.
TLS_FILES = ("ssl_ca", "ssl_cert", "ssl_key")
TLS_ARGUMENTS = (*TLS_FILES, "ssl_capath", "ssl_cipher", "ssl_check_hostname")
TIMEOUTS = ("connect_timeout", "read_timeout", "write_timeout")  # s
ARGUMENTS = (
    *("charset", "unix_socket"),
    *TIMEOUTS,
    *(PASSWORD_FILE, OPTION_FILE, "read_default_group"),
    *TLS_ARGUMENTS,
    *SECRET_ARGUMENTS,
)


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
        With driver; for servers with the password and ``charset=utf8mb4``.

    Raises
    ------
    StoreError
        The URL cannot be read or names another kind of database, or a file that it names
        cannot be read.

    Examples
    --------
    >>> str(resolve("mysql://samaf@localhost/hashes"))
    'mysql+pymysql://samaf@localhost/hashes?charset=utf8mb4'
    """
    text = text or os.environ.get(VARIABLE) or str(_default_file())
    if "://" not in text:
        path = str(Path(text).expanduser().absolute())
        _check_encoding(path)
        return URL.create("sqlite", database=path)
    _check_encoding(text)
    scheme = text.partition("://")[0].lower()
    if scheme not in DRIVERS:
        raise StoreError(f"{_scrubbed(text)}: {scheme} is no database of samaf; give {EXAMPLES}")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError(f"{_scrubbed(text)}: not a database URL; give {EXAMPLES}") from None
    url = url.set(drivername=DRIVERS[scheme])
    if not url.database or url.database == ":memory:":
        raise StoreError(f"{_scrubbed(text)}: names no database; give {EXAMPLES}")
    _check_arguments(url)
    if is_file(url):
        return url
    if "@" in url.database:
        # Parts of the password were taken for the host; they would be shown.
        raise StoreError(f"{_scrubbed(text)}: write each @ in the password as %40 and / as %2F")
    return _with_password(url).update_query_dict({"charset": "utf8mb4"})


def is_file(url: URL) -> bool:
    """Whether the store is an SQLite file rather than a server's database."""
    return url.drivername == "sqlite"


def redacted(url: URL) -> str:
    """Return a resolved URL for messages and results: without the password."""
    return url.render_as_string(hide_password=True)


def _check_encoding(text: str) -> None:
    """Refuse bytes that are no UTF-8: no database takes them in its name."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StoreError(
            f"{_scrubbed(text)!a}: is not UTF-8, as its name must be; rename it"
        ) from None


def _check_arguments(url: URL) -> None:
    """Refuse arguments that the driver would not take, or whose files cannot be read."""
    known = () if is_file(url) else ARGUMENTS
    for name, value in url.query.items():
        if name not in known or not isinstance(value, str):
            allowed = ", ".join(each for each in known if each not in SECRET_ARGUMENTS) or "none"
            raise StoreError(
                f"{_scrubbed(str(url))}: takes no {name!a} (or not twice); it may have {allowed}"
            )
    for name in TIMEOUTS:
        value = url.query.get(name, "0")
        if not str(value).isdecimal():
            raise StoreError(
                f"{_scrubbed(str(url))}: {name} {value!a} is no number; give whole seconds"
            )
    for name in TLS_FILES:
        if name in url.query:
            _read(name, str(url.query[name]))
    if OPTION_FILE in url.query:
        _check_option_file(str(url.query[OPTION_FILE]))


def _with_password(url: URL) -> URL:
    """Put the password where it is never shown, wherever it was given."""
    given = [str(url.query[name]) for name in SECRET_ARGUMENTS if name in url.query]
    if url.password is None and given:
        url = url.set(password=given[0])
    elif url.password is None and PASSWORD_FILE in url.query:
        content = _read(PASSWORD_FILE, str(url.query[PASSWORD_FILE]))
        url = url.set(password=content.partition("\n")[0].rstrip("\r"))
    elif url.password is None and os.environ.get(PASSWORD_VARIABLE):
        url = url.set(password=os.environ[PASSWORD_VARIABLE])
    return url.difference_update_query([*SECRET_ARGUMENTS, PASSWORD_FILE])


def _check_option_file(path: str) -> None:
    from configparser import Error

    from pymysql.optionfile import Parser

    content = _read(OPTION_FILE, path)
    try:
        Parser().read_string(content)
    except Error as error:
        # The text of the error may quote the line with the password.
        reason = type(error).__name__
        raise StoreError(f"{path}: not a MySQL option file ({reason}); fix it") from None


def _read(argument: str, path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{argument}: {path} cannot be read ({error.strerror}); check path and rights"
        ) from None
    except ValueError:
        raise StoreError(f"{argument}: {path} is not text; give another file") from None


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
