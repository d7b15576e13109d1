"""One model by the paper's protocol: accuracy by row and granularity, and bit error rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.evaluation import Column, column, judge
from benchmarks.metrics import Estimate, Separation
from benchmarks.results import Results, read_cell
from benchmarks.transformations import Row


@dataclass(frozen=True, slots=True)
class AccuracyTable:
    """What ``python -m benchmarks accuracy`` prints.

    Attributes
    ----------
    columns
        By granularity in seconds.
    separations
        Bit error rates at 1 s by row.
    """

    recognizer: str
    queries: str
    columns: Mapping[int, Column]
    separations: Mapping[str, Separation]


def accuracy_table(
    results: Results,
    recognizer: str,
    queries: str,
    rows: Sequence[Row],
    granularities: Sequence[int],
    separations: Mapping[str, Separation],
) -> AccuracyTable:
    """Sum the cells of one recognizer up."""
    references = results.references()
    lifelike = frozenset(row.name for row in rows if row.lifelike)
    columns = {}
    for seconds in granularities:
        verdicts = {
            row.name: judge(
                read_cell(results.path(recognizer, queries, row.name, seconds)), references
            )
            for row in rows
        }
        columns[seconds] = column(verdicts, lifelike, len(references))
    return AccuracyTable(recognizer, queries, columns, separations)


def lines(table: AccuracyTable, written: Callable[[Estimate], str]) -> list[list[str]]:
    """Lay a table out as cells of text, head first; ``written`` makes text of an estimate."""
    spans = list(table.columns)
    head = ["", *(f"{s} s" for s in spans), "BER, true", "BER, other", "overlap"]
    body = [
        [
            name,
            *(written(table.columns[s].rows[name]) for s in spans),
            *_separation(table.separations.get(name)),
        ]
        for name in next(iter(table.columns.values())).rows
    ]
    sums = [
        ("mean", [c.mean for c in table.columns.values()]),
        ("mean, 6 out", [c.gentle for c in table.columns.values()]),
        ("worst, 6 out", [c.worst for c in table.columns.values()]),
        ("mean, real life", [c.lifelike for c in table.columns.values()]),
    ]
    foot = [
        [name, *(written(e) for e in estimates), "", "", ""]
        for name, estimates in sums
        if estimates[0].queries
    ]
    return [head, *body, *foot]


def percent(estimate: Estimate) -> str:
    """Write an estimate as percent."""
    return f"{100 * estimate.value:.1f}" if estimate.queries else "-"


def interval(estimate: Estimate) -> str:
    """Write an estimate as percent with its interval."""
    if not estimate.queries:
        return "-"
    value, low, high = (100 * v for v in (estimate.value, estimate.low, estimate.high))
    return f"{value:.1f} ({low:.1f}-{high:.1f})"


def _separation(found: Separation | None) -> list[str]:
    if found is None or not found.pairs:
        return ["-", "-", "-"]
    return [
        f"{found.true_mean:.3f}±{found.true_deviation:.2f}",
        f"{found.impostor_mean:.3f}±{found.impostor_deviation:.2f}",
        f"{found.overlap:.3f}",
    ]


def markdown(table: AccuracyTable, note: str) -> str:
    """Write the table as Markdown."""
    head, *body = lines(table, interval)
    rule = ["---", *("---:" for _ in head[1:])]
    text = "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *body])
    return f"# {table.recognizer}, {table.queries} split\n\n{note}\n\n{text}\n"
