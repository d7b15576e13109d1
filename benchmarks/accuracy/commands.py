"""``python -m benchmarks accuracy``: run, report, list, longrun."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks.accuracy import figures, tables
from benchmarks.accuracy.longrun import longrun
from benchmarks.accuracy.paper_tables import summary
from benchmarks.accuracy.protocol import parse_granularities
from benchmarks.accuracy.query_sets import JOBS, default_work, gather
from benchmarks.accuracy.report import read_report
from benchmarks.accuracy.results import Results
from benchmarks.accuracy.run_all import run_all
from benchmarks.accuracy.stages import PARTS, Plan
from benchmarks.accuracy.systems import known_systems, system_name, why_unusable
from benchmarks.accuracy.transformations import select_transformations
from benchmarks.errors import BenchmarkError
from benchmarks.files import writing
from benchmarks.plots import save
from benchmarks.sampling import comparable
from benchmarks.tables import Table, comma_separated, latex, markdown
from benchmarks.terminal import Progress, choose, corpus_option, progress_bars, work_option
from samaf.training.corpora import SPLITS, open_corpus
from samaf.training.curves import Point, read_points


@click.group()
def command() -> None:
    """How often systems name the right recording: raw answers, then every table of them."""


command.add_command(longrun)


@command.command()
@click.option(
    "--systems",
    default="all",
    show_default=True,
    help="KIND:SETTINGS,KIND:SETTINGS as `list` names them, samaf:MODEL, or all.",
)
@click.option(
    "--transformations",
    default="paper",
    show_default=True,
    help="all, paper, real, or NAME,NAME as `list` names them.",
)
@click.option("--granularity", default="1,2,3,6", show_default=True, help="Seconds.")
@click.option(
    "--split",
    default="test",
    show_default=True,
    help="Clips to query: test, validation, train, or several with commas between.",
)
@click.option(
    "--parts",
    default=",".join(PARTS),
    show_default=True,
    help="All stored; bit error rates; half of the originals left out; a store that grows.",
)
@click.option("--clips", type=click.IntRange(1), help="Query this many clips only.")
@click.option(
    "--sample",
    type=click.IntRange(1),
    help="Windows of a cell that systems are queried with whose every window costs.",
)
@corpus_option
@work_option
@click.option("--jobs", type=click.IntRange(1), default=JOBS, show_default=True, help="Processes.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Results folder.")
def run(
    systems: str,
    transformations: str,
    granularity: str,
    split: str,
    parts: str,
    clips: int | None,
    sample: int | None,
    corpus: Path,
    work: Path | None,
    jobs: int,
    out: Path,
) -> None:
    """Query systems with everything and keep the raw answers; resumes where it was stopped.

    Example: python -m benchmarks accuracy run --systems samaf:2LST256C,dejavu --sample 100 --out R
    """
    chosen, granularities = (
        select_transformations(transformations),
        parse_granularities(granularity),
    )
    splits, wanted = choose("--split", split, SPLITS), choose("--parts", parts, PARTS)
    listed = known_systems() if systems == "all" else systems.split(",")
    specs = {system_name(spec): spec for spec in map(str.strip, listed)}
    opened = comparable(open_corpus(corpus))
    with progress_bars() as start:

        def of_split(name: str) -> Callable[[str], Progress]:
            return lambda stage: start(f"{stage}, {name}")

        query_sets = tuple(
            gather(
                opened,
                name,
                chosen,
                work or default_work(),
                clips=clips,
                jobs=jobs,
                progress=of_split(name),
            )
            for name in splits
        )
        Results(out).start(query_sets[0].configuration(), query_sets[0].references())
        plan = Plan(query_sets, tuple(granularities), sample, wanted, out)
        bars: dict[str, Progress] = {}

        def on_progress(name: str, done: float, total: int) -> None:
            if name not in bars:
                bars[name] = start(f"{name} ({len(bars) + 1} of {len(specs)})")
            bars[name](done, total)

        failures = run_all(specs, plan, jobs, on_progress)
    for name, reason in failures.items():
        click.echo(f"{name}: {reason}", err=True)
    click.echo(f"{len(specs) - len(failures)} of {len(specs)} systems measured: {out}")
    if failures:
        sys.exit(1)


@command.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--training",
    type=click.Path(path_type=Path),
    help="Folder that samaf train wrote, for the learning curves.",
)
def report(folder: Path, training: Path | None) -> None:
    """Write tables (Markdown, CSV, LaTeX) and figures (PNG, SVG) into DIR/report."""
    made, curves = read_report(Results(folder)), _curves(training) if training else {}
    listed = tables.every_table(made)
    home = folder / "report"
    texts = {"tables.md": "\n".join([summary(made), *map(markdown, listed)])}
    for table in listed:
        texts[f"{table.name}.md"] = markdown(table)
        texts[f"{table.name}.csv"] = comma_separated(table)
        texts[f"{table.name}.tex"] = latex(table)
    for name, text in texts.items():
        with writing(home / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    names = [table.name for table in listed]
    for name, figure in figures.every_figure(made, curves):
        for kind in ("png", "svg"):
            save(figure, home / f"{name}.{kind}")
        names.append(name)
    click.echo(f"{home}: {', '.join(names)}")


def _curves(training: Path) -> dict[str, list[Point]]:
    """Read learning curves by model; one without a point yet is left out."""
    paths = sorted(training.glob("*/curves.csv"))
    curves = {p.parent.name: points for p in paths if (points := read_points(p, sys.maxsize))}
    if not curves:
        raise BenchmarkError(
            f"{training}: holds no NAME/curves.csv with figures; name the folder that samaf train "
            "wrote"
        )
    return curves


@command.command("list")
def list_known() -> None:
    """Name systems and transformations."""
    systems = tuple((name, why_unusable(name) or "yes") for name in known_systems())
    transformations = tuple(
        (t.name, t.kind, t.parameters, t.note) for t in select_transformations("all")
    )
    click.echo(markdown(Table("systems", "Systems", "", ("name", "can run"), systems)))
    head = ("name", "kind", "parameters", "note")
    click.echo(markdown(Table("transformations", "Transformations", "", head, transformations)))
