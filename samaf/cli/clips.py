"""Clips: query, compare, fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from samaf.cli.options import (
    DeepCommand,
    database,
    db_option,
    deep_option,
    granularity_option,
    index_option,
    matches_option,
    max_false_matches_option,
    model_option,
    output_format_option,
)
from samaf.cli.text import complain, plain
from samaf.errors import AudioError

if TYPE_CHECKING:
    from samaf.records import QueryResult


RANKED = (
    "candidates are what is nearest in the store, likeliest first; whether any of them is right "
    "this model cannot tell"
)


@click.command(cls=DeepCommand)
@click.argument("clips", nargs=-1, required=True, metavar="CLIP...")
@granularity_option
@matches_option(5, "clip")
@max_false_matches_option(1e-3, "False matches to put up with, on average a clip.")
@index_option
@deep_option(
    "Undo changes of speed, tempo, pitch and direction; --deep=full also reversed speed, "
    "and tempo with pitch."
)
@click.option("--audit", is_flag=True, help="Log question and answer; see samaf db audit.")
@model_option
@db_option
@output_format_option
def query(
    clips: tuple[str, ...],
    granularity: int,
    k: int,
    max_false_matches: float,
    engine: str,
    deep: str | None,
    audit: bool,
    model: str | None,
    output_format: str | None,
) -> None:
    """Tell which recordings clips come from.

    Each match tells where in the clip and where in the recording it lies; a clip without any
    is unknown. The score is -log10 of the false matches to expect: 6 means one in a million
    such queries. "-" reads a clip from standard input. Exit status 1 when a clip cannot be read.

    A store of a model of vectors, such as UNET320, gives candidates, -k at most: the recordings
    of the -k nearest segments, by how many of these are theirs, and by distance.

    \b
    Example:
      samaf query clip.wav voicemail.amr --json
    """
    import samaf
    from samaf.cli.ranking_views import RANKING
    from samaf.cli.render import write
    from samaf.cli.views import QUERY

    failed = 0

    def results() -> Iterator[QueryResult]:
        nonlocal failed
        for result in opened.query_many(
            clips, granularity=granularity, k=k, rate=max_false_matches, deep=deep, audit=audit
        ):
            if isinstance(result, AudioError):
                complain(plain(str(result)))
                failed += 1
                continue
            if output_format and result.reason:
                complain(plain(f"{result.query}: unknown: {result.reason}"))
            yield result

    with samaf.open(database(), model=model, index=engine, create=False) as opened:
        write(RANKING if opened.ranks else QUERY, results(), output_format)
        if opened.ranks and not output_format:
            click.echo(RANKED, err=True)
    if failed:
        click.get_current_context().exit(1)


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@model_option
@output_format_option
def compare(first: str, second: str, model: str | None, output_format: str | None) -> None:
    """Tell whether two files share speech.

    No store is needed.

    \b
    Example:
      samaf compare original.wav copy.mp3
    """
    from samaf.cli.render import write
    from samaf.cli.views import COMPARISON

    found = samaf.compare(first, second, model=model)
    if output_format and found.reason:
        complain(plain(f"not compared: {found.reason}"))
    write(COMPARISON, [found], output_format)


@click.command()
@click.argument("file")
@model_option
@output_format_option
def fingerprint(file: str, model: str | None, output_format: str | None) -> None:
    """Print the hashes of a file, four a second.

    No store is needed.

    \b
    Example:
      samaf fingerprint clip.wav --csv > hashes.csv
    """
    from samaf.cli.render import write
    from samaf.cli.views import FINGERPRINT

    found = samaf.fingerprint(file, model=model)
    if not len(found.hashes):
        complain(plain(f"{found.path}: {found.duration:.2f} s are too short for a hash"))
    write(FINGERPRINT, [found], output_format)
