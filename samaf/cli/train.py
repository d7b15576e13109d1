"""The command ``samaf train``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from samaf.errors import TrainingError

if TYPE_CHECKING:
    from samaf.training.trainer import Progress


@click.command()
@click.argument("name")
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    help="A folder with manifest.csv, a VoxCeleb1 or LibriSpeech tree, one of clean_*_wav/ and "
    "noisy_*_wav/, or any folder of speech.  [default: $SAMAF_CORPUS]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where model, card, curves, checkpoints and prepared data go.",
)
@click.option("--steps", type=click.IntRange(0), help="Steps in all.  [default: the model's]")
@click.option("--pairs", type=click.IntRange(1), help="Pairs per step.  [default: the model's]")
@click.option(
    "--minutes",
    type=click.FloatRange(0),
    default=float("inf"),
    help="Stop training after this many minutes.",
)
@click.option(
    "--select",
    type=click.Choice(["last", "loss", "accuracy"]),
    help="Weights to export: the last, of smallest loss, or of largest accuracy on the "
    "validation split.  [default: last for C models, else accuracy, or loss for U-Nets]",
)
@click.option("--copies", type=click.IntRange(1), help="Distorted copies per clip.")
@click.option(
    "--from",
    "start",
    metavar="MODEL",
    help="Start from the weights of a shipped model or a model file.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True)
def train(
    name: str,
    corpus: Path | None,
    out: Path,
    steps: int | None,
    pairs: int | None,
    minutes: float,
    select: str | None,
    copies: int | None,
    start: str | None,
    seed: int,
) -> None:
    """Train the model NAME and write its file and card; needs samaf[train].

    NAME gives layers, bits and loss terms: 2LST256C, 1LST128C, 1LST128MHE, 2LST256Random.
    UNET320 is the U-Net, with optional letters: C adds the contrastive term, L leaves out the
    skip connections, R keeps spectrograms raw. An interrupted run continues when the command is
    run again; a finished one is exported again. Keras uses TensorFlow, or the backend that
    KERAS_BACKEND selects: jax or torch.

    \b
    Example:
      samaf train 2LST256C --corpus corpus/ --out models/
    """
    try:
        from samaf.training.corpora import default_root
        from samaf.training.run import Listener, train_model
    except ImportError as error:
        raise click.ClickException(
            f"training lacks {error.name}; install it with: pip install 'samaf[train]'"
        ) from None
    listener = Listener(_prepared, _trained, lambda line: click.echo(line, err=True))
    try:
        model = train_model(
            name,
            corpus or default_root(),
            out,
            steps=steps,
            pairs=pairs,
            minutes=minutes,
            select=select,
            copies=copies,
            seed=seed,
            start=start,
            listener=listener,
        )
    except BrokenPipeError:  # of standard error, and no file's
        raise
    except OSError as error:
        raise TrainingError(
            f"{error.filename or out}: cannot be read or written ({error.strerror or error}); "
            "free space or check its permissions"
        ) from None
    click.echo(model)


def _prepared(what: str, done: int, total: int) -> None:
    """Rewrite one line on a terminal; say every tenth elsewhere."""
    terminal = sys.stderr.isatty()
    if terminal or done == total or done % max(1, total // 10) == 0:
        line = f"preparing {what}: {done:,} of {total:,} clips"
        click.echo(f"\r\x1b[K{line}" if terminal else line, err=True, nl=not terminal)
    if terminal and done == total:
        click.echo(err=True)


def _trained(progress: Progress) -> None:
    from samaf.cli.text import clock

    terms = "  ".join(f"{name} {value:.4f}" for name, value in progress.terms.items())
    click.echo(
        f"step {progress.step:,} of {progress.steps:,}  "
        f"{progress.per_second:,.{0 if progress.per_second >= 10 else 1}f} {progress.unit}/s"
        f"  {terms}  {clock(progress.seconds_left).partition('.')[0]} left",
        err=True,
    )
