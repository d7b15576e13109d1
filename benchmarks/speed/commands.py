"""``python -m benchmarks speed``: one table a part."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks.speed.hashing import hashing
from benchmarks.speed.program import adding, querying, training
from benchmarks.speed.searching import searching
from benchmarks.tables import Line, markdown, of_lines
from benchmarks.terminal import corpus_option

PARTS: dict[str, Callable[[Path, Path], list[Line]]] = {
    "add": adding,
    "hash": hashing,
    "query": querying,
    "search": searching,
    "train": training,
}


@click.command()
@corpus_option
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Parts to run.")
def command(corpus: Path, only: tuple[str, ...]) -> None:
    """How fast and how large: adding, hashing, querying, starting, searching, training.

    Figures depend on the machine and on what else runs on it; the search part gives the
    physical limit beside them.
    """
    for name in only or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            lines = PARTS[name](corpus, Path(folder))
        click.echo(markdown(of_lines(name, f"Speed: {name}", lines)))
