"""A few kills of each kind; the full torture is ``make torture``."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from mariadb import MariadbServer

from benchmarks import torture


@pytest.mark.parametrize("verb", torture.VERBS, ids=lambda verb: verb.name)
def test_a_killed_program_loses_nothing(verb: torture.Verb) -> None:
    assert (
        torture.torture("sqlite", verb, torture.sqlite_file, 1, random.Random(verb.name)).failures
        == ()
    )


def test_a_killed_program_leaves_the_server_sound(mariadb_server: MariadbServer) -> None:
    for verb in (torture.VERBS[0], torture.VERBS[3]):
        tally = torture.torture("mariadb", verb, mariadb_server.database, 1, random.Random(2))
        assert tally.failures == ()


def test_a_killed_server_loses_nothing(mariadb_server: MariadbServer) -> None:
    assert torture.torture_server(mariadb_server, 1, random.Random(3)).failures == ()


def test_what_is_lost_is_noticed(tmp_path: Path) -> None:
    """The checks themselves find what they are for."""
    place = torture.Place(str(tmp_path / "store.db"), tmp_path)
    add, delete = torture.VERBS[:2]
    add.prepare(place)
    assert "recordings are there instead of" in add.unfinished(place)
    said: set[str] = set()
    add.work(place, said.add)
    assert (add.broken(place, said), add.unfinished(place)) == ("", "")
    assert add.broken(place, {"ab" * 32}) == "1 reported recordings are lost"
    assert delete.broken(place, said) == f"{torture.COUNT} deleted recordings are back"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--work", "ad"], "--work ad: choose some of add,delete,import,migrate,index,server"),
        (["--work", "add,"], "--work add,: choose some of"),
        (["--engines", "sqlite", "--work", "server"], "--work server: needs mariadb"),
    ],
)
def test_work_that_cannot_be_done_is_refused(words: list[str], reason: str) -> None:
    done = CliRunner().invoke(torture.main, words)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {reason}")
    assert len(done.output.splitlines()) == 1
