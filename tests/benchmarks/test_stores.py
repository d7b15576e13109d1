"""A few kills of each kind (the full torture is ``make torture``), sizes, and refusals."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from conftest import refusal

from benchmarks.stores import torture
from benchmarks.stores.made import parse_dialects, sqlite_database
from benchmarks.stores.server import DatabaseServer
from benchmarks.stores.storage import HASHES, MB, measure, recordings


@pytest.mark.slow
@pytest.mark.parametrize("verb", torture.VERBS, ids=lambda verb: verb.name)
def test_a_killed_program_loses_nothing(verb: torture.Verb) -> None:
    assert (
        torture.torture("sqlite", verb, sqlite_database, 1, random.Random(verb.name)).failures == ()
    )


def test_a_killed_program_leaves_the_server_sound(database_server: DatabaseServer) -> None:
    for verb in (torture.VERBS[0], torture.VERBS[3]):
        tally = torture.torture("server", verb, database_server.database, 1, random.Random(2))
        assert tally.failures == ()


def test_a_killed_server_loses_nothing(database_server: DatabaseServer) -> None:
    tally = torture.torture_server("server", database_server, 1, random.Random(3))
    assert tally.failures == ()


@pytest.mark.slow
def test_what_is_lost_is_noticed(tmp_path: Path) -> None:
    """The checks themselves find what they are for."""
    place = torture.Place(str(tmp_path / "store.db"), tmp_path)
    add, delete = torture.VERBS[:2]
    add.prepare(place)
    assert "recordings are stored instead of" in add.unfinished(place)
    said: set[str] = set()
    add.work(place, said.add)
    assert (add.broken(place, said), add.unfinished(place)) == ("", "")
    assert add.broken(place, {"ab" * 32}) == "1 reported recordings are lost"
    assert delete.broken(place, said) == f"{torture.COUNT} deleted recordings are back"


def test_raw_bytes_are_the_papers() -> None:
    assert [round(HASHES * bits / 8 / MB, 2) for bits in (128, 256)] == [2.70, 5.39]


def test_recordings_have_the_hashes_that_were_asked_for() -> None:
    made = list(recordings(100, 128, 37))
    assert [len(hashes) for _, hashes in made] == [37, 37, 26]
    assert {hashes.bits for _, hashes in made} == {128}
    assert len({recording.sha256 for recording, _ in made}) == 3
    assert made[0][0].duration == 10


@pytest.mark.slow
def test_packed_rows_take_little_more_than_the_hashes(database_url: str) -> None:
    # InnoDB takes room by the megabyte.
    one_a_row, packed = both(database_url, 10_000 if database_url.startswith("sqlite") else 40_000)
    assert one_a_row[1] > 1.3 * one_a_row[0]
    assert packed[1] < 1.3 * packed[0]


def both(url: str, hashes: int) -> list[tuple[int, int]]:
    """Raw bytes and bytes of the table, for the paper's layout and for packed rows."""
    found = []
    for rows, length in ((1, "10 s"), (4096, "1 h")):
        size = measure(url, hashes, 256, rows, length)
        assert size.table is not None
        assert size.raw == 32 * hashes
        assert size.store > size.table
        found.append((size.raw, size.table))
    return found


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without MariaDB; gives its folder for temporary files."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


both_commands = pytest.mark.parametrize("command", ["load", "torture"])


@both_commands
@pytest.mark.parametrize("dialects", ["postgres", "sqlite,mymariadb", ""])
def test_dialects_that_are_not_known_are_refused(command: str, dialects: str) -> None:
    reason = refusal("stores", command, "--dialects", dialects)
    assert reason == f"--dialects {dialects}: choose some of sqlite,mariadb,mysql"


@both_commands
def test_a_server_alone_has_to_be_installed(command: str, no_server: Path) -> None:
    reason = refusal("stores", command, "--dialects", "mariadb")
    assert reason.startswith("--dialects mariadb: no MariaDB server is installed")
    assert list(no_server.iterdir()) == []


@pytest.mark.usefixtures("no_server")
def test_a_server_is_left_out_where_it_is_not_installed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert parse_dialects("mariadb,sqlite") == ("sqlite",)
    assert "mariadb left out: no MariaDB server" in capsys.readouterr().err


@pytest.mark.parametrize("lengths", ["x", "", "10,", "0", "-5", "10,100001"])
def test_lengths_that_recordings_cannot_have_are_refused(lengths: str) -> None:
    assert refusal("stores", "load", "--dialects", "sqlite", "--lengths", lengths) == (
        f"--lengths {lengths}: write whole seconds from 1 to 100000, e.g. 3600,600,10"
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--work", "ad"], "--work ad: choose some of add,delete,import,migrate,index,server"),
        (["--work", "add,"], "--work add,: choose some of"),
        (["--dialects", "sqlite", "--work", "server"], "--work server: needs a server"),
    ],
)
def test_work_that_cannot_be_done_is_refused(words: list[str], reason: str) -> None:
    assert refusal("stores", "torture", *words).startswith(reason)


@pytest.mark.parametrize("command", ["storage", "upkeep"])
def test_a_server_that_cannot_be_reached_is_one_line(command: str) -> None:
    server = "mysql://root@/store?unix_socket=/none"
    assert "cannot be reached" in refusal("stores", command, "--server", server)
