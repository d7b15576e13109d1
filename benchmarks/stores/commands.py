"""``python -m benchmarks stores``: torture, load, storage, upkeep."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.errors import BenchmarkError
from benchmarks.stores import load as loads
from benchmarks.stores import replication as replications
from benchmarks.stores import storage as storages
from benchmarks.stores import torture as tortures
from benchmarks.stores import upkeep as upkeeps
from benchmarks.stores.made import DIALECTS, SERVERS, parse_dialects, servers, sqlite_database
from benchmarks.tables import markdown, of_lines
from benchmarks.terminal import choose
from samaf.store import downgrade

dialects_option = click.option("--dialects", default=",".join(DIALECTS), show_default=True)


@click.group()
def command() -> None:
    """What databases keep, take and cost."""


@command.command()
@click.option("--kills", default=200, show_default=True, help="Of the program, in all.")
@click.option("--server-kills", default=10, show_default=True, help="Of each server.")
@click.option("--seed", default=1, show_default=True)
@dialects_option
@click.option(
    "--work", default=",".join(tortures.ALL), show_default=True, help="What is interrupted."
)
def torture(kills: int, server_kills: int, seed: int, dialects: str, work: str) -> None:
    """End program and server at random moments and check that nothing is lost."""
    interrupted, chosen = choose("--work", work, tortures.ALL), parse_dialects(dialects)
    if interrupted == (tortures.SERVER,) and not set(SERVERS) & set(chosen):
        raise BenchmarkError(f"--work {work}: needs a server among --dialects, and that installed")
    tallies = []
    for tally in tortures.run(kills, server_kills, seed, chosen, interrupted):
        tallies.append(tally)
        for failure in tally.failures:
            click.echo(f"{tally.dialect}, {tally.verb}: {failure}", err=True)
    click.echo(markdown(tortures.table(tallies)))
    raise SystemExit(any(tally.failures for tally in tallies))


@command.command()
@click.option("--kills", default=5, show_default=True, help="Of the primary.")
@click.option("--seed", default=1, show_default=True)
def replication(kills: int, seed: int) -> None:
    """Run a replicating group of three MySQL servers and end its primary while samaf adds."""
    tally = replications.replication(kills, seed)
    for failure in tally.failures:
        click.echo(failure, err=True)
    click.echo(markdown(tortures.table([tally])))
    raise SystemExit(bool(tally.failures))


@command.command()
@click.option(
    "--hashes",
    type=click.IntRange(1),
    default=10_000_000,
    show_default=True,
    help="For each length.",
)
@click.option("--lengths", default="3600,600,10", show_default=True, help="Of recordings, in s.")
@dialects_option
def load(hashes: int, lengths: str, dialects: str) -> None:
    """Fill stores: how fast, how soon a query sees more, and what 16 processes at once do."""
    chosen, spans = parse_dialects(dialects), loads.parse_lengths(lengths)
    with servers(chosen) as started:
        lines = [
            line
            for dialect, server in started.items()
            for line in loads.load(
                dialect, server.database if server else sqlite_database, server, spans, hashes
            )
        ]
    click.echo(markdown(of_lines("load", "Load", lines)))


@command.command()
@click.option("--server", metavar="URL", help="An empty database of a server, to measure it too.")
@click.option("--hashes", type=click.IntRange(1), default=storages.HASHES, show_default=True)
def storage(server: str | None, hashes: int) -> None:
    """Measure what stores of random hashes take on disk."""
    with sqlite_database() as file:
        sizes = list(storages.sizes([*([server] if server else []), file], hashes))
    click.echo(markdown(storages.table(sizes, hashes)))


@command.command()
@click.option("--server", metavar="URL", help="An empty database of a server, instead of a file.")
@click.option("--hours", type=click.FloatRange(0, min_open=True), default=100.0, show_default=True)
def upkeep(server: str | None, hours: float) -> None:
    """Time the commands of an administrator."""
    hashes = round(hours * upkeeps.HASHES_AN_HOUR)
    with tempfile.TemporaryDirectory() as folder:
        url = server or str(Path(folder) / "store.db")
        timings = list(upkeeps.timings(url, hashes, Path(folder)))
        if server:
            downgrade(server, "base")
    click.echo(markdown(upkeeps.table(timings, "server" if server else "SQLite", hours)))
