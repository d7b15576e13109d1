"""``python -m benchmarks cluster``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.cluster.recall import recall
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
def recall_command(corpus: Path, hashes: int, recordings: int, seed: int) -> None:
    """Compare the answers by cells and votes with the exact ones, and their times."""
    with tempfile.TemporaryDirectory() as folder:
        lines = recall(corpus, Path(folder), hashes, recordings, seed)
    click.echo(markdown(of_lines("recall", "Cells and votes against the exact index", lines)))
