"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from samaf.cli.text import warn

Command = TypeVar("Command", bound=Callable[..., Any])

_DB = "samaf.db"
_SHOWS_PASSWORD = re.compile(r"://[^/?]*:[^/?]+@|[?&](password|passwd)=")


def _keep(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_DB] = value


# Before the command or after it: `samaf --db evidence.db list` or `samaf list --db evidence.db`.
db_option = click.option(
    "--db",
    metavar="URL",
    expose_value=False,
    callback=_keep,
    help="The store: a file, or mysql://USER@HOST/DATABASE.  "
    "[default: $SAMAF_DB, else the user's own store]",
)

model_option = click.option(
    "--model",
    "--fingerprinter",
    "model",
    metavar="NAME|FILE",
    help="A shipped model or a model file.  [default: the store's]",
)

index_option = click.option(
    "--engine",
    type=click.Choice(["exact", "flat", "ivf"]),
    default="exact",
    show_default=True,
    help="How to search: exact and flat give the same, ivf is quicker in stores beyond "
    "10 million hashes and may miss what is barely similar.",
)

granularity_option = click.option(
    "--granularity",
    type=click.IntRange(1, 6),
    default=3,
    show_default=True,
    help="Seconds searched for at once: less finds shorter stretches, more finds worse ones.",
)


def matches_option(default: int, where: str) -> Callable[[Command], Command]:
    """Make ``-k``, how many matches to give for one stretch of what is named."""
    return click.option(
        "-k",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help=f"Matches for one stretch of the {where}, at most.",
    )


def max_false_matches_option(default: float, told: str) -> Callable[[Command], Command]:
    """Make ``--max-false-matches``, whose help says false what, and in what."""
    return click.option(
        "--max-false-matches",
        type=click.FloatRange(0, 1, min_open=True),
        default=default,
        show_default=True,
        help=told,
    )


class DeepCommand(click.Command):
    """Lets ``--deep`` stand alone or take ``=full``, which click's own options cannot."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read ``--deep=full`` as an option of its own."""
        return super().parse_args(ctx, ["--deep-full" if a == "--deep=full" else a for a in args])


def deep_option(told: str) -> Callable[[Command], Command]:
    """Make ``--deep`` of a `DeepCommand`: "usual", "full" or None."""

    def add(command: Command) -> Command:
        command = click.option("--deep-full", "deep", flag_value="full", hidden=True)(command)
        return click.option("--deep", flag_value="usual", help=told)(command)

    return add


def database() -> str | None:
    """Give the value of ``--db``, wherever it stood."""
    value: str | None = click.get_current_context().meta.get(_DB)
    if value and _SHOWS_PASSWORD.search(value):
        warn("others can see the password in the list of processes; set SAMAF_DB_PASSWORD instead")
    return value


def output_format_option(command: Command) -> Command:
    """Add ``--json`` and ``--csv``; the command gets ``output_format``: "json", "csv" or None."""
    for name, what in (("csv", "Print CSV."), ("json", "Print JSON, one object a line.")):
        command = click.option(f"--{name}", "form", flag_value=name, default=None, help=what)(
            command
        )
    return command
