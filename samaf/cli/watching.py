"""Files that come and move: relocate, and the part of add that watches folders."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from samaf.cli.options import database, db_option, output_format_option
from samaf.text import printable

if TYPE_CHECKING:
    from samaf.records import AddResult, Relocation


def watch_folders(
    folders: tuple[Path, ...],
    labels: Mapping[str, Mapping[str, str]],
    jobs: int | None,
    track: int | None,
    channel: int | None,
    index: str,
    model: str | None,
    output_format: str | None,
) -> None:
    """Watch folders until Ctrl-C or SIGTERM; print what becomes of each file."""
    import samaf
    from samaf.cli.recording_views import WATCHED
    from samaf.cli.render import write
    from samaf.engine.models import check_model
    from samaf.engine.watch import watched_folders

    # What cannot be had leaves no empty store behind.
    watched_folders(folders)
    if model:
        check_model(model)
    stopped: list[int] = []
    stop = Event()

    def end(number: int, _frame: object) -> None:
        # The files that are being added are; a second signal does not wait for that.
        stopped.append(number)
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with samaf.open(database(), model=model, index=index) as engine:
            results: Iterator[AddResult] = engine.watch(
                folders, labels, jobs, track=track, channel=channel, until=stop
            )
            write(WATCHED, results, output_format, at_once=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signal.SIGINT in stopped:
        raise KeyboardInterrupt


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@db_option
@output_format_option
def relocate(paths: tuple[Path, ...], output_format: str | None) -> None:
    """Let the paths of recordings follow files that have moved.

    Looks for the recordings whose files are no longer at their paths, by SHA-256, in files and
    folders. Their paths and names change, and each change is written into the audit log.

    Exit status 1 if a file was not found; the others follow anyway.

    \b
    Example:
      samaf relocate /mnt/archive
    """
    import samaf
    from samaf.cli.progress import counting
    from samaf.cli.recording_views import RELOCATED
    from samaf.cli.render import write

    missing = moved = 0

    def counted(results: Iterator[Relocation]) -> Iterator[Relocation]:
        nonlocal missing, moved
        for result in results:
            moved += result.found
            missing += not result.found
            yield result

    with samaf.open(database(), create=False) as engine, counting("files") as report:
        results = list(counted(engine.relocate(paths, on_progress=report)))
    write(RELOCATED, results, output_format)
    if not output_format:
        given = ", ".join(map(printable, paths))
        lost = f", {missing:,} not found below {given}" * bool(missing)
        click.echo(f"{moved:,} recordings moved{lost}")
    if missing:
        click.get_current_context().exit(1)
