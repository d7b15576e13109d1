"""The relational contenders and the index over made-up vectors."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.metrics import Estimate
from benchmarks.tables import Table
from benchmarks.unet.relational import CONTENDERS, cells, compared, summary
from benchmarks.unet.songs import Songs, more, with_noise

VALUES = 40


@pytest.fixture
def songs() -> Songs:
    rng = np.random.default_rng(0)
    stored = rng.standard_normal((20, 6, VALUES)).astype(np.float32)
    song, segment = rng.integers(0, 20, 15), rng.integers(0, 6, 15)
    clean = stored[song, segment] + np.float32(0.01)
    return Songs(stored, clean, rng.standard_normal(clean.shape).astype(np.float32), song)


def test_a_summary_has_five_numbers_and_five_places() -> None:
    vector = np.array([0, 1, 2, 3, 4, 10, 9, 8, 7], np.float32)
    assert summary(vector) == (pytest.approx(44 / 9), 4, 2, 4, 8, 5, 6, 7, 8, 4)


def test_rows_and_indexes_name_the_nearest_songs(songs: Songs) -> None:
    stored = songs.stored.copy()
    stored[3, 2] = np.nan  # silence
    query = np.random.default_rng(1).standard_normal(VALUES).astype(np.float32)
    apart = np.linalg.norm(stored - query, axis=2)
    order = np.argsort(apart.ravel())[:5] // 6
    for name in ("serialised rows", "IndexFlatL2", "IndexIVFFlat"):
        assert CONTENDERS[name](stored).query(query) == order.tolist(), name


def test_summaries_name_the_song_of_a_stored_vector(songs: Songs) -> None:
    contender = CONTENDERS["summary and places"](songs.stored)
    for song in range(20):
        assert contender.query(songs.stored[song, 4])[0] == song
    assert len(contender.query(songs.noisy[0])) == 5


def test_the_table_grows_with_the_store(songs: Songs) -> None:
    table = compared(songs, "random")
    assert isinstance(table, Table)
    assert len(table.body) == 3 * len(CONTENDERS)
    assert sorted({line[1] for line in table.body}) == [2, 20, 200]
    lines = {(line[0], line[1]): line for line in table.body}
    for name in ("serialised rows", "IndexFlatL2"):
        first = lines[name, 20][4]
        assert isinstance(first, Estimate)
        assert first.value == 1


def test_cells_find_what_they_look_into(songs: Songs) -> None:
    lines = cells(songs, "random").body
    assert [line[0] for line in lines[::5]] == ["20 songs, all", "200 songs, all"]
    assert all(0 <= float(line[3]) <= 100 for line in lines)  # type: ignore[arg-type]
    assert lines[4][3:] == (100, 100)  # a small store is searched as a whole


def test_further_songs_are_like_those_there_are_but_none_of_them(songs: Songs) -> None:
    made = more(songs.stored, 30)
    assert made.shape == (30, 6, VALUES)
    groups = made.reshape(-1, 5)
    np.testing.assert_allclose(groups.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(groups.std(axis=1), 1, atol=1e-3)
    apart = np.linalg.norm(
        made.reshape(-1, 1, VALUES) - songs.stored.reshape(1, -1, VALUES), axis=2
    )
    assert apart.min() > 1


def test_noise_comes_at_its_ratio() -> None:
    rng = np.random.default_rng(2)
    samples, noise = rng.standard_normal((2, 8000)).astype(np.float32)
    added = with_noise(samples, 3 * noise, 10, rng) - samples
    assert 20 * np.log10(np.std(samples) / np.std(added)) == pytest.approx(10, abs=0.1)
