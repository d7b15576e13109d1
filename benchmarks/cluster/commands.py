"""``python -m benchmarks cluster``."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import click

from benchmarks.cluster import torture as tortures
from benchmarks.cluster.figures import figures
from benchmarks.cluster.recall import recall
from benchmarks.cluster.servers import shard_servers
from benchmarks.stores.torture import table
from benchmarks.tables import markdown, of_lines
from benchmarks.terminal import corpus_option
from samaf.fingerprinters import load_hash_model
from samaf.training.codebook import add_codebook
from samaf.training.corpora import default_root, open_corpus


@click.group()
def command() -> None:
    """Measure the search of large stores by cells and votes."""


@command.command()
@click.argument("models", nargs=-1, required=True)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path, file_okay=False),
    help="The corpus whose train split is drawn from.  [default: $SAMAF_CORPUS]",
)
def codebook(models: tuple[str, ...], corpus: Path | None) -> None:
    """Draw the codebooks of models that were trained without one, and write them beside them."""
    opened = open_corpus(corpus or default_root())
    for name in models:
        fingerprinter = load_hash_model(name)
        card = add_codebook(fingerprinter, opened, lambda _done, _total: None)
        click.echo(f"{fingerprinter.path}: codebook {card.codebook_sha256}")


@command.command("recall")
@corpus_option
@click.option("--hashes", type=click.IntRange(100_000), default=5_000_000, show_default=True)
@click.option("--recordings", type=click.IntRange(2), default=100, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--deep", is_flag=True, help="Ask about clips whose time or pitch was changed.")
def recall_command(corpus: Path, hashes: int, recordings: int, seed: int, deep: bool) -> None:
    """Compare the answers by cells and votes with the exact ones, and their times."""
    with tempfile.TemporaryDirectory() as folder:
        lines = recall(corpus, Path(folder), hashes, recordings, seed, deep=deep)
    click.echo(markdown(of_lines("recall", "Cells and votes against the exact index", lines)))


@command.command("figures")
@corpus_option
@click.option("--hashes", type=click.IntRange(200_000), default=5_000_000, show_default=True)
@click.option("--recordings", type=click.IntRange(2), default=50, show_default=True)
@click.option("--seed", default=1, show_default=True)
def figures_command(corpus: Path, hashes: int, recordings: int, seed: int) -> None:
    """Load the index in ClickHouse, and compare it with the exact one and FAISS."""
    with tempfile.TemporaryDirectory() as folder:
        lines = figures(corpus, Path(folder), hashes, recordings, seed)
    click.echo(markdown(of_lines("figures", "The index in ClickHouse", lines)))


@command.command()
@click.option("--kills", default=50, show_default=True, help="In all.")
@click.option("--shards", type=click.IntRange(1), default=2, show_default=True)
@click.option("--seed", default=1, show_default=True)
def torture(kills: int, shards: int, seed: int) -> None:
    """End writers and servers of an index at random moments and check that nothing is lost."""
    tallies = []
    with (
        tempfile.TemporaryDirectory() as folder,
        shard_servers(Path(folder) / "shards", shards) as servers,
    ):
        for tally in tortures.run(kills, servers, Path(folder), random.Random(seed)):
            tallies.append(tally)
            for failure in tally.failures:
                click.echo(f"{tally.verb}: {failure}", err=True)
    click.echo(markdown(table(tallies)))
    raise SystemExit(any(tally.failures for tally in tallies))
