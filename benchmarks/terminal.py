"""The terminal: options that commands share, words of which some are chosen, progress bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from benchmarks.errors import BenchmarkError
from samaf.fingerprinters import DEFAULT_MODEL
from samaf.training.corpora import default_root

Progress = Callable[[float, int], None]  # clips or cells done, and in all

corpus_option = click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    default=default_root,
    show_default="$SAMAF_CORPUS",
    help="Corpus folder.",
)
corpora_option = click.option(
    "--corpus",
    "corpora",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Corpus folder; may be given more than once.  [default: $SAMAF_CORPUS]",
)
work_option = click.option(
    "--work", type=click.Path(path_type=Path), help="Folder that keeps what was prepared."
)
model_argument = click.argument("model", default=DEFAULT_MODEL)


def choose(option: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Read words with commas between, in the order of those that are known.

    Raises
    ------
    BenchmarkError
        One of them is not known.
    """
    words = {word.strip() for word in text.split(",")}
    if not words <= set(known):
        raise BenchmarkError(f"{option} {text}: choose some of {','.join(known)}")
    return tuple(word for word in known if word in words)


@contextmanager
def progress_bars() -> Iterator[Callable[[str], Progress]]:
    """Show bars; gives the function that starts one under a name."""
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )

    def start(name: str) -> Progress:
        task = bars.add_task(name, total=None)
        return lambda done, total: bars.update(task, completed=done, total=total)

    with bars:
        yield start
