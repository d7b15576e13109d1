"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from samaf.cli.text import warn
from samaf.engine.options import (
    GRANULARITIES_S,
    GRANULARITY_S,
    INDEX_TYPES,
    POPULATIONS,
    SEARCHES,
)

Command = TypeVar("Command", bound=Callable[..., Any])

PLAIN, DEEP, EXHAUSTIVE = SEARCHES
INTERRUPTED = 130  # exit status that shells report for a command that Ctrl-C ended
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


class _Index(click.ParamType):
    """The name of an index type, or the URL of a database."""

    name = "index"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if "://" not in value and value not in INDEX_TYPES:
            self.fail(f"{value!r} is neither a URL nor one of {', '.join(INDEX_TYPES)}", param, ctx)
        return value


index_option = click.option(
    "--index",
    type=_Index(),
    metavar="TYPE|URL",
    default=INDEX_TYPES[0],
    show_default=True,
    help="How to search: exact and flat give the same answers, ivf is quicker in stores beyond "
    "10 million hashes and may miss faint matches; chdb:///FOLDER and "
    "clickhouse://USER@HOST/DATABASE do as ivf in a database.",
)

database_index_option = click.option(
    "--index",
    metavar="URL",
    default=INDEX_TYPES[0],
    show_default="the cache of this machine",
    type=_Index(),
    help="An index in a database: chdb:///FOLDER or clickhouse://USER@HOST/DATABASE.",
)

granularity_option = click.option(
    "--granularity",
    "granularity_s",
    metavar="SECONDS",
    type=click.IntRange(*GRANULARITIES_S),
    default=GRANULARITY_S,
    show_default=True,
    help="Seconds compared at once, 1 to 6: less finds shorter segments, more worse damaged ones.",
)


def matches_option(default: int, where: str) -> Callable[[Command], Command]:
    """Make ``-k``, the most matches to give for one segment of what is given."""
    return click.option(
        "-k",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help=f"Maximum matches for one segment of the {where}.",
    )


def max_false_matches_option(default: float, meaning: str) -> Callable[[Command], Command]:
    """Make ``--max-false-matches``, whose help says false what, and in what."""
    return click.option(
        "--max-false-matches",
        metavar="NUMBER",
        type=click.FloatRange(0, 1, min_open=True),
        default=default,
        show_default=True,
        help=meaning,
    )


population_option = click.option(
    "--population",
    type=click.Choice(POPULATIONS),
    default=POPULATIONS[0],
    show_default=True,
    help="What a false match would be: speech (calls, interviews, broadcasts), or prompts, where "
    "other voices read the same text.",
)


def _or_plain(_context: click.Context, _option: click.Parameter, value: str | None) -> str:
    return value or PLAIN


def sound_options(command: Command) -> Command:
    """Add ``--track`` and ``--channel``; the command gets both, a number or None."""
    for name, meaning in (
        ("channel", "Take only this channel, from 1.  [default: all mixed, and sides that differ]"),
        ("track", "Take this sound track, from 1.  [default: the file's default with sound]"),
    ):
        command = click.option(f"--{name}", metavar="N", type=click.IntRange(1), help=meaning)(
            command
        )
    return command


def search_options(what: str) -> Callable[[Command], Command]:
    """Make ``--deep`` and ``--exhaustive``; the command gets ``search``, "plain" without them.

    Parameters
    ----------
    what
        What ``--deep`` searches for, as its help says it.
    """

    def add(command: Command) -> Command:
        for name, meaning in (
            (EXHAUSTIVE, "As --deep, also reversal with speed, and tempo with pitch; slower."),
            (DEEP, what),
        ):
            command = click.option(
                f"--{name}", "search", flag_value=name, callback=_or_plain, help=meaning
            )(command)
        return command

    return add


verify_option = click.option(
    "--verify",
    is_flag=True,
    help="Compare the signals too, also of candidates below the limit; needs the audio.",
)

audio_option = click.option(
    "--audio",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False),
    help="Where the recordings' audio is, for --verify.  [default: where it was added]",
)


def database() -> str | None:
    """Give the value of ``--db``, wherever it stood."""
    value: str | None = click.get_current_context().meta.get(_DB)
    if value and _SHOWS_PASSWORD.search(value):
        warn("others can see the password in the list of processes; set SAMAF_DB_PASSWORD instead")
    return value


def output_format_option(command: Command) -> Command:
    """Add ``--json`` and ``--csv``; the command gets ``output_format``: "json", "csv" or None."""
    for name, what in (("csv", "Print CSV."), ("json", "Print JSON, one object per line.")):
        command = click.option(
            f"--{name}", "output_format", flag_value=name, default=None, help=what
        )(command)
    return command
