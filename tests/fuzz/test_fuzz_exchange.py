"""Backups and tables: spoiled ones give an error of ours, or a store that is sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import fuzz, spoiled

from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from samaf.store.maintenance.backup import _seal, back_up, restore
from samaf.store.maintenance.exchange import export, import_
from samaf.store.maintenance.opening import opened
from samaf.store.maintenance.verification import verify

Folder = Callable[[], Path]


def filled(folder: Path) -> str:
    with Store.open(str(folder / "sound.db")) as store:
        store.bind(StoredFingerprinter("ab" * 32, "2LST32C", 32, "LSTM", {"mels": 26}))
        for number in range(3):
            packed = np.random.default_rng(number).integers(0, 256, (9, 4), np.uint8)
            flags = np.arange(9) % 3 >= number
            labels = {"speaker": f"=Bo {number}"}
            recording = Recording(f"{number:064x}", f"{number}.wav", "", 3.0, labels)
            store.add(recording, Hashes(packed, flags))
    return str(folder / "sound.db")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Whole files of each format."""
    folder = tmp_path_factory.mktemp("sound")
    url = filled(folder)
    back_up(url, folder / "a.backup")
    for ending in ("csv", "parquet"):
        if ending == "csv" or pytest.importorskip("pyarrow"):
            export(url, folder / f"a.{ending}")
    return {each.suffix: each.read_bytes() for each in folder.glob("a.*")}


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Return the maker of folders, one an example."""
    return lambda: tmp_path_factory.mktemp("spoiled")


@fuzz
@given(data=st.data(), is_sealed=st.booleans())
def test_backups(
    sound: dict[str, bytes], folder: Folder, data: st.DataObject, is_sealed: bool
) -> None:
    here = folder()
    whole = sound[".backup"]
    if is_sealed:  # whoever spoiled it computed the checksum again
        (here / "a.backup").write_bytes(data.draw(spoiled(whole[: whole.rindex(b"\nsamaf")])))
        _seal(here / "a.backup")
    else:
        (here / "a.backup").write_bytes(data.draw(spoiled(whole)))
    try:
        restore(str(here / "a.db"), here / "a.backup")
    except StoreError as error:
        assert "\n" not in str(error)
        if (here / "a.db").exists():
            with Store.open(str(here / "a.db")) as store:
                assert store.stats().recordings == 0
    else:
        with opened(str(here / "a.db")) as database:
            list(verify(database))


@fuzz
@given(data=st.data(), ending=st.sampled_from([".csv", ".parquet"]))
def test_tables(sound: dict[str, bytes], folder: Folder, data: st.DataObject, ending: str) -> None:
    here = folder()
    (here / f"a{ending}").write_bytes(data.draw(spoiled(sound[ending])))
    try:
        import_(str(here / "a.db"), here / f"a{ending}")
    except StoreError as error:
        assert "\n" not in str(error)
    if (here / "a.db").exists():
        with opened(str(here / "a.db")) as database:
            assert list(verify(database)) == []
