"""Long recordings: cut into sections, and one match for each segment."""

from __future__ import annotations

import io
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import samaf
from samaf.audio import load
from samaf.matching.merging import merge_matches
from samaf.matching.sections import (
    SECTION_SECONDS,
    STEP_SECONDS,
    Cutter,
    Joiner,
    later,
    sections,
)
from samaf.records import Manipulation, Match, Recording

RATE = 100
CLIPS = sorted((Path(samaf.__file__).parent / "clips").glob("*.ogg"))
SPEECH = Recording("0" * 64, "speech.wav", "speech.wav", 600.0)
OTHER = Recording("1" * 64, "other.wav", "other.wav", 600.0)


@settings(deadline=None)
@given(st.integers(0, 20_000))
def test_sections_cover_everything(length: int) -> None:
    samples = np.arange(length)
    cut = sections(samples, RATE)
    assert set().union(*(set(part.tolist()) for _, _, part in cut)) == set(range(length))
    for start, seconds, part in cut:
        assert len(part) == round(seconds * RATE) <= SECTION_SECONDS * RATE
        assert length == 0 or part[0] == round(start * RATE)
    # A section that another one holds would be hashed for nothing.
    stops = [start + seconds for start, seconds, _ in cut]
    assert len(set(stops)) == len(stops)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(100, 3_000))
def test_a_stream_is_cut_as_a_recording_is(length: int, piece: int) -> None:
    samples = np.arange(length, dtype=np.float32)
    cutter, cut = Cutter(RATE), []
    for start in range(0, length, piece):
        cut += [(at, part.copy()) for at, part in cutter.feed(samples[start : start + piece])]
    cut += list(cutter.finish())
    wanted = sections(samples, RATE)
    assert [start for start, _ in cut] == [start for start, _, _ in wanted]
    for (_, here), (_, _, there) in zip(cut, wanted, strict=True):
        assert np.array_equal(here, there)


def test_a_stretch_over_several_sections_is_given_once_when_it_has_ended() -> None:
    joiner, parts = Joiner(1), [(4, 16), (12, 28), (24, 30)]
    given = [
        joiner.add([part(*ends, Manipulation())], (number + 1) * STEP_SECONDS)
        for number, ends in enumerate(parts)
    ]
    assert given[:2] == [[], []]
    ((whole,),) = given[2:]
    assert (whole.query_start, whole.query_stop) == (4, 30)
    assert joiner.finish() == []


def test_what_was_given_stands_against_later_claims() -> None:
    good = part(0, 9, Manipulation(), score=9)
    joiner = Joiner(1)
    assert joiner.add([good], 12) == [good]
    assert joiner.add([Match(OTHER, 1, 9, 50, 58, 0.3, 99)], 24) == []
    still = Match(OTHER, 20, 24, 50, 54, 0.3, 4)
    assert joiner.add([still], 24) == []
    assert joiner.finish() == [still]


def part(begin: float, end: float, manipulation: Manipulation, score: float = 9) -> Match:
    """A part of a segment that starts at 0 s of the query and 100 s of the reference."""
    reference = 100 + begin / manipulation.tau, 100 + end / manipulation.tau
    if manipulation.reversed:
        reference = 200 - end / manipulation.tau, 200 - begin / manipulation.tau
    return Match(SPEECH, begin, end, *reference, 0.1, score, manipulation)


@given(
    cuts=st.lists(st.floats(2, 12), min_size=1, max_size=6),
    tau=st.floats(0.5, 2),
    backwards=st.booleans(),
)
def test_parts_of_one_stretch_become_one_match(
    cuts: list[float], tau: float, backwards: bool
) -> None:
    manipulation = Manipulation(tau, 1 / tau, backwards)
    ends = np.cumsum(cuts).tolist()
    parts = [part(a, b, manipulation) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    (whole,) = merge_matches(parts[::-1], 1)
    assert (whole.query_start, whole.query_stop) == (0, ends[-1])
    all_of_it = part(0, ends[-1], manipulation)
    assert whole.reference_start == pytest.approx(all_of_it.reference_start)
    assert whole.reference_stop == pytest.approx(all_of_it.reference_stop)


def test_another_place_or_manipulation_is_another_match() -> None:
    here = part(0, 6, Manipulation())
    elsewhere = later(part(0, 6, Manipulation()), 6)
    faster = part(6, 12, Manipulation(1 / 1.3, 1.3))
    assert len(merge_matches([here, elsewhere], 5)) == 2
    assert len(merge_matches([here, faster], 5)) == 2


def test_weaker_claim_to_the_same_stretch_gives_way() -> None:
    good = part(0, 6, Manipulation(), score=9)
    weak = Match(OTHER, 1, 6, 50, 55, 0.3, 4)
    assert merge_matches([weak, good], 1) == [good]
    assert merge_matches([weak, good], 2) == [good, weak]


@pytest.mark.slow
def test_every_stretch_of_a_long_recording_is_found(clips_store: Path, tmp_path: Path) -> None:
    def speech(number: int, start: float, seconds: float) -> np.ndarray:
        return load(CLIPS[number])[round(start * 16_000) : round((start + seconds) * 16_000)]

    at = np.arange(0, 6.5 * 16_000 - 1, 1.3)
    faster = speech(4, 0.5, 6.5)
    pieces = [
        ("", speech(11, 0, 3)),
        (CLIPS[0].name, speech(0, 1, 5)),
        ("", speech(11, 4, 2)),
        (CLIPS[4].name, np.interp(at, np.arange(len(faster)), faster)),
        (CLIPS[2].name, speech(2, 2, 5)[::-1]),
        ("", speech(11, 1, 2)),
        (CLIPS[7].name, speech(7, 0.3, 4)),
    ]
    truth, now = [], 0.0
    for name, samples in pieces:
        if name:
            truth.append((name, now, now + len(samples) / 16_000))
        now += len(samples) / 16_000
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        joined = np.concatenate([samples for _, samples in pieces])
        out.writeframes((joined * 30_000).astype("<i2").tobytes())
    with samaf.open(shutil.copy(clips_store, tmp_path), cache_folder=tmp_path) as engine:
        found = engine.query(file.getvalue(), k=1, search="deep").matches
        heard = [event.match for event in engine.monitor(file.getvalue(), search="deep")]
    # A monitor hears the same, in its order.
    assert [m.recording.name for m in heard] == [name for name, *_ in truth]
    for match, (_, begin, end) in zip(heard, truth, strict=True):
        assert (match.query_start, match.query_stop) == pytest.approx((begin, end), abs=0.5)
    placed = sorted((m.query_start, m.query_stop, m.recording.name) for m in found)
    assert [name for *_, name in placed] == [name for name, *_ in truth]
    for (start, stop, _), (_, begin, end) in zip(placed, truth, strict=True):
        assert start == pytest.approx(begin, abs=0.5)
        assert stop == pytest.approx(end, abs=0.5)
    names = {m.recording.name: str(m.manipulation).split()[0:1] for m in found}
    assert names == {
        CLIPS[0].name: [],
        CLIPS[4].name: ["speed"],
        CLIPS[2].name: ["reversed"],
        CLIPS[7].name: [],
    }
