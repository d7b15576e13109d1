"""Every table that a report makes: the paper's, and those that it lacks."""

from __future__ import annotations

import math

from benchmarks.accuracy import bits, distractors
from benchmarks.accuracy.distractors import FACTORS
from benchmarks.accuracy.paper_tables import table3, table4, table5, table6
from benchmarks.accuracy.report import GENTLE, LIFELIKE, NAMES, RATES, Report
from benchmarks.accuracy.stages import scaled
from benchmarks.accuracy.systems import DEEP, shortest_window
from benchmarks.accuracy.transformations import EXTREME
from benchmarks.metrics import UNMEASURED, Estimate, Separation
from benchmarks.tables import Table, Value
from samaf.training.corpora import SPLITS


def every_table(report: Report) -> list[Table]:
    """Make all tables that there are figures for."""
    made = [
        accuracy(report, system, split) for system, split in sorted(report.cells) if split in SPLITS
    ]
    made.append(table3(report))
    if report.systems:
        made += [table4(report), *(table5(report, s) for s in report.seconds), table6(report)]
    if report.open_sets:
        made.append(open_set(report))
        if any(name.endswith(DEEP) for name, _, _ in report.open_sets):
            made.append(stated_rates(report))
    made.append(scale(report))
    return [*made, costs(report)]


def accuracy(report: Report, system: str, split: str) -> Table:
    """Show one system by transformation: accuracy by length, and bit error rates at 1 s."""
    cells, separations = report.cells[system, split], report.separations[system, split]
    spans = sorted({seconds for _, seconds in cells})
    queried = {name for name, _ in cells}
    paper = [name for name in NAMES if name in queried]
    gentle = [name for name in paper if name in GENTLE]
    lifelike = [name for name in LIFELIKE if name in queried]

    def means(names: list[str]) -> list[Estimate]:
        return [report.mean(system, split, seconds, names) for seconds in spans]

    def worst(names: list[str]) -> list[Estimate]:
        rated = zip(*(means([name]) for name in names), strict=True)
        return [min(estimates, key=lambda e: e.value) for estimates in rated]

    def line(title: str, estimates: list[Estimate], name: str = "") -> tuple[Value, ...]:
        return (title, *estimates, *(_rates(separations.get(name)) if separations else ()))

    sums = {
        "mean": means(paper),
        f"mean, {len(EXTREME)} out": means(gentle),
        f"worst, {len(EXTREME)} out": worst(gentle),
        "mean, real life": means(lifelike),
    }
    body = [line(name, means([name]), name) for name in (*paper, *lifelike)]
    body += [line(title, each) for title, each in sums.items() if each and each[0].queries]
    clips = max(cell.header["clips"] for cell in cells.values())
    note = (
        f"Right recording in % (95 % interval, bootstrap over clips). {clips} clips of the {split} "
        f"split; nearest among all windows of {len(report.references)} speech originals (all "
        f"splits) of {report.configuration['corpus']} "
        f"{str(report.configuration['corpus_digest'])[:12]}; recordings that tie share the point. "
        f"The {len(EXTREME)} left out are {', '.join(sorted(EXTREME))}."
    )
    if separations:
        note += (
            f" Bit error rates at 1 s over at most {bits.CLIPS} clips, mean and deviation; "
            "TruncateSilence against the nearest block of its recording."
        )
    return Table(
        f"accuracy-{system.replace(':', '+')}-{split}",
        f"Accuracy: {system}, {split} split",
        note,
        (
            "transformation",
            *(f"{s} s" for s in spans),
            *(("BER, true", "BER, impostors", "overlap") if separations else ()),
        ),
        tuple(body),
    )


def _rates(separation: Separation | None) -> tuple[str, str, str]:
    if separation is None or not separation.pairs:
        return "-", "-", "-"
    return (
        f"{separation.true_mean:.3f}±{separation.true_deviation:.2f}",
        f"{separation.impostor_mean:.3f}±{separation.impostor_deviation:.2f}",
        f"{separation.overlap:.3f}",
    )


def open_set(report: Report) -> Table:
    """Show what is left when most impostors have to be rejected."""
    body: list[tuple[Value, ...]] = [
        (
            f"{name}, {seconds} s",
            *(opened.identified[rate] for rate in RATES),
            100 * opened.curve.equal_error_rate,
            opened.genuine,
            opened.impostors,
        )
        for name in report.systems
        for seconds in report.seconds
        if (opened := report.open_sets.get((name, report.unknown, seconds)))
    ]
    return Table(
        "open-set",
        "Open set",
        f"Half of the originals are not stored; queries of the {report.unknown} split, all of "
        "the paper's transformations that were queried. Right file in % at the threshold that "
        "lets 1, 0.1 or 0.01 % of the queries without a stored file pass; - where they are too "
        "few to tell. EER: where as many impostors pass as right answers are missed; - where the "
        "two never meet.",
        ("system", *(f"at {100 * rate:g} %" for rate in RATES), "EER", "genuine", "impostors"),
        tuple(body),
    )


def stated_rates(report: Report) -> Table:
    """Show what users get at a stated rate of false matches."""
    body: list[tuple[Value, ...]] = [
        (
            f"{name}, {seconds} s",
            *(value for rate in RATES for value in opened.stated[rate]),
            opened.genuine,
            opened.impostors,
        )
        for name in report.systems
        for seconds in report.seconds
        if name.endswith(DEEP) and (opened := report.open_sets.get((name, report.unknown, seconds)))
    ]
    columns = [f"{what} at {100 * rate:g} %" for rate in RATES for what in ("right", "impostors")]
    return Table(
        "stated-rates",
        "Open set, stated rates",
        "As before, but answers count whose score states a rate of false matches of at most 1, 0.1 "
        "or 0.01 % a query: right files, and impostors that get an answer, both in %.",
        ("system", *columns, "genuine", "impostors"),
        tuple(body),
    )


def scale(report: Report) -> Table:
    """Show accuracy while the store grows."""
    split = report.unknown
    missing: list[str] = []
    body: list[tuple[Value, ...]] = []
    for name in report.systems:
        for seconds in report.seconds:
            grown = report.growth(name, split, seconds)
            if grown:
                body.append((f"{name}, {seconds} s", *(grown.get(f, UNMEASURED) for f in FACTORS)))
        times = [1_000 * report.query_seconds(name, f"{scaled(f)}{split}") for f in FACTORS]
        if all(map(math.isnan, times)):
            missing.append(name)
        else:
            body.append((f"{name}, CPU ms a query", *times))
    return Table(
        "scale",
        "Scale",
        f"Right file in %, mean over those of {', '.join(distractors.TRANSFORMATIONS)} that were "
        f"queried, at most {distractors.CLIPS} "
        "clips, while the store holds 1, 10 and 100 times the hashes of the corpus. The further "
        "hashes are runs of eight from recordings that are not queried, every "
        "bit flipped with probability 1/8."
        + (f" Not done for {', '.join(missing)}." if missing else ""),
        ("system", *(f"x {factor}" for factor in FACTORS)),
        tuple(body),
    )


def costs(report: Report) -> Table:
    """Show what storing and querying cost, and which systems failed or were stopped."""
    cells = {name: report.cells.get((name, report.unknown), {}) for name in report.stores}
    queried = {key for keys in cells.values() for key in keys}
    body: list[tuple[Value, ...]] = []
    for name in sorted({*report.stores, *report.failures}):
        store = report.stores.get(name)
        figures: tuple[Value, ...] = ("-", "-", "-", "-")
        if store:
            seconds = store["audio_s"]
            figures = (
                float(store["stored_bits"] / seconds),
                float(seconds / max(store["cpu_s"], 1e-9)),
                1_000 * report.query_seconds(name, report.unknown),
                float(store["peak_bytes"] / 2**20),
            )
        there, most = len(cells.get(name, {})), sum(s >= shortest_window(name) for _, s in queried)
        unfinished = f"{there} of {most} cells" if store and there < most else ""
        body.append((name, *figures, report.failures.get(name, unfinished)))
    return Table(
        "costs",
        "Costs and failures",
        "On one core, from CPU time. A query is a window, all lengths together; a model hashes a "
        "clip once for all its windows. Memory is the most that was resident after storing.",
        ("system", "stored bit/s", "stores x real time", "ms a query", "peak MiB", "not done"),
        tuple(body),
    )
