"""A few kills of writers and servers of an index (50: ``python -m benchmarks cluster torture``)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.cluster import torture
from benchmarks.cluster.commands import command

pytestmark = pytest.mark.process


def test_a_killed_load_goes_on() -> None:
    result = CliRunner().invoke(command, ["torture", "--kills", "4"])
    assert result.exit_code == 0, result.output
    for work in torture.WORK:
        assert f"| ClickHouse | {work} | 1 |" in result.output


def test_what_is_lost_or_doubled_is_noticed(new_index: Callable[..., str], tmp_path: Path) -> None:
    """The checks themselves find what they are for."""
    stores, url = torture.Stores.made(tmp_path), new_index()
    assert torture.state(stores.before, url) == (False, [])
    torture.write(stores.before, url)
    complete, rows = torture.state(stores.before, url)
    assert complete
    assert not torture.state(stores.after, url)[0]
    torture.write(stores.after, url)
    assert torture.state(stores.after, url)[1] != rows
    (connection,) = torture.connections(torture.resolve(url))
    _, rows = torture.state(stores.after, url)
    connection.execute("INSERT INTO {db}.cells SELECT cell, r FROM {db}.cells LIMIT 9")
    assert torture.state(stores.after, url)[1] == rows  # the same rows, which count once
    connection.execute("INSERT INTO {db}.cells SELECT cell + 1, r FROM {db}.cells LIMIT 1")
    assert torture.state(stores.after, url)[1] != rows
