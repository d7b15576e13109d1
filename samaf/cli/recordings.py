"""Recordings: add, list, show, delete."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from samaf.cli.options import (
    INTERRUPTED,
    database,
    database_index_option,
    db_option,
    model_option,
    output_format_option,
    sound_options,
)
from samaf.cli.text import clock, complain, warn
from samaf.errors import AudioError
from samaf.text import escaped, printable

if TYPE_CHECKING:
    from samaf.engine.add import LeftOut
    from samaf.records import AddResult

PATH = click.Path(path_type=Path)
LISTED = 3  # files that a warning lists


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
@click.option(
    "--labels",
    type=PATH,
    metavar="CSV",
    help="Labels: the column 'file' holds names or paths, every other column is a label.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Files processed at once.  [default: number of processors]",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Go on: add what comes into the folders, let paths follow files that move.",
)
@sound_options
@database_index_option
@model_option
@db_option
@output_format_option
def add(
    paths: tuple[Path, ...],
    labels: Path | None,
    jobs: int | None,
    watch: bool,
    track: int | None,
    channel: int | None,
    index: str,
    model: str | None,
    output_format: str | None,
) -> None:
    """Store the recordings of files and folders.

    Folders are searched recursively for files with a known suffix. If a path does not exist or
    a folder is not readable, nothing is stored.

    Files that are already stored are skipped, so an interrupted command can be run again.
    Exit status 1 if a file could not be used; the others are stored anyway. With --index, the
    index in that database is brought up to date at the end.

    With --watch, a file is added when it has not changed for 10 s, until Ctrl-C or SIGTERM.

    \b
    Example:
      samaf add recordings/ interview.mp3 --labels labels.csv
    """
    import samaf
    from samaf.cli.labels import read_labels, without_file
    from samaf.cli.progress import Progress
    from samaf.cli.recording_views import ADDED
    from samaf.cli.render import shown_path, write
    from samaf.cli.watching import watch_folders
    from samaf.engine.add import LeftOut, audio_files
    from samaf.engine.models import check_model

    labelled = read_labels(labels) if labels else {}
    if watch:
        watch_folders(paths, labelled, jobs, track, channel, index, model, output_format)
        return
    left_out = LeftOut()
    files = list(audio_files(paths, left_out))
    if not files:
        given = escaped(", ".join(map(str, paths)))
        raise AudioError(f"{given}: no sound files below; name files to add them whatever they are")
    if lost := without_file(labelled, files):
        some = ", ".join(map(shown_path, lost[:LISTED])) + " ..." * (len(lost) > LISTED)
        warn(
            escaped(
                f"{labels}: {len(lost):,} of {len(labelled):,} files are not among those given "
                f"({some}); their labels are stored nowhere"
            )
        )
    if model:
        # A model that cannot be had leaves no empty store behind.
        check_model(model)
    progress = Progress([_size(path) for path in files])
    counts: Counter[str] = Counter()
    failed: list[AddResult] = []
    unfindable: list[AddResult] = []
    audio = 0.0

    def results() -> Iterator[AddResult]:
        nonlocal audio
        for result in engine.add(files, labelled, jobs, track=track, channel=channel):
            counts[result.status] += 1
            seconds = 0.0
            if result.status == "failed":
                failed.append(result)
            elif result.recording and result.status == "added":
                if result.message:
                    unfindable.append(result)
                seconds = result.recording.duration
                audio += seconds
            progress.advance(seconds)
            yield result

    try:
        with samaf.open(database(), model=model, index=index) as engine:
            store = engine.store.url
            write(ADDED, results(), output_format)
    except KeyboardInterrupt:
        progress.clear()
        stored = counts["added"] + counts["present"]
        complain(f"stopped: {stored:,} of {len(files):,} files stored; the same command goes on")
        click.get_current_context().exit(INTERRUPTED)
    progress.clear()
    speed = f"{progress.speed:,.0f} x real time"
    summary = f"{counts['added']:,} added ({clock(audio)} of audio, {speed})"
    summary += f", {counts['present']:,} stored before" * bool(counts["present"])
    summary += f", {len(failed):,} failed" * bool(failed)
    summary += f", {len(unfindable):,} added cannot be found" * bool(unfindable)
    click.echo(f"{summary}; store: {escaped(store)}", err=output_format is not None)
    if left_out.other_files:
        warn(escaped(_left_out(left_out)))
    for result in unfindable:
        warn(escaped(result.message))
    for result in failed:
        complain(escaped(result.message))
    if failed:
        click.get_current_context().exit(1)


def _left_out(left_out: LeftOut) -> str:
    """Count the files of folders that were left out, the most frequent suffixes first."""
    suffixes = sorted(left_out.suffixes.items(), key=lambda item: (-item[1], item[0]))
    some = ", ".join(f"{count:,} {suffix or 'without'}" for suffix, count in suffixes[:LISTED])
    some += " ..." * (len(suffixes) > LISTED)
    return (
        f"{left_out.other_files:,} files of folders have no known suffix of audio ({some}); they "
        "are left out, name a file to add it whatever it is"
    )


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


@click.command("list")
@db_option
@output_format_option
def list_(output_format: str | None) -> None:
    """List all recordings of the store.

    \b
    Example:
      samaf list --csv > recordings.csv
    """
    import samaf
    from samaf.cli.recording_views import RECORDINGS
    from samaf.cli.render import write

    with samaf.open(database(), create=False) as engine:
        write(RECORDINGS, engine.list(), output_format)


@click.command()
@click.argument("recordings", nargs=-1, required=True, metavar="RECORDING...")
@db_option
@output_format_option
def show(recordings: tuple[str, ...], output_format: str | None) -> None:
    """Show everything about recordings.

    Give a recording by its id, 6 or more digits of its SHA-256, or its exact name; id:, sha256: or
    name: in front says which.

    \b
    Example:
      samaf show 17 interview.mp3
    """
    import samaf
    from samaf.cli.recording_views import RECORDING
    from samaf.cli.render import write

    with samaf.open(database(), create=False) as engine:
        shown = [engine.show(printable(name)) for name in recordings]
        for group in [shown] if output_format else [[recording] for recording in shown]:
            write(RECORDING, group, output_format)


@click.command()
@click.argument("recording", metavar="RECORDING")
@click.argument("labels", nargs=-1, required=True, metavar="NAME=VALUE...")
@db_option
@output_format_option
def label(recording: str, labels: tuple[str, ...], output_format: str | None) -> None:
    """Set or remove labels of a recording.

    NAME=VALUE sets a label, NAME= removes it; others stay. Give the recording by its id, 6 or
    more digits of its SHA-256, or its exact name. The change is logged; see samaf db audit.

    \b
    Example:
      samaf label interview.mp3 speaker=Ann case=
    """
    import samaf
    from samaf.cli.recording_views import RECORDING
    from samaf.cli.render import write

    changes: dict[str, str | None] = {}
    for text in labels:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise click.UsageError(f"{escaped(text)}: is not NAME=VALUE")
        changes[name] = value or None
    with samaf.open(database(), create=False) as engine:
        write(RECORDING, [engine.label(printable(recording), changes)], output_format)


@click.command()
@click.argument("recordings", nargs=-1, required=True, metavar="RECORDING...")
@db_option
@output_format_option
def delete(recordings: tuple[str, ...], output_format: str | None) -> None:
    """Remove recordings from the store.

    Removes their hashes and labels; the files stay where they are. Give a recording by its id,
    6 or more digits of its SHA-256, or its exact name. If one of them does not exist, nothing
    is removed.

    \b
    Example:
      samaf delete 17 9f86d081
    """
    import samaf
    from samaf.cli.recording_views import RECORDINGS
    from samaf.cli.render import write

    with samaf.open(database(), create=False) as engine:
        gone = engine.delete_many(map(printable, recordings))
    write(RECORDINGS, gone, output_format)
    if not output_format:
        click.echo(f"{len(gone):,} deleted")
