"""Merging adds what is missing, once, and mixes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from samaf.errors import StoreError
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
from samaf.store.maintenance import merging
from samaf.store.maintenance.merging import merge

Make = Callable[..., tuple[Recording, Hashes]]


def test_merging_adds_what_is_missing(filled: str, other_url: str, make: Make) -> None:
    with Store.open(other_url) as store:
        store.bind(Store.open(filled).fingerprinter())  # type: ignore[arg-type]
        store.add(*make(80))
        store.add(*make(3, labels={"speaker": "Al", "case": "7"}))
        store.add(*make(1, labels={"speaker": "Al"}))
    told: list[tuple[int, int]] = []
    taken = merge(filled, other_url, on_progress=lambda *call: told.append(call))
    assert (taken.added, taken.hashes, taken.present) == (4, 10_029, 2)
    assert (taken.labelled, taken.differing) == (1, 1)
    assert told[-1] == (10_039, 10_039)
    with Store.open(filled) as source, Store.open(other_url) as target:
        theirs = {each.sha256: each for each in source.recordings()}
        ours = {each.sha256: each for each in target.recordings()}
        assert len(ours) == 7
        assert ours[make(3)[0].sha256].labels == {"speaker": "Al", "case": "7"}
        first = ours[make(1)[0].sha256]
        assert list(first.labels.items())[0] == ("speaker", "Al")
        assert first.labels == {**theirs[first.sha256].labels, "speaker": "Al"}
        for sha256, recording in theirs.items():
            one, other = (
                source.hashes(recording.recording_id),
                target.hashes(ours[sha256].recording_id),
            )
            assert (one.packed == other.packed).all()
            assert (one.informative == other.informative).all()
        revision = target.revision
        again = merge(filled, other_url)
        assert (again.added, again.present, again.labelled) == (0, 6, 0)
        assert target.revision == revision
        assert [entry.act for entry in target.audit()].count("merge") == 4


def test_a_label_that_somebody_else_sets_meanwhile_stays(
    filled: str, other_url: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_many = Store.add_many

    def and_label(store: Store, *given: Any, **options: Any) -> Any:
        done = add_many(store, *given, **options)
        with Store.open(other_url) as other:
            other.label(1, {"case": "7", "speaker": "Di"})
        return done

    with Store.open(other_url) as target:
        target.bind(Store.open(filled).fingerprinter())  # type: ignore[arg-type]
        target.add(*make(3))
        monkeypatch.setattr(Store, "add_many", and_label)
        assert merge(filled, other_url).labelled == 1
        assert target.get(1).labels == {"case": "7", "speaker": "Di"}


def test_another_fingerprinter_is_refused(
    filled: str, tmp_path_factory: pytest.TempPathFactory, fingerprinter: StoredFingerprinter
) -> None:
    other = str(tmp_path_factory.mktemp("other") / "other.db")
    with Store.open(other) as store:
        store.bind(replace(fingerprinter, digest="cd" * 32, name="2CBC32C"))
    with pytest.raises(StoreError, match="2CBC32C.*not to 2LST32C"):
        merge(filled, other)


def test_the_same_store_is_refused(filled: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(StoreError, match="is both stores"):
        merge(filled, filled)
    with pytest.raises(StoreError, match="no such store"):
        merge(str(tmp_path_factory.mktemp("gone") / "gone.db"), filled)


def test_a_stopped_merge_goes_on(
    filled: str, other_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "BATCH_HASHES", 1)

    def stop(done: int, total: int) -> None:
        if done > 10_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge(filled, other_url, on_progress=stop)
    taken = merge(filled, other_url)
    assert (taken.added, taken.present) == (4, 2)


def test_an_empty_store_gives_nothing(database_url: str, other_url: str) -> None:
    Store.open(database_url).close()
    assert merge(database_url, other_url).added == 0
