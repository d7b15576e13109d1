"""Index files, model cards, models and tables of labels: spoiled ones are refused in one line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import JSON, fuzz, replaced, spoiled

from samaf.cli.labels import read_labels
from samaf.errors import FingerprinterError, QueryError
from samaf.fingerprinters import DEFAULT_MODEL, load_fingerprinter
from samaf.fingerprinters.card import MODELS, read_card, write_model
from samaf.index import cache
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter

pytestmark = pytest.mark.fuzz

DIGEST = "ab" * 32
PACKED = np.random.default_rng(1).integers(0, 256, (60, 8), np.uint8)
CARD = json.loads((MODELS / f"{DEFAULT_MODEL}.json").read_text(encoding="utf-8"))
LABELS = 'file,speaker,\xb5\na.wav,Ann,1\n/b.wav,"Bob\n",2\n'.encode()


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A store with an index: the store's file and the folder of indexes."""
    folder = tmp_path_factory.mktemp("index")
    url = str(folder / "store.db")
    with Store.open(url) as store:
        store.bind(StoredFingerprinter(DIGEST, "2LST64C", 64, "LSTM", {}))
        for number in range(3):
            hashes = Hashes(PACKED[20 * number :][:20], np.ones(20, bool))
            store.add(Recording(f"{number:064x}", f"{number}.wav", "/", 5.0), hashes)
        cache.open_cached(store, DIGEST, 8, folder / "cache")
    return url, folder / "cache"


@fuzz
@given(st.data())
def test_index_files(indexed: tuple[str, Path], tmp_path: Path, data: st.DataObject) -> None:
    url, sound = indexed
    root = tmp_path / "cache"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(sound, root)
    with Store.open(url) as store:
        folder = cache.cache_folder(store, DIGEST, root)
        name = data.draw(st.sampled_from(["header.json", "hashes-1.bin", "table-1.bin"]))
        content = (folder / name).read_bytes()
        if name == "header.json" and data.draw(st.booleans()):
            header = data.draw(replaced(json.loads(content)) | JSON)
            (folder / name).write_text(json.dumps(header))
        else:
            (folder / name).write_bytes(data.draw(spoiled(content)))
        table = cache.rebuild(store, DIGEST, 8, root)
        assert np.array_equal(table.rows(2), PACKED[40:])
        assert np.array_equal(cache.open_cached(store, DIGEST, 8, root).rows(0), PACKED[:20])


@fuzz
@given(st.data())
def test_index_headers_and_tables_are_not_trusted(
    indexed: tuple[str, Path], tmp_path: Path, data: st.DataObject
) -> None:
    """Hashes are checked before they are added to, not before each query."""
    url, sound = indexed
    root = tmp_path / "cache"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(sound, root)
    with Store.open(url) as store:
        folder = cache.cache_folder(store, DIGEST, root)
        name = data.draw(st.sampled_from(["header.json", "table-1.bin"]))
        (folder / name).write_bytes(data.draw(spoiled((folder / name).read_bytes())))
        table = cache.open_cached(store, DIGEST, 8, root)
        for recording in range(len(table.recording_ids)):
            assert len(table.rows(recording)) == table.counts[recording]


@fuzz
@given(replaced(CARD) | JSON)
def test_model_cards(tmp_path: Path, card: object) -> None:
    path = tmp_path / "card.json"
    path.write_text(json.dumps(card), encoding="utf-8")
    try:
        found = read_card(path)
    except FingerprinterError as error:
        assert "\n" not in str(error)
    else:
        assert len(found.digest) == 64
        assert found.as_json()


@fuzz
@given(spoiled(json.dumps(CARD).encode()))
def test_files_of_model_cards(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "card.json").write_bytes(content)
    try:
        read_card(tmp_path / "card.json")
    except FingerprinterError as error:
        assert "\n" not in str(error)


def test_a_deep_model_card(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("[" * 100_000)
    with pytest.raises(FingerprinterError, match="no readable model card"):
        read_card(tmp_path / "card.json")


@fuzz
@given(st.data())
@pytest.mark.parametrize("name", [DEFAULT_MODEL, "UNET320C"])
def test_models(name: str, tmp_path: Path, data: st.DataObject) -> None:
    shipped = MODELS / f"{name}.onnx"
    card = replace(read_card(shipped.with_suffix(".json")), name="spoiled")
    # Mutating megabytes costs; the head of the file is where the structure is.
    sound = shipped.read_bytes()
    content = data.draw(spoiled(sound[:400])) + sound[400:]
    path = write_model(content, card, tmp_path)
    load_fingerprinter.cache_clear()
    try:
        fingerprinter = load_fingerprinter(str(path))
    except FingerprinterError as error:
        assert "\n" not in str(error)
    else:
        assert fingerprinter.digest
        assert sha256(content).hexdigest() == fingerprinter.card.onnx_sha256


@fuzz
@given(spoiled(LABELS) | st.text(max_size=60).map(str.encode))
def test_tables_of_labels(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    try:
        found = read_labels(path)
    except QueryError as error:
        assert "\n" not in str(error)
    else:
        assert all("" not in labels for labels in found.values())
