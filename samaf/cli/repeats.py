"""Audio that is there twice: duplicates in a store, copies in one recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from samaf.cli.exporting import (
    cut_options,
    format_option,
    one_output,
    out_option,
    write_cuts,
    write_labels,
)
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
@format_option("Write labels of each recording into --out instead of a table.")
@out_option
@cut_options
@model_option
@db_option
@output_format_option
def duplicates(
    granularity_s: int,
    max_false_matches: float,
    population: Population,
    label_format: str | None,
    out: Path | None,
    cut_folder: Path | None,
    cut_format: str,
    padding_s: float,
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
    from samaf.report.exports.annotations import of_duplicates
    from samaf.report.exports.cut import stretches_of_pairs

    one_output(output_format, label_format, out)
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
        exported = bool(label_format or cut_folder)
        pairs = list(duplicate_pairs) if exported or not output_format else duplicate_pairs
        if not label_format:
            write(DUPLICATES, pairs, output_format)
    if label_format:
        write_labels(of_duplicates(pairs), [], label_format, out)
    if cut_folder:
        stretches = stretches_of_pairs(pairs)
        if write_cuts(stretches, cut_folder, cut_format, padding_s):
            click.get_current_context().exit(1)
    if not output_format and not label_format and not pairs:
        click.echo("no two recordings share audio")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@sound_options
@format_option("Print labels of the file instead of a table.")
@out_option
@cut_options
@model_option
@output_format_option
def copies(
    files: tuple[str, ...],
    track: int | None,
    channel: int | None,
    label_format: str | None,
    out: Path | None,
    cut_folder: Path | None,
    cut_format: str,
    padding_s: float,
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
    from samaf.media import Selection
    from samaf.report.exports.annotations import of_copies
    from samaf.report.exports.cut import stretches_of_copies

    one_output(output_format, label_format, out)
    failed = 0
    kept: list[CopiesResult] = []

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
            if label_format or cut_folder:
                kept.append(result)
            yield result

    if label_format:
        for _ in results():
            pass
        write_labels([of_copies(each) for each in kept], [], label_format, out)
    else:
        write(COPIES, results(), output_format)
    if cut_folder:
        chosen = Selection(track, channel)
        stretches = (stretch for each in kept for stretch in stretches_of_copies(each, chosen))
        failed += write_cuts(stretches, cut_folder, cut_format, padding_s)
    if failed:
        click.get_current_context().exit(1)
