"""Options that several commands share."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from samaf.cli.options import search_options
from samaf.engine.options import SEARCHES, QueryOptions


@pytest.mark.parametrize(
    ("given", "search"),
    [
        ("", "plain"),
        ("--deep", "deep"),
        ("--exhaustive", "exhaustive"),
        ("--deep --exhaustive", "exhaustive"),
        ("--exhaustive --deep", "deep"),
    ],
)
def test_the_last_of_deep_and_exhaustive_counts(given: str, search: str) -> None:
    @click.command()
    @search_options("altered clips")
    def command(search: str) -> None:
        click.echo(search)

    assert CliRunner().invoke(command, given.split()).output == f"{search}\n"
    assert search in SEARCHES
    assert QueryOptions(search=search).deep == (search != "plain")
