"""Audio that is there twice: duplicates in a store, copies in one recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from samaf.cli.exporting import Export, export_options
from samaf.cli.options import (
    Command,
    database,
    db_option,
    granularity_option,
    index_option,
    max_false_matches_option,
    model_option,
    output_format_option,
    population_option,
    sound_options,
)
from samaf.cli.text import complain
from samaf.engine.options import COMMON, LEAST_SECONDS, LEAST_SHARED, MAX_FALSE_PAIRS
from samaf.errors import AudioError
from samaf.text import escaped

if TYPE_CHECKING:
    from samaf.records import CopiesResult, Population, RepeatCluster

SHARED = 3  # exit status where audio is shared


def sharing_options(command: Command) -> Command:
    """Add what counts as shared; the command gets it by the names that the verbs in Python have."""
    for option in (
        max_false_matches_option(
            MAX_FALSE_PAIRS, "Maximum expected false pairs in the whole list."
        ),
        granularity_option,
        click.option(
            "--common",
            metavar="NUMBER",
            type=click.IntRange(3),
            default=COMMON,
            show_default=True,
            help="A piece that so many recordings hold, as less than half of each, joins none.",
        ),
        click.option(
            "--least-shared",
            metavar="SECONDS",
            type=click.FloatRange(0),
            default=LEAST_SHARED,
            show_default=True,
            help="Seconds that two recordings must share besides common pieces.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.option(
    "--clusters",
    is_flag=True,
    help="List groups of recordings instead of pairs; exit status 3 if there are any.",
)
@sharing_options
@population_option
@export_options("Write labels of each recording into --out instead of a table.")
@index_option
@model_option
@db_option
@output_format_option
def duplicates(
    clusters: bool,
    population: Population,
    export: Export,
    index: str,
    model: str | None,
    output_format: str | None,
    least_shared: float,
    common: int,
    **limits: Any,
) -> None:
    """List the pairs of recordings that share audio.

    Every recording of the store is searched for in all others. Each pair is listed once, with
    the common segments. Changes of tempo or pitch are tolerated up to about 10 %.

    With --clusters, recordings that share audio are listed in groups. A jingle or a prompt that
    many recordings hold joins no groups; such pieces are listed behind them.

    \b
    Example:
      samaf duplicates --db evidence.db --csv > pairs.csv
    """
    import samaf
    from samaf.cli.progress import counting
    from samaf.cli.render import write
    from samaf.cli.shared_views import GROUPS
    from samaf.cli.views import DUPLICATES
    from samaf.report.exports.annotations import of_duplicates
    from samaf.report.exports.cut import segments_of_pairs

    export.check(output_format, several=True)
    if clusters and export:
        raise click.UsageError("--clusters lists whole recordings; leave --format and --cut away")
    with (
        samaf.open(database(), model=model, index=index, create=False) as engine,
        counting("recordings") as on_progress,
    ):
        limits |= {"population": population, "on_progress": on_progress}
        if clusters:
            result = engine.duplicate_groups(least_shared=least_shared, common=common, **limits)
        else:
            found = engine.duplicates(**limits)
            pairs = list(found) if export or not output_format else found
            if not export.label_format:
                write(DUPLICATES, pairs, output_format)
    if clusters:
        write(GROUPS, result.groups, output_format)
        _common(result.common, output_format)
        if result.groups:
            click.get_current_context().exit(SHARED)
    elif export:
        export.write_labels(of_duplicates(pairs))
        if export.write_cuts(segments_of_pairs(pairs)):
            click.get_current_context().exit(1)
    if not (output_format or export.label_format or (result.groups if clusters else pairs)):
        click.echo("no two recordings share audio")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@sound_options
@export_options("Print labels of the file instead of a table.")
@model_option
@output_format_option
def copies(
    files: tuple[str, ...],
    track: int | None,
    channel: int | None,
    export: Export,
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
    from samaf.report.exports.cut import segments_of_copies

    export.check(output_format)
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
            if export:
                kept.append(result)
            yield result

    if export.label_format:
        for _ in results():
            pass
    else:
        write(COPIES, results(), output_format)
    export.write_labels([of_copies(each) for each in kept])
    chosen = Selection(track, channel)
    failed += export.write_cuts(
        segment for each in kept for segment in segments_of_copies(each, chosen)
    )
    if failed:
        click.get_current_context().exit(1)


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE...]")
@click.option(
    "--least-seconds",
    metavar="SECONDS",
    type=click.FloatRange(1),
    default=LEAST_SECONDS,
    show_default=True,
    help="Length of the shortest pieces to list.",
)
@export_options("Print labels of the file instead of a table.", cuts=False)
@model_option
@db_option
@output_format_option
def repeats(
    files: tuple[str, ...],
    least_seconds: float,
    export: Export,
    model: str | None,
    output_format: str | None,
) -> None:
    """Find stretches that recur, without any reference: jingles, prompts, advertisements.

    Files are searched one by one and against each other, by landmarks, and the waveform decides.
    Without files the recordings of the store are searched, by their hashes alone. Each piece is
    listed with all its places, those with most places first.

    \b
    Example:
      samaf repeats monday.mp3 tuesday.mp3
    """
    import samaf
    from samaf.cli.progress import counting
    from samaf.cli.render import write
    from samaf.cli.shared_views import REPEATS
    from samaf.report.exports.annotations import of_repeats

    export.check(output_format, several=len(files) != 1)
    with counting("files" if files else "hashes") as on_progress:
        if files:
            found = samaf.repeats(files, least_seconds=least_seconds, on_progress=on_progress)
        else:
            with samaf.open(database(), model=model, create=False) as engine:
                found = engine.repeats(least_seconds=least_seconds, on_progress=on_progress)
    if export:
        export.write_labels(of_repeats(found))
        return
    write(REPEATS, found, output_format)
    if not output_format and not found:
        click.echo("nothing recurs")


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@sharing_options
@export_options("Write labels of each recording into --out instead of a table.", cuts=False)
@index_option
@model_option
@output_format_option
def overlap(
    first: str,
    second: str,
    export: Export,
    index: str,
    model: str | None,
    output_format: str | None,
    **limits: Any,
) -> None:
    """Find the audio that two collections share, such as training and test set.

    A and B are stores or folders. Exit status 3 if they share audio, 0 if not. Jingles and
    prompts that many recordings hold do not count; they are listed.

    \b
    Example:
      samaf overlap train/ test/ --csv > leaks.csv
    """
    import samaf
    from samaf.cli.progress import counting
    from samaf.cli.render import write
    from samaf.cli.shared_views import OVERLAP
    from samaf.report.exports.annotations import of_duplicates

    export.check(output_format, several=True)
    with counting("recordings") as on_progress:
        result = samaf.overlap(
            first, second, index=index, model=model, on_progress=on_progress, **limits
        )
    for path, reason in result.passed_over:
        complain(escaped(f"{path}: not compared: {reason}"))
    if export:
        export.write_labels(of_duplicates(result.pairs))
    else:
        write(OVERLAP, result.pairs, output_format)
        _common(result.common, output_format)
    if result.pairs:
        click.get_current_context().exit(SHARED)
    if not output_format:
        one, other = result.compared
        click.echo(f"{one:,} and {other:,} recordings share nothing")


def _common(pieces: Sequence[RepeatCluster], output_format: str | None) -> None:
    """List common pieces: in the table and as JSON behind the rest, not in CSV."""
    from samaf.cli.render import write
    from samaf.cli.shared_views import REPEATS

    if pieces and output_format != "csv":
        if not output_format:
            click.echo("\ncommon pieces, which join nothing:")
        write(REPEATS, pieces, output_format)
