"""``python -m benchmarks``: what is measured, and the tables and figures made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benchmarks.field.commands import command as field
from benchmarks.options import friendly

CONTEXT = {"help_option_names": ["-h", "--help"]}


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what is measured."""
    options = [
        click.option("--corpus", type=click.Path(path_type=Path), help="Corpus folder."),
        click.option("--granularity", default="1,2,3,6", show_default=True, help="Seconds."),
        click.option("--clips", type=click.IntRange(1), help="Ask about this many clips only."),
        click.option(
            "--rows", default="paper", show_default=True, help="all, paper, real, or NAME,NAME."
        ),
        click.option(
            "--work", type=click.Path(path_type=Path), help="Folder that keeps transformed clips."
        ),
        click.option(
            "--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes."
        ),
        click.option(
            "--out", required=True, type=click.Path(path_type=Path), help="Results folder."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings=CONTEXT)
def main() -> None:
    """Measure samaf and the baselines on the same clips by the same rules."""


@main.command()
@click.option(
    "--recognizers",
    default="all",
    show_default=True,
    help="KIND:SETTINGS,KIND:SETTINGS as `list` names them, samaf:MODEL, or all.",
)
@click.option(
    "--split",
    default="test",
    show_default=True,
    help="Clips to ask about: test, validation, train, or several with commas between.",
)
@click.option(
    "--parts",
    default="closed,open,scale",
    show_default=True,
    help="All stored; half of the originals left out; a store that grows.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    help="Windows of a cell that recognizers are asked whose every window costs.",
)
@_shared
@friendly
def run(**options: Any) -> None:
    """Ask recognizers everything and keep the raw answers; goes on where it was stopped.

    Example: python -m benchmarks run --recognizers samaf:2LST256C,dejavu --sample 100 --out results
    """
    from benchmarks import commands

    commands.run(**options)


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--training",
    type=click.Path(path_type=Path),
    help="Folder that samaf train wrote, for the learning curves.",
)
@friendly
def report(folder: Path, training: Path | None) -> None:
    """Write tables (Markdown, CSV, LaTeX) and figures (PNG, SVG) into DIR/report."""
    from benchmarks import commands

    commands.report(folder, training)


@main.command("list")
@friendly
def list_known() -> None:
    """Name recognizers and rows."""
    from benchmarks import commands

    commands.list_known()


@main.command()
@click.option("--model", default="2LST256C", show_default=True, help="Name, or path of a card.")
@click.option(
    "--split",
    type=click.Choice(["test", "validation", "train"]),
    default="test",
    show_default=True,
    help="Clips to ask about.",
)
@_shared
@friendly
def accuracy(**options: Any) -> None:
    """Print the accuracy of one model by the paper's protocol.

    Example: python -m benchmarks accuracy --split validation --clips 50 --out results
    """
    from benchmarks import commands

    commands.accuracy(**options)


main.add_command(field)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
