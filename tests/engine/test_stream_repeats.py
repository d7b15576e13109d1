"""Stretches that recur in files and stores are found without any reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.errors import QueryError
from samaf.records import RepeatCluster

CLIP = sorted(CLIPS.iterdir())
JINGLE, PROMPT = load(CLIP[0])[: 4 * SAMPLE_RATE], load(CLIP[1])[SAMPLE_RATE : 6 * SAMPLE_RATE]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[float]]]:
    """Ten clips with a jingle three times, quieter each time, and a prompt twice."""
    rng = np.random.default_rng(4)
    planted = {2: ("jingle", JINGLE), 4: ("prompt", PROMPT), 5: ("jingle", 0.5 * JINGLE)}
    planted |= {7: ("jingle", 0.2 * JINGLE), 9: ("prompt", PROMPT)}
    parts: list[np.ndarray] = []
    places: dict[str, list[float]] = {"jingle": [], "prompt": []}
    for number, clip in enumerate(CLIP[2:12]):
        parts.append(load(clip)[: int(rng.integers(5, 8) * SAMPLE_RATE + rng.integers(4_000))])
        if number in planted:
            name, sound = planted[number]
            places[name].append(sum(map(len, parts)) / SAMPLE_RATE)
            parts.append(sound)
    path = tmp_path_factory.mktemp("stream") / "stream.wav"
    path.write_bytes(wav(np.concatenate(parts)))
    return path, places


def starts(cluster: RepeatCluster) -> list[float]:
    return [place.start for place in cluster.places]


@pytest.mark.slow
def test_jingles_and_prompts_of_a_stream(stream: tuple[Path, dict[str, list[float]]]) -> None:
    path, places = stream
    jingle, prompt = samaf.repeats([path])
    assert (jingle.number, prompt.number) == (1, 2)
    assert starts(jingle) == pytest.approx(places["jingle"], abs=0.3)
    assert starts(prompt) == pytest.approx(places["prompt"], abs=0.3)
    assert jingle.seconds == pytest.approx(4, abs=0.4)
    assert prompt.seconds == pytest.approx(5, abs=0.4)
    assert [c.seconds > 4.5 for c in samaf.repeats([path], least_seconds=4.5)] == [True]


@pytest.mark.slow
def test_what_recurs_from_file_to_file_and_in_a_store(engine: samaf.Engine, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.wav" for number in range(3)]
    for number, path in enumerate(files):
        own = load(CLIP[4 + number])[: (5 + number) * SAMPLE_RATE]
        path.write_bytes(wav(np.concatenate([own, JINGLE])))
    for (cluster,) in (samaf.repeats(files), _stored(engine, files)):
        assert [place.recording.name for place in cluster.places] == ["0.wav", "1.wav", "2.wav"]
        assert starts(cluster) == pytest.approx([5, 6, 7], abs=0.4)
    assert [place.recording.recording_id for place in cluster.places] == [1, 2, 3]


def _stored(engine: samaf.Engine, files: list[Path]) -> tuple[RepeatCluster, ...]:
    assert [result.status for result in engine.add(files)] == ["added"] * 3
    return engine.repeats()


@pytest.mark.slow
def test_a_bed_under_two_voices_is_found(tmp_path: Path) -> None:
    bed = load(CLIP[0])[: 8 * SAMPLE_RATE]
    parts, starts = [], []
    for number in (5, 8):
        voice = np.resize(load(CLIP[number]), len(bed))
        parts.append(load(CLIP[number + 1])[: 5 * SAMPLE_RATE + 1_234 * number])
        starts.append(sum(map(len, parts)) / SAMPLE_RATE)
        parts.append(bed + 0.7 * voice * bed.std() / voice.std())
    path = tmp_path / "stream.wav"
    path.write_bytes(wav(np.concatenate(parts)))
    (cluster,) = samaf.repeats([path])
    assert [place.start for place in cluster.places] == pytest.approx(starts, abs=0.5)


@pytest.mark.slow
def test_what_the_places_share_is_found_under_a_voice_that_hides_it_from_each(
    tmp_path: Path,
) -> None:
    bed = load(CLIP[0])[: 8 * SAMPLE_RATE]
    parts, starts = [], []
    for number, level in enumerate((0.7, 0.7, 0.7, 2.5)):
        voice = np.resize(load(CLIP[1 + number]), len(bed))
        parts.append(load(CLIP[8 + number])[: 6 * SAMPLE_RATE + 1_234 * number])
        starts.append(sum(map(len, parts)) / SAMPLE_RATE)
        parts.append(0.4 * (bed + level * voice * bed.std() / voice.std()))
    path = tmp_path / "stream.wav"
    path.write_bytes(wav(np.concatenate(parts)))
    (cluster,) = samaf.repeats([path])
    assert [place.start for place in cluster.places] == pytest.approx(starts, abs=0.2)
    assert [p.stop - p.start for p in cluster.places] == pytest.approx([8] * 4, abs=0.2)


@pytest.mark.slow
def test_a_shorter_version_is_a_place_of_the_same_piece(tmp_path: Path) -> None:
    spot = load(CLIP[0])[: 9 * SAMPLE_RATE]
    parts, places = [], []
    for number, seconds in enumerate((9, 9, 5, 9)):
        parts.append(load(CLIP[8 + number])[: 6 * SAMPLE_RATE + 1_234 * number])
        start = sum(map(len, parts)) / SAMPLE_RATE
        parts.append(spot[: seconds * SAMPLE_RATE])
        places.append((start, start + seconds))
    path = tmp_path / "stream.wav"
    path.write_bytes(wav(np.concatenate(parts)))
    (cluster,) = samaf.repeats([path])
    assert [(p.start, p.stop) for p in cluster.places] == [
        pytest.approx(place, abs=0.3) for place in places
    ]


@pytest.mark.slow
def test_a_recording_that_repeats_itself_is_one_cluster(tmp_path: Path) -> None:
    path = tmp_path / "loop.wav"
    path.write_bytes(wav(np.tile(load(CLIP[1])[: 3 * SAMPLE_RATE], 6)))
    (cluster,) = samaf.repeats([path])
    assert starts(cluster) == pytest.approx(range(0, 18, 3), abs=0.4)


def test_nothing_recurs_in_silence_tones_and_short_files(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    for name, samples in {"tone": tone, "silence": 0 * tone, "short": JINGLE[:9_000]}.items():
        path = tmp_path / f"{name}.wav"
        path.write_bytes(wav(samples))
        assert samaf.repeats([path]) == ()
    assert samaf.repeats([]) == ()
    with pytest.raises(QueryError, match="choose 1 or more"):
        samaf.repeats([path], least_seconds=0.5)
