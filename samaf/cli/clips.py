"""Clips: query, compare, fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from samaf.cli.exporting import Export, export_options
from samaf.cli.options import (
    audio_option,
    database,
    db_option,
    granularity_option,
    index_option,
    matches_option,
    max_false_matches_option,
    model_option,
    output_format_option,
    population_option,
    search_options,
    sound_options,
    verify_option,
)
from samaf.cli.text import complain, warn
from samaf.engine.options import MATCHES, MAX_FALSE_MATCHES
from samaf.errors import AudioError
from samaf.text import escaped

if TYPE_CHECKING:
    from samaf.records import Population, QueryResult, RankingResult


UNSEARCHED = 3  # exit status where a part of the store was not searched
RANKED = (
    "these are the nearest recordings of the store, likeliest first; this model cannot tell "
    "whether any of them is right"
)


@click.command()
@click.argument("clips", nargs=-1, required=True, metavar="CLIP...")
@granularity_option
@matches_option(MATCHES, "clip")
@max_false_matches_option(MAX_FALSE_MATCHES, "Maximum expected false matches per clip.")
@index_option
@search_options("Compensate for changes of speed, tempo and pitch, and reversal; much slower.")
@population_option
@verify_option
@audio_option
@sound_options
@click.option("--audit", is_flag=True, help="Log the query and its answer; see samaf db audit.")
@export_options("Print labels of the clip instead of a table.")
@model_option
@db_option
@output_format_option
def query(
    clips: tuple[str, ...],
    granularity_s: int,
    k: int,
    max_false_matches: float,
    index: str,
    search: str,
    population: Population,
    verify: bool,
    audio: str | None,
    track: int | None,
    channel: int | None,
    audit: bool,
    export: Export,
    model: str | None,
    output_format: str | None,
) -> None:
    """Find the recordings that clips come from.

    Each match gives the place in the clip and in the recording; a clip without a match is
    unknown. The score is -log10 of the expected false matches: 6 means one in a million such
    queries. A match marked "verify" may also be another voice that says the same text. "-" reads
    a clip from standard input. Exit status 1 if a clip cannot be read, 3 if a part of an index
    in a database does not answer and was left out.

    A store of a model of vectors, such as UNET320, gives a ranking of at most -k recordings:
    those of the -k nearest segments, by weighted votes.

    \b
    Example:
      samaf query clip.wav voicemail.amr --json
    """
    import samaf
    from samaf.cli.ranking_views import RANKING
    from samaf.cli.render import View, write
    from samaf.cli.verification_views import VERIFIED_QUERY
    from samaf.cli.views import QUERY
    from samaf.report.exports.annotations import matched, on_clip, on_recordings
    from samaf.report.exports.cut import numbered_segments

    if audio and not verify:
        raise click.UsageError("--audio: needs --verify")
    export.check(output_format)
    failed, unsearched = 0, False
    kept: list[QueryResult] = []

    def results() -> Iterator[QueryResult | RankingResult]:
        nonlocal failed, unsearched
        for result in opened.query_many(
            clips,
            granularity_s=granularity_s,
            k=k,
            max_false_matches=max_false_matches,
            search=search,
            population=population,
            verify=verify,
            audio=audio,
            track=track,
            channel=channel,
            audit=audit,
        ):
            if isinstance(result, AudioError):
                complain(escaped(str(result)))
                failed += 1
                continue
            if missing := getattr(result, "unsearched", ()):
                complain(escaped(f"{result.query}: not searched: {' and '.join(missing)}"))
                unsearched = True
            if output_format and result.reason:
                complain(escaped(f"{result.query}: unknown: {result.reason}"))
            if more := getattr(result, "more", 0):
                wanted = f"at least {more} more recordings match; a higher -k gives more"
                warn(escaped(f"{result.query}: {wanted}"))
            if export:
                kept.append(matched(result))
            yield result

    with samaf.open(database(), model=model, index=index, create=False) as opened:
        ranks = opened.fingerprinter.card.family == "unet"
        view: View[Any] = RANKING if ranks else VERIFIED_QUERY if verify else QUERY
        if export.label_format:
            for _ in results():
                pass
        else:
            write(view, results(), output_format)
        if ranks and not output_format:
            click.echo(RANKED, err=True)
    labelled = [on_clip(each.query, each.duration, each.matches) for each in kept]
    export.write_labels(labelled, on_recordings((each.query, each.matches) for each in kept))
    failed += export.write_cuts(numbered_segments(kept))
    if failed or unsearched:
        click.get_current_context().exit(1 if failed else UNSEARCHED)


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@population_option
@verify_option
@sound_options
@export_options("Print labels of A instead of a table.")
@model_option
@output_format_option
def compare(
    first: str,
    second: str,
    population: Population,
    verify: bool,
    track: int | None,
    channel: int | None,
    export: Export,
    model: str | None,
    output_format: str | None,
) -> None:
    """Find the segments that two files share.

    No store is needed.

    \b
    Example:
      samaf compare original.wav copy.mp3
    """
    import samaf
    from samaf.cli.render import write
    from samaf.cli.verification_views import VERIFIED_COMPARISON
    from samaf.cli.views import COMPARISON
    from samaf.report.exports.annotations import of_comparison
    from samaf.report.exports.cut import segments_of

    export.check(output_format)
    comparison = samaf.compare(
        first,
        second,
        model=model,
        population=population,
        verify=verify,
        track=track,
        channel=channel,
    )
    if output_format and comparison.reason:
        complain(escaped(f"not compared: {comparison.reason}"))
    if not export.label_format:
        write(VERIFIED_COMPARISON if verify else COMPARISON, [comparison], output_format)
    labelled, *others = of_comparison(comparison)
    export.write_labels([labelled], others)
    segments = segments_of(comparison.first, "", comparison.first_media, comparison.matches)
    if export.write_cuts(segments):
        click.get_current_context().exit(1)


@click.command()
@click.argument("file")
@sound_options
@model_option
@output_format_option
def fingerprint(
    file: str,
    track: int | None,
    channel: int | None,
    model: str | None,
    output_format: str | None,
) -> None:
    """Print the hashes of a file, four per second.

    No store is needed.

    \b
    Example:
      samaf fingerprint clip.wav --csv > hashes.csv
    """
    import samaf
    from samaf.cli.recording_views import FINGERPRINT
    from samaf.cli.render import write

    hashed = samaf.fingerprint(file, model=model, track=track, channel=channel)
    if not len(hashed.hashes):
        complain(escaped(f"{hashed.path}: {hashed.duration:.2f} s are too short for a hash"))
    write(FINGERPRINT, [hashed], output_format)
