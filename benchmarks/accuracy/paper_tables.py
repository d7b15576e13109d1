"""The paper's tables with our figures beside the published ones."""

from __future__ import annotations

import math

from benchmarks.accuracy import published
from benchmarks.accuracy.protocol import GRANULARITIES, window_count
from benchmarks.accuracy.report import GENTLE, Report
from benchmarks.accuracy.transformations import EXTREME
from benchmarks.tables import Table, Value
from samaf.audio import SAMPLE_RATE

PUBLISHED = "published"
BESIDE = "Published figures rest on VoxCeleb1, ours on another corpus: compare orders, not digits."
LEADING = 5  # lines of Table 4


def table3(report: Report) -> Table:
    """Count reference and query hashes by granularity."""
    counts = published.table3()
    samples = [round(r.duration * SAMPLE_RATE) for r in report.references]
    body: list[tuple[Value, ...]] = []
    for seconds in GRANULARITIES:
        queries = [
            sum(c.queries for (_, s), c in report.cells[name, split].items() if s == seconds)
            for name, split in report.cells
            if split == report.unknown
        ]
        body.append(
            (
                f"{seconds} s",
                sum(window_count(n, seconds) for n in samples),
                max(queries, default=0),
                *counts[seconds],
            )
        )
    originals = published.originals_of({s: n for s, (n, _) in counts.items()})
    return Table(
        "table3",
        "Table 3: hashes by length",
        f"{len(samples):,} originals here. Queries are those of all transformations together, of "
        f"the system that was queried most. The published references are those of "
        f"{originals:,.0f} originals.",
        ("length", "references", "queries", f"references, {PUBLISHED}", f"queries, {PUBLISHED}"),
        tuple(body),
    )


def table4(report: Report) -> Table:
    """Rank systems and granularities, with what else an answer tells right."""
    split = report.unknown
    names = report.transformations(split)
    attributes = {"identified": "recording", "placed": "and its place"}
    if report.labelled:
        attributes |= {"source": "source", "speaker": "speaker"}
    ranked = sorted(
        (
            (system, seconds, report.mean(system, split, seconds, names))
            for system in report.systems
            for seconds in report.seconds
        ),
        key=lambda entry: -entry[2].value if entry[2].queries else 1.0,
    )
    ranked = [entry for entry in ranked if entry[2].queries]
    chosen, shown = [], set()
    for place, (system, seconds, _) in enumerate(ranked):
        if place < LEADING or system not in shown:
            chosen.append((system, seconds))
            shown.add(system)
    columns = "Right file; right file and offset within 0.25 s"
    if report.labelled:
        columns += "; a file cut from the same source; a file of the same speaker"
    elif all(reference.speaker for reference in report.references):
        columns += ". No speaker has two recordings"
    else:
        columns += ". The corpus has no labels of speakers"
    return Table(
        "table4",
        "Table 4: the best systems by attribute",
        f"Mean over {_listed(names)}, {split} split, in % with a 95 % interval. The best "
        f"{LEADING} of all, then the best of each other system. {columns}. The paper's best: "
        + ", ".join(f"{name} {a:.2f} or {b:.2f}" for name, (a, b) in published.BEST.items())
        + " % (its introduction, its conclusion).",
        ("system", *attributes.values()),
        tuple(
            (
                f"{system}, {seconds} s",
                *(report.mean(system, split, seconds, names, each) for each in attributes),
            )
            for system, seconds in chosen
        ),
    )


def table5(report: Report, seconds: int) -> Table:
    """Compare systems by transformation at one granularity."""
    split = report.unknown
    names, others = report.transformations(split), report.others(split)
    theirs = published.table5()
    beside = [s for s in published.SYSTEMS if (published.AVERAGE, seconds, s) in theirs]
    queries = {
        system: sum(
            cell.queries
            for (_, s), cell in report.cells.get((system, split), {}).items()
            if s == seconds
        )
        for system in report.systems
    }
    # Models of vectors take no windows below 4 s.
    queried = [system for system, count in queries.items() if count]
    absent = ", ".join(system for system, count in queries.items() if not count)

    def line(title: str, chosen: list[str], key: str) -> tuple[Value, ...]:
        ours = (report.mean(system, split, seconds, chosen) for system in queried)
        return (title, *ours, *(theirs.get((key, seconds, s), math.nan) for s in beside))

    gentle = [name for name in names if name in GENTLE]
    body = [line(name, [name], name) for name in names]
    body.append(line(f"mean of {len(names)}", names, published.AVERAGE if len(names) == 22 else ""))
    if gentle and len(gentle) < len(names):
        body.append(line(f"mean of {len(gentle)}, no extreme", gentle, ""))
    body += [line(name, [name], "") for name in others]
    if others:
        body.append(line("mean, real life", others, ""))
    body.append(("queries", *(queries[system] for system in queried), *(math.nan for _ in beside)))
    return Table(
        f"table5-{seconds}s",
        f"Table 5: transformations, {seconds} s",
        f"Right file in % with a 95 % interval, bootstrap over clips; {split} split. Extreme are "
        f"{', '.join(sorted(EXTREME))}."
        + (f" {BESIDE}" if beside else " The paper has no figures for this length.")
        + (f" Not queried at this length: {absent}." if absent else ""),
        (
            "transformation",
            *queried,
            *(f"{system}, {PUBLISHED}" for system in beside),
        ),
        tuple(body),
    )


def table6(report: Report) -> Table:
    """Compare clips of the train split (known) with those of another (unknown)."""
    theirs = published.table6()
    body: list[tuple[Value, ...]] = []
    nothing = (math.nan, math.nan)
    for name in report.systems:
        both = (report.transformations(split) for split in ("train", report.unknown))
        names = sorted(set.intersection(*map(set, both)))
        for seconds in report.seconds:
            known = report.mean(name, "train", seconds, names)
            if known.queries:
                unknown = report.mean(name, report.unknown, seconds, names)
                model = name.partition(":")[2]
                beside = [theirs.get((model, s, seconds), nothing) for s in ("Acc", "Loss")]
                body.append((f"{name}, {seconds} s", known, unknown, *beside[0], *beside[1]))
    done = "" if body else " Not measured: no clips of the train split were queried."
    columns = [f"{set_}, {PUBLISHED} {s}" for s in ("Acc", "Loss") for set_ in ("known", "unknown")]
    return Table(
        "table6",
        "Table 6: known and unknown clips",
        f"Known clips are of the train split, unknown ones of the {report.unknown} split. Mean "
        f"over the paper's transformations that both were queried with, in %. {BESIDE}{done}",
        ("system", "known", "unknown", *columns),
        tuple(body),
    )


def _listed(names: list[str]) -> str:
    return f"the {len(names)} transformations" if len(names) > 3 else ", ".join(names)


def summary(report: Report) -> str:
    """Say what the tables rest on, and where the paper contradicts itself."""
    configuration = report.configuration
    too_short = {
        seconds: max(
            (
                cell.header["too_short"]
                for (_, split), cells in report.cells.items()
                if split == report.unknown
                for (_, s), cell in cells.items()
                if s == seconds
            ),
            default=0,
        )
        for seconds in report.seconds
    }
    short = ", ".join(f"{count} at {s} s" for s, count in too_short.items() if count)
    refused = {
        reason
        for (_, split), cells in report.cells.items()
        if split == report.unknown
        for cell in cells.values()
        for reason in cell.header["failures"]
    }
    sampled = sorted(
        {
            f"{name} {cell.header['sample']}"
            for (name, split), cells in report.cells.items()
            if split == report.unknown
            for cell in cells.values()
            if cell.header["sample"]
        }
    )
    lines = [
        f"Corpus {configuration['corpus']} ({str(configuration['corpus_digest'])[:12]}), "
        f"{configuration['references']:,} speech originals of all splits stored. It is not the "
        "paper's.",
        "Intervals are 95 %, by a bootstrap over clips.",
        f"Sampled windows a cell: {', '.join(sampled)}."
        if sampled
        else "Every window was queried.",
        f"Clips too short for a window, in the worst transformation, counted apart: {short}."
        if short
        else "",
        f"Could not be made: {len(refused)} transformed clips, e.g. {min(refused)}."
        if refused
        else "",
    ]
    said = "\n".join(f"- {text}" for text in published.CONTRADICTIONS)
    kept = "\n".join(f"- {line}" for line in lines if line)
    return f"# Benchmark\n\n{kept}\n\nWhere the paper contradicts itself:\n\n{said}\n"
