"""The commands of ``python -m benchmarks.unet``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from benchmarks.commands import progress_bars
from benchmarks.layout import markdown
from benchmarks.preparation import default_work
from benchmarks.recognizers import open_system
from benchmarks.unet.reconstruction import draw, table, trials
from benchmarks.unet.relational import SONGS, cells, compared
from benchmarks.unet.searching import searched
from benchmarks.unet.songs import prepared
from benchmarks.vectors import load_vector_model
from samaf.errors import SamafError
from samaf.fingerprinters.decoder import load_decoder
from samaf.training.corpora import default_root, open_corpus

corpus_option = click.option(
    "--corpus", type=click.Path(path_type=Path), help="[default: $SAMAF_CORPUS]"
)


class Group(click.Group):
    """Ends every error in one line."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command, on one thread."""
        os.environ["OMP_NUM_THREADS"] = "1"
        try:
            return super().invoke(ctx)
        except SamafError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Group)
def main() -> None:
    """Redo the experiments of the U-Net paper on the corpus."""


@main.command()
@click.argument("systems", nargs=-1, required=True, metavar="unet:MODEL|samaf:MODEL...")
@click.option("--kind", type=click.Choice(["speech", "music"]), default="music", show_default=True)
@click.option("--queries", type=click.IntRange(1), default=200, show_default=True)
@corpus_option
def search(systems: tuple[str, ...], kind: str, queries: int, corpus: Path | None) -> None:
    """Ask for 4 s and 8 s of stored recordings, with and without noise (section 4.4)."""
    opened = open_corpus(corpus or default_root())
    with progress_bars() as start:
        asked = [open_system(spec) for spec in systems]
        table = searched(opened, kind, asked, queries, start(f"search {kind}"))
    click.echo(markdown(table))


@main.command()
@click.argument("model")
@click.option("--songs", type=click.IntRange(10), default=SONGS, show_default=True)
@click.option("--queries", type=click.IntRange(1), default=100, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), help="Folder of prepared vectors.")
@corpus_option
def relational(
    model: str, songs: int, queries: int, work: Path | None, corpus: Path | None
) -> None:
    """Compare relational tables with the index while the store grows (section 3.7.2.1).

    A second table tells what the index with cells finds of what is nearest.
    """
    opened = open_corpus(corpus or default_root())
    fingerprinter = load_vector_model(model)
    with progress_bars() as start:
        folder = work or default_work()
        made = prepared(opened, fingerprinter, songs, queries, folder, start("songs"))
    click.echo(markdown(compared(made, fingerprinter.name)))
    click.echo(markdown(cells(made, fingerprinter.name)))


@main.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--clips", type=click.IntRange(1), default=50, show_default=True)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the first model's Figures 11 and 12 go.",
)
@corpus_option
def reconstruction(
    models: tuple[str, ...], clips: int, pictures: Path | None, corpus: Path | None
) -> None:
    """Rebuild clips from what decoders get, clean and noisy (sections 4.2 and 4.3)."""
    opened = open_corpus(corpus or default_root())
    decoders = [load_decoder(model) for model in models]
    click.echo(markdown(table(opened, decoders, clips)))
    if pictures:
        shown = trials(opened, "speech", decoders[0], 1)[0]
        for path in draw(shown, decoders[0].card.features, pictures):
            click.echo(path)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.unet")
