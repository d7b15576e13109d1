"""The nearest vectors against NumPy, through additions, deletions and restarts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samaf.index import CellsIndex, HashTable, VectorIndex, cache, table_of
from samaf.index.cells import EUCLIDEAN, Cells, load
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter

VALUES = 8
DIGEST = "cd" * 32
Contents = dict[int, np.ndarray]


def vectors(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, VALUES)).astype(np.float32)


def table(contents: Contents) -> HashTable:
    return table_of(((i, rows.view(np.uint8)) for i, rows in contents.items()), 4 * VALUES)


def nearest(contents: Contents, query: np.ndarray, k: int) -> list[list[tuple[int, int]]]:
    """Compare everything with everything."""
    places = [(i, s) for i, rows in contents.items() for s in range(len(rows))]
    rows = np.concatenate(list(contents.values())).astype(np.float64)
    apart = np.linalg.norm(rows[None] - query[:, None].astype(np.float64), axis=2)
    apart[np.isnan(apart)] = np.inf
    return [
        [places[at] for at in np.argsort(line, kind="stable")[:k] if np.isfinite(line[at])]
        for line in apart
    ]


def found(index: VectorIndex, query: np.ndarray, k: int) -> list[list[tuple[int, int]]]:
    answer = index.search(query, k)
    lines = zip(answer.recording_ids.tolist(), answer.segments.tolist(), strict=True)
    return [[(i, s) for i, s in zip(*line, strict=True) if i >= 0] for line in lines]


def test_distances_are_euclidean_and_places_exact() -> None:
    contents = {7: vectors(1, 5), 3: vectors(2, 4)}
    index, query = VectorIndex(table(contents)), vectors(3, 6)
    assert found(index, query, 4) == nearest(contents, query, 4)
    answer = index.search(contents[3][2:3], 1)
    assert (answer.recording_ids[0, 0], answer.segments[0, 0]) == (3, 2)
    assert answer.distances[0, 0] == pytest.approx(0, abs=1e-3)
    expected = np.linalg.norm(contents[7][0] - query[0])
    all_distances = index.search(query[:1], 9).distances[0]
    assert np.abs(all_distances - expected).min() < 1e-4


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 6)), min_size=1, max_size=12),
    st.integers(1, 9),
    st.randoms(use_true_random=False),
)
def test_following_a_store_is_as_good_as_reading_it_anew(
    changes: list[tuple[int, int]], k: int, random: object
) -> None:
    contents: Contents = {1: vectors(99, 2)}
    index = VectorIndex(table(contents))
    for step, (recording, count) in enumerate(changes):
        if recording in contents:
            del contents[recording]
        elif count:
            contents[recording] = vectors(100 + step, count)
        order = sorted(contents, key=lambda _: random.random())  # type: ignore[attr-defined]
        contents = {i: contents[i] for i in order}
        index.follow(table(contents))
        assert index.size == sum(map(len, contents.values()))
        if contents:
            query = vectors(5 + step, 2)
            assert found(index, query, k) == nearest(contents, query, k)


def test_silence_is_no_neighbor() -> None:
    contents = {1: vectors(1, 3), 2: np.full((2, VALUES), np.nan, np.float32)}
    contents[1][1] = np.nan
    index = VectorIndex(table(contents))
    assert index.size == 2
    assert found(index, vectors(2, 1), 9) == nearest(contents, vectors(2, 1), 9)
    contents[3] = vectors(3, 2)
    contents.pop(2)
    index.follow(table(contents))
    assert index.size == 4


def test_equal_vectors_go_by_recording_and_segment() -> None:
    same = np.tile(vectors(1, 1), (4, 1))
    index = VectorIndex(table({5: same, 2: same}))
    assert found(index, same[:1], 5) == [[(2, 0), (2, 1), (2, 2), (2, 3), (5, 0)]]


def test_an_empty_store_has_no_neighbors() -> None:
    index = VectorIndex(table({}))
    answer = index.search(vectors(1, 2), 3)
    assert (answer.recording_ids == -1).all()
    assert np.isinf(answer.distances).all()


# --- over a store -------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.open(str(tmp_path / "store.db"))
    store.bind(StoredFingerprinter(DIGEST, "UNET8", 32 * VALUES, "unet", {}))
    return store


@pytest.fixture
def add(store: Store) -> Callable[[int, int], np.ndarray]:
    def add(seed: int, count: int) -> np.ndarray:
        rows = vectors(seed, count)
        digest = hashlib.sha256(str(seed).encode()).hexdigest()
        recording = Recording(digest, f"{seed}.wav", "", 4.0)
        store.add(recording, Hashes(rows.view(np.uint8), np.ones(count, bool)))
        return rows

    return add


@pytest.mark.parametrize("kind", [VectorIndex, CellsIndex])
def test_a_store_that_changes_between_restarts(
    store: Store,
    add: Callable[[int, int], np.ndarray],
    kind: type[VectorIndex],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("samaf.index.vectors.LEAST_CELLS", 4)

    def opened() -> HashTable:
        return cache.open_cached(store, DIGEST, 4 * VALUES, tmp_path)

    contents = {1: add(1, 20), 2: add(2, 30)}

    def made() -> VectorIndex:
        return CellsIndex(opened(), probes=99) if kind is CellsIndex else VectorIndex(opened())

    index = made()
    query = vectors(50, 7)
    assert found(index, query, 5) == nearest(contents, query, 5)
    contents[3] = add(3, 10)
    store.delete(1)
    del contents[1]
    index.follow(opened())
    assert found(index, query, 5) == nearest(contents, query, 5)
    again = made()
    assert found(again, query, 5) == nearest(contents, query, 5)
    contents[4] = add(4, 8)
    assert found(made(), query, 5) == nearest(contents, query, 5)


def clustered(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = 5 * rng.standard_normal((30, VALUES))
    return (centres[rng.integers(0, 30, count)] + rng.standard_normal((count, VALUES))).astype(
        np.float32
    )


def kept(table: HashTable) -> Cells | None:
    """Read the cells that stand beside the rows of a table."""
    assert isinstance(table.hashes, np.memmap)
    assert table.hashes.filename
    return load(Path(table.hashes.filename).with_suffix(".cells"), table.hashes, EUCLIDEAN)


def test_cells_are_kept_beside_the_index_and_find_nearly_all(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = clustered(5000)
    hashes = Hashes(rows.view(np.uint8), np.ones(len(rows), bool))
    store.add(Recording("ab" * 32, "long.wav", "", 1.0), hashes)
    table = cache.open_cached(store, DIGEST, 4 * VALUES, tmp_path)
    index = CellsIndex(table)
    cells = kept(table)
    assert cells
    assert sorted(cells.rows.tolist()) == list(range(5000))
    query = clustered(200) + np.float32(0.1)
    exact = found(VectorIndex(table), query, 5)
    seen = found(index, query, 5)
    shared = [len({*a} & {*b}) for a, b in zip(exact, seen, strict=True)]
    assert sum(shared) >= 0.95 * 5 * len(query)
    monkeypatch.setattr("samaf.index.cells.learn_values", None)  # must not be needed again
    assert found(CellsIndex(table), query, 5) == seen


def test_a_large_store_of_silence_has_no_neighbors() -> None:
    silence = np.full((5000, VALUES), np.nan, np.float32)
    index = CellsIndex(table({1: silence}))
    assert index.size == 0
    assert (index.search(vectors(1, 2), 3).recording_ids == -1).all()


@pytest.mark.parametrize("damage", ["cut", "other rows"])
def test_damaged_cells_are_learned_anew(tmp_path: Path, store: Store, damage: str) -> None:
    rows = clustered(5000)
    store.add(
        Recording("ab" * 32, "long.wav", "", 1.0),
        Hashes(rows.view(np.uint8), np.ones(len(rows), bool)),
    )
    table = cache.open_cached(store, DIGEST, 4 * VALUES, tmp_path)
    before = found(CellsIndex(table), rows[:9], 3)
    (path,) = tmp_path.rglob("*.cells")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        content = dict(np.load(path))
        np.savez(path.open("wb"), **{**content, "witness": 1})
    assert kept(table) is None
    assert found(CellsIndex(table), rows[:9], 3) == before
    assert kept(table)
