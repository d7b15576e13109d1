"""The sizes of stores: the paper's raw bytes, and that packed rows stay close to them."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks import storage, upkeep
from benchmarks.storage import HASHES, MB, measure, recordings


def test_raw_bytes_are_the_papers() -> None:
    assert [round(HASHES * bits / 8 / MB, 2) for bits in (128, 256)] == [2.70, 5.39]


def test_recordings_have_the_hashes_that_were_asked_for() -> None:
    made = list(recordings(100, 128, 37))
    assert [len(hashes) for _, hashes in made] == [37, 37, 26]
    assert {hashes.bits for _, hashes in made} == {128}
    assert len({recording.sha256 for recording, _ in made}) == 3
    assert made[0][0].duration == 10


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_packed_rows_take_little_more_than_the_hashes(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    if kind == "sqlite":
        sizes = both(str(tmp_path / "store.db"), 10_000)
    else:
        with request.getfixturevalue("mariadb_server").database() as url:
            sizes = both(url, 40_000)  # InnoDB takes room by the megabyte
    one_a_row, packed = sizes
    assert one_a_row[1] > 1.3 * one_a_row[0]
    assert packed[1] < 1.3 * packed[0]


@pytest.mark.parametrize("command", [storage.main, upkeep.main], ids=["storage", "upkeep"])
def test_a_server_that_cannot_be_reached_is_one_line(command: click.Command) -> None:
    done = CliRunner().invoke(command, ["--server", "mysql://root@/store?unix_socket=/none"])
    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert line.startswith("Error: ")
    assert "cannot be reached" in line


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
