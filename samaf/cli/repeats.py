"""Audio that is there twice: duplicates in a store, copies in one recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    index_option,
    max_false_matches_option,
    model_option,
    output_format_option,
    population_option,
    sound_options,
)
from samaf.cli.text import complain
from samaf.engine.options import COMMON, LEAST_SECONDS, LEAST_SHARED
from samaf.errors import AudioError
from samaf.text import escaped

if TYPE_CHECKING:
    from samaf.records import CopiesResult, Population, RepeatCluster

SHARED = 3  # exit status where audio is shared


least_shared_option = click.option(
    "--least-shared",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=LEAST_SHARED,
    show_default=True,
    help="Seconds that two recordings must share besides common pieces to belong together.",
)
common_option = click.option(
    "--common",
    metavar="NUMBER",
    type=click.IntRange(3),
    default=COMMON,
    show_default=True,
    help="A piece that so many recordings hold, as less than half of each, joins none of them.",
)


@click.command()
@click.option(
    "--clusters",
    is_flag=True,
    help="List groups of recordings instead of pairs; exit status 3 if there are any.",
)
@least_shared_option
@common_option
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
    clusters: bool,
    least_shared: float,
    common: int,
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

    one_output(output_format, label_format, out)
    if clusters:
        with (
            samaf.open(database(), model=model, create=False) as engine,
            counting("recordings") as on_progress,
        ):
            result = engine.duplicate_groups(
                granularity_s=granularity_s,
                max_false_matches=max_false_matches,
                least_shared=least_shared,
                common=common,
                population=population,
                on_progress=on_progress,
            )
        write(GROUPS, result.groups, output_format)
        _common(result.common, output_format)
        if result.groups:
            click.get_current_context().exit(SHARED)
        if not output_format:
            click.echo("no two recordings share audio")
        return
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
        segments = segments_of_pairs(pairs)
        if write_cuts(segments, cut_folder, cut_format, padding_s):
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
    from samaf.report.exports.cut import segments_of_copies

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
        segments = (s for each in kept for s in segments_of_copies(each, chosen))
        failed += write_cuts(segments, cut_folder, cut_format, padding_s)
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
@model_option
@db_option
@output_format_option
def repeats(
    files: tuple[str, ...], least_seconds: float, model: str | None, output_format: str | None
) -> None:
    """Find stretches that recur, without any reference: jingles, prompts, advertisements.

    Files are searched one by one and against each other, and the waveform decides. Without
    files the recordings of the store are searched, by their hashes alone. Each piece is listed
    with all its places, those with most places first.

    \b
    Example:
      samaf repeats monday.mp3 tuesday.mp3
    """
    import samaf
    from samaf.cli.progress import counting
    from samaf.cli.render import write
    from samaf.cli.shared_views import REPEATS

    with counting("hashes") as on_progress:
        if files:
            found = samaf.repeats(
                files, least_seconds=least_seconds, model=model, on_progress=on_progress
            )
        else:
            with samaf.open(database(), model=model, create=False) as engine:
                found = engine.repeats(least_seconds=least_seconds, on_progress=on_progress)
    write(REPEATS, found, output_format)
    if not output_format and not found:
        click.echo("nothing recurs")


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@least_shared_option
@common_option
@granularity_option
@max_false_matches_option(1e-3, "Maximum expected false pairs in the whole list.")
@index_option
@model_option
@output_format_option
def overlap(
    first: str,
    second: str,
    least_shared: float,
    common: int,
    granularity_s: int,
    max_false_matches: float,
    index: str,
    model: str | None,
    output_format: str | None,
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

    with counting("recordings") as on_progress:
        result = samaf.overlap(
            first,
            second,
            granularity_s=granularity_s,
            max_false_matches=max_false_matches,
            least_shared=least_shared,
            common=common,
            index=index,
            model=model,
            on_progress=on_progress,
        )
    for path, reason in result.passed_over:
        complain(escaped(f"{path}: not compared: {reason}"))
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
