"""The command ``python -m benchmarks field``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from benchmarks.errors import BenchmarkError
from benchmarks.field import querying
from benchmarks.field.answers import ANSWERS, SETTINGS, Answer, AnswerFile, read_answers
from benchmarks.field.conditions import FORMAT, Condition, select
from benchmarks.field.plan import WHOLE, WITHOUT, collection, plan
from benchmarks.field.stores import build, opened
from benchmarks.field.tools import missing
from benchmarks.surroundings import around_voices
from benchmarks.terminal import corpora_option, progress_bars, work_option
from samaf.fingerprinters import (
    DEFAULT_MODEL,
    Fingerprinter,
    ScoreCalibration,
    load_hash_model,
)
from samaf.fingerprinters.card import write_card
from samaf.training.corpora import default_root, open_corpus

LENGTHS = "1,2,3,6,10"
CLIPS = 60


@click.group("field", invoke_without_command=True)
@click.pass_context
@click.option(
    "--split",
    type=click.Choice(["validation", "test", "train"]),
    default="validation",
    show_default=True,
    help="Whose clips are queried.",
)
@corpora_option
@click.option("--clips", type=click.IntRange(1), default=CLIPS, show_default=True, help="Queried.")
@click.option("--lengths", default=LENGTHS, show_default=True, help="Seconds.")
@click.option("--conditions", default="all", show_default=True, help="all, or NAME,NAME.")
@click.option(
    "--draw",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Conditions drawn for each clip and length; 0 for all.",
)
@click.option(
    "--stores",
    default=",".join([WHOLE, *WITHOUT[1:]]),
    show_default=True,
    help="In which of the four each clip is queried.",
)
@click.option("--model", help="Name, or path of a card.  [default: the program's]")
@click.option("--deep", is_flag=True, help="Ask with the deep search.")
@click.option("--verify", is_flag=True, help="Ask with verification by the signals.")
@click.option(
    "--times",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Make the stores so many times as large, with distractors of speech of other splits.",
)
@click.option(
    "--part",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Search in so many recordings, others for each clip; 0 for all.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is drawn.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@work_option
@click.option("--out", type=click.Path(path_type=Path), help="Results folder; must be given.")
def command(context: click.Context, **options: Any) -> None:
    """Ask clips as cases bring them, with the program's defaults; go on where it was stopped.

    Writes answers.jsonl (one line a query), report.md and det.png into --out. Every clip is queried
    four times: in the whole store; in one that lacks its speaker; in one that lacks its source, the
    collection, too, and so what may share its text; and in that with its recording added (others).

    Example: python -m benchmarks field --clips 60 --out runs/field
    """
    if context.invoked_subcommand is None:
        if options["out"] is None:
            raise click.UsageError("name a results folder with --out")
        run(**options)


@command.command("report")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, path_type=Path))
def report_command(folder: Path) -> None:
    """Write report.md and det.png of the answers in DIR again."""
    from benchmarks.field.report import write

    click.echo(write(folder))


@command.command("decision")
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
def decision_command(folders: tuple[Path, ...]) -> None:
    """Print what each kind of evidence gives to the decision, from the answers in DIR."""
    from benchmarks.field.decision import ablation

    answers = [a for folder in folders for a in read_answers(folder / ANSWERS)]
    if not answers:
        raise BenchmarkError(f"{folders[0]}: holds no answers; ask some with --out {folders[0]}")
    click.echo(ablation(answers))


def _fit_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that fits something in a model's card its folders and options."""
    for option in (
        click.option("--write", "is_written", is_flag=True, help="Write the fit into the card."),
        click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Whose card it is."),
        click.argument(
            "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)
        ),
    ):
        command = option(command)
    return command


@command.command("fit")
@_fit_options
def fit_command(folders: tuple[Path, ...], model: str, is_written: bool) -> None:
    """Fit the decision and its likelihood ratios to the answers in DIR, and check the fit.

    The check is cross-validated by speaker. Answers of the test split are for reporting only.
    """
    from benchmarks.field import fitting

    fingerprinter = load_hash_model(model)
    data = fitting.examples(_for_fits(folders, "plain"))
    calibration = fitting.fitted(data, fingerprinter.card.calibration)
    click.echo(fitting.checked(data, calibration))
    if is_written:
        _write(fingerprinter, calibration)


@command.command("ratio")
@_fit_options
def ratio_command(folders: tuple[Path, ...], model: str, is_written: bool) -> None:
    """Fit the likelihood ratios alone to the answers in DIR; the score stays as the card has it."""
    from benchmarks.field import fitting

    fingerprinter = load_hash_model(model)
    data = fitting.examples(_for_fits(folders, "plain"))
    calibration = fitting.with_ratio(data, fingerprinter.card.calibration)
    click.echo(fitting.checked(data, calibration, fitting.with_ratio))
    if is_written:
        _write(fingerprinter, calibration)


@command.command("deep")
@_fit_options
def deep_command(folders: tuple[Path, ...], model: str, is_written: bool) -> None:
    """Fit what a deep query is charged to the answers in DIR, of queries with --deep."""
    from benchmarks.field import deep

    fingerprinter = load_hash_model(model)
    data = deep.impostors(_for_fits(folders, "deep"))
    calibration = deep.charged(data, fingerprinter.card.calibration)
    click.echo(deep.checked(data, calibration))
    if is_written:
        _write(fingerprinter, calibration)


@command.command("figures")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, path_type=Path))
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Whose card it is.")
def figures_command(folder: Path, model: str) -> None:
    """Write the validation that reports print into the card, from the answers in DIR."""
    from benchmarks.field.figures import validation

    settings = json.loads((folder / SETTINGS).read_text("utf-8"))
    fingerprinter = load_hash_model(model)
    if settings["model"] != fingerprinter.digest:
        raise BenchmarkError(f"{folder}: holds answers of another model than {model}")
    found = validation(list(read_answers(folder / ANSWERS)), settings)
    card = fingerprinter.card
    written = replace(card, figures={**card.figures, "decision": asdict(found)})
    click.echo(write_card(written, fingerprinter.path.parent))


def run(
    *,
    split: str,
    corpora: tuple[Path, ...],
    clips: int,
    lengths: str,
    conditions: str,
    draw: int,
    stores: str,
    model: str | None,
    deep: bool,
    verify: bool,
    times: int,
    part: int,
    seed: int,
    jobs: int,
    work: Path | None,
    out: Path,
) -> None:
    """Query what was not queried yet, and report; see `command`."""
    opened_corpora = [open_corpus(root) for root in corpora or (default_root(),)]
    queried, wanted = _seconds(lengths), _stores(stores)
    dealt = plan(opened_corpora, split, seed)
    chosen = _available(select(conditions))
    folder = work or default_work()
    with progress_bars() as start:
        store = build(dealt, folder, model, times, start("recordings added"))
    with opened(store, model) as engine:
        digest = engine.fingerprinter.digest
    answers = AnswerFile(
        out,
        {
            "split": split,
            "corpora": sorted(corpus.digest for corpus in opened_corpora),
            "model": digest,
            "search": ("deep" if deep else "plain") + verify * ", verified",
            "times": times,
            "part": part,
            "seed": seed,
            "conditions": FORMAT,
        },
    )
    task = querying.Task(
        store,
        {name: collection(clip) for name, clip in dealt.stored.items()},
        {name: clip.speaker or name for name, clip in dealt.stored.items()},
        around_voices(opened_corpora, split, dealt.voices),
        tuple(c.name for c in chosen),
        queried,
        "deep" if deep else "plain",
        seed,
        part,
        verify,
        draw,
        wanted,
        model,
    )
    probes = dealt.probes[:clips]
    with progress_bars() as start:
        on_progress = start("clips queried")
        for number, given in enumerate(
            querying.query_all(task, probes, answers.keys(), jobs), start=1
        ):
            answers.append(given)
            on_progress(number, len(probes))
    from benchmarks.field.report import write

    click.echo(write(out))


def default_work() -> Path:
    """Give the folder for stores in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "samaf" / "field"


def _available(chosen: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Leave out, by name, the conditions whose codec or program is not installed."""
    kept = []
    for condition in chosen:
        if lacking := missing(condition.needs):
            click.echo(f"{condition.name} is left out: {lacking} is not installed", err=True)
        else:
            kept.append(condition)
    if not kept:
        raise BenchmarkError("no condition is left; install what is listed above")
    return tuple(kept)


def _seconds(text: str) -> tuple[float, ...]:
    try:
        seconds = tuple(float(part) for part in text.split(","))
    except ValueError:
        seconds = ()
    if not seconds or min(seconds) < 1:
        raise BenchmarkError(f"--lengths {text}: give seconds from 1 on, with commas between")
    return seconds


def _stores(text: str) -> tuple[str, ...]:
    """Give what each of the stores of a list lacks."""
    called = {without or WHOLE: without for without in WITHOUT}
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or not set(names) <= set(called):
        raise BenchmarkError(f"--stores {text}: no such store; give some of {', '.join(called)}")
    return tuple(without for name, without in called.items() if name in names)


def _for_fits(folders: tuple[Path, ...], search: str) -> list[Answer]:
    """Read the answers of some folders, which may all be fitted to."""
    answers: list[Answer] = []
    for folder in folders:
        settings = json.loads((folder / SETTINGS).read_text("utf-8"))
        if settings["split"] == "test":
            raise BenchmarkError(f"{folder}: the test split is for reporting; give another")
        if settings["search"] != search:
            raise BenchmarkError(
                f"{folder}: was made with the {settings['search']} search; give one of "
                f"the {search} search"
            )
        answers += read_answers(folder / ANSWERS)
    return answers


def _write(fingerprinter: Fingerprinter, calibration: ScoreCalibration) -> None:
    card = replace(fingerprinter.card, calibration=calibration)
    click.echo(write_card(card, fingerprinter.path.parent))
