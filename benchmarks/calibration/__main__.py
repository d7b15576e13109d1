"""Fit a model's calibration, check it on speakers that were not used, and tell.

python -m benchmarks.calibration [MODEL] [--split test] [--report FOLDER] [--write]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from benchmarks.calibration import deep as deeply
from benchmarks.calibration import pictures, report
from benchmarks.calibration.deep import DeepTrial, ask_deep
from benchmarks.calibration.fitting import unrelated
from benchmarks.calibration.subjects import subjects
from benchmarks.calibration.trials import Hall, Trial, ask, hall
from benchmarks.calibration.validation import (
    Judged,
    cross_validated,
    fitted,
    fold_of_language,
    fold_of_voice,
    groups,
    judged,
)
from benchmarks.files import writing
from benchmarks.options import friendly
from samaf.fingerprinters import ScoreCalibration, load_hash_model
from samaf.fingerprinters.card import write_card
from samaf.training.corpora import default_root, open_corpus

SEED = 11


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", default="2LST256C")
@click.option("--corpus", type=click.Path(path_type=Path), default=default_root)
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default="validation",
    show_default=True,
    help="validation fits, and checks by cross-validation; test checks what the card says.",
)
@click.option(
    "--deep", default=300, show_default=True, help="Deep queries asked, 1 to 2 s of a core each."
)
@click.option(
    "--report", "folder", type=click.Path(path_type=Path), help="Folder for pictures and figures."
)
@click.option("--write", is_flag=True, help="Write the fit into the model's card.")
@friendly
def main(model: str, corpus: Path, split: str, deep: int, folder: Path | None, write: bool) -> None:
    """Fit the calibration of MODEL to validation speakers, or check it on test speakers."""
    if write and split == "test":
        raise click.UsageError("the test split is for checking only; leave --write or --split away")
    opened = open_corpus(corpus)
    fingerprinter = load_hash_model(model)
    asked = subjects(opened, model, split)
    references = [s.reference for s in asked if s.clip.kind == "speech"]
    plain = unrelated(references, np.random.default_rng(SEED))
    hops = fingerprinter.block / fingerprinter.hop
    where = hall(asked, plain, hops / 2)
    trials = ask(asked, where, model)
    if split == "validation":
        title = f"{model}, validation split, cross-validated by speaker"
        calibration = _described(fitted(trials, plain), trials, where, opened.digest)
        folds = fold_of_voice(trials)
        seen, fits = cross_validated(trials, plain, folds)
        few = ask_deep(asked, calibration, where, model, deep)
        calibration = deeply.fitted(few, calibration)
        few = deeply.cross_validated(few, fits, folds)
        languages = {s.voice: s.clip.language for s in asked}
        apart, _ = cross_validated(trials, plain, fold_of_language(trials, languages))
    else:
        apart = None
        title = f"{model}, test split, judged by the numbers of its card"
        calibration = fingerprinter.card.calibration
        seen = judged(trials, calibration)
        few = deeply.judged(ask_deep(asked, calibration, where, model, deep), [calibration], {})
    named = groups(trials, fingerprinter.hop, fingerprinter.block)
    text = "\n".join(_told(title, calibration, seen, apart, named, few))
    click.echo(text)
    if folder:
        _save(folder, split, text, seen, named, few)
    if write:
        card = replace(fingerprinter.card, calibration=calibration)
        click.echo(write_card(card, fingerprinter.path.parent))


def _described(
    calibration: ScoreCalibration, trials: Sequence[Trial], where: Hall, digest: str
) -> ScoreCalibration:
    """Say in the card what the numbers were fitted to."""
    full = [t for t in trials if not t.small]
    counts = Counter(t.kind for t in full)
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    voices = len({t.voice for t in full if t.kind == "speech"})
    population = (
        f"impostors: excerpts of 1-10 s, {kinds}; {voices} voices of the train and validation "
        f"splits, a third as they are, the rest distorted as for training; store "
        f"{len(where.table.counts)} recordings without the excerpt's own; corpus {digest[:12]}"
    )
    true = sum(t.genuine for t in full)
    ratio = replace(
        calibration.likelihood,
        population=f"true: {true} of the same speech excerpts with their recording in the store; "
        f"false: the {len(full)} impostors",
    )
    return replace(calibration, population=population, likelihood=ratio)


def _told(
    title: str,
    calibration: ScoreCalibration,
    seen: Judged,
    apart: Judged | None,
    named: Mapping[str, np.ndarray],
    deep: Sequence[DeepTrial],
) -> Iterator[str]:
    yield f"{title}\n\n{calibration}\n"
    yield "Share of impostors that pass at stated rates, with 95 % intervals over voices:\n"
    yield from report.rates(seen, named, deep)
    if apart:
        yield "\nThe same, cross-validated by language, so that no sentence is on both sides:\n"
        yield from report.rates(apart, named, [])
    yield "\nLikelihood ratios:\n"
    yield from report.ratios(seen, named)


def _save(
    folder: Path,
    split: str,
    text: str,
    seen: Judged,
    named: Mapping[str, np.ndarray],
    deep: Sequence[DeepTrial],
) -> None:
    drawn = pictures.calibration(seen, named, deep)
    pictures.save(drawn, folder / f"calibration-{split}.png")
    pictures.save(pictures.tippett(seen, named["all"]), folder / f"tippett-{split}.png")
    with writing(folder / f"calibration-{split}.md") as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
