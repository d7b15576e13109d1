"""Streams: monitor."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
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
from samaf.engine.options import STREAM_MATCHES
from samaf.errors import AudioError, SamafError
from samaf.text import escaped, printable

if TYPE_CHECKING:
    from samaf.events import StreamGap, StreamMatch
    from samaf.records import Match, Population

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("streams", nargs=-1, metavar="[FILE|URL|-]...")
@click.option(
    "--streams",
    "list_of_streams",
    type=PATH,
    metavar="FILE",
    help="Also the streams of a file: one URL a line, with a name behind it.",
)
@click.option(
    "--retries",
    type=click.IntRange(0),
    metavar="N",
    help="Give a network stream up after N tries in a row without sound; 0 ends it with its first "
    "connection.  [default: never]",
)
@click.option(
    "--out",
    type=PATH,
    metavar="FOLDER",
    help="Write JSON lines into this folder, one file per day (UTC), and print nothing.",
)
@click.option(
    "--exec",
    "command",
    metavar="COMMAND",
    help="Run this program for each match, without a shell, with its JSON on standard input.",
)
@click.option(
    "--webhook",
    metavar="URL",
    envvar="SAMAF_WEBHOOK",
    help="Post the JSON of each match to this URL.",
)
@click.option(
    "--metrics",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Serve metrics for Prometheus at this port of 127.0.0.1.",
)
@granularity_option
@matches_option(STREAM_MATCHES, "stream")
@max_false_matches_option(0.1, "Maximum expected false matches per hour of a stream.")
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
    streams: tuple[str, ...],
    list_of_streams: Path | None,
    retries: int | None,
    out: Path | None,
    command: str | None,
    webhook: str | None,
    metrics: int | None,
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
    """Report which recordings streams play, while they play.

    Reads standard input ("-"), files, or any URL that FFmpeg opens (http, HLS, rtp, udp ...) in
    constant memory. Each match is printed 6 s after its end, with --deep up to 28 s. The score is
    -log10 of the false matches expected in an hour of the stream.

    A network stream that ends or breaks off is connected again, and the time without sound is
    printed as a gap. Ctrl-C and SIGTERM print what is still open and end the command, with exit
    status 130 and 0. A stream that was given up gives 1.

    \b
    Example:
      samaf monitor http://radio.example/live.mp3 --json
    """
    import signal
    from threading import Event

    import samaf
    from samaf.cli.delivery import Command, DailyFiles, Delivery, Receiver, Webhook
    from samaf.cli.metrics import served
    from samaf.cli.render import write
    from samaf.cli.stream_views import MONITORED
    from samaf.events import StreamMatch
    from samaf.json_records import event_record
    from samaf.report.exports.annotations import on_clip

    one_output(output_format, label_format)
    if label_format and out:
        raise click.UsageError("--format and --out: choose one of them; --out takes JSON")
    sources = {stream: stream for stream in streams}
    if list_of_streams:
        sources |= read_streams(list_of_streams)
    if not sources:
        raise click.UsageError("give streams, or a file of them with --streams")
    receivers: list[Receiver] = [
        *([] if command is None else [Command(_arguments(command))]),
        *([] if webhook is None else [Webhook(_checked(webhook))]),
    ]
    count = 0
    kept: dict[str, list[Match]] = {}
    stopped: list[int] = []
    stop = Event()

    def end(number: int, _frame: object) -> None:
        # What is open is still given; a second signal does not wait for that.
        stopped.append(number)
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def delivered(events: Iterator[StreamMatch | StreamGap]) -> Iterator[StreamMatch | StreamGap]:
        nonlocal count
        for event in events:
            if isinstance(event, StreamMatch):
                count += 1
                if label_format:
                    kept.setdefault(event.stream, []).append(event.match)
                for delivery in deliveries:
                    delivery.put(event_record(event))
            yield event

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    with ExitStack() as stack:
        for number, handler in before.items():
            stack.callback(signal.signal, number, handler)
        engine = stack.enter_context(samaf.open(database(), model=model, index=index, create=False))
        deliveries = [Delivery(receiver) for receiver in receivers]
        log = Delivery(DailyFiles(_folder(out))) if out else None
        for delivery in [*deliveries, *([log] if log else [])]:
            stack.callback(delivery.finish)
        status = {}
        if metrics is not None:
            collector = stack.enter_context(served(metrics, deliveries))
            status = {"on_status": collector.update}
        events = delivered(
            engine.monitor(
                sources if len(sources) > 1 or list_of_streams else streams[0],
                granularity_s=granularity_s,
                k=k,
                max_false_matches=max_false_matches,
                search=search,
                population=population,
                retries=retries,
                follow=follow,
                until=stop,
                **status,
            )
        )
        if log:
            for event in events:
                log.put(event_record(event))
        elif label_format:
            for _ in events:
                pass
        else:
            write(MONITORED, events, output_format, at_once=True)
    if label_format:
        labelled = [on_clip(name, 0.0, kept.get(name, [])) for name in sources]
        write_labels(labelled, [], label_format, None)
    if signal.SIGINT in stopped:
        raise KeyboardInterrupt
    if not (output_format or label_format or out or count):
        click.echo("nothing of the store was found")


def read_streams(path: Path) -> dict[str, str]:
    """Read a file of streams: URLs by name.

    Raises
    ------
    AudioError
        It cannot be read, holds no stream, or the same name twice.
    """
    shown = printable(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8"
        raise AudioError(f"{shown}: {reason}; give a text file of one URL a line") from None
    streams: dict[str, str] = {}
    for line in lines:
        url, _, name = line.strip().partition(" ")
        if not url or url.startswith("#"):
            continue
        name = name.strip() or url
        if name in streams:
            raise AudioError(f"{shown}: has two streams {escaped(name)}; give each its own name")
        streams[name] = url
    if not streams:
        raise AudioError(f"{shown}: holds no stream; write one URL a line")
    return streams


def _arguments(command: str) -> list[str]:
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise click.UsageError(f"--exec: {error}; check the quotes") from None
    if not arguments:
        raise click.UsageError("--exec: is empty; give a program")
    return arguments


def _checked(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise click.UsageError("--webhook: is no URL of a web server; write https://SERVER/PATH")
    return url


def _folder(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SamafError(
            f"{printable(out)}: {error.strerror}; give a folder that can be written"
        ) from None
    return out
