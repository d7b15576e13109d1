"""Cells list every row once, in the cell of its nearest centre, and come back from disk."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samaf.files import save_arrays
from samaf.index import exact
from samaf.index.cells import (
    EUCLIDEAN,
    HAMMING,
    Cells,
    Metric,
    extend,
    learn_values,
    load,
    nearest_centres,
    no_rows,
    open_cells,
    save,
)

WIDTH = 16  # bytes: 128 bits, or 4 values
METRICS = pytest.mark.parametrize("metric", [HAMMING, EUCLIDEAN], ids=["hamming", "euclidean"])


def rows_of(metric: Metric, count: int, seed: int = 0) -> np.ndarray:
    """Rows in groups: the n-th of twenty has 0.05 of its bits turned, or small noise added."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 20, count)
    if metric is HAMMING:
        turned = np.packbits(rng.random((count, 8 * WIDTH)) < 0.05, axis=1)
        return rng.integers(0, 256, (20, WIDTH), np.uint8)[groups] ^ turned
    centres = 9 * rng.standard_normal((20, WIDTH // 4))
    values = centres[groups] + rng.standard_normal((count, WIDTH // 4))
    return np.ascontiguousarray(values, "<f4").view(np.uint8)


def learn(rows: np.ndarray, metric: Metric) -> Cells:
    """List rows: hashes by a codebook drawn from them, vectors by centres learned from them."""
    return extend(
        no_rows(metric, codebook(rows) if metric is HAMMING else learn_values(rows)), rows
    )


def codebook(rows: np.ndarray) -> np.ndarray:
    """As many centres as `learn_values` gives, from the first rows on."""
    return rows[: int(len(rows) ** 0.5)]


def distances(metric: Metric, centres: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Compare all rows with all centres, (rows, centres)."""
    if metric is HAMMING:
        return np.bitwise_count(rows[:, None] ^ centres).sum(axis=2)
    away = rows.view("<f4")[:, None].astype(np.float64) - centres.view("<f4")
    return np.linalg.norm(away, axis=2)


def assert_same(one: Cells, two: Cells | None) -> None:
    assert two is not None
    for left, right in [
        (one.centres, two.centres),
        (one.ends, two.ends),
        (one.rows, two.rows),
    ]:
        np.testing.assert_array_equal(left, right)


def mapped(path: Path, rows: np.ndarray) -> np.memmap:
    path.write_bytes(rows.tobytes())
    return np.memmap(path, np.uint8, "r", shape=rows.shape)


@METRICS
def test_every_row_is_in_the_cell_of_its_nearest_centre(metric: Metric) -> None:
    rows = rows_of(metric, 900)
    cells = learn(rows, metric)
    assert cells.centres.shape == (30, WIDTH)
    assert sorted(cells.rows.tolist()) == list(range(900))
    away = distances(metric, cells.centres, rows)
    by_row = cells.by_row()
    np.testing.assert_allclose(away[np.arange(900), by_row], away.min(axis=1), rtol=1e-4)
    for cell in range(30):
        listed = cells.of(cell)
        assert (by_row[listed] == cell).all()
        assert (np.diff(listed.astype(int)) > 0).all()


@METRICS
def test_the_nearest_cells_come_first(metric: Metric) -> None:
    rows = rows_of(metric, 400)
    cells = learn(rows, metric)
    away = distances(metric, cells.centres, rows[:50])
    nearest = metric.nearest(cells.centres, rows[:50], 20)
    assert np.sort(nearest, axis=1).tolist() == 50 * [list(range(20))]
    ordered = np.take_along_axis(away, nearest, 1)
    np.testing.assert_allclose(ordered, np.sort(away, axis=1), rtol=1e-4, atol=1e-3)


def test_two_groups_of_vectors_have_their_means_as_centres() -> None:
    values = np.array([[0, 1], [0, 3], [np.nan, np.nan], [8, 8], [8, 10]], "<f4")
    centres = learn_values(values.view(np.uint8))
    assert sorted(centres.view("<f4").tolist()) == [[0, 2], [8, 9]]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([HAMMING, EUCLIDEAN]),
    st.lists(st.integers(1, 90), min_size=1, max_size=4),
    st.integers(0, 9),
)
def test_cells_come_back_from_disk_and_go_on(metric: Metric, parts: list[int], seed: int) -> None:
    """Extending in steps, through the disk, gives what extending once gives."""
    rows = rows_of(metric, sum(parts), seed)
    cells = first = learn(rows[: parts[0]], metric)
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.cells")
        for end in np.cumsum(parts).tolist():
            cells = extend(cells, rows[:end])
            save(cells, path, rows[:end])
            assert_same(cells, load(path, rows[:end], metric))
            assert_same(cells, load(path, rows, metric))  # of rows that grew since
            if end > 1:
                assert load(path, rows[: end - 1], metric) is None
    assert_same(cells, extend(first, rows))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.sampled_from([HAMMING, EUCLIDEAN]), st.floats(0, 1), st.integers(1, 255), st.booleans())
def test_a_damaged_file_is_whole_or_refused(
    metric: Metric, at: float, turned: int, cut: bool
) -> None:
    rows = rows_of(metric, 200)
    cells = learn(rows, metric)
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.cells")
        save(cells, path, rows)
        content = bytearray(path.read_bytes())
        place = min(int(at * len(content)), len(content) - 1)
        content[place] ^= turned
        path.write_bytes(content[:place] if cut else content)
        read = load(path, rows, metric)
        if read:  # the byte is one that no reader looks at, such as a time of the archive
            assert_same(cells, read)


@METRICS
@pytest.mark.parametrize(
    "wrong",
    [
        {"format": 1},
        {"witness": 1},
        {"centres": np.zeros((10, WIDTH + 4), np.uint8)},
        {"centres": np.zeros((10, WIDTH), np.float32)},
        {"ends": np.arange(9)},
        {"ends": np.array([50, 20, *8 * [100]])},  # goes back
        {"ends": np.full(10, 99)},  # not all rows
        {"rows": np.arange(1, 101, dtype=np.uint32)},  # one beyond
        {"rows": np.arange(100)},  # of another type
        {"rows": np.empty(0, np.uint32)},
    ],
    ids="-".join,
)
def test_arrays_that_do_not_fit_are_refused(
    tmp_path: Path, metric: Metric, wrong: dict[str, object]
) -> None:
    rows, path = rows_of(metric, 100), tmp_path / "x.cells"
    save(learn(rows, metric), path, rows)
    assert load(path, rows, metric)
    with np.load(path) as file:
        arrays = dict(file)
    save_arrays(path, **{**arrays, **wrong})
    assert load(path, rows, metric) is None


@METRICS
def test_other_rows_of_the_same_shape_are_refused(tmp_path: Path, metric: Metric) -> None:
    rows, path = rows_of(metric, 100), tmp_path / "x.cells"
    save(learn(rows, metric), path, rows)
    assert load(path, rows_of(metric, 100, seed=1), metric) is None


@METRICS
def test_opening_reads_extends_and_cleans_up(tmp_path: Path, metric: Metric) -> None:
    rows, path = rows_of(metric, 1_000), tmp_path / "hashes-1.cells"
    centres = codebook(rows[:100]) if metric is HAMMING else None
    (tmp_path / "hashes-0.cells").write_bytes(b"its rows are gone")
    first = open_cells(mapped(tmp_path / "hashes-1.bin", rows[:100]), metric, 0, centres)
    assert [file.name for file in tmp_path.glob("*.cells")] == [path.name]
    written = path.read_bytes()
    few_more = mapped(tmp_path / "hashes-1.bin", rows[:120])
    assert_same(first, open_cells(few_more, metric, 20, centres))
    assert path.read_bytes() == written
    assert_same(extend(first, few_more), open_cells(few_more, metric, 0, centres))


def test_another_codebook_lists_all_rows_again(tmp_path: Path) -> None:
    rows, path = rows_of(HAMMING, 1_000), tmp_path / "hashes-1.cells"
    held = mapped(tmp_path / "hashes-1.bin", rows)
    open_cells(held, HAMMING, 0, rows[:7])
    other = open_cells(held, HAMMING, 0, rows[7:30])
    assert_same(extend(no_rows(HAMMING, rows[7:30]), rows), other)
    assert_same(other, load(path, held, HAMMING))


def test_much_growth_learns_new_centres_of_vectors(tmp_path: Path) -> None:
    metric = EUCLIDEAN
    rows, path = rows_of(metric, 1_000), tmp_path / "hashes-1.cells"
    first = open_cells(mapped(tmp_path / "hashes-1.bin", rows[:100]), metric)
    grown = mapped(tmp_path / "hashes-1.bin", rows[:400])  # 4 x 10 cells squared
    np.testing.assert_array_equal(open_cells(grown, metric).centres, first.centres)
    overgrown = mapped(tmp_path / "hashes-1.bin", rows[:401])
    assert_same(learn(rows[:401], metric), open_cells(overgrown, metric))
    assert_same(learn(rows[:401], metric), load(path, overgrown, metric))


def test_silence_is_listed_and_moves_no_centre() -> None:
    rows = rows_of(EUCLIDEAN, 200)
    silent = rows.copy()
    silent[::2] = np.full(WIDTH // 4, np.nan, "<f4").view(np.uint8)
    cells = learn(silent, EUCLIDEAN)
    assert np.isfinite(cells.centres.view("<f4")).all()
    assert sorted(cells.rows.tolist()) == list(range(200))


@pytest.mark.parametrize("cells", [1, 5, 60])
def test_compiled_and_faiss_find_the_same_cells(
    monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    pytest.importorskip("numba")
    rng = np.random.default_rng(3)
    # Few different bytes, so that centres are often equally near.
    centres = rng.integers(0, 4, (40, WIDTH), np.uint8)
    rows = rng.integers(0, 4, (500, WIDTH), np.uint8)
    found = []
    for backend in (None, exact.compiled_backend(exact.PAIRS_TO_COMPILED, 8 * WIDTH)):
        monkeypatch.setattr("samaf.index.cells.compiled_backend", lambda *_, b=backend: b)
        found.append(nearest_centres(centres, rows, cells))
    by_faiss, by_compiled = found
    away = distances(HAMMING, centres, rows)
    assert by_compiled.shape == (500, min(cells, 40))
    np.testing.assert_array_equal(by_compiled, np.argsort(away, 1, kind="stable")[:, :cells])
    # FAISS gives others of those that are equally near, but not for the one that lists a row.
    np.testing.assert_array_equal(by_faiss[:, 0], by_compiled[:, 0])
    np.testing.assert_array_equal(
        np.take_along_axis(away, by_faiss, 1), np.take_along_axis(away, by_compiled, 1)
    )
