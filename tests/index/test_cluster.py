"""The index in ClickHouse: the same answers as on this machine, whatever interrupts it."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.cluster.servers import ShardServer, new_url
from benchmarks.cluster.torture import contents
from samaf.errors import IndexDatabaseError, ShardAwayError
from samaf.index import NOTHING, ExactIndex, Index, Neighbors, cache, sweeps
from samaf.index.candidates import Effort
from samaf.index.cluster import (
    ClusterIndex,
    ClusterTable,
    Identity,
    Shard,
    catch_up,
    connections,
    following,
    grant_sql,
    index,
    resolve,
)
from samaf.index.cluster.schema import create_sql
from samaf.records import Codes, Recording
from samaf.store import Store, StoredFingerprinter

pytestmark = pytest.mark.process

WIDTH = 16
DIGEST, BOOK = "ab" * 32, "cd" * 32
CODEBOOK = np.random.default_rng(9).integers(0, 256, (40, WIDTH), np.uint8)
NewIndex = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.open(str(tmp_path / "store.db"))
    store.bind(StoredFingerprinter(DIGEST, "2LST128", 8 * WIDTH, "lstm", {}))
    return store


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look into all cells and along all diagonals: the answers are the exact ones."""
    monkeypatch.setattr(index, "effort", lambda *_: Effort(len(CODEBOOK), 10**6))


def codes(seed: int, count: int, streams: int = 1) -> Codes:
    rng = np.random.default_rng(seed)
    # Few different bytes, so that equal distances are frequent.
    return Codes(
        rng.integers(0, 4, (count * streams, WIDTH), np.uint8),
        np.ones(count * streams, bool),
        streams=streams,
    )


def add(store: Store, seed: int, count: int, streams: int = 1) -> int:
    digest = hashlib.sha256(f"{seed}".encode()).hexdigest()
    item = Recording(digest, f"{seed}.wav", "", 9.0), codes(seed, count, streams)
    return store.add(*item)[0].recording_id


def shards_of(url: str, store: Store, **changes: Any) -> list[Shard]:
    opened = connections(resolve(url))
    identity = Identity(store.store_id, DIGEST, BOOK, 0, len(opened))
    return [
        Shard(connection, replace(identity, shard=number, **changes), WIDTH)
        for number, connection in enumerate(opened)
    ]


def opened(shards: Sequence[Shard]) -> ClusterIndex:
    state = shards[0].state()
    assert state
    return ClusterIndex(ClusterTable(shards, state.done, ()), CODEBOOK)


def local(store: Store, tmp_path: Path) -> ExactIndex:
    return ExactIndex(cache.open_cached(store, DIGEST, WIDTH, tmp_path / "cache"), "numpy")


def places(one: Index, found: Neighbors) -> list[Any]:
    """Give neighbors as (recording, side, block, distance), which every table has the same."""
    table, answer = one.table, []
    for rows, distances in zip(found.rows, found.distances, strict=True):
        real = rows != NOTHING
        positions, blocks = table.locate(rows[real])
        answer.append(
            [
                (table.recording_id(p), table.side(p), b, d)
                for p, b, d in zip(
                    positions.tolist(), blocks.tolist(), distances[real].tolist(), strict=True
                )
            ]
        )
    return answer


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("count", [1, 3])
def test_with_every_cell_and_diagonal_it_is_exact(
    store: Store, new_index: NewIndex, tmp_path: Path, count: int
) -> None:
    for seed, length in enumerate((30, 1, 70, 3, 9, 40)):
        add(store, seed, length, streams=1 + 2 * (seed == 4))
    shards = shards_of(new_index(count), store)
    catch_up(shards, store, CODEBOOK)
    cluster, exact = opened(shards), local(store, tmp_path)
    assert cluster.table.total == exact.table.total
    assert cluster.table.recordings == exact.table.recordings == 6
    query = np.concatenate([codes(7, 20).packed, codes(2, 70).packed[5:60]])
    for hashes in (1, 5, 12):
        here, there = sweeps(exact, hashes), sweeps(cluster, hashes)
        assert [s.window_hashes for s in here] == [s.window_hashes for s in there]
        for one, other in zip(here, there, strict=True):
            assert places(exact, one.search(query, 6)) == places(cluster, other.search(query, 6))
    found = cluster.table.find(3, 0)
    assert found is not None
    np.testing.assert_array_equal(cluster.table.rows(found), codes(2, 70).packed)
    np.testing.assert_array_equal(cluster.table.rows(found, 3, 40), codes(2, 70).packed[3:40])
    assert [cluster.table.recording_id(i) for i in cluster.table.indices] == [
        exact.table.recording_id(i) for i in exact.table.indices
    ]
    first = exact.table.indices[0], cluster.table.indices[0]
    without = exact.table.find(3, 0), cluster.table.find(3, 0)
    here_after, there_after = (
        each.after(start, [left_out])
        for each, start, left_out in zip((exact, cluster), first, without, strict=True)
    )
    assert places(here_after, here_after.search(query, 5, 4)) == places(
        there_after, there_after.search(query, 5, 4)
    )


def test_it_follows_additions_and_deletions(store: Store, new_index: NewIndex) -> None:
    first = add(store, 1, 20)
    shards = shards_of(new_index(2), store)
    catch_up(shards, store, CODEBOOK)
    add(store, 2, 30, streams=3)
    third = add(store, 3, 10)
    store.delete(first)
    catch_up(shards, store, CODEBOOK)
    assert opened(shards).table.total == 30 * 3 + 10
    assert opened(shards).table.recordings == 2
    assert opened(shards).table.find(first, 0) is None
    store.delete_many([2, third])
    catch_up(shards, store, CODEBOOK)
    assert opened(shards).table.total == opened(shards).table.recordings == 0
    rebuilt = shards_of(new_index(2), store)
    catch_up(rebuilt, store, CODEBOOK)
    assert contents(shards) == contents(rebuilt)
    state = shards[0].state()
    assert state
    assert store.is_at(state.done)


@pytest.mark.usefixtures("everything")
def test_long_clips_and_many_deletions(store: Store, new_index: NewIndex) -> None:
    shards = shards_of(new_index(), store)
    add(store, 1, 5_000)
    add(store, 2, 30)
    catch_up(shards, store, CODEBOOK)
    found = opened(shards).search(codes(1, 5_000).packed, 12, 1)
    assert (found.distances == 0).all()
    shards[0].remove(range(2, 20_000), 10**6)
    assert opened(shards).table.total == 5_000


class Interrupted(Exception):
    """Stands for the end of the process."""


class Dying:
    """A connection whose process ends before a certain statement."""

    def __init__(self, connection: Any, statements: int) -> None:
        self.name, self._connection, self._left = connection.name, connection, statements

    def __getattr__(self, what: str) -> Any:
        self._left -= 1
        if self._left < 0:
            raise Interrupted
        return getattr(self._connection, what)


def test_whatever_statement_is_the_last_it_goes_on_to_what_a_rebuild_gives(
    store: Store, new_index: NewIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "BATCH_HASHES", 40)
    for seed in range(6):
        add(store, seed, 15)
    rebuilt = shards_of(new_index(), store)
    catch_up(rebuilt, store, CODEBOOK)
    wanted, url = contents(rebuilt), new_index()
    for statements in range(100):
        (shard,) = shards_of(url, store)
        whole, shard.connection = shard.connection, Dying(shard.connection, statements)
        try:
            catch_up([shard], store, CODEBOOK)
        except Interrupted:
            state = Shard(whole, shard.identity, WIDTH).state()
            done = bool(state and store.is_at(state.done))
            shard.connection = whole
            assert not done or contents([shard]) == wanted
            if statements % 2:  # half of them begin with what the others left
                catch_up([shard], store, CODEBOOK)
                assert contents([shard]) == wanted
                store.delete(add(store, 100 + statements, 3))
                shard.clear()
        else:
            break
    else:
        pytest.fail("never came to an end")
    assert contents(shards_of(url, store)) == wanted


def test_two_writers_at_once_load_what_one_loads(
    store: Store, new_index: NewIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "BATCH_HASHES", 40)
    for seed in range(8):
        add(store, seed, 15)
    url, faults = new_index(), []

    def write() -> None:
        try:
            with Store.open(str(tmp_path / "store.db")) as own:
                catch_up(shards_of(url, own), own, CODEBOOK)
        except Exception as error:
            faults.append(error)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not faults
    rebuilt = shards_of(new_index(), store)
    catch_up(rebuilt, store, CODEBOOK)
    assert contents(shards_of(url, store)) == contents(rebuilt)
    assert opened(shards_of(url, store)).table.total == 8 * 15


def test_tables_that_a_writer_began_to_make_are_completed(
    store: Store, new_index: NewIndex
) -> None:
    add(store, 1, 20)
    shards = shards_of(new_index(), store)
    for statement in create_sql(WIDTH)[:2]:
        shards[0].connection.execute(statement)
    assert shards[0].state() is None
    catch_up(shards, store, CODEBOOK)
    assert opened(shards).table.total == 20


def test_a_store_that_was_put_back_is_noticed(
    store: Store, new_index: NewIndex, tmp_path: Path
) -> None:
    add(store, 1, 20)
    old = tmp_path / "old.db"
    with (
        closing(sqlite3.connect(tmp_path / "store.db")) as now,
        closing(sqlite3.connect(old)) as then,
    ):
        now.backup(then)
    add(store, 2, 20)
    shards = shards_of(new_index(), store)
    catch_up(shards, store, CODEBOOK)
    with Store.open(str(old)) as other:
        add(other, 3, 25)
        catch_up(shards, other, CODEBOOK)
        assert opened(shards).table.total == 45
        state = shards[0].state()
        assert state
        assert other.is_at(state.done)
        rebuilt = shards_of(new_index(), other)
        catch_up(rebuilt, other, CODEBOOK)
        assert contents(shards) == contents(rebuilt)


def test_what_belongs_to_others_is_refused(store: Store, new_index: NewIndex) -> None:
    url = new_index()
    catch_up(shards_of(url, store), store, CODEBOOK)
    for changes, what in (
        ({"store_id": "0" * 36}, "belongs to the store"),
        ({"digest": "0" * 64}, "belongs to the model abababababab, not to 000000000000"),
        ({"codebook": "0" * 64}, "belongs to the codebook"),
        ({"shards": 2}, "is shard 1 of 1, not 1 of 2"),
    ):
        with pytest.raises(IndexDatabaseError, match=what):
            shards_of(url, store, **changes)[0].state()
    (shard,) = shards_of(url, store)
    shard.connection.execute("ALTER TABLE {db}.streams ADD COLUMN x UInt8")
    assert shard.state()  # what is added does no harm
    shard.connection.execute("DROP TABLE {db}.hashes")
    with pytest.raises(IndexDatabaseError, match="has no column 'hashes h"):
        shard.state()


def test_servers_that_are_away_or_refuse_are_one_line(store: Store, new_index: NewIndex) -> None:
    (away,) = shards_of("clickhouse://default@127.0.0.1:1/samaf", store)
    with pytest.raises(ShardAwayError, match="127.0.0.1:1/samaf: the server does not answer"):
        away.state()
    url = new_index()
    (refusing,) = shards_of(url.replace("default@", "nobody@"), store)
    with pytest.raises(IndexDatabaseError, match="check the user and the password"):
        refusing.state()
    (replicated,) = shards_of(url.replace("@", "@127.0.0.1:1|"), store)
    assert replicated.state() is None  # the second replica answered


def test_a_shard_that_comes_back_is_waited_for(
    store: Store, shards: list[ShardServer], tmp_path: Path
) -> None:
    add(store, 1, 20)
    add(store, 2, 20)
    url = new_url(*shards[1:])
    catch_up(shards_of(url, store), store, CODEBOOK)
    searched, patient = opened(shards_of(url, store)), shards_of(f"{url}?wait=120", store)
    shards[2].kill()
    query = codes(1, 20).packed
    with pytest.raises(ShardAwayError, match="the server does not answer"):
        searched.search(query, 5, 3)
    timer = threading.Timer(0.5, shards[2].start)
    timer.start()
    found = places(waited := opened(patient), waited.search(query, 5, 3))
    timer.join()
    assert found == places(searched, searched.search(query, 5, 3))


def test_urls() -> None:
    url = resolve("clickhouse://ann:p%40ss@a1|a2:9000,b1/base?tls=1&wait=3")
    assert str(url) == "clickhouse://ann@a1:8443|a2:9000,b1:8443/base"
    assert (url.password, url.tls, url.wait) == ("p@ss", True, 3)
    assert "p@ss" not in repr(url)
    assert resolve("chdb:///data/index").folder == Path("/data/index")
    for wrong in (
        "oracle://x",
        "chdb://relative",
        "clickhouse://host",
        "clickhouse://host/a.b",
        "clickhouse://host/base?wait=x",
        "clickhouse://u:secret@/base",
        "clickhouse://ho st/base",
    ):
        with pytest.raises(IndexDatabaseError, match="give chdb:///FOLDER or") as refused:
            resolve(wrong)
        assert "secret" not in str(refused.value)


def test_a_password_may_stand_in_a_file_or_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text("from the file\n")
    monkeypatch.setenv("SAMAF_INDEX_PASSWORD", "from the variable")
    assert resolve("clickhouse://u@h/b").password == "from the variable"
    assert resolve(f"clickhouse://u@h/b?password_file={file}").password == "from the file"
    with pytest.raises(IndexDatabaseError, match="cannot be read"):
        resolve(f"clickhouse://u@h/b?ca={tmp_path / 'none'}")


def test_rights_are_the_least() -> None:
    reader = grant_sql("base", "ann", writer=False)
    assert reader[0] == "GRANT SELECT ON base.* TO `ann`"
    assert not any("INSERT" in line for line in reader)
    assert any("INSERT" in line for line in grant_sql("base", "ann", writer=True))
    with pytest.raises(IndexDatabaseError, match="no name of a user"):
        grant_sql("base", "a`b", writer=False)
