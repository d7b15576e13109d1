"""The commands: what ``python -m benchmarks`` does, with its progress on the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table

from baselines.recognizer import UnavailableError, create
from benchmarks import accuracy as table_of_accuracy
from benchmarks import figures, layout, tables
from benchmarks.campaign import measure_all
from benchmarks.errors import BenchmarkError
from benchmarks.files import writing
from benchmarks.findings import read_findings
from benchmarks.measuring import PARTS, Plan
from benchmarks.metrics import Separation
from benchmarks.options import some
from benchmarks.preparation import Progress, default_work, material_split
from benchmarks.protocol import parse_granularities
from benchmarks.recognizers import SAMAF, HashSystem, known_systems, system_name
from benchmarks.results import Results
from benchmarks.runs import Material, ask_all, gather, missing_cells, store_all
from benchmarks.selection import comparable
from benchmarks.separation import CLIPS, separate
from benchmarks.transformations import EXTREME, select_rows
from benchmarks.vectors import UNET
from samaf.fingerprinters import load_hash_model
from samaf.training.corpora import SPLITS, default_root, open_corpus
from samaf.training.curves import Point, read_points


@contextmanager
def progress_bars() -> Iterator[Callable[[str], Progress]]:
    """Show bars on the error stream; gives the function that starts one."""
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )

    def start(name: str) -> Progress:
        task = bars.add_task(name, total=None)
        return lambda done, total: bars.update(task, completed=done, total=total)

    with bars:
        yield start


def accuracy(
    model: str,
    granularity: str,
    clips: int | None,
    corpus: Path | None,
    split: str,
    rows: str,
    work: Path | None,
    jobs: int,
    out: Path,
) -> None:
    """Measure one model, print its table, write ``accuracy-*.md`` and ``.json``."""
    chosen, granularities = select_rows(rows), parse_granularities(granularity)
    opened = comparable(open_corpus(corpus or default_root()))
    system = HashSystem(load_hash_model(model), parallel=jobs)
    results = Results(out)
    with progress_bars() as start:
        material = gather(
            opened,
            split,
            chosen,
            work or default_work(),
            clips=clips,
            jobs=jobs,
            progress=start,
        )
        results.start(material.configuration(), material.references())
        store_all(system, material, results, start("references"))
        missing = missing_cells(system, material, results, granularities, None)
        ask_all(system, material, results, missing, None, start("queries"))
        separations = {}
        report = start("bit error rates")
        for number, row in enumerate(chosen, start=1):
            separations[row.name] = separate(system, material, row)
            report(number, len(chosen))
    table = table_of_accuracy.accuracy_table(
        results, system.name, split, chosen, granularities, separations
    )
    note = _note(material, split)
    _write(results, table, note, separations)
    _print(table, note)


def _note(material: Material, split: str) -> str:
    """Say what a table rests on."""
    return (
        f"Right recording in % (95 % interval, bootstrap over clips). {len(material.asked)} clips "
        f"of the {split} split, every window, nearest among all windows of "
        f"{len(material.originals)} speech originals (all splits) of {material.corpus.root.name} "
        f"{material.corpus.digest[:12]}; recordings that tie share the point. Conditions of real "
        f"life use sounds of the {material_split(split)} split. Bit error rates at 1 s over at "
        f"most {CLIPS} clips; TruncateSilence against the nearest block of its recording. The 6 "
        f"left out of the second mean are {', '.join(sorted(EXTREME))}. "
        f"{len(material.prepared.failures)} clips could not be transformed."
    )


def _write(
    results: Results,
    table: table_of_accuracy.AccuracyTable,
    note: str,
    separations: dict[str, Separation],
) -> None:
    stem = f"accuracy-{table.recognizer.replace(':', '+')}-{table.queries}"
    figures = {
        str(seconds): {
            **{name: asdict(estimate) for name, estimate in column.rows.items()},
            "mean": asdict(column.mean),
            "gentle": asdict(column.gentle),
            "lifelike": asdict(column.lifelike),
        }
        for seconds, column in table.columns.items()
    }
    bits = {name: asdict(found) for name, found in separations.items()}
    texts = {
        "md": table_of_accuracy.markdown(table, note),
        "json": json.dumps({"accuracy": figures, "bit_error_rates": bits}, indent=1) + "\n",
    }
    for suffix, text in texts.items():
        with writing(results.folder / f"{stem}.{suffix}") as temporary:
            temporary.write_text(text, encoding="utf-8")


def _print(table: table_of_accuracy.AccuracyTable, note: str) -> None:
    head, *body = table_of_accuracy.lines(table, table_of_accuracy.percent)
    title = f"{table.recognizer}, {table.queries} split"
    shown = Table(title=title, caption=note, box=SIMPLE_HEAD, padding=0)
    for name in head:
        shown.add_column(name, justify="right" if name else "left", no_wrap=True)
    sums = [line for line in body if "mean" in line[0] or "worst" in line[0]]
    for line in body:
        shown.add_row(*line, end_section=bool(sums) and line is body[-len(sums) - 1])
    Console().print(shown)


def run(
    recognizers: str,
    granularity: str,
    sample: int | None,
    clips: int | None,
    parts: str,
    corpus: Path | None,
    split: str,
    rows: str,
    work: Path | None,
    jobs: int,
    out: Path,
) -> None:
    """Measure recognizers, each in a process of its own; say which failed."""
    chosen, granularities = select_rows(rows), parse_granularities(granularity)
    splits, wanted = some("--split", split, SPLITS), some("--parts", parts, PARTS)
    listed = known_systems() if recognizers == "all" else recognizers.split(",")
    specs = {system_name(spec): spec for spec in map(str.strip, listed)}
    opened = comparable(open_corpus(corpus or default_root()))
    results = Results(out)
    with progress_bars() as start:
        materials = tuple(
            gather(
                opened,
                one,
                chosen,
                work or default_work(),
                clips=clips,
                jobs=jobs,
                progress=_naming(start, one),
            )
            for one in splits
        )
        results.start(materials[0].configuration(), materials[0].references())
        plan = Plan(materials, tuple(granularities), sample, wanted, out)
        bars: dict[str, Progress] = {}

        def told(name: str, done: float, total: int) -> None:
            if name not in bars:
                bars[name] = start(f"{name} ({len(bars) + 1} of {len(specs)})")
            bars[name](done, total)

        failures = measure_all(specs, plan, jobs, told)
    for name, reason in failures.items():
        Console(stderr=True).print(
            f"{name}: {reason}", markup=False, highlight=False, soft_wrap=True
        )
    print(f"{len(specs) - len(failures)} of {len(specs)} recognizers measured: {out}")
    if failures:
        sys.exit(1)


def _naming(start: Callable[[str], Progress], split: str) -> Callable[[str], Progress]:
    return lambda stage: start(f"{stage}, {split}")


def report(folder: Path, training: Path | None) -> None:
    """Write tables and figures into ``FOLDER/report``; name them."""
    found, curves = read_findings(Results(folder)), _curves(training) if training else {}
    made = tables.every_table(found)
    home = folder / "report"
    texts = {"tables.md": "\n".join([tables.summary(found), *map(layout.markdown, made)])}
    for table in made:
        texts[f"{table.name}.csv"] = layout.comma_separated(table)
        texts[f"{table.name}.tex"] = layout.latex(table)
    for name, text in texts.items():
        with writing(home / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    drawn = []
    for name, figure in figures.every_figure(found, curves):
        figures.save(figure, home / name)
        drawn.append(name)
    print(f"{home}: {', '.join([*(table.name for table in made), *drawn])}")


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


def list_known() -> None:
    """Print recognizers, whether they can run here, and rows."""
    shown = Table(title="recognizers", box=SIMPLE_HEAD)
    shown.add_column("name", no_wrap=True)
    shown.add_column("can run")
    for name in known_systems():
        shown.add_row(name, _usable(name))
    rows = Table(title="rows", box=SIMPLE_HEAD)
    for title in ("name", "kind", "parameters", "note"):
        rows.add_column(title, no_wrap=title == "name")
    for row in select_rows("all"):
        rows.add_row(row.name, row.kind, row.parameters, row.note)
    console = Console()
    console.print(shown)
    console.print(rows)


def _usable(name: str) -> str:
    if name.partition(":")[0] in {SAMAF, UNET}:
        return "yes"
    try:
        create(name)
    except UnavailableError as error:
        return str(error)
    return "yes"
