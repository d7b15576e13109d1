"""The command ``samaf``: the verbs of ``samaf`` in a shell.

Only click is imported here and at the top of each command's file; everything heavy waits
inside the commands, so that ``samaf --help`` is quick.
"""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import click

from samaf.cli.audit import audit
from samaf.cli.clips import compare, fingerprint, query
from samaf.cli.db import db
from samaf.cli.decode import decode
from samaf.cli.demo import demo
from samaf.cli.maintenance import index, models, rehash, stats
from samaf.cli.options import INTERRUPTED, db_option
from samaf.cli.recordings import add, delete, label, list_, show
from samaf.cli.repeats import copies, duplicates, overlap, repeats
from samaf.cli.report import report, report_verify, validate
from samaf.cli.serve import serve
from samaf.cli.streams import monitor
from samaf.cli.sync import sync
from samaf.cli.text import complain
from samaf.cli.train import train
from samaf.cli.verify import verify
from samaf.cli.watching import relocate
from samaf.errors import SamafError
from samaf.logs import FORMATS, LEVELS, configure
from samaf.text import escaped
from samaf.version import __version__


class Commands(click.Group):
    """Lists commands in the order of use, and ends every error in one line.

    A command may have a name of two words, such as ``report verify`` beside ``report``.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order in which they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take two words for one command where they are its name."""
        two_words = " ".join(args[:2])
        if len(args) > 1 and two_words in self.commands:
            return two_words, self.commands[two_words], args[2:]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; its errors go to standard error, without a traceback."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except SamafError as error:
            complain(escaped(str(error)))
            ctx.exit(1)
        except KeyboardInterrupt:
            complain("stopped")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _discard(sys.stdout)
            ctx.exit(1)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command explains itself: samaf add -h",
)
@db_option
@click.option(
    "--log-format",
    type=click.Choice(FORMATS),
    default="text",
    envvar="SAMAF_LOG_FORMAT",
    show_default=True,
    help="Format of messages on standard error: plain lines, or JSON, one object per line.",
)
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="warning",
    envvar="SAMAF_LOG_LEVEL",
    show_default=True,
    help="Lowest level shown; info reports slow queries and what was stored, debug every query.",
)
@click.version_option(__version__, prog_name="samaf")
def cli(log_format: str, log_level: str) -> None:
    """Identify the stored recording that a short, damaged clip of speech comes from.

    \b
    Example:
      samaf add recordings/
      samaf query clip.wav
    """
    configure(log_format, log_level)


for command in (
    add,
    query,
    monitor,
    list_,
    show,
    label,
    delete,
    relocate,
    stats,
    compare,
    sync,
    verify,
    duplicates,
    overlap,
    copies,
    repeats,
    report,
    report_verify,
    validate,
    fingerprint,
    decode,
    models,
    rehash,
    db,
    index,
    serve,
    demo,
    train,
):
    cli.add_command(command)


db.add_command(audit)


def main() -> None:
    """Run the command line; the entry point of ``samaf`` and ``python -m samaf``."""
    _open_closed_streams()
    configure()  # for what goes wrong before the options are read
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character gets its escape instead of a traceback.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    try:
        cli(prog_name="samaf")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            # Files that are still being decoded would hold the process back.
            os._exit(INTERRUPTED)
        raise
    except OSError as error:
        if error.filename is not None:
            raise
        # A full disk behind ">", met by a command's output or by its help.
        _discard(sys.stdout)
        complain(
            f"the output cannot be written ({error.strerror}); make room for it. What the command "
            "stored or deleted before that stays so"
        )
        sys.exit(1)


def _open_closed_streams() -> None:
    """Put the null device where the shell closed a stream, as ``>&-`` does.

    Else a store that is opened would become standard output, which others write to.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115  # open to the end
            setattr(sys, name, null)


def _discard(stream: TextIO) -> None:
    """Send what is still in the buffer nowhere, also when Python flushes it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
