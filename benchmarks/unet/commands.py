"""``python -m benchmarks unet``: search, relational, reconstruction."""

from __future__ import annotations

import os
from pathlib import Path

import click

from benchmarks.accuracy.query_sets import default_work
from benchmarks.accuracy.systems import load_vector_model, open_system
from benchmarks.tables import markdown
from benchmarks.terminal import corpus_option, progress_bars, work_option
from benchmarks.unet.reconstruction import draw, table, trials
from benchmarks.unet.relational import SONGS, cells, compared
from benchmarks.unet.searching import searched
from benchmarks.unet.songs import prepared
from samaf.fingerprinters.decoder import load_decoder
from samaf.training.corpora import open_corpus


@click.group()
def command() -> None:
    """The experiments of the U-Net paper on the corpus, on one thread."""
    os.environ["OMP_NUM_THREADS"] = "1"


@command.command()
@click.argument("systems", nargs=-1, required=True, metavar="unet:MODEL|samaf:MODEL...")
@click.option("--kind", type=click.Choice(["speech", "music"]), default="music", show_default=True)
@click.option("--queries", type=click.IntRange(1), default=200, show_default=True)
@corpus_option
def search(systems: tuple[str, ...], kind: str, queries: int, corpus: Path) -> None:
    """Query 4 s and 8 s of stored recordings, with and without noise (section 4.4)."""
    opened = open_corpus(corpus)
    with progress_bars() as start:
        opened_systems = [open_system(spec) for spec in systems]
        table = searched(opened, kind, opened_systems, queries, start(f"search {kind}"))
    click.echo(markdown(table))


@command.command()
@click.argument("model")
@click.option("--songs", type=click.IntRange(10), default=SONGS, show_default=True)
@click.option("--queries", type=click.IntRange(1), default=100, show_default=True)
@work_option
@corpus_option
def relational(model: str, songs: int, queries: int, work: Path | None, corpus: Path) -> None:
    """Compare relational tables with the index while the store grows (section 3.7.2.1).

    A second table shows what the index with cells finds of what is nearest.
    """
    opened = open_corpus(corpus)
    fingerprinter = load_vector_model(model)
    with progress_bars() as start:
        folder = work or default_work()
        made = prepared(opened, fingerprinter, songs, queries, folder, start("songs"))
    click.echo(markdown(compared(made, fingerprinter.name)))
    click.echo(markdown(cells(made, fingerprinter.name)))


@command.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--clips", type=click.IntRange(1), default=50, show_default=True)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the first model's Figures 11 and 12 go.",
)
@corpus_option
def reconstruction(
    models: tuple[str, ...], clips: int, pictures: Path | None, corpus: Path
) -> None:
    """Rebuild clips from what decoders get, clean and noisy (sections 4.2 and 4.3)."""
    opened = open_corpus(corpus)
    decoders = [load_decoder(model) for model in models]
    click.echo(markdown(table(opened, decoders, clips)))
    if pictures:
        shown = trials(opened, "speech", decoders[0], 1)[0]
        for path in draw(shown, decoders[0].card.features, pictures):
            click.echo(path)
