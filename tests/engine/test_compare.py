"""Two files compared without a store."""

from __future__ import annotations

from pathlib import Path

import pytest

import samaf
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav
from samaf.engine.compare import kept_either_way
from samaf.records import IDENTITY, Match, Recording

BRUNO = CLIPS / "bruno-garden.ogg"


@pytest.mark.slow
def test_compare(tmp_path: Path) -> None:
    part = tmp_path / "part.wav"
    part.write_bytes(wav(load(BRUNO)[3 * SAMPLE_RATE : 9 * SAMPLE_RATE]))
    match = samaf.compare(part, BRUNO).match
    assert match
    assert match.reference_start - match.query_start == pytest.approx(3, abs=0.3)
    short = tmp_path / "short.wav"
    short.write_bytes(wav(load(BRUNO)[:8000]))
    assert samaf.compare(short, BRUNO).match is None
    assert samaf.compare(BRUNO, short).match is None


@pytest.mark.slow
@pytest.mark.parametrize("start, seconds", [(1.337, 1.3), (4.021, 3.1)])
def test_an_untouched_excerpt_is_unaltered_in_either_order(
    tmp_path: Path, start: float, seconds: float
) -> None:
    speech = load(BRUNO)
    first = round(start * SAMPLE_RATE)
    part = tmp_path / "part.wav"
    part.write_bytes(wav(speech[first : first + round(seconds * SAMPLE_RATE)]))
    (own,) = samaf.compare(part, part).matches
    assert (own.ber, str(own.manipulation)) == (0, "")
    there, back = samaf.compare(part, BRUNO).match, samaf.compare(BRUNO, part).match
    assert there
    assert back
    for match, place in (
        (there, there.reference_start - there.query_start),
        (back, back.query_start - back.reference_start),
    ):
        assert str(match.manipulation) == ""
        assert match.ber < 0.01
        assert place == pytest.approx(start, abs=0.001)


def test_other_words_of_a_voice_are_left_out_in_either_order() -> None:
    """A jingle that comes again is kept, a stretch that agrees much worse is not."""
    whole = Recording("", "whole.wav", "whole.wav", 30.0)
    places = (5.0, 0.0), (14.0, 0.02), (22.0, 0.25)
    in_it = [Match(whole, 0, 2, at, at + 2, ber, 9 - at / 10, IDENTITY, 1.0) for at, ber in places]
    it_in = [Match(whole, at, at + 2, 0, 2, ber, 9 - at / 10, IDENTITY, 1.0) for at, ber in places]
    assert [match.reference_start for match in kept_either_way(in_it)] == [5, 14]
    assert [match.query_start for match in kept_either_way(it_in)] == [5, 14]
