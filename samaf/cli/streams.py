"""Streams: monitor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from samaf.cli.exporting import format_option, one_output, write_labels
from samaf.cli.options import (
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
)
from samaf.cli.text import complain
from samaf.engine.options import STREAM_MATCHES

if TYPE_CHECKING:
    from samaf.records import Match, Population


@click.command()
@click.argument("stream", metavar="FILE|URL|-")
@granularity_option
@matches_option(STREAM_MATCHES, "stream")
@max_false_matches_option(0.1, "Maximum expected false matches per hour of the stream.")
@index_option
@search_options("Compensate for changes of speed, tempo and pitch, and reversal, in sections.")
@population_option
@click.option(
    "--follow",
    is_flag=True,
    help="Go to other servers where the URL leads there, by a redirection or a playlist.",
)
@format_option("Print labels of the stream when it has ended, instead of a table.")
@model_option
@db_option
@output_format_option
def monitor(
    stream: str,
    granularity_s: int,
    k: int,
    max_false_matches: float,
    index: str,
    search: str,
    population: Population,
    follow: bool,
    label_format: str | None,
    model: str | None,
    output_format: str | None,
) -> None:
    """Report which recordings a stream plays, while it plays.

    Reads standard input ("-") or any URL that FFmpeg opens (http, rtp, udp ...) in constant
    memory. Each match is printed 6 s after its end, with --deep up to 28 s. The score is -log10
    of the false matches expected in an hour of the stream.

    A stream that breaks off gives exit status 1, Ctrl-C gives 130; matches until then are
    printed. If the search is slower than a network stream, the lag is reported.

    \b
    Example:
      samaf monitor http://radio.example/live.mp3 --json
    """
    import signal
    from threading import Event

    import samaf
    from samaf.cli.render import write
    from samaf.cli.views import MONITORED
    from samaf.report.exports.annotations import on_clip

    one_output(output_format, label_format, None)
    count = 0
    kept: list[Match] = []

    def counted() -> Iterator[Match]:
        nonlocal count
        matches = opened.monitor(
            stream,
            granularity_s=granularity_s,
            k=k,
            max_false_matches=max_false_matches,
            search=search,
            population=population,
            follow=follow,
            on_lag=_report_lag,
            until=interrupted,
        )
        for match in matches:
            count += 1
            if label_format:
                kept.append(match)
            yield match

    def interrupt(*_: object) -> None:
        # What is open is still given; a second Ctrl-C does not wait for that.
        interrupted.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    interrupted = Event()
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with samaf.open(database(), model=model, index=index, create=False) as opened:
            if label_format:
                for _ in counted():
                    pass
            else:
                write(MONITORED, counted(), output_format, at_once=True)
    finally:
        signal.signal(signal.SIGINT, before)
        if label_format:
            write_labels([on_clip(stream, 0.0, kept)], [], label_format, None)
    if interrupted.is_set():
        raise KeyboardInterrupt
    if not output_format and not label_format and not count:
        click.echo("nothing of the store was found")


def _report_lag(seconds: float) -> None:
    complain(f"{seconds:.0f} s behind the stream; a smaller store or a faster machine keeps up")
