"""``python -m benchmarks calibration``: fit a model's calibration, check it, and report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from benchmarks.calibration import deep as deeply
from benchmarks.calibration import report
from benchmarks.calibration.deep import run_deep_trials
from benchmarks.calibration.fitting import unrelated
from benchmarks.calibration.probes import make_probes
from benchmarks.calibration.trials import Gallery, Trial, gallery, run_trials
from benchmarks.calibration.validation import (
    cross_validated,
    fitted,
    fold_of_language,
    fold_of_voice,
    groups,
    judged,
)
from benchmarks.files import writing
from benchmarks.plots import save
from benchmarks.tables import markdown
from benchmarks.terminal import corpora_option, model_argument
from samaf.fingerprinters import ScoreCalibration, load_hash_model
from samaf.fingerprinters.card import write_card
from samaf.training.corpora import default_root, open_corpora

SEED = 11


@click.command()
@model_argument
@corpora_option
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default="validation",
    show_default=True,
    help="validation fits, and checks by cross-validation; test checks what the card says.",
)
@click.option(
    "--deep", default=300, show_default=True, help="Deep queries, 1 to 2 s of a core each."
)
@click.option(
    "--report", "folder", type=click.Path(path_type=Path), help="Folder for pictures and figures."
)
@click.option("--write", is_flag=True, help="Write the fit into the model's card.")
def command(
    model: str,
    corpora: tuple[Path, ...],
    split: str,
    deep: int,
    folder: Path | None,
    write: bool,
) -> None:
    """Fit the calibration of MODEL to validation speakers, or check it on test speakers."""
    if write and split == "test":
        raise click.UsageError("the test split is for checking only; leave --write or --split away")
    opened = open_corpora(corpora or (default_root(),))
    fingerprinter = load_hash_model(model)
    probes = make_probes(opened, model, split)
    references = [p.reference for p in probes if p.clip.kind == "speech"]
    plain = unrelated(references, np.random.default_rng(SEED))
    stored = gallery(probes, plain, fingerprinter.block / fingerprinter.hop / 2)
    trials = run_trials(probes, stored, model)
    by_language = None
    if split == "validation":
        title = f"{model}, validation split, cross-validated by speaker"
        calibration = _described(fitted(trials, plain), trials, stored, opened.digest)
        folds = fold_of_voice(trials)
        seen, fits = cross_validated(trials, plain, folds)
        few = run_deep_trials(probes, calibration, stored, model, deep)
        calibration = deeply.fitted(few, calibration)
        few = deeply.cross_validated(few, fits, folds)
        languages = {p.voice: p.clip.language for p in probes}
        by_language, _ = cross_validated(trials, plain, fold_of_language(trials, languages))
    else:
        title = f"{model}, test split, judged by the numbers of its card"
        calibration = fingerprinter.card.calibration
        seen = judged(trials, calibration)
        few = run_deep_trials(probes, calibration, stored, model, deep)
        few = deeply.judged(few, [calibration], {})
    grouped = groups(trials, fingerprinter.hop, fingerprinter.block)
    stated = "Share of impostors that pass at stated rates"
    tables = [report.rates(stated, seen, grouped, few)]
    if by_language:
        how = "cross-validated by language, so that no sentence is on both sides"
        tables.append(report.rates(f"{stated}, {how}", by_language, grouped, []))
    tables += [report.nearest(seen, grouped), report.ratios(seen, grouped)]
    text = "\n".join([f"# {title}\n\n{calibration}\n", *map(markdown, tables)])
    click.echo(text, nl=False)
    if folder:
        save(
            report.calibration(seen, grouped, few), folder / f"calibration-{split}.png", report.DPI
        )
        save(report.tippett(seen, grouped["all"]), folder / f"tippett-{split}.png", report.DPI)
        with writing(folder / f"calibration-{split}.md") as temporary:
            temporary.write_text(text, encoding="utf-8")
    if write:
        card = replace(fingerprinter.card, calibration=calibration)
        click.echo(write_card(card, fingerprinter.path.parent))


def _described(
    calibration: ScoreCalibration, trials: Sequence[Trial], stored: Gallery, digest: str
) -> ScoreCalibration:
    """Say in the card what the numbers were fitted to."""
    full = [t for t in trials if not t.small]
    counts = Counter(t.kind for t in full)
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    voices = len({t.voice for t in full if t.kind == "speech"})
    population = (
        f"impostors: excerpts of 1-10 s, {kinds}; {voices} voices of the train and validation "
        f"splits, a third as they are, the rest distorted as for training; store "
        f"{len(stored.table.counts)} recordings without the excerpt's own; corpora {digest[:12]}"
    )
    true = sum(t.genuine for t in full)
    ratio = replace(
        calibration.likelihood,
        population=f"true: {true} of the same speech excerpts with their recording in the store; "
        f"false: the {len(full)} impostors",
    )
    return replace(calibration, population=population, likelihood=ratio)
