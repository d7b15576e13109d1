"""What a user writes after --db."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from samaf.errors import StoreError
from samaf.store.urls import redacted, resolve


def test_a_path_is_an_sqlite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve("a?b%20.db").database == str(tmp_path / "a?b%20.db")
    assert resolve("~/store").database == str(tmp_path / "store")
    assert resolve("sqlite:///rel.db").database == "rel.db"


def test_none_is_the_variable_then_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMAF_DB", str(tmp_path / "mine.db"))
    assert resolve(None).database == str(tmp_path / "mine.db")
    monkeypatch.delenv("SAMAF_DB")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if sys.platform.startswith("linux"):
        assert resolve(None).database == str(tmp_path / "data" / "samaf" / "samaf.db")
        assert (tmp_path / "data" / "samaf").is_dir()
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
        with pytest.raises(StoreError, match="cannot be made"):
            resolve(None)


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "MariaDB"])
def test_servers_are_reached_through_pymysql(scheme: str) -> None:
    url = resolve(f"{scheme}://ann:secret@host/hashes?ssl_ca=ca.pem")
    assert url.drivername == "mysql+pymysql"
    assert dict(url.query) == {"ssl_ca": "ca.pem", "charset": "utf8mb4"}
    assert url.password == "secret"


def test_passwords_are_never_shown() -> None:
    shown = redacted(resolve("mysql://ann:s%40cret@host/hashes?password=secret"))
    assert shown.startswith("mysql+pymysql://ann:***@host/hashes")
    assert "cret" not in shown
    for text in (
        "mysql://ann:se@cret/x@host:port/hashes?password=secret",
        "postgresql://ann:secret@host/hashes",
        "mysql://ann:secret@host/",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql+mysqldb://ann:secret@host/hashes",
    ):
        with pytest.raises(StoreError, match="give a file|%40") as error:
            resolve(text)
        assert "cret" not in str(error.value)
