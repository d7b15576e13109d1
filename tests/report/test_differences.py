"""Records compared: identical to the last bit, the same to 4 digits, or different."""

from __future__ import annotations

from dataclasses import replace
from math import nextafter

import pytest

from samaf.report import Examination
from samaf.report.differences import differences, verdict
from samaf.report.examined import Found


def with_match(record: Examination, **changes: object) -> Examination:
    first, *others = record.clips
    found: Found = replace(first.matches[0], **changes)  # type: ignore[arg-type]
    return replace(record, clips=(replace(first, matches=(found,)), *others))


@pytest.mark.slow
def test_the_same_record_is_identical_whenever_and_wherever_it_was_made(
    batch: Examination,
) -> None:
    moved = replace(batch, made_at="2030", command="x", language="de", entries=())
    clips = tuple(replace(clip, given=f"/elsewhere/{clip.given}") for clip in batch.clips)
    assert differences(batch, replace(moved, clips=clips)) == ()
    assert verdict(()) == "identical"


def test_the_last_bit_counts_as_rounding_and_more_as_a_difference(batch: Examination) -> None:
    score = batch.clips[0].matches[0].score
    (one,) = differences(batch, with_match(batch, score=nextafter(score, 99.0)))
    assert (one.where, one.kind) == ("clips 1.matches 1.score", "rounding")
    assert verdict((one,)) == "the same to 4 digits"
    (other,) = differences(batch, with_match(batch, score=score * 1.001))
    assert (other.kind, verdict((one, other))) == ("result", "different")
    (third,) = differences(batch, with_match(batch, hashes=1))
    assert third.kind == "result"


def test_versions_and_store_are_surroundings(batch: Examination) -> None:
    program = replace(batch.program, python="4.0")
    store = replace(batch.store, store_id="x", recordings=99)
    found = differences(batch, replace(batch, program=program, store=store))
    assert [(d.where, d.recorded, d.now) for d in found if d.where == "program.python"] == [
        ("program.python", batch.program.python, "4.0")
    ]
    assert {d.kind for d in found} == {"surroundings"}
    assert verdict(found) == "identical"


def test_a_missing_match_and_another_model_are_different(batch: Examination) -> None:
    first, *others = batch.clips
    none = replace(batch, clips=(replace(first, matches=()), *others))
    assert verdict(differences(batch, none)) == "different"
    model = replace(batch.model, digest="0" * 64)
    assert verdict(differences(batch, replace(batch, model=model))) == "different"
