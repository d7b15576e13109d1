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
    url = resolve(f"{scheme}://ann:secret@host/hashes?unix_socket=mysqld.sock")
    assert url.drivername == "mysql+pymysql"
    assert dict(url.query) == {"unix_socket": "mysqld.sock", "charset": "utf8mb4"}
    assert url.password == "secret"


def test_passwords_are_never_shown() -> None:
    for given in ("ann:s%40cret@host/hashes", "ann@host/hashes?password=s%40cret"):
        url = resolve(f"mysql://{given}")
        assert url.password == "s@cret"
        assert redacted(url) == "mysql+pymysql://ann:***@host/hashes?charset=utf8mb4"
        assert "cret" not in repr(url) + str(url)
    for text in (
        "mysql://ann:se@cret/x@host:port/hashes?password=secret",
        "postgresql://ann:secret@host/hashes",
        "mysql://ann:secret@host/",
        "mysql://ann@host/?password=secret",
        "mysql://ann:secret@host/hashes?local_infile=1&password=secret",
        "mysql://ann@host/hashes?password=secret&password=secret",
        "sqlite:///store.db?password=secret",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql+mysqldb://ann:secret@host/hashes",
    ):
        with pytest.raises(StoreError, match="give a file|%40|takes no") as error:
            resolve(text)
        assert "cret" not in str(error.value)


def test_a_password_comes_from_where_it_was_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text("from the file\n")
    monkeypatch.setenv("SAMAF_DB_PASSWORD", "from the variable")
    bare = "mysql://ann@host/hashes"
    assert resolve(bare).password == "from the variable"
    assert resolve(f"{bare}?password_file={file}").password == "from the file"
    assert resolve("mysql://ann:own@host/hashes").password == "own"
    assert "file" not in str(resolve(f"{bare}?password_file={file}"))


@pytest.mark.parametrize("name", ["password_file", "read_default_file", "ssl_ca", "ssl_key"])
def test_files_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    for path, reason in (("missing", "No such file"), ("", "Is a directory")):
        with pytest.raises(StoreError, match=f"{name}: .* cannot be read .{reason}"):
            resolve(f"mysql://ann@host/hashes?{name}={tmp_path / path}")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x80")
    with pytest.raises(StoreError, match="is not text"):
        resolve(f"mysql://ann@host/hashes?{name}={tmp_path / 'binary'}")


def test_a_bad_option_file_is_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "my.cnf"
    file.write_text("password = secret\n")
    with pytest.raises(StoreError, match="not a MySQL option file") as error:
        resolve(f"mysql://ann@host/hashes?read_default_file={file}")
    assert "secret" not in str(error.value)


def test_names_that_are_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("bad\udcff.db", "sqlite:///bad\udcff.db", "mysql://ann:se\udcffcret@host/hashes"):
        with pytest.raises(StoreError, match="is not UTF-8") as error:
            resolve(text)
        assert "cret" not in str(error.value)
        str(error.value).encode()
    (tmp_path / "bad\udcff").mkdir()
    monkeypatch.chdir(tmp_path / "bad\udcff")
    with pytest.raises(StoreError, match="is not UTF-8"):
        resolve("store.db")


@pytest.mark.parametrize("name", ["connect_timeout", "read_timeout", "write_timeout"])
def test_times_are_whole_seconds(name: str) -> None:
    assert resolve(f"mysql://ann@host/hashes?{name}=30").query[name] == "30"
    for value in ("abc", "1.5", "-1"):
        with pytest.raises(StoreError, match=f"{name} '{value}' is no number; give whole seconds"):
            resolve(f"mysql://ann:secret@host/hashes?{name}={value}")
