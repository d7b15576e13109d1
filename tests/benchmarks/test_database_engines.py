"""Which engines ``benchmarks.load`` and ``benchmarks.torture`` try; none is passed over."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks import load, torture
from benchmarks.engines import parse_engines

both = pytest.mark.parametrize("command", [load.main, torture.main], ids=["load", "torture"])


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without MariaDB; gives its folder for temporary files."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@both
@pytest.mark.parametrize("engines", ["postgres", "sqlite,mymariadb", ""])
def test_engines_that_are_not_known_are_refused(command: click.Command, engines: str) -> None:
    done = CliRunner().invoke(command, ["--engines", engines])
    assert done.exit_code == 1
    assert done.output == f"Error: --engines {engines}: choose some of sqlite,mariadb\n"


@both
def test_mariadb_alone_has_to_be_installed(command: click.Command, no_server: Path) -> None:
    done = CliRunner().invoke(command, ["--engines", "mariadb"])
    assert done.exit_code == 1
    assert done.output.startswith("Error: --engines mariadb: no MariaDB server is installed")
    assert list(no_server.iterdir()) == []


@pytest.mark.usefixtures("no_server")
def test_mariadb_is_left_out_where_it_is_not_installed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert parse_engines("mariadb,sqlite") == ("sqlite",)
    assert "its half is left out" in capsys.readouterr().err


@pytest.mark.parametrize("lengths", ["x", "", "10,", "0", "-5", "10,100001"])
def test_lengths_that_recordings_cannot_have_are_refused(lengths: str) -> None:
    done = CliRunner().invoke(load.main, ["--engines", "sqlite", "--lengths", lengths])
    assert done.exit_code == 1
    assert done.output == (
        f"Error: --lengths {lengths}: write whole seconds from 1 to 100000, e.g. 3600,600,10\n"
    )
