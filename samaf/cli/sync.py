"""Recordings of one event on one time line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from samaf.cli.exporting import LABEL_FORMATS, write_labels
from samaf.cli.options import model_option, output_format_option
from samaf.cli.text import complain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samaf.records import SyncedRecording

PROJECTS = ("audacity", "otio")
TRACKS = tuple(name for name in LABEL_FORMATS if name not in PROJECTS)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--cut",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also write the recordings here, padded and resampled to the common time line.",
)
@click.option(
    "--format",
    "export",
    type=click.Choice((*PROJECTS, *TRACKS)),
    help="Print a project instead: audacity is a list of files with offsets (.lof), otio an "
    "OpenTimelineIO time line for video editors; or labels of the time line.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the labels of --format, a file for each group.",
)
@model_option
@output_format_option
def sync(
    files: tuple[str, ...],
    cut: Path | None,
    export: str | None,
    out: Path | None,
    model: str | None,
    output_format: str | None,
) -> None:
    """Put recordings of one event on one time line.

    Each recording gets its offset, the drift of its clock against the first one's, and the
    places where it was paused or cut. Recordings that share nothing are listed without a group.
    Videos are taken too. Exit status 1 if a recording is in no group.

    \b
    Example:
      samaf sync camera.mp4 lapel.wav phone.m4a --cut synced/
    """
    import samaf
    from samaf.cli.progress import counting
    from samaf.cli.render import write
    from samaf.cli.sync_views import SYNC, audacity, otio
    from samaf.report.exports.annotations import of_synced

    if export and output_format:
        raise click.UsageError("--format, --json and --csv exclude each other; choose one")
    if out and export not in TRACKS:
        raise click.UsageError(f"--out: needs --format {', '.join(TRACKS)}")
    with counting("recordings") as on_progress:
        results = samaf.sync(files, model=model, cut=cut, on_progress=on_progress)
    if export in TRACKS:
        write_labels(of_synced(results), [], export, out)
    elif export:
        click.echo({"audacity": audacity, "otio": otio}[export](results), nl=False)
    else:
        write(SYNC, results, output_format)
    _complain(results, bool(export or output_format))


def _complain(results: Sequence[SyncedRecording], hidden: bool) -> None:
    """Say which recordings are in no group where the output does not, and end with status 1."""
    from samaf.text import escaped

    alone = [result for result in results if not result.group]
    for result in alone if hidden else ():
        complain(escaped(f"{result.path}: not synchronised: {result.reason}"))
    if alone:
        click.get_current_context().exit(1)
