"""``python -m benchmarks shared``: synchronisation, repeats, overlaps."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.shared.synchronising import Setting, measure
from benchmarks.tables import markdown, of_lines
from benchmarks.terminal import corpus_option
from samaf.training.corpora import open_corpus

split_option = click.option(
    "--split", type=click.Choice(["validation", "test"]), default="validation", show_default=True
)


@click.group()
def command() -> None:
    """What recordings share: synchronisation, repeats, overlaps."""


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
