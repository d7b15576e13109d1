"""Raw results survive, whole, and belong to one configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy.protocol import Answers
from benchmarks.accuracy.results import BitErrors, Cell, Reference, Results
from benchmarks.errors import BenchmarkError

REFERENCES = [Reference("a/1.wav", "test", "anna", "x", 10.5), Reference("b é.wav", "", "", "", 1)]
CONFIGURATION = {"corpus": "small", "references": 2}
SETTINGS: dict[str, Any] = {
    "system": "samaf:X",
    "parameters": {"digest": "d"},
    "query_set": "test",
    "clips": 2,
    "transformation": "Echo",
    "transformation_parameters": "sox echo",
    "seconds": 2,
    "sample": None,
}


def cell(**changes: object) -> Cell:
    return Cell(
        {**SETTINGS, "cpu_s": 1.5, **changes},
        np.array([0, 1], np.int32),
        np.array([0.5, np.nan], np.float32),
        Answers(
            np.array([0, 0], np.int32),
            np.array([1, 0], np.int32),
            np.array([0.75, 0.75], np.float32),
            np.array([0.5, np.nan], np.float32),
        ),
    )


def test_round_trip(tmp_path: Path) -> None:
    results = Results(tmp_path / "out")
    results.start(CONFIGURATION, REFERENCES)
    assert results.references() == REFERENCES
    assert not results.has(SETTINGS)
    results.write(cell())
    assert results.has(SETTINGS)
    assert results.systems() == ["samaf:X"]
    (found,) = results.cells("samaf:X", "test")
    assert found.header == cell().header
    for name in ("clip", "begin"):
        np.testing.assert_array_equal(getattr(found, name), getattr(cell(), name))
    for name in ("window", "reference", "score", "offset"):
        np.testing.assert_array_equal(getattr(found.answers, name), getattr(cell().answers, name))


def test_bit_errors_lie_beside_the_cells(tmp_path: Path) -> None:
    results = Results(tmp_path)
    header = {key: SETTINGS[key] for key in SETTINGS if key not in {"seconds", "sample"}}
    results.write(cell())
    results.write(BitErrors({**header, "bits": 8}, np.array([0, 3]), np.array([4])))
    assert len(list(results.cells("samaf:X", "test"))) == 1
    (found,) = results.bit_errors("samaf:X", "test")
    assert (found.header["bits"], found.true.tolist(), found.impostor.tolist()) == (8, [0, 3], [4])


def test_other_configuration_is_refused(tmp_path: Path) -> None:
    Results(tmp_path).start(CONFIGURATION, REFERENCES)
    Results(tmp_path).start(CONFIGURATION, REFERENCES)
    with pytest.raises(BenchmarkError, match="measured with references = 2, now wanted is 3"):
        Results(tmp_path).start({**CONFIGURATION, "references": 3}, REFERENCES)


def test_cell_measured_in_another_way_is_refused(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.write(cell())
    with pytest.raises(BenchmarkError, match="sample = None, now wanted is 50"):
        results.has({**SETTINGS, "sample": 50})


def test_damaged_cell_is_named(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.write(cell())
    path = results.path(SETTINGS)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BenchmarkError, match=r"Echo-2s\.npz: cannot be read.*remove it"):
        list(results.cells("samaf:X", "test"))


def test_folder_without_results(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="holds no benchmark results"):
        Results(tmp_path).configuration()


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BenchmarkError, match="cannot be written"):
        Results(tmp_path / "file").start(CONFIGURATION, REFERENCES)


def test_nothing_is_left_of_a_killed_write(tmp_path: Path) -> None:
    results = Results(tmp_path)
    with pytest.raises(TypeError):
        results.write(cell(cpu_s=object()))
    assert not results.has(SETTINGS)
    assert not list((tmp_path / "samaf+X" / "test").iterdir())
