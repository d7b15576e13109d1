"""One table in three forms, by hand."""

from __future__ import annotations

import math

from benchmarks.metrics import UNMEASURED, Estimate
from benchmarks.tables import Table, comma_separated, latex, markdown

TABLE = Table(
    "small",
    "A & B",
    "100 % of_it",
    ("row", "a|b", "count", "paper"),
    (
        ("Noise_1", Estimate(0.5, 0.25, 0.75, 1_200, 4), 1_200, 12.345),
        ("none", UNMEASURED, 0, math.nan),
    ),
)


def test_markdown() -> None:
    assert markdown(TABLE).splitlines() == [
        "## A & B",
        "",
        "100 % of_it",
        "",
        r"| row | a\|b | count | paper |",
        "| --- | ---: | ---: | ---: |",
        "| Noise_1 | 50.0 (25.0-75.0) | 1,200 | 12.35 |",
        "| none | - | 0 | - |",
    ]


def test_csv_has_all_parts_of_an_estimate() -> None:
    assert comma_separated(TABLE).splitlines() == [
        "row,a|b,a|b low,a|b high,a|b queries,a|b clips,count,paper",
        "Noise_1,0.500000,0.250000,0.750000,1200,4,1200,12.345",
        "none,,,,0,0,0,",
    ]


def test_latex_is_escaped() -> None:
    lines = latex(TABLE).splitlines()
    assert lines[1] == r"\caption{A \& B. 100 \% of\_it}"
    assert lines[3] == r"\begin{tabular}{lrrr}"
    assert r"Noise\_1 & 50.0 (25.0-75.0) & 1,200 & 12.35 \\" in lines
