"""Who is asked, who is stored, who talks in the background."""

from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.field.plan import plan
from samaf.training.corpora import Clip, Corpus


def _corpus(speakers: int, clips: int = 2) -> Corpus:
    asked = [
        Clip(Path(f"s{s}/{n}.opus"), "speech", "validation", f"s{s}", f"r{s}")
        for s in range(speakers)
        for n in range(clips)
    ]
    others = [Clip(Path("t1/0.opus"), "speech", "train", "t1", "r")]
    noise = [Clip(Path("noise/0.opus"), "noise", "validation", "", "n")]
    return Corpus(Path(), (*asked, *others, *noise))


def test_no_speaker_has_two_parts() -> None:
    dealt = plan([_corpus(12)], "validation", 0)
    babble = {c.speaker for c in dealt.voices}
    sides = [{c.speaker for c in side} for side in dealt.sides]
    assert len(babble) == 2
    assert [len(side) for side in sides] == [5, 5]
    assert not (babble & sides[0] or babble & sides[1] or sides[0] & sides[1])
    assert [c.speaker for c in dealt.common] == ["t1"]


def test_probes_are_of_the_side_that_stores_them() -> None:
    dealt = plan([_corpus(12)], "validation", 0)
    assert len(dealt.probes) == 20
    for probe in dealt.probes:
        assert probe.clip in dealt.sides[probe.side]
        assert probe.clip not in dealt.sides[1 - probe.side]


def test_the_first_probes_are_of_as_many_speakers_as_there_are() -> None:
    dealt = plan([_corpus(12)], "validation", 0)
    assert len({p.clip.speaker for p in dealt.probes[:10]}) == 10


def test_it_is_the_same_again_and_another_with_another_seed() -> None:
    first, again, other = (plan([_corpus(12)], "validation", seed) for seed in (0, 0, 1))
    assert first == again
    assert first.digest == again.digest
    assert first.digest != other.digest


def test_too_few_speakers_are_refused() -> None:
    with pytest.raises(BenchmarkError, match="5 speakers are too few"):
        plan([_corpus(5)], "validation", 0)
