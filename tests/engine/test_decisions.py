"""Decisions in the audit log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from samaf.engine.decisions import Decision, decide, decisions, page_of_decisions
from samaf.errors import QueryError
from samaf.store import Store

CLIP, OTHER = "a" * 64, "b" * 64
DECISION = Decision("clip.wav", CLIP, "r.wav", OTHER, 1, 3, 11, 13, "accepted", "as is", "Ann")


def test_decisions_are_kept_the_newest_first(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "store.db")) as store:
        decide(store, DECISION)
        decide(store, replace(DECISION, decision="rejected", comment="\U0001f3b5 <b>"))
        decide(store, replace(DECISION, clip_sha256=OTHER))
        known = decisions(store, CLIP)
        assert [each.decision for each in known] == ["rejected", "accepted"]
        assert known[0].comment == "\U0001f3b5 <b>"
        assert replace(known[1], decided_at="", entry_id=0) == DECISION
        first, following = page_of_decisions(store, limit=2)
        assert [each.clip_sha256 for each in first] == [OTHER, CLIP]
        second, end = page_of_decisions(store, following, 2)
        assert (second, end) == (known[1:], None)
        assert page_of_decisions(store, clips=[CLIP]) == (known, None)
        assert page_of_decisions(store, clips=["c" * 64]) == ([], None)
        assert store.check_audit().broken == 0


def test_a_decision_is_about_places_that_overlap() -> None:
    assert DECISION.is_about((2.9, 9), (12.9, 20))
    assert not DECISION.is_about((3, 9), (12.9, 20))
    assert not DECISION.is_about((2.9, 9), (13, 20))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decision": "maybe"}, "'maybe': no decision"),
        ({"name": " "}, "needs the name"),
        ({"name": "x" * 201}, "longer than 200"),
        ({"comment": "x" * 4001}, "longer than 4,000"),
    ],
)
def test_what_is_no_decision_is_refused(change: dict[str, str], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        replace(DECISION, **change)  # type: ignore[arg-type]
