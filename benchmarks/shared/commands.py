"""``python -m benchmarks shared``: excerpts, synchronisation, repeats."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.shared import excerpts as untouched
from benchmarks.shared import overlapping, recurring
from benchmarks.shared.synchronising import Setting, measure
from benchmarks.tables import markdown, of_lines
from benchmarks.terminal import corpora_option, corpus_option, progress_bars
from samaf.engine.options import INDEX_TYPES
from samaf.training.corpora import default_root, open_corpora, open_corpus

hours_option = click.option(
    "--hours", default=100.0, show_default=True, help="Of the collection that is searched."
)
split_option = click.option(
    "--split", type=click.Choice(["validation", "test"]), default="validation", show_default=True
)


@click.group()
def command() -> None:
    """What recordings share: excerpts, synchronisation, repeats."""


@command.command()
@click.option("--events", type=click.IntRange(1), default=2, show_default=True)
@click.option("--devices", type=click.IntRange(2), default=6, show_default=True, help="Of each.")
@click.option("--minutes", default=15.0, show_default=True, help="Of an event.")
@click.option("--snr", default=10.0, show_default=True, help="dB of speech over noise.")
@split_option
@corpus_option
def sync(events: int, devices: int, minutes: float, snr: float, split: str, corpus: Path) -> None:
    """Synchronise recordings with known offsets, drifts and cut pauses, of several events."""
    setting = Setting(events, devices, minutes, snr)
    with tempfile.TemporaryDirectory() as folder:
        lines = measure(open_corpus(corpus), split, setting, Path(folder))
    title = f"{events} events of {minutes:g} min, {devices} recorders each, {snr:g} dB, {split}"
    click.echo(markdown(of_lines("sync", title, lines)))


@command.command()
@click.option("--minutes", default=60.0, show_default=True, help="Of a stream with its audio.")
@click.option(
    "--hours", default=0.0, help="Search hashes alone instead, prolonged to so many hours."
)
@click.option("--seed", default="repeats", show_default=True, help="Any word: another stream.")
@split_option
@corpora_option
def repeats(minutes: float, hours: float, seed: str, split: str, corpora: tuple[Path, ...]) -> None:
    """Find planted prompts, jingles and music beds in a broadcast-like stream.

    Speech of the train split is taken, too, and again at other speeds where the stream is longer.
    """
    splits = (split, "train")
    corpus = open_corpora(corpora or (default_root(),))
    with tempfile.TemporaryDirectory() as folder:
        if hours:
            lines = recurring.scale(corpus, splits, hours, Path(folder))
        else:
            lines = recurring.measure(corpus, splits, minutes, seed, Path(folder))
    what = f"{hours:g} h of hashes" if hours else f"{minutes:g} min"
    click.echo(markdown(of_lines("repeats", f"Repeats: {what}, {split}", lines)))


@command.command()
@hours_option
@click.option("--index", type=click.Choice(INDEX_TYPES), default="exact", show_default=True)
@click.option("--granularity", type=click.IntRange(1, 6), default=3, show_default=True)
@split_option
@corpus_option
def overlap(hours: float, index: str, granularity: int, split: str, corpus: Path) -> None:
    """Find planted overlaps of 0.5 to 5 s of a folder and a store, most of it distractors."""
    with tempfile.TemporaryDirectory() as folder:
        lines = overlapping.measure(
            open_corpus(corpus), split, hours, index, granularity, Path(folder)
        )
    title = f"Overlap: {hours:g} h, {index}, windows of {granularity} s, {split}"
    click.echo(markdown(of_lines("overlap", title, lines)))


@command.command()
@click.option("--clips", default=200, show_default=True, help="Recordings that are cut from.")
@split_option
@corpus_option
def excerpts(clips: int, split: str, corpus: Path) -> None:
    """Compare untouched excerpts of 1.2 to 4 s with themselves and with their recordings."""
    with progress_bars() as bars:
        lines = untouched.measure(open_corpus(corpus), split, clips, bars("compared"))
    click.echo(markdown(of_lines("excerpts", f"Untouched excerpts, {split}", lines)))
