"""Blobs, URLs and database files: spoiled ones give an error of ours, or what was stored."""

from __future__ import annotations

import json
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import fuzz, spoiled

from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from samaf.store.blobs import DamagedRowError, HashRow, pack, unpack
from samaf.store.urls import redacted, resolve

pytestmark = pytest.mark.fuzz

HASHES = Hashes(np.random.default_rng(0).integers(0, 256, (40, 4), np.uint8), np.arange(40) % 3 > 0)
SOUND = list(pack(HASHES, 16))


@fuzz
@given(
    st.lists(
        st.builds(
            HashRow,
            st.integers(0, 50),
            st.integers(0, 50),
            st.binary(max_size=80),
            st.none() | st.binary(max_size=8),
            st.integers(0, 2**32 - 1),
        )
        | st.sampled_from(SOUND),
        max_size=4,
    ),
    st.booleans(),
    st.integers(0, 60),
)
def test_rows_of_hashes(rows: list[HashRow], is_signed: bool, count: int) -> None:
    if is_signed:  # whoever spoiled them computed the checksums again
        rows = [
            HashRow(
                *(row.first_block_id, row.count, row.hashes, row.informative),
                crc32(row.informative or b"", crc32(row.hashes)),
            )
            for row in rows
        ]
    try:
        found = unpack(rows, count, 32)
    except DamagedRowError as error:
        assert "\n" not in str(error)
    else:
        assert found.packed.shape == (count, 4)
        assert found.informative.shape == (count,)


URLS = st.text(max_size=40) | st.builds(
    "{}://{}:sEcReT{}@{}/{}?{}=sEcReT&{}={}".format,
    st.sampled_from(["mysql", "mariadb", "sqlite", "postgresql", ""]),
    *[st.text(max_size=6)] * 4,
    st.sampled_from(["password", "passwd"]),
    st.text(max_size=6) | st.sampled_from(["ssl_ca", "read_default_file", "port", "charset"]),
    st.text(max_size=6),
)


@fuzz
@given(URLS)
def test_urls(text: str) -> None:
    try:
        shown = redacted(url := resolve(text or "x"))
        if url.drivername != "sqlite":
            shown += repr(url)
    except StoreError as error:
        shown = str(error)
    if "://" in text:
        assert "sEcReT" not in shown


@pytest.fixture(scope="module")
def sound_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a store with three recordings."""
    path = tmp_path_factory.mktemp("fuzz") / "sound.db"
    with Store.open(str(path)) as store:
        store.bind(StoredFingerprinter("ab" * 32, "2LST32C", 32, "LSTM", {"mels": 26}))
        for number in range(3):
            sha256 = f"{number:064x}"
            store.add(Recording(sha256, f"{number}.wav", "/", 11.0, {"a": "b"}), HASHES)
        store.delete(2)
    return path.read_bytes()


@fuzz
@given(st.data())
def test_database_files(sound_store: bytes, tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "store.db"
    for companion in ("", "-wal", "-shm"):
        Path(f"{path}{companion}").unlink(missing_ok=True)
    path.write_bytes(data.draw(spoiled(sound_store)))
    try:
        with Store.open(str(path), create=False) as store:
            for recording in store.recordings():
                found = store.hashes(recording.recording_id)
                # The checksum vouches for hashes, whatever happened around them.
                assert np.array_equal(found.packed, HASHES.packed)
            list(store.changes(0).added)
            list(store.audit())
            store.check_audit()
            store.stats()
    except StoreError as error:
        assert "\n" not in str(error)


@fuzz
@given(
    st.sampled_from(
        [
            ("fingerprinters", "parameters"),
            ("fingerprinters", "bits"),
            ("fingerprinters", "digest"),
            ("recordings", "sha256"),
            ("recordings", "added_at"),
            ("recordings", "duration"),
            ("recordings", "hash_count"),
            ("labels", "value"),
            ("hash_rows", "informative"),
            ("hash_rows", "count"),
            ("store", "revision"),
        ]
    ),
    st.text(max_size=9) | st.binary(max_size=9) | st.integers(-9, 2**40) | st.floats(),
)
def test_values_that_no_samaf_wrote(
    sound_store: bytes, tmp_path: Path, column: tuple[str, str], value: object
) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(sound_store)
    with Store.open(str(path)) as store:
        table, name = column
        try:
            store._database.write(
                lambda connection: (
                    connection.exec_driver_sql(f"UPDATE {table} SET {name} = ?", (value,)) and None
                )
            )
        except StoreError:
            return  # the database itself refused
    try:
        with Store.open(str(path), create=False) as store:
            recordings = list(store.recordings())
            json.dumps([recording.name for recording in recordings])
            list(store.changes(0).added)
            store.stats()
    except StoreError as error:
        assert "\n" not in str(error)
