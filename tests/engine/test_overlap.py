"""Groups of a store, and what two collections share; a jingle joins nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.engine.options import QueryOptions
from samaf.engine.overlap_signals import with_signals
from samaf.errors import AudioError, QueryError, StoreError
from samaf.records import Match, QueryResult, Recording

CLIP = sorted(CLIPS.iterdir())
JINGLE = load(CLIP[0])[: 4 * SAMPLE_RATE]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five recordings with a jingle in front, the first two with a speech in common, too."""
    folder = tmp_path_factory.mktemp("archive")
    speech = load(CLIP[7])
    for number in range(5):
        # Of other lengths, so that the speech lies on another diagonal than the jingle.
        parts = [JINGLE, load(CLIP[1 + number])[20_000 * number :]]
        parts += [speech] if number < 2 else []
        (folder / f"{number}.wav").write_bytes(wav(np.concatenate(parts)))
    return folder


def test_groups_without_the_jingle(engine: samaf.Engine, archive: Path) -> None:
    assert {result.status for result in engine.add(archive)} == {"added"}
    result = engine.duplicate_groups()
    (group,) = result.groups
    assert [recording.name for recording in group.recordings] == ["0.wav", "1.wav"]
    assert min(group.seconds) > 8
    # The pairs may split the jingle.
    assert sum(piece.seconds for piece in result.common) == pytest.approx(4, abs=0.5)
    for piece in result.common:
        assert {place.recording.name for place in piece.places} == {f"{n}.wav" for n in range(5)}
    (whole,) = engine.duplicate_groups(common=6).groups
    assert len(whole.recordings) == 5
    assert engine.duplicate_groups(least_shared=30).groups == ()
    with pytest.raises(QueryError, match="choose 3 or more"):
        engine.duplicate_groups(common=2)


def test_leaks_between_folders_and_stores(
    engine: samaf.Engine, archive: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    leak = load(CLIP[2])[2 * SAMPLE_RATE : 6 * SAMPLE_RATE]
    (other / "leak.wav").write_bytes(wav(np.concatenate([load(CLIP[8]), leak])))
    (other / "short.wav").write_bytes(wav(load(CLIP[3])[60_500 : 60_500 + 2 * SAMPLE_RATE]))
    (other / "clean.wav").write_bytes(wav(load(CLIP[9])))
    (other / "silent.wav").write_bytes(wav(np.zeros(2 * SAMPLE_RATE, np.float32)))
    result = samaf.overlap(archive, other)
    assert {(p.first.name, p.second.name) for p in result.pairs} == {
        ("1.wav", "leak.wav"),
        ("2.wav", "short.wav"),
    }
    (match,) = next(p.matches for p in result.pairs if p.second.name == "leak.wav")
    assert match.query_start == pytest.approx(4 + 2 - 1.25, abs=0.4)
    assert result.compared == (5, 3)
    assert [path for path, _ in result.passed_over] == [str(other / "silent.wav")]

    assert {r.status for r in engine.add(other)} >= {"added"}
    stored = samaf.overlap(archive, engine.store.url)
    assert ("1.wav", "leak.wav") in {(p.first.name, p.second.name) for p in stored.pairs}
    assert all(p.second.name != "clean.wav" for p in stored.pairs)


def test_files_below_a_second_are_found_by_their_signals(archive: Path, tmp_path: Path) -> None:
    speech = load(CLIP[2])[4 * SAMPLE_RATE :]
    names = {"0.6": 0.6, "0.9": 0.9, "0.4": 0.4}
    for name, seconds in names.items():
        samples = speech[9_000 : 9_000 + round(seconds * SAMPLE_RATE)]
        (tmp_path / f"{name}.wav").write_bytes(wav(0.5 * samples))
    (tmp_path / "other.wav").write_bytes(wav(load(CLIP[9])[40_000:52_000]))
    result = samaf.overlap(archive, tmp_path, least_shared=0.5)
    assert {(p.first.name, p.second.name) for p in result.pairs} == {
        ("1.wav", "0.6.wav"),
        ("1.wav", "0.9.wav"),
    }
    assert [(Path(p).name, why) for p, why in result.passed_over] == [
        ("0.4.wav", "shorter than 0.5 s")
    ]
    for path in tmp_path.glob("[!0]*.wav"):
        path.unlink()
    assert {why for _, why in samaf.overlap(archive, tmp_path).passed_over} == {
        "shorter than 0.5 s",
        "shorter than the 1 s that must be shared",
    }


def test_what_is_too_short_for_hashes_is_found_where_the_audio_is_at_hand(
    engine: samaf.Engine, archive: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    # 0.9 s of the third recording, from 5.5 s on.
    stretch = 0.4 * load(CLIP[3])[3 * SAMPLE_RATE // 2 + 40_000 :][: 9 * SAMPLE_RATE // 10]
    parts = [load(CLIP[8])[: 6 * SAMPLE_RATE], stretch, load(CLIP[9])]
    (other / "leak.wav").write_bytes(wav(np.concatenate(parts)))
    (pair,) = samaf.overlap(archive, other).pairs
    assert (pair.first.name, pair.second.name) == ("2.wav", "leak.wav")
    (match,) = pair.matches
    assert match.query_start == pytest.approx(5.5, abs=0.4)
    assert match.query_stop == pytest.approx(6.4, abs=0.4)
    assert match.reference_start - match.query_start == pytest.approx(6 - 5.5, abs=0.05)
    # Stores, as long as their files are there.
    assert {result.status for result in engine.add(archive)} == {"added"}
    with samaf.open(str(tmp_path / "other.db")) as second:
        assert {result.status for result in second.add(other)} == {"added"}
    (same,) = samaf.overlap(engine.store.url, tmp_path / "other.db").pairs
    assert same.second.name == "leak.wav"
    (other / "leak.wav").rename(tmp_path / "gone.wav")
    assert samaf.overlap(engine.store.url, tmp_path / "other.db").pairs == ()


def test_signals_refuse_what_a_reading_of_the_same_text_would_explain(
    engine: samaf.Engine, archive: Path, tmp_path: Path
) -> None:
    assert {result.status for result in engine.add(archive)} == {"added"}
    path = tmp_path / "other.wav"
    path.write_bytes(wav(np.concatenate([load(CLIP[8]), load(CLIP[2])[: 6 * SAMPLE_RATE]])))
    (result,) = engine.query_many([path])
    assert isinstance(result, QueryResult)
    (right,) = result.matches
    other = Recording(result.sha256, path.name, str(path), result.duration, recording_id=7)
    right = replace(right, same_text_warning=True)
    length = right.query_stop - right.query_start
    wrong = replace(right, query_start=1.0, query_stop=1.0 + length)
    certain = replace(wrong, same_text_warning=False)

    def kept(*matches: Match) -> list[Match]:
        found = with_signals(engine, [other], {7: matches}, QueryOptions(), lambda: None)[7]
        return [match for match in found if match in matches]

    assert kept(wrong, certain, right) == [certain, right]
    path.rename(tmp_path / "gone.wav")
    assert kept(wrong, certain, right) == [wrong, certain, right]


def test_voices_that_are_alike_share_nothing(tmp_path: Path) -> None:
    """Synthetic voices agree at bit error rates of 0.35 to 0.4 in many places."""
    halves = [tmp_path / "a.wav", tmp_path / "b.wav"]
    sounds = [[load(path) for path in CLIP[at::2]] for at in (0, 1)]
    for path, parts in zip(halves, sounds, strict=True):
        path.write_bytes(wav(np.concatenate(parts)))
    assert samaf.overlap(*halves).pairs == ()
    stretch = 0.5 * sounds[0][2][3 * SAMPLE_RATE : 7 * SAMPLE_RATE]
    halves[1].write_bytes(wav(np.concatenate([*sounds[1], stretch])))
    (pair,) = samaf.overlap(*halves).pairs
    (match,) = pair.matches
    assert match.query_stop - match.query_start == pytest.approx(4, abs=0.6)


def test_files_that_are_no_sound_are_named_once(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(bytes(range(200)))
    (tmp_path / "clip.ogg").write_bytes(CLIP[9].read_bytes())
    for places in ((archive, tmp_path), (tmp_path, archive)):
        ((path, reason),) = samaf.overlap(*places).passed_over
        assert path == str(tmp_path / "noise.wav")
        assert reason.startswith("cannot be decoded as audio")


def test_collections_that_are_not_there(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no such file"):
        samaf.overlap(archive, tmp_path / "gone")
    with samaf.open(str(tmp_path / "empty.db")):
        pass
    with pytest.raises(StoreError, match="is empty"):
        samaf.overlap(tmp_path / "empty.db", archive)
