"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_DB = "samaf.db"


def _keep(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_DB] = value


# Before the command or after it: `samaf --db evidence.db list` or `samaf list --db evidence.db`.
db_option = click.option(
    "--db",
    metavar="URL",
    expose_value=False,
    callback=_keep,
    help="The store: a file, or mysql://USER:PASSWORD@HOST/DATABASE.  "
    "[default: $SAMAF_DB, else the user's own store]",
)

model_option = click.option(
    "--model", metavar="NAME|FILE", help="A shipped model or a model file.  [default: the store's]"
)


def database() -> str | None:
    """Give the value of ``--db``, wherever it stood."""
    value: str | None = click.get_current_context().meta.get(_DB)
    return value


def form_option(command: Command) -> Command:
    """Add ``--json`` and ``--csv``; the command gets ``form``: "json", "csv" or None."""
    for name, what in (("csv", "Print CSV."), ("json", "Print JSON, one object a line.")):
        command = click.option(f"--{name}", "form", flag_value=name, default=None, help=what)(
            command
        )
    return command
