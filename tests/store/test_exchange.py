"""Tables for other programs come back as they went, harmless to spreadsheets."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filling import HOSTILE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from samaf.store.maintenance.exchange import export, import_
from samaf.store.maintenance.sheets import COLUMNS

Make = Callable[..., tuple[Recording, Hashes]]
ENDINGS = ("csv", "parquet")


def needs(ending: str) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow")


def told(store: Store) -> dict[str, tuple[Any, ...]]:
    """Everything about a store's recordings but their numbers and times."""
    found = {}
    for each in store.recordings():
        hashes = store.hashes(each.recording_id)
        fields = (each.name, each.path, each.duration, list(each.labels.items()))
        found[each.sha256] = (*fields, hashes.packed.tobytes(), hashes.informative.tolist())
    return found


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_table_comes_back_as_it_went(
    filled: str, other_url: str, tmp_path: Path, ending: str
) -> None:
    needs(ending)
    path = tmp_path / f"table.{ending.upper()}"
    progress: list[tuple[int, int]] = []
    exported = export(filled, path, on_progress=lambda *call: progress.append(call))
    assert (exported.recordings, exported.hashes) == (6, 10_039)
    assert exported.bytes == path.stat().st_size
    assert progress[-1] == (10_039, 10_039)
    taken = import_(other_url, path)
    assert (taken.added, taken.hashes, taken.present) == (6, 10_039, 0)
    with Store.open(filled) as source, Store.open(other_url) as target:
        assert told(source) == told(target)
        assert source.fingerprinter() == target.fingerprinter()
        assert {entry.act for entry in target.audit()} == {"import"}
    again = import_(other_url, path)
    assert (again.added, again.present, again.labelled) == (0, 6, 0)


@pytest.mark.parametrize("ending", ENDINGS)
def test_labels_that_are_missing_are_added(
    store: Store, database_url: str, make: Make, tmp_path: Path, ending: str
) -> None:
    needs(ending)
    store.add(*make(1, labels={"speaker": "Bo", "case": "7"}))
    export(database_url, tmp_path / f"a.{ending}")
    store.relabel(1, {"speaker": "Al"})
    taken = import_(database_url, tmp_path / f"a.{ending}")
    assert (taken.present, taken.labelled, taken.differing) == (1, 1, 1)
    assert store.get(1).labels == {"speaker": "Al", "case": "7"}


def test_a_spreadsheet_runs_nothing(filled: str, tmp_path: Path) -> None:
    export(filled, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'=evil\\udce9.wav" in cells
    assert "''quoted.wav" in cells


TEXT = st.text(st.characters(blacklist_characters="\0"), max_size=20)


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info < (3, 11), reason="older csv modules refuse NUL")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=TEXT, path=TEXT, labels=st.dictionaries(TEXT.filter(bool), TEXT, max_size=3))
def test_any_text_comes_back_from_csv(
    tmp_path_factory: pytest.TempPathFactory,
    make: Make,
    fingerprinter: StoredFingerprinter,
    name: str,
    path: str,
    labels: dict[str, str],
) -> None:
    folder = tmp_path_factory.mktemp("text")
    with Store.open(str(folder / "a.db")) as store:
        store.bind(fingerprinter)
        store.add(*make(1, name=name, path=path, labels=labels))
    export(str(folder / "a.db"), folder / "a.csv")
    import_(str(folder / "b.db"), folder / "a.csv")
    with Store.open(str(folder / "b.db")) as store:
        (recording,) = store.recordings()
    assert (recording.name, recording.path, recording.labels) == (name, path, labels)


def test_a_parquet_table_has_columns_that_others_can_use(filled: str, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    export(filled, tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    assert tuple(table.column_names) == COLUMNS
    assert str(table.schema.field("hashes").type.value_type) == "fixed_size_binary[4]"
    assert dict(table["labels"][0].as_py())["formula"] == HOSTILE["formula"]
    with Store.open(filled) as store:
        rows = np.frombuffer(b"".join(table["hashes"][1].as_py()), np.uint8).reshape(-1, 4)
        assert np.array_equal(rows, store.hashes(2).packed)


@pytest.mark.parametrize("ending", ENDINGS)
def test_hashes_of_another_fingerprinter_are_refused(
    tmp_path: Path, make: Make, fingerprinter: StoredFingerprinter, ending: str
) -> None:
    needs(ending)
    for name, digest in (("a", "ab" * 32), ("b", "cd" * 32)):
        with Store.open(str(tmp_path / f"{name}.db")) as store:
            store.bind(replace(fingerprinter, digest=digest, name=f"MODEL-{name}"))
            store.add(*make(1))
    export(str(tmp_path / "a.db"), tmp_path / f"a.{ending}")
    with pytest.raises(StoreError, match="belongs to the fingerprinter MODEL-b.*not to MODEL-a"):
        import_(str(tmp_path / "b.db"), tmp_path / f"a.{ending}")


@pytest.mark.parametrize(
    "column, value, reason",
    [
        ("hashes", "0g", "cannot be|hexadecimal"),
        ("hashes", "00", "1 bytes are no whole hashes of 4"),
        ("hashes", "", "0 hashes"),
        ("informative", "TF", "5 hashes and 2 flags"),
        ("informative", "TTTTX", "labels or flags are wrong"),
        ("labels", "[]", "labels or flags are wrong"),
        ("labels", "{", "."),
        ("bits", "31", "hashes of 31 bits"),
        ("bits", "many", "invalid literal"),
        ("digest", "abc", "has not 64 hexadecimal digits"),
        ("sha256", "abc", "no SHA-256"),
        ("duration", "nan", "cannot last nan s"),
        ("parameters", "7", "no JSON object"),
        ("parameters", "[" * 100_000, "recursion"),
        ("labels", "[" * 100_000, "recursion"),
    ],
)
def test_bad_cells_are_named(
    tmp_path: Path,
    make: Make,
    fingerprinter: StoredFingerprinter,
    column: str,
    value: str,
    reason: str,
) -> None:
    with Store.open(str(tmp_path / "a.db")) as store:
        store.bind(fingerprinter)
        store.add(*make(1))
    export(str(tmp_path / "a.db"), tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    lines[0][column] = value
    with (tmp_path / "bad.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    with pytest.raises(StoreError, match=reason):
        import_(str(tmp_path / "b.db"), tmp_path / "bad.csv")
    with Store.open(str(tmp_path / "b.db")) as store:
        assert store.stats().recordings == 0


@pytest.mark.parametrize("hashes", [b"\0\1\2\3", ["00010203"], "00010203"])
def test_parquet_hashes_of_another_kind(
    tmp_path: Path, make: Make, fingerprinter: StoredFingerprinter, hashes: object
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    with Store.open(str(tmp_path / "a.db")) as store:
        store.bind(fingerprinter)
        store.add(*make(1))
    export(str(tmp_path / "a.db"), tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    table = table.set_column(COLUMNS.index("hashes"), "hashes", pyarrow.array([hashes]))
    parquet.write_table(table, tmp_path / "bad.parquet")
    with pytest.raises(StoreError, match=r"bad.parquet: hashes are no lists of binary values"):
        import_(str(tmp_path / "b.db"), tmp_path / "bad.parquet")
    assert not (tmp_path / "b.db").exists()


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_others_delete_meanwhile_is_left_out(
    filled: str, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(ending)
    monkeypatch.setattr("samaf.store.maintenance.merging.BATCH_RECORDINGS", 1)

    def delete(*_: int) -> None:
        with Store.open(filled) as store:
            store.delete_many([each.recording_id for each in store.recordings()][1:])

    assert export(filled, tmp_path / f"a.{ending}", on_progress=delete).recordings == 1


@pytest.mark.parametrize(
    "name, content, reason",
    [
        ("a.txt", b"", "neither .parquet nor .csv"),
        ("a.csv", b"", "has no column 'sha256'"),
        ("a.csv", b"name,hashes\n", "has no column 'sha256'"),
        ("a.csv", b"\xff\xfe\x00", "is not UTF-8 text"),
        ("a.csv", ",".join(COLUMNS).encode() + b"\n1,2\n", "line 2 has too many or too few cells"),
        ("a.csv", ",".join(COLUMNS).encode() + b'\n"', "is not what its ending says"),
        ("a.parquet", b"PAR1 not at all", "is not what its ending says|cannot be read"),
        ("a.parquet", b"", "is not what its ending says|cannot be read"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    needs(name.rpartition(".")[2])
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StoreError, match=f"{name}: .*({reason})"):
        import_(str(tmp_path / "a.db"), tmp_path / name)


def test_files_that_cannot_be_written(filled: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    with pytest.raises(StoreError, match="a.csv: exists already"):
        export(filled, tmp_path / "a.csv")
    with pytest.raises(StoreError, match="neither .parquet nor .csv"):
        export(filled, tmp_path / "a.json")
    with pytest.raises(StoreError, match="cannot be written"):
        export(filled, tmp_path / "gone" / "a.csv")
    with pytest.raises(StoreError, match="cannot be read"):
        import_(filled, tmp_path / "gone.csv")
    for length in (245, 300):
        with pytest.raises(StoreError, match=r"cannot be written .File name too long."):
            export(filled, tmp_path / ("x" * length + ".csv"))
    Store.open(str(tmp_path / "empty.db")).close()
    with pytest.raises(StoreError, match="holds nothing yet"):
        export(str(tmp_path / "empty.db"), tmp_path / "b.csv")
    assert not list(tmp_path.glob(".*"))


def test_parquet_without_pyarrow_names_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(StoreError, match=r"pip install 'samaf\[parquet\]', or .csv"):
        export(None, tmp_path / "a.parquet")
