"""The ivf index finds what the exact one finds, follows its table, and survives its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from samaf.index import NOTHING, ExactIndex, HashTable, IvfIndex, cells, ivf, table_of
from samaf.index.candidates import Effort
from samaf.index.cells import HAMMING, Cells

WIDTH = 16
RECENT = 200  # rows that are searched as a whole here


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ivf, "RECENT", RECENT)


def speech(rows: int, seed: int = 0) -> np.ndarray:
    """Hashes that come in families, as those of speech do."""
    rng = np.random.default_rng(seed)
    families = rng.integers(0, 256, (40, WIDTH), np.uint8)
    return families[rng.integers(0, 40, rows)] ^ turned(rng, rows, 0.15)


def turned(rng: np.random.Generator, rows: int, share: float) -> np.ndarray:
    return np.packbits(rng.random((rows, 8 * WIDTH)) < share, axis=1)


CODEBOOK = speech(60, seed=77)


def listed(hashes: np.ndarray) -> Cells:
    return cells.extend(cells.no_rows(HAMMING, CODEBOOK), hashes)


def on_disk(folder: Path, hashes: np.ndarray, each: int = 50, name: str = "hashes-1") -> HashTable:
    path = folder / f"{name}.bin"
    path.write_bytes(hashes.tobytes())
    starts = np.arange(0, len(hashes), each)
    counts = np.minimum(each, len(hashes) - starts)
    mapped = np.memmap(path, np.uint8, "r", shape=hashes.shape)
    return HashTable(mapped, np.arange(len(starts)), starts, counts)


def same(table: HashTable, query: np.ndarray, hashes: int, k: int = 1) -> float:
    """Give the share of neighbors that are the exact ones."""
    right = ExactIndex(table).search(query, hashes, k)
    found = IvfIndex(table, CODEBOOK).search(query, hashes, k)
    assert (found.distances >= right.distances).all()
    return float((found.distances == right.distances).mean())


def test_finds_noisy_stretches(tmp_path: Path) -> None:
    table = on_disk(tmp_path, speech(6_000))
    rng = np.random.default_rng(1)
    for at in (0, 1_207, 3_000, 5_950):
        query = table.hashes[at : at + 40] ^ turned(rng, 40, 0.1)
        assert same(table, query, 9) == 1


def test_distances_are_exact_and_windows_do_not_cross_recordings(tmp_path: Path) -> None:
    table = on_disk(tmp_path, speech(3_000), each=7)
    query = speech(90, seed=2)
    found = IvfIndex(table, CODEBOOK).search(query, 5, 6)
    valid = table.window_starts(5)
    for window, (rows, distances) in enumerate(zip(found.rows, found.distances, strict=True)):
        real = rows[rows != NOTHING]
        assert valid[real].all()
        assert len(set(real.tolist())) == len(real)
        for row, distance in zip(real, distances, strict=False):
            differing = np.bitwise_count(table.hashes[row : row + 5] ^ query[window : window + 5])
            assert differing.sum() == distance
        assert (np.diff(distances) >= 0).all()


@pytest.mark.parametrize("lengths", [None, [13, 20, 27]])
def test_with_every_cell_and_diagonal_it_is_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lengths: list[int] | None
) -> None:
    monkeypatch.setattr(ivf, "effort", lambda *_: Effort(10**6, 10**6))
    table = on_disk(tmp_path, speech(900), each=30)
    cells.save(listed(table.hashes[:600]), tmp_path / "hashes-1.cells", table.hashes)
    monkeypatch.setattr(ivf, "RECENT", 500)  # 300 rows are recent
    query = speech(60, seed=3)
    right = ExactIndex(table).search(query, 5, 8)
    found = IvfIndex(table, CODEBOOK).search(query, 5, 8, lengths)
    ends = np.cumsum(lengths or [60])
    within = [w for w in range(56) if not ((ends > w) & (ends < w + 5)).any()]  # no seam in it
    np.testing.assert_array_equal(found.rows[within], right.rows[within])
    np.testing.assert_array_equal(found.distances[within], right.distances[within])


def test_a_small_table_is_searched_as_a_whole(tmp_path: Path) -> None:
    table = on_disk(tmp_path, speech(RECENT))
    assert same(table, speech(60, seed=4), 3, 8) == 1
    assert not list(tmp_path.glob("*.cells"))
    assert same(table_of([], WIDTH), speech(5), 3) == 1
    assert IvfIndex(table, CODEBOOK).search(speech(2), 3, 8).rows.shape == (0, 8)


def test_follows_additions_and_deletions(tmp_path: Path) -> None:
    hashes = speech(4_000)
    path = tmp_path / "hashes-1.cells"
    IvfIndex(on_disk(tmp_path, hashes[:2_000]), CODEBOOK)
    first = path.read_bytes()
    grown = on_disk(tmp_path, hashes[:2_150])  # within what is searched as a whole
    assert same(grown, hashes[2_100:2_140], 9) == 1
    assert path.read_bytes() == first
    grown = on_disk(tmp_path, hashes)
    assert same(grown, hashes[3_900:3_940], 9) == 1
    kept = cells.load(path, grown.hashes, HAMMING)
    assert kept is not None
    assert np.sort(kept.rows).tolist() == list(range(4_000))
    np.testing.assert_array_equal(kept.centres, CODEBOOK)
    left = np.arange(len(grown.starts)) != 78  # the recording of rows 3,900 to 3,949
    table = HashTable(
        grown.hashes, grown.recording_ids[left], grown.starts[left], grown.counts[left]
    )
    found = IvfIndex(table, CODEBOOK).search(hashes[3_900:3_940], 9, 8)
    assert not ((found.rows > 3_890) & (found.rows < 3_950)).any()


@pytest.mark.parametrize("at", [0, 0.01, 0.2, 0.5, 0.8, 0.99, 1])
@pytest.mark.parametrize("fault", ["cut", "flipped"])
def test_damaged_lists_are_listed_again(tmp_path: Path, at: float, fault: str) -> None:
    table = on_disk(tmp_path, speech(2_000))
    IvfIndex(table, CODEBOOK)
    path = tmp_path / "hashes-1.cells"
    good = path.read_bytes()
    where = min(int(at * len(good)), len(good) - 1)
    bad = bytearray(good)
    bad[where] ^= 0x10
    path.write_bytes(good[:where] if fault == "cut" else bytes(bad))
    assert same(table, table.hashes[1_000:1_040], 9) == 1
    read = cells.load(path, table.hashes, HAMMING)
    assert read is not None
    np.testing.assert_array_equal(read.rows, listed(table.hashes).rows)


def test_lists_of_other_hashes_are_refused_and_removed(tmp_path: Path) -> None:
    table = on_disk(tmp_path, speech(2_000))
    IvfIndex(table, CODEBOOK)
    other = on_disk(tmp_path, speech(2_000, seed=9))
    assert cells.load(tmp_path / "hashes-1.cells", other.hashes, HAMMING) is None
    (tmp_path / "hashes-1.bin").unlink()
    IvfIndex(on_disk(tmp_path, speech(2_000), name="hashes-2"), CODEBOOK)
    assert [path.name for path in tmp_path.glob("*.cells")] == ["hashes-2.cells"]


def test_a_folder_that_may_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = on_disk(tmp_path, speech(2_000))
    (tmp_path / "hashes-1.cells").mkdir()  # in the way, even of root
    assert same(table, table.hashes[1_000:1_040], 9) == 1
    assert not list(tmp_path.glob("*.tmp"))


def test_what_comes_after_a_recording_is_searched_by_the_same_cells(tmp_path: Path) -> None:
    hashes = speech(6_000)
    hashes[3_010:3_040] = hashes[5_210:5_240] = hashes[1_010:1_040]
    table = on_disk(tmp_path, hashes, each=100)
    index = IvfIndex(table, CODEBOOK)
    query = np.ascontiguousarray(table.rows(10))
    for without, places in (((), [30, 52]), ((52,), [30])):
        part = index.after(10, without)
        assert isinstance(part, IvfIndex)
        found = part.search(query, 9, len(places))
        right = ExactIndex(part.table).search(query, 9, len(places))
        assert (found.rows[10:32] == right.rows[10:32]).all()
        assert found.rows[found.rows != NOTHING].min() >= 1_100
        positions = part.table.locate(found.rows[15])[0]
        assert part.table.recording_ids[positions].tolist() == places
    small = IvfIndex(table_of([(0, hashes[:150])], WIDTH), CODEBOOK)
    assert isinstance(small.after(0), ExactIndex)
