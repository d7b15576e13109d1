"""What is put into a store comes out of it, on every engine."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from samaf.store.schema import NEWEST
from samaf.store.urls import resolve

Make = Callable[..., tuple[Recording, Hashes]]

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=40)
HOSTILE = [
    "Robert'); DROP TABLE recordings;--",
    "caf\udce9\udcff.wav",
    "C:\\udc80\\\\udce9\\new",
    "\x00\x1b[31m\n\r\t'\"`%s%%:x",
    "a ",
    "a",
    "A",
    "ä",
    "a\u0308",
    "😀𝄞",
    "=1+1",
    "",
]
several_examples = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def same(one: Hashes, other: Hashes) -> bool:
    return (
        one.packed.dtype == other.packed.dtype == np.uint8
        and one.informative.dtype == other.informative.dtype == bool
        and np.array_equal(one.packed, other.packed)
        and np.array_equal(one.informative, other.informative)
    )


def execute(url: str, statement: str, **values: object) -> None:
    engine = create_engine(resolve(url))
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def test_a_recording_comes_back_as_it_was(store: Store, make: Make) -> None:
    recording, hashes = make(1, labels={"speaker": "Ann", "case": "7"})
    stored, added = store.add(recording, hashes)
    assert added
    assert stored == replace(
        recording, recording_id=1, revision=store.revision, added_at=stored.added_at
    )
    assert list(stored.labels) == ["speaker", "case"]
    assert stored.added_at.endswith("+00:00")
    assert store.get(1) == store.find(recording.sha256) == store.get_many([1, 99])[1] == stored
    assert same(store.hashes(1), hashes)


def test_the_same_bytes_are_stored_once(store: Store, make: Make) -> None:
    first, _ = store.add(*make(1))
    revision = store.revision
    again, added = store.add(*make(1, name="copy.wav"))
    assert (again, added) == (first, False)
    assert store.revision == revision
    assert len(list(store.recordings())) == 1


def test_many_at_once_with_doubles_among_them(store: Store, make: Make) -> None:
    store.add(*make(1))
    outcome = store.add_many([make(2), make(1), make(3, count=0), make(2)])
    assert [(recording.recording_id, added) for recording, added in outcome] == [
        (2, True),
        (1, False),
        (3, True),
        (2, False),
    ]
    assert len(store.hashes(3)) == 0
    assert store.hashes(3).bits == 32
    assert store.add_many([]) == []


def test_many_at_once_are_all_or_nothing(store: Store, make: Make) -> None:
    revision = store.revision
    with pytest.raises(StoreError, match="16,000 characters"):
        store.add_many([make(1), make(2, labels={"text": "x" * 1_000_000})])
    assert list(store.recordings()) == []
    assert store.revision == revision


@pytest.mark.parametrize("blocks_per_row", [1, 3, 4096])
def test_hashes_of_any_length_come_back(
    database_url: str, fingerprinter: StoredFingerprinter, make: Make, blocks_per_row: int
) -> None:
    counts = [0, 1, 2, 3, 4, 9, 10]
    if blocks_per_row == 4096:
        counts += [4095, 4096, 4097, 8192, 10_000]
    with Store.open(database_url, blocks_per_row=blocks_per_row) as store:
        store.bind(fingerprinter)
        originals = {}
        for number, count in enumerate(counts, start=1):
            recording, hashes = make(number, count)
            hashes.informative[: number % 3] = False
            store.add(recording, hashes)
            originals[number] = hashes
        assert all(same(store.hashes(number), hashes) for number, hashes in originals.items())
        changed = dict(store.changes(0).added)
        assert list(changed) == list(originals)
        assert all(same(changed[number], hashes) for number, hashes in originals.items())


@pytest.mark.slow
@several_examples
@given(data=st.data())
def test_any_hashes_come_back(store: Store, make: Make, data: st.DataObject) -> None:
    flags = data.draw(st.lists(st.booleans(), max_size=20))
    number = 1_000 + store.revision
    raw = data.draw(st.binary(min_size=4 * len(flags), max_size=4 * len(flags)))
    hashes = Hashes(np.frombuffer(raw, np.uint8).reshape(-1, 4), np.array(flags, bool))
    stored, added = store.add(make(number)[0], hashes)
    assert added
    assert same(store.hashes(stored.recording_id), hashes)


@pytest.mark.slow
@several_examples
@given(
    name=ANY_TEXT | st.sampled_from(HOSTILE),
    path=ANY_TEXT | st.sampled_from(HOSTILE),
    labels=st.dictionaries(ANY_TEXT.filter(bool), ANY_TEXT, max_size=4),
)
def test_any_text_comes_back(
    store: Store, make: Make, name: str, path: str, labels: dict[str, str]
) -> None:
    number = 1_000 + store.revision
    stored, _ = store.add(*make(number, name=name, path=path, labels=labels))
    found = store.get(stored.recording_id)
    assert (found.name, found.path, found.labels) == (name, path, labels)
    assert stored.recording_id in [each.recording_id for each in store.recordings(labels)]


def test_labels_are_found_exactly(store: Store, make: Make) -> None:
    for number, value in enumerate(HOSTILE):
        store.add(*make(number, labels={"text": value, value or "none": "x"}))
    for value in HOSTILE:
        found = list(store.recordings({"text": value}))
        assert [recording.labels["text"] for recording in found] == [value]
        assert list(store.recordings({"text": value, "missing": "y"})) == []


@pytest.mark.slow
def test_recordings_come_in_the_order_of_their_ids(store: Store, make: Make) -> None:
    store.add_many(
        [make(number, count=1, labels={"odd": str(number % 2)}) for number in range(1100)]
    )
    assert [each.recording_id for each in store.recordings()] == list(range(1, 1101))
    odd = [int(each.name.removesuffix(".wav")) for each in store.recordings({"odd": "1"})]
    assert odd == list(range(1, 1100, 2))
    assert len(store.get_many(range(1, 1101))) == 1100


def test_a_person_names_a_recording(store: Store, make: Make) -> None:
    store.add(*make(1, sha256="abcdef" + "0" * 58, name="talk.wav"))
    store.add(*make(2, sha256="abcdef" + "1" * 58, name="abcdef1"))
    store.add(*make(3, sha256="123456" + "1" * 58, name="1"))
    store.add(*make(4, name="talk.wav "))
    store.add(*make(5, name="double"))
    store.add(*make(6, name="double"))
    for asked, recording_id in {
        "2": 2,
        "123456": 3,
        "ABCDEF0": 1,
        "abcdef1": 2,
        "talk.wav": 1,
        "talk.wav ": 4,
        "abcdef" + "1" * 58: 2,
    }.items():
        assert store.resolve(asked).recording_id == recording_id
    for asked in ("abcde", "Talk.wav", "", "7", "9" * 30, "fedcba", "\udce9"):
        with pytest.raises(StoreError, match="no recording"):
            store.resolve(asked)
    for asked in ("abcdef", "double"):
        with pytest.raises(StoreError, match="refers to 2 recordings"):
            store.resolve(asked)


def test_what_a_text_refers_to_is_unmistakable(store: Store, make: Make) -> None:
    store.add(*make(1))
    second, _ = store.add(*make(2, name="1"))
    with pytest.raises(StoreError, match=r"2 meanings \(id:1 is '1.wav' with id 1, name:1 is '1'"):
        store.resolve("1")
    assert store.resolve("id:1").recording_id == 1
    assert store.resolve("name:1").recording_id == second.recording_id
    assert store.resolve(f"sha256:{second.sha256[:8]}").recording_id == second.recording_id
    with pytest.raises(StoreError, match="no recording 'id:7'"):
        store.resolve("id:7")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_found_however_its_accents_are_coded(
    store: Store, make: Make, form: Literal["NFC", "NFD"]
) -> None:
    stored, _ = store.add(*make(1, name=unicodedata.normalize(form, "caf\u00e9.wav")))
    for asked in ("NFC", "NFD"):
        found = store.resolve(unicodedata.normalize(asked, "caf\u00e9.wav"))
        assert found.recording_id == stored.recording_id


def test_deleting_removes_everything_and_ids_never_come_back(
    store: Store, make: Make, database_url: str
) -> None:
    store.add(*make(1, labels={"speaker": "Ann"}))
    store.delete(1)
    assert store.find(make(1)[0].sha256) is None
    stats = store.stats()
    assert (stats.recordings, stats.hashes, dict(stats.labels)) == (0, 0, {})
    for table in ("hash_rows", "labels"):
        engine = create_engine(resolve(database_url))
        with engine.connect() as connection:
            assert connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar() == 0
        engine.dispose()
    assert store.add(*make(1))[0].recording_id == 2
    for act in (store.delete, store.get, store.hashes, lambda number: store.relabel(number, {})):
        with pytest.raises(StoreError, match="no recording 1"):
            act(1)


def test_relabelling(store: Store, make: Make) -> None:
    store.add(*make(1, labels={"speaker": "Ann", "case": "7"}))
    before = store.revision
    store.relabel(1, {"speaker": "Bob"})
    assert store.get(1).labels == {"speaker": "Bob"}
    assert store.revision == before + 1
    store.relabel(1, {})
    assert store.get(1).labels == {}


def test_what_no_table_takes_is_refused(store: Store, make: Make) -> None:
    for fields, reason in [
        ({"sha256": "xyz"}, "no SHA-256"),
        ({"duration": float("nan")}, "cannot last nan s"),
        ({"name": "\udce9" * 300}, "1,536 characters"),
        ({"labels": {"": "x"}}, "no name"),
        ({"labels": {"n" * 256: "x"}}, "255 characters"),
    ]:
        with pytest.raises(StoreError, match=reason):
            store.add(*make(1, **fields))
    assert store.stats().recordings == 0


def test_a_store_belongs_to_one_fingerprinter(
    database_url: str, fingerprinter: StoredFingerprinter, make: Make
) -> None:
    other = replace(fingerprinter, digest="cd" * 32, name="other")
    with Store.open(database_url) as store:
        assert store.fingerprinter() is None
        with pytest.raises(StoreError, match="bind it"):
            store.add(*make(1))
        store.bind(fingerprinter)
        store.bind(fingerprinter)
        with Store.open(database_url) as again:
            assert again.fingerprinter() == fingerprinter
            with pytest.raises(StoreError, match=r"2LST32C \(abab.*other \(cdcd"):
                again.bind(other)
        wide = Hashes(np.zeros((2, 32), np.uint8), np.ones(2, bool))
        with pytest.raises(StoreError, match="32 bits.*have 256"):
            store.add(make(1)[0], wide)


def test_several_are_deleted_at_once_or_none(store: Store, make: Make) -> None:
    store.add_many([make(number) for number in range(1, 5)])
    revision = store.revision
    for missing in (9, 0):
        with pytest.raises(StoreError, match=f"no recording {missing};"):
            store.delete_many([1, missing, 2])
    assert (store.revision, store.stats().recordings) == (revision, 4)
    store.delete_many([1, 3])
    assert store.revision == revision + 1
    assert [each.recording_id for each in store.recordings()] == [2, 4]
    assert store.changes(revision).deleted == [1, 3]


def test_stats(store: Store, make: Make) -> None:
    store.add(*make(1, labels={"speaker": "Ann", "case": "7"}, duration=1800.0))
    store.add(*make(2, labels={"speaker": "Bob"}, duration=900.0))
    stats = store.stats()
    assert (stats.recordings, stats.hours, stats.hashes, stats.hash_bytes) == (2, 0.75, 10, 40)
    assert stats.labels == {"case": 1, "speaker": 2}
    assert stats.label_values == {"case": 1, "speaker": 2}
    assert stats.label_hours == {"case": 0.5, "speaker": 0.75}
    assert (stats.digest, stats.bits) == ("ab" * 32, 32)
    assert (stats.day_recordings, stats.day_hours) == (2, 0.75)
    assert stats.database_bytes > 1000
    assert (stats.url, stats.store_id, stats.revision) == (
        store.url,
        store.store_id,
        store.revision,
    )
    assert (stats.schema, stats.fingerprinter) == (NEWEST, "2LST32C")


def test_changes_lead_from_any_revision_to_the_present(store: Store, make: Make) -> None:
    states: dict[int, dict[int, bytes]] = {store.revision: {}}
    present: dict[int, bytes] = {}
    for number in range(1, 9):
        recording, hashes = make(number)
        stored, _ = store.add(recording, hashes)
        present[stored.recording_id] = hashes.packed.tobytes()
        states[store.revision] = dict(present)
        if number % 3 == 0:
            store.delete(number - 1)
            del present[number - 1]
            states[store.revision] = dict(present)
    for revision, then in states.items():
        changes = store.changes(revision)
        added = {key: hashes.packed.tobytes() for key, hashes in changes.added}
        now = {key: value for key, value in then.items() if key not in changes.deleted} | added
        assert now == present
        assert list(added) == sorted(added)
        assert not set(added) & set(then)
        assert changes.version.revision == store.revision
    assert list(store.changes(store.revision).added) == []


def test_a_state_of_another_history_is_not_taken_for_the_stores_own(
    store: Store, make: Make, database_url: str
) -> None:
    begun = store.changes(0)
    assert store.is_at(begun.version)
    store.add_many([make(1), make(2)])
    changes = store.changes(0)
    version = changes.version
    number, head = version.log_head
    assert store.is_at(version)
    assert store.continues(version)
    assert not store.continues(begun.version)  # without an entry nobody can tell
    assert not store.is_at(replace(version, log_head=(number, "0" * 64)))
    assert not store.continues(replace(version, log_head=(number + 1, head)))
    store.delete(1)
    assert not store.is_at(version)
    assert store.continues(version)
    # Changes that are not all known any more cannot be followed.
    execute(database_url, "UPDATE store SET log_start = :start", start=changes.version.revision + 1)
    assert not store.continues(version)


@pytest.mark.slow
def test_changes_show_one_moment(store: Store, make: Make, database_url: str) -> None:
    store.add_many([make(number, count=1) for number in range(1, 1300)])
    changes = store.changes(0)
    first = next(changes.added)
    with Store.open(database_url) as other:
        other.delete(1299)
        other.add(*make(2000))
    assert [first[0], *(number for number, _ in changes.added)] == list(range(1, 1300))
    assert changes.deleted == []
    assert changes.version.revision == store.revision - 2
    later = store.changes(changes.version.revision)
    assert (later.deleted, [number for number, _ in later.added]) == ([1299], [1300])


@pytest.mark.parametrize(
    "damage, reason",
    [
        ("UPDATE hash_rows SET hashes = :zeros WHERE recording_id = 2", "checksum of block 0"),
        ("DELETE FROM hash_rows WHERE recording_id = 2", "0 hashes instead of 5"),
        ("UPDATE hash_rows SET first_block_id = 1 WHERE recording_id = 2", "block 0 is missing"),
    ],
)
def test_damaged_hashes_are_reported(
    store: Store, make: Make, database_url: str, damage: str, reason: str
) -> None:
    store.add_many([make(1), make(2), make(3)])
    execute(database_url, damage, **({"zeros": bytes(20)} if ":zeros" in damage else {}))
    with pytest.raises(StoreError, match=f"recording 2 are damaged .*{reason}.*add its file again"):
        store.hashes(2)
    with pytest.raises(StoreError, match="recording 2 are damaged"):
        list(store.changes(0).added)
    assert len(store.hashes(3)) == 5


def test_threads_that_add_the_same_store_it_once(
    database_url: str, fingerprinter: StoredFingerprinter, make: Make
) -> None:
    outcomes: list[tuple[int, bool]] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        # They make and bind the store in a race, too.
        with Store.open(database_url) as store:
            store.bind(fingerprinter)
            for number in range(20):
                recording, added = store.add(*make(number))
                outcomes.append((recording.recording_id, added))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 80
    assert sorted(number for number, added in outcomes if added) == list(range(1, 21))
    with Store.open(database_url, create=False) as store:
        assert [each.recording_id for each in store.recordings()] == list(range(1, 21))
        # One revision binds, one each adds; those that changed nothing left no mark.
        assert store.revision == 21


def test_threads_share_one_store(store: Store, make: Make) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 10):
            store.add(*make(number))

    threads = [threading.Thread(target=work, args=(10 * index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.changes(0).added)) == 30
