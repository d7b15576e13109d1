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
    stored = {c.speaker for c in dealt.stored.values()}
    assert len(babble) == 2
    assert len(stored) == 11
    assert not babble & stored
    assert "t1" in stored


def test_what_is_queried_is_stored_and_the_test_split_only_where_it_is_queried() -> None:
    dealt = plan([_corpus(12)], "validation", 0)
    assert len(dealt.probes) == 20
    assert all(dealt.stored[probe.name] == probe.clip for probe in dealt.probes)
    corpus = _corpus(12)
    held_out = Clip(Path("u1/0.opus"), "speech", "test", "u1", "r")
    for split, kept in (("validation", False), ("train", False)):
        more = Corpus(Path(), (*corpus.clips, *_of("train", 7), held_out))
        assert ("u1/0.opus" in plan([more], split, 0).stored) == kept
    tested = Corpus(Path(), (*corpus.clips, *_of("test", 7)))
    assert {c.split for c in plan([tested], "test", 0).stored.values()} == {
        "train",
        "validation",
        "test",
    }


def _of(split: str, speakers: int) -> list[Clip]:
    names = [f"{split}{n}" for n in range(speakers)]
    return [Clip(Path(f"{name}/0.opus"), "speech", split, name, name) for name in names]


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
