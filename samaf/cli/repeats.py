"""Audio that is there twice: duplicates in a store, copies in one recording."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from samaf.cli.options import (
    database,
    db_option,
    granularity_option,
    max_false_matches_option,
    model_option,
    output_format_option,
    population_option,
    sound_options,
)
from samaf.cli.text import complain
from samaf.errors import AudioError
from samaf.text import escaped

if TYPE_CHECKING:
    from samaf.records import CopiesResult, Population


@click.command()
@granularity_option
@max_false_matches_option(1e-3, "Maximum expected false pairs in the whole list.")
@population_option
@model_option
@db_option
@output_format_option
def duplicates(
    granularity_s: int,
    max_false_matches: float,
    population: Population,
    model: str | None,
    output_format: str | None,
) -> None:
    """List the pairs of recordings that share audio.

    Every recording of the store is searched for in all others. Each pair is listed once, with
    the common segments. Changes of tempo or pitch are tolerated up to about 10 %.

    \b
    Example:
      samaf duplicates --db evidence.db --csv > pairs.csv
    """
    import samaf
    from samaf.cli.progress import counting
    from samaf.cli.render import write
    from samaf.cli.views import DUPLICATES

    with (
        samaf.open(database(), model=model, create=False) as engine,
        counting("recordings") as on_progress,
    ):
        duplicate_pairs = engine.duplicates(
            granularity_s=granularity_s,
            max_false_matches=max_false_matches,
            population=population,
            on_progress=on_progress,
        )
        pairs = duplicate_pairs if output_format else list(duplicate_pairs)
        write(DUPLICATES, pairs, output_format)
    if not output_format and not pairs:
        click.echo("no two recordings share audio")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@sound_options
@model_option
@output_format_option
def copies(
    files: tuple[str, ...],
    track: int | None,
    channel: int | None,
    model: str | None,
    output_format: str | None,
) -> None:
    """Find segments that a recording contains twice.

    Such copies are the trace of copy-move forgery: words copied from elsewhere in the same
    recording. Copies of 1.5 s and more are found, also after transcoding. Repeated speech is
    not listed. No store is needed. Exit status 1 if a file cannot be read.

    \b
    Example:
      samaf copies interview.mp3
    """
    import samaf
    from samaf.cli.recording_views import COPIES
    from samaf.cli.render import write

    failed = 0

    def results() -> Iterator[CopiesResult]:
        nonlocal failed
        for file in files:
            try:
                result = samaf.copies(file, model=model, track=track, channel=channel)
            except AudioError as error:
                complain(escaped(str(error)))
                failed += 1
                continue
            if output_format and result.reason:
                complain(escaped(f"{result.path}: {result.reason}"))
            yield result

    write(COPIES, results(), output_format)
    if failed:
        click.get_current_context().exit(1)
