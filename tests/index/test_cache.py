"""The index on disk follows the store, whatever happens to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from samaf.errors import IndexCacheError
from samaf.index import HashTable, cache
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter

WIDTH = 16
DIGEST = "ab" * 32
ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.open(str(tmp_path / "samaf.db"))
    store.bind(StoredFingerprinter(DIGEST, "2LST128C", 8 * WIDTH, "lstm", {}))
    return store


def hashes_of(number: int, count: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (count, WIDTH), np.uint8)


def add(store: Store, *numbers: int, count: int = 10) -> None:
    for number in numbers:
        recording = Recording(f"{number:064x}", f"{number}.wav", f"/{number}.wav", 3.0)
        packed = hashes_of(number, count)
        store.add(recording, Hashes(packed, np.ones(count, bool)))


def opened(store: Store, tmp_path: Path) -> HashTable:
    return cache.open_cached(store, DIGEST, WIDTH, tmp_path / "index")


def folder_of(store: Store, tmp_path: Path) -> Path:
    return cache.cache_folder(store, DIGEST, tmp_path / "index")


def assert_shows(table: HashTable, store: Store) -> None:
    """The table holds exactly what the store holds."""
    truth = {number: hashes.packed for number, hashes in store.changes(0).added}
    assert table.version.revision == store.revision
    assert table.recording_ids.tolist() == sorted(truth)
    for position, number in enumerate(table.recording_ids.tolist()):
        np.testing.assert_array_equal(table.rows(position), truth[number])


def test_adds_and_deletes(store: Store, tmp_path: Path) -> None:
    assert_shows(opened(store, tmp_path), store)
    add(store, 1, 2, 3, 4, 5)
    assert_shows(opened(store, tmp_path), store)
    store.delete(2)
    add(store, 6, 7, count=3)
    store.delete(7)
    assert_shows(opened(store, tmp_path), store)
    header = cache.read_header(folder_of(store, tmp_path))
    assert header
    assert cache.verify(folder_of(store, tmp_path), header)


def test_nothing_is_written_when_nothing_changed(store: Store, tmp_path: Path) -> None:
    add(store, 1)
    opened(store, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder_of(store, tmp_path).iterdir()}
    opened(store, tmp_path)
    assert before == {p: p.stat().st_mtime_ns for p in folder_of(store, tmp_path).iterdir()}


def test_compaction_drops_dead_rows_and_leaves_readers_alone(store: Store, tmp_path: Path) -> None:
    add(store, *range(1, 11))
    reader = opened(store, tmp_path)
    before = reader.hashes.copy()
    for number in (1, 2):
        store.delete(number)
    assert len(opened(store, tmp_path).hashes) == 100  # a fifth is dead: not worth it yet
    store.delete(3)
    add(store, 11)
    table = opened(store, tmp_path)
    assert len(table.hashes) == 80
    assert_shows(table, store)
    np.testing.assert_array_equal(reader.hashes, before)
    names = {path.name.partition("-")[0] for path in folder_of(store, tmp_path).glob("*.bin")}
    assert names == {"hashes", "table"}
    assert len(list(folder_of(store, tmp_path).glob("*.bin"))) == 2


def test_all_deleted(store: Store, tmp_path: Path) -> None:
    add(store, 1, 2)
    opened(store, tmp_path)
    store.delete(1)
    store.delete(2)
    table = opened(store, tmp_path)
    assert (table.total, len(table.hashes)) == (0, 0)
    assert_shows(table, store)


def test_rebuild_leaves_readers_alone(store: Store, tmp_path: Path) -> None:
    add(store, 1, 2, 3)
    reader = opened(store, tmp_path)
    table = cache.rebuild(store, DIGEST, WIDTH, tmp_path / "index")
    assert_shows(table, store)
    np.testing.assert_array_equal(reader.hashes, table.hashes)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["hashes", "table", "header"])
@pytest.mark.parametrize("fault", ["gone", "cut", "flipped", "empty"])
def test_damaged_files_are_made_anew(store: Store, tmp_path: Path, which: str, fault: str) -> None:
    add(store, 1, 2, 3)
    opened(store, tmp_path)
    (path,) = folder_of(store, tmp_path).glob(f"{which}*.bin" if which != "header" else "*.json")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    broken = {"cut": content[: len(content) // 2], "flipped": content, "empty": b""}
    path.unlink()
    if fault != "gone":
        path.write_bytes(broken[fault])
    assert_shows(opened(store, tmp_path), store)
    add(store, 4)
    assert_shows(opened(store, tmp_path), store)


def test_bytes_that_change_without_being_written_are_seen_at_the_next_update(
    store: Store, tmp_path: Path
) -> None:
    add(store, 1, 2, 3)
    opened(store, tmp_path)
    (path,) = folder_of(store, tmp_path).glob("hashes*.bin")
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    add(store, 4)
    assert_shows(opened(store, tmp_path), store)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"revision": 10**6},
        {"revision": "two"},
        {"log_entry": 7},
        {"log_hash": "ab" * 32},
        {"log_hash": None},
        {"rows": -1},
        {"width": 32},
        {"store_id": "another"},
        {"digest": "cd" * 32},
        {"hashes_file": "../../samaf.db"},
        {"surprise": 1},
    ],
)
def test_headers_that_do_not_belong_here(
    store: Store, tmp_path: Path, change: dict[str, object]
) -> None:
    add(store, 1, 2)
    opened(store, tmp_path)
    header = folder_of(store, tmp_path) / "header.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | change))
    assert_shows(opened(store, tmp_path), store)


@pytest.mark.slow
@pytest.mark.parametrize("further", [0, 1, 2, 3])
def test_a_file_put_back(store: Store, tmp_path: Path, further: int) -> None:
    add(store, 1)
    store.close()
    backup = (tmp_path / "samaf.db").read_bytes()
    with Store.open(str(tmp_path / "samaf.db")) as later:
        add(later, 2, 3)
        assert len(opened(later, tmp_path).recording_ids) == 3
    for path in tmp_path.glob("samaf.db*"):
        path.unlink()
    (tmp_path / "samaf.db").write_bytes(backup)
    with Store.open(str(tmp_path / "samaf.db")) as restored:
        # Up to the revision that the index shows, and beyond it.
        add(restored, *range(4, 4 + further))
        assert_shows(opened(restored, tmp_path), restored)


def test_copies_that_went_on_apart(store: Store, tmp_path: Path) -> None:
    add(store, 1)
    store.close()
    (tmp_path / "copy.db").write_bytes((tmp_path / "samaf.db").read_bytes())
    with (
        Store.open(str(tmp_path / "samaf.db")) as one,
        Store.open(str(tmp_path / "copy.db")) as other,
    ):
        add(one, 2)
        add(other, 3)
        assert one.revision == other.revision
        for each in (one, other, one):
            assert_shows(opened(each, tmp_path), each)
            table = opened(each, tmp_path)
            assert each.is_at(table.version)
        assert not other.continues(table.version)


WRITER = f"""
import sys
from pathlib import Path
sys.path[:0] = [{str(ROOT / "tests" / "index")!r}]
import numpy as np
from test_cache import add, opened
from samaf.store import Store
path = Path(sys.argv[1])
with Store.open(str(path / "samaf.db")) as store:
    for number in map(int, sys.argv[2:]):
        add(store, number)
        opened(store, path)
        if number % 3 == 0:
            store.delete(store.resolve(f"{{number}}.wav").recording_id)
"""


@pytest.mark.process
def test_other_processes_write_and_update_at_the_same_time(store: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    numbers = [range(100, 112), range(200, 212)]
    writers = [
        subprocess.Popen([*command, *map(str, some)], env={**os.environ, "PYTHONPATH": str(ROOT)})
        for some in numbers
    ]
    while any(writer.poll() is None for writer in writers):
        table = opened(store, tmp_path)
        # Whatever it shows is whole: each recording has the hashes of its number.
        for position, number in enumerate(table.recording_ids.tolist()):
            known = store.get_many([number])
            if number in known:
                expected = hashes_of(int(known[number].name.removesuffix(".wav")), 10)
                np.testing.assert_array_equal(table.rows(position), expected)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert_shows(opened(store, tmp_path), store)
    assert len(store.get_many(range(1, 30))) == 16


KILLED = """
import os, sys
from pathlib import Path
from samaf.index import cache
from samaf.store import Store
where, path = sys.argv[1], Path(sys.argv[2])
def end(*_, **__): os._exit(9)
if where == "before the header":
    Path.replace = end
elif where == "after the header":
    Path.unlink = end
else:
    crc32 = cache.zlib.crc32
    class Zlib:
        def crc32(data, crc=0):
            return end() if memoryview(data).nbytes == 160 else crc32(data, crc)
    cache.zlib = Zlib
with Store.open(str(path / "samaf.db")) as store:
    cache.open_cached(store, "ab" * 32, 16, path / "index")
"""


@pytest.mark.process
@pytest.mark.parametrize("where", ["while appending", "before the header", "after the header"])
def test_killed_in_the_middle_of_an_update(store: Store, tmp_path: Path, where: str) -> None:
    add(store, 1, 2, count=7)
    opened(store, tmp_path)
    add(store, 3, 4, count=10)
    store.delete(1)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, where, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ended.returncode == 9
    assert_shows(opened(store, tmp_path), store)
    add(store, 5)
    assert_shows(opened(store, tmp_path), store)
    assert len(list(folder_of(store, tmp_path).glob("*.bin"))) == 2
    assert not list(folder_of(store, tmp_path).glob("*.tmp"))


READER = """
import os, sys
from pathlib import Path
# As somebody else, Python may not be able to read its own modules any more.
import filelock, mmap, numpy, sqlalchemy.dialects.sqlite, sqlite3
from samaf.index import cache
from samaf.store import Store
if os.geteuid() == 0:
    os.setuid(65534)
path = Path(sys.argv[1])
with Store.open(str(path / "samaf.db")) as store:
    table = cache.open_cached(store, "ab" * 32, 16, path / "index")
    print(table.recording_ids.tolist(), isinstance(table.hashes, numpy.memmap))
"""


@pytest.mark.process
@pytest.mark.usefixtures("public_path")
def test_a_cache_that_may_only_be_read(store: Store, tmp_path: Path) -> None:
    def read() -> str:
        command = [sys.executable, "-c", READER, str(tmp_path)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    add(store, 1, 2)
    opened(store, tmp_path)
    for path in tmp_path.glob("samaf.db*"):
        path.chmod(0o666)
    tmp_path.chmod(0o777)  # SQLite makes files beside the database
    folder = folder_of(store, tmp_path)
    for path in (folder, folder.parent, folder.parent.parent):
        path.chmod(0o555)
    (folder / "lock").chmod(0o444)
    try:
        assert read() == "[1, 2] True"
        add(store, 3)
        assert read() == "[1, 2, 3] False"
    finally:
        for path in (folder, folder.parent, folder.parent.parent):
            path.chmod(0o755)


def test_a_cache_that_is_no_folder(store: Store, tmp_path: Path) -> None:
    (tmp_path / "index").write_text("in the way")
    with pytest.raises(IndexCacheError, match="cannot be written"):
        opened(store, tmp_path)
    with pytest.raises(IndexCacheError, match="cannot be written"):
        cache.rebuild(store, DIGEST, WIDTH, tmp_path / "index")
