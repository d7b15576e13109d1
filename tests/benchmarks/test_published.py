"""The paper's figures agree with what is said about them."""

from __future__ import annotations

import pytest

from benchmarks.accuracy import published
from benchmarks.accuracy.protocol import GRANULARITIES, window_count
from benchmarks.accuracy.transformations import PAPER
from samaf.audio import SAMPLE_RATE


def test_table3_holds_4613_originals() -> None:
    references = {seconds: n for seconds, (n, _) in published.table3().items()}
    assert published.originals_of(references) == 4_613
    # 38 windows of 1 s fit into 10.265 s, 39 into 10.515 s: 4,613 x 38 + 1,423 = 176,717.
    lengths = [round(10.515 * SAMPLE_RATE)] * 1_423 + [round(10.265 * SAMPLE_RATE)] * 3_190
    counted = {s: sum(window_count(n, s) for n in lengths) for s in GRANULARITIES}
    assert counted == references


def test_table3_asks_1012_clips() -> None:
    queries = {seconds: n for seconds, (_, n) in published.table3().items()}
    assert published.originals_of(queries) == 1_012 == 46 * 22


def test_splits_do_not_add_up() -> None:
    assert sum(published.SPLITS.values()) == 5_795 != published.ORIGINALS
    test = published.TEST_TRANSFORMED // 21
    assert 21 * test == published.TEST_TRANSFORMED
    assert published.SPLITS["training"] + published.SPLITS["validation"] + test == 6_425
    assert published.SPLITS["training"] + test == 4_613


@pytest.mark.parametrize("seconds", [1, 2, 3])
@pytest.mark.parametrize("system", published.SYSTEMS)
def test_table5_averages_are_means_of_its_rows(seconds: int, system: str) -> None:
    table = published.table5()
    rows = [table[row.name, seconds, system] for row in PAPER]
    average = table[published.AVERAGE, seconds, system]
    assert sum(rows) / len(rows) == pytest.approx(average, abs=0.006)


def test_table6_differs_from_table5() -> None:
    table5, table6 = published.table5(), published.table6()
    for seconds, unknown in [(1, 35.76), (2, 50.75), (3, 56.48)]:
        assert table6["2LST256M", "Acc", seconds][1] == unknown
        assert table5[published.AVERAGE, seconds, "SAMAF"] > unknown
    assert len(table6) == 2 * 3 * 2 * 6
