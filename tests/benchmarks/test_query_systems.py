"""A tiny corpus from end to end: prepared, stored, queried, judged."""

from __future__ import annotations

from pathlib import Path
from shutil import which

import numpy as np
import pytest
from vectormodel import write_vector_model

from benchmarks.accuracy.bits import bit_errors
from benchmarks.accuracy.protocol import System
from benchmarks.accuracy.query_sets import QuerySet, gather
from benchmarks.accuracy.query_systems import missing_cells, query_all, settings_of, store_all
from benchmarks.accuracy.report import judge
from benchmarks.accuracy.results import Results
from benchmarks.accuracy.systems import HashSystem, open_system
from benchmarks.accuracy.transformations import select_transformations
from benchmarks.errors import BenchmarkError
from benchmarks.metrics import separation
from samaf.training.corpora import Corpus

pytestmark = pytest.mark.skipif(which("sox") is None, reason="SoX is not installed")
TRANSFORMATIONS = select_transformations("Original,LowPassFilter,Speed1.05,Reverse")


@pytest.fixture(scope="module")
def query_set(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> QuerySet:
    return gather(corpus, "test", TRANSFORMATIONS, tmp_path_factory.mktemp("work"), jobs=1)


def run(system: System, query_set: QuerySet, results: Results, sample: int | None = None) -> int:
    """Run what is missing; gives how many cells that was."""
    results.start(query_set.configuration(), query_set.references())
    missing = missing_cells(system, query_set, results, [1, 2, 3], sample)
    store_all(system, query_set, results)
    query_all(system, query_set, results, missing, sample)
    return sum(map(len, missing.values()))


def test_windows_shorter_than_a_system_takes_are_not_queried(
    query_set: QuerySet, tmp_path: Path
) -> None:
    system = open_system(f"unet:{write_vector_model(tmp_path)}")
    missing = missing_cells(system, query_set, Results(tmp_path), [1, 3, 4, 6], None)
    assert missing == {t.name: [4, 6] for t in TRANSFORMATIONS}


def test_end_to_end(model: Path, query_set: QuerySet, tmp_path: Path) -> None:
    results = Results(tmp_path)
    system = open_system(f"samaf:{model}", parallel=2)
    assert run(system, query_set, results, sample=12) == 12
    references = results.references()
    assert [r.split for r in references] == ["train"] * 2 + ["validation"] * 2 + ["test"] * 3
    cells = {
        (c.header["transformation"], c.header["seconds"]): c
        for c in results.cells(system.name, "test")
    }
    assert len(cells) == 12
    # 3.5 s: 30, 18 and 6 windows of 1, 2, 3 s of three clips.
    assert [len(cells["Original", n]) for n in (1, 2, 3)] == [12, 12, 6]
    for cell in cells.values():
        assert set(cell.clip) == {4, 5, 6}
        assert cell.header["too_short"] == 0
        assert (np.diff(cell.answers.window) >= 0).all()
    for row, worst in [("Original", 1.0), ("LowPassFilter", 0.8)]:
        found = judge(cells[row, 2], references)
        assert found.identified.mean() >= worst
        assert found.placed.mean() >= worst
    assert judge(cells["Reverse", 1], references).placed.mean() < 0.5
    note = results.read_json(results.folder(system.name) / "store.json")
    assert note is not None
    assert note["references"] == 7
    assert note["audio_s"] == pytest.approx(7 * 3.5)


def test_goes_on_where_it_stopped(model: Path, query_set: QuerySet, tmp_path: Path) -> None:
    results = Results(tmp_path)
    spec = f"samaf:{model}"
    system = open_system(spec)
    run(system, query_set, results)
    (reverse,) = (t for t in TRANSFORMATIONS if t.name == "Reverse")
    lost = results.path(settings_of(system, query_set, reverse, seconds=2, sample=None))
    before = {p: p.stat().st_mtime_ns for p in lost.parent.iterdir() if p != lost}
    lost.unlink()
    assert run(open_system(spec), query_set, results) == 1
    assert lost.is_file()
    assert all(p.stat().st_mtime_ns == t for p, t in before.items())


def test_sample_is_spread_over_the_clips(query_set: QuerySet, tmp_path: Path) -> None:
    results = Results(tmp_path)
    run(open_system("random"), query_set, results, sample=6)
    (cell,) = (
        c
        for c in results.cells("random:uniform", "test")
        if (c.header["transformation"], c.header["seconds"]) == ("Original", 1)
    )
    assert sorted(cell.clip) == [4, 4, 5, 5, 6, 6]
    with pytest.raises(BenchmarkError, match="sample = 6, now wanted is 9"):
        run(open_system("random"), query_set, results, sample=9)


def test_clips_that_are_too_short_are_counted_apart(query_set: QuerySet, tmp_path: Path) -> None:
    system = open_system("random")
    results = Results(tmp_path)
    results.start(query_set.configuration(), query_set.references())
    store_all(system, query_set, results)
    query_all(system, query_set, results, {t.name: [6] for t in query_set.transformations}, None)
    for cell in results.cells(system.name, "test"):
        assert len(cell) == 0
        assert cell.header["too_short"] == 3


def test_bit_errors(model: Path, query_set: QuerySet, tmp_path: Path) -> None:
    system, results = open_system(f"samaf:{model}"), Results(tmp_path)
    assert isinstance(system, HashSystem)
    store_all(system, query_set, results)
    for transformation in query_set.transformations:
        assert not results.has(settings_of(system, query_set, transformation))
        results.write(bit_errors(system, query_set, transformation))
        assert results.has(settings_of(system, query_set, transformation))
    found = {
        errors.header["transformation"]: separation(errors.true, errors.impostor, 128)
        for errors in results.bit_errors(system.name, "test")
    }
    assert found["Original"].true_mean == 0
    assert found["Original"].overlap == 0
    assert 0 < found["LowPassFilter"].true_mean < found["LowPassFilter"].impostor_mean
    assert found["Reverse"].overlap > 0.3
    assert not list(results.cells(system.name, "test"))
