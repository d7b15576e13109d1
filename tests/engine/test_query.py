"""Queries as plain Python: sources, options, and answers that are never out of date."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.engine import hash_query, vector_query
from samaf.engine.options import INDEX_TYPES
from samaf.errors import QueryError, StoreError

BRUNO, GRETA = CLIPS / "bruno-garden.ogg", CLIPS / "greta-weather.ogg"


def test_query_takes_bytes_and_file_objects(engine: samaf.Engine) -> None:
    list(engine.add([BRUNO, GRETA]))
    clip = BRUNO.read_bytes()
    answers = [engine.query(source) for source in (BRUNO, clip, io.BytesIO(clip))]
    assert len({answer.sha256 for answer in answers}) == 1
    for answer in answers:
        assert answer.matches[0].recording.name == BRUNO.name
        assert answer.matches[0].ber == 0


def test_an_answer_is_never_out_of_date(engine: samaf.Engine, tmp_path: Path) -> None:
    list(engine.add(GRETA))
    assert "bruno" not in str(engine.query(BRUNO).matches[:1])
    with samaf.open(str(tmp_path / "samaf.db"), cache_folder=tmp_path / "index") as other:
        list(other.add(BRUNO))
    assert engine.query(BRUNO).matches[0].recording.name == BRUNO.name
    with samaf.open(str(tmp_path / "samaf.db"), cache_folder=tmp_path / "index") as other:
        assert other.delete(BRUNO.name).recording_id == 2
    assert all(match.ber > 0 for match in engine.query(BRUNO).matches)


def test_arguments_out_of_range(engine: samaf.Engine) -> None:
    for arguments in (
        {"granularity_s": 0},
        {"granularity_s": 7},
        {"max_false_matches": 0.0},
        {"k": 0},
        {"population": "calls"},
    ):
        with pytest.raises(QueryError, match="choose"):
            engine.query(BRUNO, **arguments)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="no such index"):
        samaf.open(engine.store.url, index="magic")
    with pytest.raises(StoreError, match="no recording 'nobody'"):
        engine.delete("nobody")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bruno-garden.ogg", "diego-train.ogg"])
def test_a_recording_as_short_as_the_clip_is_one_unaltered_match(
    engine: samaf.Engine, tmp_path: Path, name: str
) -> None:
    """Short stretches fit under many manipulations too, none of which is named beside it."""
    speech = load(CLIPS / name)
    paths = []
    for start, seconds in ((1.337, 1.3), (3.1, 1.2), (5.123, 1.6)):
        first = round(start * SAMPLE_RATE)
        paths.append(tmp_path / f"{start}.wav")
        paths[-1].write_bytes(wav(speech[first : first + round(seconds * SAMPLE_RATE)]))
    list(engine.add(paths))
    for path in paths:
        (match,) = engine.query(path, search="deep").matches
        assert match.recording.name == path.name
        assert (match.ber, str(match.manipulation)) == (0, "")
        assert match.query_start == match.reference_start == 0


def test_both_families_have_every_index_type() -> None:
    assert tuple(hash_query.INDEXES) == tuple(vector_query.INDEXES) == INDEX_TYPES


def test_the_name_of_an_index_holds_no_password(clips_store: Path) -> None:
    url = "clickhouse://anna:secret@db1/hashes"
    with samaf.open(str(clips_store), index=url) as engine:
        assert engine.index_name == "clickhouse://anna@db1:8123/hashes"
    with samaf.open(str(clips_store)) as engine:
        assert engine.index_name == "exact"
