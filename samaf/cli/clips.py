"""Clips: query, compare, fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
@format_option("Print labels of the clip instead of a table.")
@out_option
@cut_options
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
    label_format: str | None,
    out: Path | None,
    cut_folder: Path | None,
    cut_format: str,
    padding_s: float,
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
    one_output(output_format, label_format, out)
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
            if label_format or cut_folder:
                kept.append(matched(result))
            yield result

    with samaf.open(database(), model=model, index=index, create=False) as opened:
        ranks = opened.fingerprinter.card.family == "unet"
        view: View[Any] = RANKING if ranks else VERIFIED_QUERY if verify else QUERY
        if label_format:
            for _ in results():
                pass
        else:
            write(view, results(), output_format)
        if ranks and not output_format:
            click.echo(RANKED, err=True)
    if label_format:
        labelled = [on_clip(each.query, each.duration, each.matches) for each in kept]
        recordings = on_recordings((each.query, each.matches) for each in kept)
        write_labels(labelled, recordings, label_format, out)
    if cut_folder:
        failed += write_cuts(numbered_segments(kept), cut_folder, cut_format, padding_s)
    if failed or unsearched:
        click.get_current_context().exit(1 if failed else UNSEARCHED)


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@population_option
@verify_option
@sound_options
@format_option("Print labels of A instead of a table.")
@out_option
@cut_options
@model_option
@output_format_option
def compare(
    first: str,
    second: str,
    population: Population,
    verify: bool,
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

    one_output(output_format, label_format, out)
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
    if label_format:
        labelled, *others = of_comparison(comparison)
        write_labels([labelled], others, label_format, out)
    else:
        write(VERIFIED_COMPARISON if verify else COMPARISON, [comparison], output_format)
    if cut_folder:
        segments = segments_of(comparison.first, "", comparison.first_media, comparison.matches)
        if write_cuts(segments, cut_folder, cut_format, padding_s):
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
