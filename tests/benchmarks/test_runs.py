"""A tiny corpus from end to end: prepared, stored, asked, judged."""

from __future__ import annotations

from pathlib import Path
from shutil import which

import numpy as np
import pytest
from vectormodel import write_vector_model

from benchmarks.errors import BenchmarkError
from benchmarks.evaluation import judge
from benchmarks.protocol import System
from benchmarks.recognizers import HashSystem, open_system
from benchmarks.results import Results
from benchmarks.runs import Material, ask_all, gather, missing_cells, store_all
from benchmarks.separation import separate
from benchmarks.transformations import select_rows
from samaf.training.corpora import Corpus

pytestmark = pytest.mark.skipif(which("sox") is None, reason="SoX is not installed")
ROWS = select_rows("Original,LowPassFilter,Speed1.05,Reverse")


@pytest.fixture(scope="module")
def material(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Material:
    return gather(corpus, "test", ROWS, tmp_path_factory.mktemp("work"), jobs=1)


def run(system: System, material: Material, results: Results, sample: int | None = None) -> int:
    """Run what is missing; gives how many cells that was."""
    results.start(material.configuration(), material.references())
    missing = missing_cells(system, material, results, [1, 2, 3], sample)
    store_all(system, material, results)
    ask_all(system, material, results, missing, sample)
    return sum(map(len, missing.values()))


def test_windows_shorter_than_a_system_takes_are_not_asked(
    material: Material, tmp_path: Path
) -> None:
    system = open_system(f"unet:{write_vector_model(tmp_path)}")
    missing = missing_cells(system, material, Results(tmp_path), [1, 3, 4, 6], None)
    assert missing == {row.name: [4, 6] for row in ROWS}


def test_end_to_end(model: Path, material: Material, tmp_path: Path) -> None:
    results = Results(tmp_path)
    system = open_system(f"samaf:{model}", parallel=2)
    assert run(system, material, results, sample=12) == 12
    references = results.references()
    assert [r.split for r in references] == ["train"] * 2 + ["validation"] * 2 + ["test"] * 3
    cells = {(c.header["row"], c.header["seconds"]): c for c in results.cells(system.name, "test")}
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
    note = results.read_json(results.room(system.name) / "store.json")
    assert note is not None
    assert note["references"] == 7
    assert note["audio_s"] == pytest.approx(7 * 3.5)


def test_goes_on_where_it_stopped(model: Path, material: Material, tmp_path: Path) -> None:
    results = Results(tmp_path)
    spec = f"samaf:{model}"
    system = open_system(spec)
    run(system, material, results)
    lost = results.path(system.name, "test", "Reverse", 2)
    before = {p: p.stat().st_mtime_ns for p in lost.parent.iterdir() if p != lost}
    lost.unlink()
    assert run(open_system(spec), material, results) == 1
    assert lost.is_file()
    assert all(p.stat().st_mtime_ns == t for p, t in before.items())


def test_sample_is_spread_over_the_clips(material: Material, tmp_path: Path) -> None:
    results = Results(tmp_path)
    run(open_system("random"), material, results, sample=6)
    (cell,) = (
        c
        for c in results.cells("random:uniform", "test")
        if (c.header["row"], c.header["seconds"]) == ("Original", 1)
    )
    assert sorted(cell.clip) == [4, 4, 5, 5, 6, 6]
    with pytest.raises(BenchmarkError, match="sample = 6, now asked for 9"):
        run(open_system("random"), material, results, sample=9)


def test_clips_that_are_too_short_are_counted_apart(material: Material, tmp_path: Path) -> None:
    system = open_system("random")
    results = Results(tmp_path)
    results.start(material.configuration(), material.references())
    store_all(system, material, results)
    ask_all(system, material, results, {row.name: [6] for row in material.rows}, None)
    for cell in results.cells(system.name, "test"):
        assert len(cell) == 0
        assert cell.header["too_short"] == 3


def test_separation(model: Path, material: Material, tmp_path: Path) -> None:
    system = open_system(f"samaf:{model}")
    assert isinstance(system, HashSystem)
    store_all(system, material, Results(tmp_path))
    found = {row.name: separate(system, material, row) for row in material.rows}
    assert found["Original"].true_mean == 0
    assert found["Original"].overlap == 0
    assert 0 < found["LowPassFilter"].true_mean < found["LowPassFilter"].impostor_mean
    assert found["Reverse"].overlap > 0.3
