"""A server reached through TLS, and the ways to give it a password."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.stores.mariadb import MariadbServer
from benchmarks.stores.mysql import MysqlServer
from benchmarks.stores.server import DatabaseServer
from samaf.errors import StoreError
from samaf.store import Store, StoredFingerprinter

pytestmark = pytest.mark.server

OPEN = """
import sys
from pathlib import Path
from samaf.errors import StoreError
from samaf.store import Store
try:
    with Store.open(sys.argv[1]) as store:
        print(repr(store), store.stats(), store._database.url, store._database._readers)
except StoreError as error:
    print(error)
print(Path("/proc/self/cmdline").read_bytes())
"""


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certify(folder: Path, name: str, extra: str = "") -> None:
    """Make a key, and a certificate that the authority of the folder signs."""
    (folder / f"{name}.ext").write_text(extra)
    openssl(
        folder,
        *f"req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}".split(),
    )
    openssl(
        folder,
        *f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2".split(),
        *f"-out {name}.pem -extfile {name}.ext".split(),
    )


@pytest.fixture(scope="module")
def certificates() -> Iterator[Path]:
    """An authority, a server and a client that it vouches for, and another authority."""
    with tempfile.TemporaryDirectory(prefix="samaf-tls-") as name:
        folder = Path(name)
        for authority in ("ca", "stranger"):
            openssl(
                folder,
                *"req -x509 -newkey rsa:2048 -nodes -days 2".split(),
                *f"-keyout {authority}.key -out {authority}.pem -subj /CN={authority}".split(),
            )
        certify(folder, "server", "subjectAltName=IP:127.0.0.1")
        certify(folder, "ann")
        yield folder


@pytest.fixture(scope="module", params=[MariadbServer, MysqlServer])
def server(
    request: pytest.FixtureRequest, certificates: Path
) -> Iterator[tuple[DatabaseServer, int]]:
    """A server with TLS on a port of its own, a database, and users with a password."""
    kind: type[DatabaseServer] = request.param
    if not kind.is_installed():
        pytest.skip(kind.ABSENT)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = kind(
        "--bind-address=127.0.0.1",
        f"--port={port}",
        f"--ssl-ca={certificates / 'ca.pem'}",
        f"--ssl-cert={certificates / 'server.pem'}",
        f"--ssl-key={certificates / 'server.key'}",
    )
    server.execute(
        "CREATE DATABASE hashes",
        *(
            statement
            for user, need in (("ann", "SSL"), ("bob", "X509"), ("carl", "NONE"))
            for statement in (
                f"CREATE USER {user} IDENTIFIED BY 'sec%ret' REQUIRE {need}",
                f"GRANT ALL ON hashes.* TO {user}",
            )
        ),
    )
    yield server, port
    server.remove()


def fault(url: str) -> str:
    with pytest.raises(StoreError) as error:
        Store.open(url).close()
    message = str(error.value)
    assert "sec%" not in message
    assert "\n" not in message
    return message


def cipher(url: str) -> str:
    with Store.open(url) as store:
        return store._database.read(
            lambda connection: str(
                connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").one()[1]
            )
        )


def test_the_server_is_verified(server: tuple[DatabaseServer, int], certificates: Path) -> None:
    _, port = server
    url = f"mysql://ann:sec%25ret@127.0.0.1:{port}/hashes"
    assert cipher(f"{url}?ssl_ca={certificates / 'ca.pem'}")
    assert "ssl_ca certifies" in fault(f"{url}?ssl_ca={certificates / 'stranger.pem'}")
    other_name = url.replace("127.0.0.1", "localhost")
    assert "of this host" in fault(f"{other_name}?ssl_ca={certificates / 'ca.pem'}")
    assert cipher(f"{other_name}?ssl_ca={certificates / 'ca.pem'}&ssl_check_hostname=false")
    assert "cannot connect" in fault(f"{url}?ssl_ca={certificates / 'ann.csr'}")


def test_a_client_proves_who_it_is(server: tuple[DatabaseServer, int], certificates: Path) -> None:
    _, port = server
    url = f"mysql://bob:sec%25ret@127.0.0.1:{port}/hashes?ssl_ca={certificates / 'ca.pem'}"
    assert "user name or password is wrong" in fault(url)
    own = f"&ssl_cert={certificates / 'ann.pem'}&ssl_key={certificates / 'ann.key'}"
    assert cipher(url + own)


def test_no_password_goes_to_a_server_without_tls(
    database_server: DatabaseServer, certificates: Path
) -> None:
    url = database_server.url("hashes", "ann:sec%25ret")
    assert "offers no TLS" in fault(f"{url}&ssl_ca={certificates / 'ca.pem'}")


@pytest.mark.parametrize("way", ["variable", "password_file", "read_default_file"])
def test_a_password_shows_up_nowhere(
    server: tuple[DatabaseServer, int],
    tmp_path: Path,
    way: str,
    fingerprinter: StoredFingerprinter,
) -> None:
    _, port = server
    environment = dict(os.environ)
    url = f"mysql://carl@127.0.0.1:{port}/hashes"
    if way == "variable":
        environment["SAMAF_DB_PASSWORD"] = "sec%ret"
    elif way == "password_file":
        (tmp_path / "file").write_text("sec%ret\n")
        url += f"?password_file={tmp_path / 'file'}"
    else:
        (tmp_path / "file").write_text("[client]\nuser = carl\npassword = sec%ret\n")
        url = f"mysql://127.0.0.1:{port}/hashes?read_default_file={tmp_path / 'file'}"
    for database in ("hashes", "missing"):
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", OPEN, url.replace("/hashes", f"/{database}")],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        told = done.stdout + done.stderr
        assert ("<Store mysql" in told) == (database == "hashes"), told
        assert "sec%" not in told
        assert "sec%25" not in told


def test_values_are_not_in_errors(
    server: tuple[DatabaseServer, int], fingerprinter: StoredFingerprinter
) -> None:
    _, port = server
    with Store.open(f"mysql://carl:sec%25ret@127.0.0.1:{port}/hashes") as store:
        store.bind(fingerprinter)
        rename(store, "labels", "other")
        try:
            with pytest.raises(StoreError) as error:
                store.recordings({"secret": "label"}).__next__()
            assert "secret" not in str(error.value) + repr(error.value.__cause__)
        finally:
            rename(store, "other", "labels")


def rename(store: Store, old: str, new: str) -> None:
    store._database.bare(f"RENAME TABLE {old} TO {new}")
