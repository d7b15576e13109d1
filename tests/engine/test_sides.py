"""Recordings and clips with one speaker on each channel: both are found, and which is said."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

import samaf
from samaf import db
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.engine.worker_tasks import FINGERPRINT, PREPARE, Request, receive, send
from samaf.fingerprinters import DEFAULT_MODEL, load_hash_model
from samaf.media import Selection
from samaf.records import Codes, Match, QueryResult

SECONDS = 8
AMELIA, BRUNO = (load(CLIPS / name) for name in ("amelia-harbour.ogg", "bruno-garden.ogg"))


def sides(one: np.ndarray, other: np.ndarray) -> bytes:
    """A stereo file with one sound on each channel, the second 10 dB weaker."""
    mono = wav(np.stack([one, 0.3 * other], 1).reshape(-1))
    head = bytearray(mono[:44])
    head[22:24] = (2).to_bytes(2, "little")
    head[28:32] = (4 * SAMPLE_RATE).to_bytes(4, "little")
    head[32:34] = (4).to_bytes(2, "little")
    return bytes(head) + mono[44:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call with Amelia and Bruno, and an excerpt of what each of them says."""
    folder = tmp_path_factory.mktemp("sides")
    one, other = AMELIA[: SECONDS * SAMPLE_RATE], BRUNO[: SECONDS * SAMPLE_RATE]
    (folder / "call.wav").write_bytes(sides(one, other))
    for name, speech in (("amelia.wav", one), ("bruno.wav", other)):
        (folder / name).write_bytes(wav(speech[2 * SAMPLE_RATE : 6 * SAMPLE_RATE]))
    return folder


@pytest.fixture(scope="module")
def call_store(folder: Path) -> str:
    """A store of the call, behind another recording."""
    url = str(folder / "call.db")
    with samaf.open(url) as engine:
        list(engine.add([CLIPS / "greta-weather.ogg", folder / "call.wav"]))
    return url


def best(result: object) -> Match:
    assert isinstance(result, QueryResult)
    return result.matches[0]


@pytest.mark.parametrize("index", ["exact", "flat", "ivf"])
def test_either_side_of_a_recording_is_found(folder: Path, call_store: str, index: str) -> None:
    with samaf.open(call_store, index=index, cache_folder=folder / index) as engine:
        for name, channel in (("amelia.wav", "1"), ("bruno.wav", "2")):
            result = engine.query(folder / name)
            assert isinstance(result, QueryResult)
            (match,) = result.matches
            assert (match.channel, match.reference_channel) == ("", channel)
            assert match.recording.name == "call.wav"
            assert match.reference_start == pytest.approx(2, abs=0.1)
            assert match.ber < 0.02


def test_a_side_and_the_same_speech_stored_alone_are_no_rivals(
    folder: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.wav"
    alone.write_bytes(wav(AMELIA[: SECONDS * SAMPLE_RATE]))
    with samaf.open(str(tmp_path / "s.db"), cache_folder=tmp_path) as engine:
        list(engine.add([folder / "call.wav", alone]))
        result = engine.query(folder / "amelia.wav")
    assert isinstance(result, QueryResult)
    one, other = result.matches
    assert {one.recording.name, other.recording.name} == {"alone.wav", "call.wav"}
    assert one.score == pytest.approx(other.score, abs=0.5)


def test_a_recording_says_what_was_decoded(folder: Path, call_store: str) -> None:
    with samaf.open(call_store) as engine:
        media, mono = engine.show("call.wav").media, engine.show(1).media
        codes = engine.store.hashes(engine.show("call.wav").recording_id)
    assert media
    assert (media.container, media.codec, media.channels) == ("wav", "pcm_s16le", 2)
    assert (media.mixing, media.sides) == ("apart", ((1,), (2,)))
    assert media.samples == SECONDS * SAMPLE_RATE
    assert len(media.samples_sha256) == 64
    assert media.informative == 1
    assert mono
    assert (mono.mixing, mono.sides) == ("mono", ())
    # The mix, and each side, one behind the other.
    assert codes.streams == 3
    assert len(codes) == 3 * 28
    alone = samaf.fingerprint(folder / "call.wav", channel=2).hashes
    agreeing = alone.informative & codes.informative[56:]
    assert (alone.packed[agreeing] == codes.stream(2)[agreeing]).all()


@pytest.mark.slow
def test_a_clip_is_searched_for_by_each_side(folder: Path) -> None:
    with samaf.open(str(folder / "mono.db"), cache_folder=folder / "mono") as engine:
        list(engine.add([CLIPS / "amelia-harbour.ogg", CLIPS / "bruno-garden.ogg"]))
        result = engine.query(folder / "call.wav", k=1)
        deep = engine.query(folder / "call.wav", k=1, search="deep", channel=2)
        only = engine.query(folder / "call.wav", channel=2)
    assert isinstance(result, QueryResult)
    found = {(m.recording.name, m.channel) for m in result.matches if m.channel}
    assert ("bruno-garden.ogg", "2") in found
    assert {m.recording.name for m in result.matches} == {"amelia-harbour.ogg", "bruno-garden.ogg"}
    assert result.media
    assert result.media.sides == ((1,), (2,))
    for one in (deep, only):
        assert best(one).recording.name == "bruno-garden.ogg"
        assert best(one).channel == ""


@pytest.mark.slow
def test_compare_names_the_sides_in_either_order(tmp_path: Path) -> None:
    call, bruno = tmp_path / "call.wav", tmp_path / "bruno.wav"
    part = slice(2 * SAMPLE_RATE, 5 * SAMPLE_RATE)
    call.write_bytes(sides(AMELIA[part], BRUNO[part]))
    bruno.write_bytes(wav(BRUNO[part]))
    there, back = samaf.compare(bruno, call), samaf.compare(call, bruno)
    assert there.match
    assert back.match
    assert (there.match.channel, there.match.reference_channel) == ("", "2")
    assert (back.match.channel, back.match.reference_channel) == ("2", "")
    assert (there.match.score, there.match.ber) == (back.match.score, back.match.ber)
    assert there.match.reference_start == back.match.query_start
    assert back.first_media == there.second_media
    assert back.first_media
    assert back.first_media.sides


def test_duplicates_name_the_sides_and_a_recording_is_none_of_itself(
    folder: Path, tmp_path: Path
) -> None:
    with samaf.open(str(tmp_path / "s.db"), cache_folder=tmp_path) as engine:
        list(engine.add([folder / "call.wav", folder / "bruno.wav"]))
        (pair,) = engine.duplicates()
    (match,) = pair.matches
    assert (pair.first.name, pair.second.name) == ("call.wav", "bruno.wav")
    assert (match.channel, match.reference_channel) == ("2", "")


@pytest.mark.slow
def test_one_channel_is_stored_where_it_is_chosen(folder: Path, tmp_path: Path) -> None:
    url = str(tmp_path / "s.db")
    with samaf.open(url, cache_folder=tmp_path) as engine:
        (added,) = engine.add(folder / "call.wav", channel=2)
        assert added.recording
        assert added.recording.media
        assert added.recording.media.selection == Selection(1, 2)
        assert engine.store.hashes(added.recording.recording_id).streams == 1
        assert best(engine.query(folder / "bruno.wav")).reference_channel == ""
        result = engine.query(folder / "amelia.wav")
        assert isinstance(result, QueryResult)
        assert not result.matches
    # The file is hashed as it was when it was added.
    assert list(db.verify(url, audio=folder)) == []
    samaf.rehash(url, model="1LST128C")
    with samaf.open(url, cache_folder=tmp_path) as engine:
        assert engine.show(1).media == added.recording.media
        assert best(engine.query(folder / "bruno.wav")).recording.name == "call.wav"
    with samaf.open(str(tmp_path / "t.db")) as engine:
        (failed,) = engine.add(folder / "bruno.wav", channel=2)
    assert "has no channel 2" in failed.message


def test_rehash_and_verification_know_sides(folder: Path, tmp_path: Path) -> None:
    url = str(tmp_path / "s.db")
    with samaf.open(url, model="1LST128C", cache_folder=tmp_path) as engine:
        list(engine.add(folder / "call.wav"))
    samaf.rehash(url, model=DEFAULT_MODEL)
    assert list(db.verify(url, audio=folder)) == []
    with samaf.open(url, cache_folder=tmp_path) as engine:
        assert engine.store.hashes(1).streams == 3
        assert best(engine.query(folder / "bruno.wav")).reference_channel == "2"


@pytest.mark.parametrize("task", [FINGERPRINT, PREPARE])
def test_processes_give_sides_as_this_one_does(folder: Path, task: object) -> None:
    assert task in (FINGERPRINT, PREPARE)
    model = load_hash_model(DEFAULT_MODEL)
    request = Request(folder / "call.wav", Selection(track=1))
    assert Request.from_line(request.to_line(FINGERPRINT)) == ("fingerprint", request)
    pipe = io.BytesIO()
    if task is FINGERPRINT:
        made = FINGERPRINT.run(request, model)
        send(pipe, FINGERPRINT, made)
        pipe.seek(0)
        got = receive(pipe, FINGERPRINT)
        assert got.media == made.media
        assert got.hashes.streams == 3
        assert (got.hashes.packed == made.hashes.packed).all()
    else:
        prepared = PREPARE.run(request, model)
        send(pipe, PREPARE, prepared)
        pipe.seek(0)
        restored = receive(pipe, PREPARE)
        assert restored.result == prepared.result
        assert [stream.channel for stream in restored.streams] == ["", "1", "2"]
        for one, other in zip(restored.streams, prepared.streams, strict=True):
            assert (one.grids[0][1].packed == other.grids[0][1].packed).all()


def test_windows_stop_where_the_next_side_begins() -> None:
    from samaf.index import ExactIndex, table_of_codes

    rng = np.random.default_rng(3)
    packed = rng.integers(0, 256, (20, 32), np.uint8)
    table = table_of_codes([(7, Codes(packed, np.ones(20, bool), streams=2))], 32)
    assert table.recording_ids.tolist() == [7, 7]
    assert [table.side(0), table.side(1)] == [0, 1]
    assert np.flatnonzero(table.window_starts(4)).tolist() == [*range(7), *range(10, 17)]
    across = ExactIndex(table).search(packed[8:12], 4, 1)
    assert across.distances[0, 0] > 0
