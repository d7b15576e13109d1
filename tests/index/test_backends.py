"""NumPy, the compiled backend and FAISS give the same; which backend is used when."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import platformdirs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samaf.index import NOTHING, ExactIndex, FlatIndex, HashTable, exact, table_of
from samaf.index.exact import Backend

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def compiled() -> None:
    pytest.importorskip("numba")


def tables(rng: np.random.Generator, lengths: list[int], width: int) -> HashTable:
    # Few distinct bytes, so that equal distances are frequent.
    parts = [(7 * i + 3, rng.integers(0, 4, (n, width), np.uint8)) for i, n in enumerate(lengths)]
    return table_of(parts, width)


@pytest.mark.slow
@pytest.mark.usefixtures("compiled")
@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    lengths=st.lists(st.integers(0, 40), max_size=60),
    hashes=st.sampled_from([1, 2, 5, 9, 21]),
    asked=st.integers(1, 60),
    k=st.integers(1, 9),
    width=st.sampled_from([8, 16, 24, 32]),
    known=st.booleans(),
)
def test_all_engines_agree(
    seed: int, lengths: list[int], hashes: int, asked: int, k: int, width: int, known: bool
) -> None:
    rng = np.random.default_rng(seed)
    table = tables(rng, lengths, width)
    query = rng.integers(0, 4, (asked, width), np.uint8)
    if known and len(table.hashes):  # something to prune by
        at = int(rng.integers(len(table.hashes)))
        stretch = table.hashes[at : at + asked]
        query[: len(stretch)] = stretch
    numpy = ExactIndex(table, "numpy").search(query, hashes, k)
    compiled = ExactIndex(table, "compiled").search(query, hashes, k)
    flat = FlatIndex(table).search(query, hashes, k)
    np.testing.assert_array_equal(compiled.distances, numpy.distances)
    np.testing.assert_array_equal(compiled.rows, numpy.rows)
    np.testing.assert_array_equal(flat.distances, numpy.distances)
    assert numpy.rows.shape == (max(0, asked - hashes + 1), k)
    starts = numpy.rows[numpy.rows != NOTHING]
    assert table.window_starts(hashes)[starts].all()


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("width", [16, 32])
@pytest.mark.parametrize("turned", [0.0, 0.1, 0.5])
def test_threads_and_pruning_change_nothing(width: int, turned: float) -> None:
    rng = np.random.default_rng(1)
    each = 3_000
    parts = [(n, rng.integers(0, 256, (each, width), np.uint8)) for n in range(40)]
    table = table_of(parts, width)
    copies = [5, 17_000, 49_150, 98_300, len(table.hashes) - 60]  # across the threads' chunks
    for at in copies:
        table.hashes[at : at + 40] = table.hashes[70_000:70_040]
    noise = np.packbits(rng.random((40, 8 * width)) < turned, axis=1)
    query = table.hashes[70_000:70_040] ^ noise
    for hashes, k in ((1, 3), (9, 1), (21, 8)):
        numpy = ExactIndex(table, "numpy").search(query, hashes, k)
        compiled = ExactIndex(table, "compiled").search(query, hashes, k)
        np.testing.assert_array_equal(compiled.rows, numpy.rows)
        np.testing.assert_array_equal(compiled.distances, numpy.distances)


@pytest.mark.usefixtures("compiled")
def test_equal_distances_go_by_row() -> None:
    table = table_of([(n, np.zeros((3, 32), np.uint8)) for n in range(20_000)], 32)
    for backend in get_args(Backend):
        found = ExactIndex(table, backend).search(np.zeros((2, 32), np.uint8), 2, 5)
        assert found.rows.tolist() == [[0, 1, 3, 4, 6]]  # windows start at 0 and 1 of each three
        assert found.distances.tolist() == [[0] * 5]


@pytest.mark.parametrize("engine", [ExactIndex, FlatIndex])
def test_a_query_shorter_than_the_window_has_no_windows(
    engine: type[ExactIndex] | type[FlatIndex],
) -> None:
    table = tables(np.random.default_rng(0), [30], 16)
    assert engine(table).search(table.hashes[:4], 5, 2).rows.shape == (0, 2)


def test_an_empty_table_has_no_neighbors() -> None:
    table = table_of([], 32)
    for backend in get_args(Backend):
        found = ExactIndex(table, backend).search(np.zeros((3, 32), np.uint8), 2, 4)
        assert (found.rows == NOTHING).all()
        assert found.rows.shape == (2, 4)


FORMS = """
import sys
import numpy as np
from samaf.index import ExactIndex, exact, table_of
if "without" in sys.argv:
    sys.modules["numba"] = None
exact.PAIRS_TO_COMPILED = 2_000
hashes = np.arange(3200, dtype=np.uint32).view(np.uint8).reshape(-1, 32)
index = ExactIndex(table_of([(1, hashes)], 32))
backends = [index.backend]
for _ in range(2):
    found = index.search(index.table.hashes[40:43], 3, 1)
    assert found.rows.tolist() == [[40]]
    backends.append(index.backend)
print(*backends)
"""


def backends(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", FORMS, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": "", **environment},
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.process
def test_numpy_serves_where_numba_is_missing(tmp_path: Path) -> None:
    assert backends(tmp_path, "without") == "numpy numpy numpy"


@pytest.mark.process
@pytest.mark.usefixtures("compiled")
def test_changes_over_when_enough_was_compared_and_keeps_its_code(tmp_path: Path) -> None:
    home = {"XDG_CACHE_HOME": str(tmp_path)}
    assert ExactIndex(table_of([], 32), "compiled").backend == "compiled"
    given = os.environ.get("NUMBA_CACHE_DIR")
    code = Path(given) if given else Path(platformdirs.user_cache_dir("samaf"), "compiled")
    shutil.copytree(code, tmp_path / "samaf" / "compiled")
    for path in tmp_path.glob("samaf/compiled/**/*.nb?"):
        path.write_bytes(path.read_bytes()[:100])  # damaged: rebuilt, once
    # 400 rows x 3 hashes a search: the second passes 2,000 pairs.
    assert backends(tmp_path, **home) == "numpy numpy compiled"
    (path,) = tmp_path.glob("samaf/compiled/**/*.nbc")
    made = path.stat().st_mtime_ns
    assert backends(tmp_path, **home) == "numpy numpy compiled"
    assert path.stat().st_mtime_ns == made


def test_unknown_widths_are_left_to_numpy() -> None:
    table = tables(np.random.default_rng(0), [9], 12)
    assert ExactIndex(table, "compiled").backend == "numpy"
    assert exact.pairwise(table.hashes[:1], table.hashes[:1]).tolist() == [[0]]
