"""Judged results, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import tables
from benchmarks.evaluation import Verdicts
from benchmarks.findings import Counted, Findings, open_set, tallies
from benchmarks.protocol import left_out
from benchmarks.results import Reference

REFERENCES = [Reference(str(n), "test", f"speaker {n // 2}", "source", 10.0) for n in range(4)]
HEADER = {"cpu_s": 0.5, "sample": None, "too_short": 1, "failures": ["gone.wav: no such file"]}


def verdicts(clip: list[int], right: list[float], score: list[float]) -> Verdicts:
    shares = np.array(right, np.float32)
    return Verdicts(
        np.array(clip, np.int32),
        shares,
        np.where(shares == 1, 1, np.nan).astype(np.float32),
        shares,
        np.ones_like(shares),
        np.array(score, np.float32),
    )


def findings(references: list[Reference] = REFERENCES, split: str = "test") -> Findings:
    echo = tallies(verdicts([0, 0, 1], [1, 0, 1], [1, 1, 1]), 4)
    plain = tallies(verdicts([0, 1], [1, 1], [1, 1]), 4)
    cells = {("Echo", 1): Counted(HEADER, echo), ("Original", 1): Counted(HEADER, plain)}
    partial = {("Original", 1): Counted(HEADER, plain)}
    return Findings(
        {"corpus": "small", "corpus_digest": "d", "references": 4},
        references,
        {("samaf:X", split): cells, ("dejavu:best", split): partial},
        {},
        {},
        {"rafs:best": "no memory"},
    )


def test_left_out_is_half_and_always_the_same() -> None:
    assert left_out(9).sum() == 4
    assert np.array_equal(left_out(9), left_out(9))


def test_tallies_leave_out_what_is_not_known() -> None:
    found = tallies(verdicts([0, 0, 1], [1, 0, 1], [1, 1, 1]), 4)
    assert found["identified"].right.tolist() == [1, 0 + 1, 0, 0]
    assert found["identified"].asked.tolist() == [2, 1, 0, 0]
    assert found["placed"].asked.tolist() == [1, 1, 0, 0]


def test_mean_of_rows_needs_all_of_them() -> None:
    found = findings()
    both = found.mean("samaf:X", "test", 1, ["Echo", "Original"])
    assert both.value == pytest.approx((2 / 3 + 1) / 2)
    assert found.mean("dejavu:best", "test", 1, ["Echo", "Original"]).queries == 0
    assert found.cell("dejavu:best", "test", "Original", 1).value == 1
    assert found.query_seconds("samaf:X", "test") == pytest.approx(1 / 5)


def test_open_set_by_hand() -> None:
    inside, outside = (np.flatnonzero(left_out(4) == out) for out in (False, True))
    genuine = verdicts([inside[0]] * 50 + [inside[1]] * 50, [1] * 99 + [0], [0.9] * 100)
    strangers = verdicts([outside[0]] * 100, [0] * 100, [0.95] * 1 + [0.1] * 99)
    found = open_set([genuine, strangers], 4)
    assert (found.genuine, found.impostors) == (100, 100)
    assert found.identified[1e-2].value == pytest.approx(0.99)
    assert found.identified[1e-2].clips == 2
    assert found.identified[1e-3].queries == 0
    assert found.curve.equal_error_rate == pytest.approx(0.01)


def test_answers_at_stated_rates_by_hand() -> None:
    inside, outside = (np.flatnonzero(left_out(4) == out)[0] for out in (False, True))
    genuine = verdicts([inside] * 4, [1, 1, 0, 1], [3.0, 2.5, 2.5, 1.9])
    strangers = verdicts([outside] * 5, [0] * 5, [2.1, 0.5, 0.5, -1.0, 1.99])
    found = open_set([genuine, strangers], 4)
    assert [e.value for e in found.stated[1e-2]] == pytest.approx([2 / 4, 1 / 5])
    assert [e.value for e in found.stated[1e-3]] == pytest.approx([1 / 4, 0])


def test_tables_of_a_corpus_with_and_without_labels() -> None:
    assert tables.table4(findings()).head[-1] == "speaker"
    nameless = [replace(reference, speaker="") for reference in REFERENCES]
    table = tables.table4(findings(nameless))
    assert table.head == ("system", "recording", "and its place")
    assert "no labels" in table.note
    own = [replace(reference, speaker=reference.key) for reference in REFERENCES]
    table = tables.table4(findings(own))
    assert table.head == ("system", "recording", "and its place")
    assert "No speaker has two recordings" in table.note


def test_only_cells_that_a_system_can_be_asked_are_missing() -> None:
    cell = Counted(HEADER, tallies(verdicts([0], [1], [1]), 4))
    short, long = ("Echo", 1), ("Echo", 6)
    stored = {"audio_s": 9.0, "cpu_s": 1.0, "stored_bits": 9, "peak_bytes": 9}
    asked = {"samaf:X": [short, long], "unet:Y": [long], "unet:Z": [], "dejavu:best": [long]}
    found = replace(
        findings(),
        counted={(name, "test"): dict.fromkeys(keys, cell) for name, keys in asked.items()},
        stores=dict.fromkeys(asked, stored),
    )
    assert {line[0]: line[-1] for line in tables.costs(found).body} == {
        "samaf:X": "",
        "unet:Y": "",
        "unet:Z": "0 of 1 cells",
        "dejavu:best": "1 of 2 cells",
        "rafs:best": "no memory",
    }


def test_failures_and_short_clips_are_told() -> None:
    found = findings()
    assert tables.costs(found).body[-1][-1] == "no memory"
    text = tables.summary(found)
    assert "counted apart: 1 at 1 s" in text
    assert "Could not be made: 1 transformed clips, e.g. gone.wav: no such file" in text


def test_table6_says_when_it_was_not_measured() -> None:
    assert "Not measured" in tables.table6(findings()).note
    known = tables.table6(findings(split="train"))
    assert "Not measured" not in known.note
    assert known.body[0][0] == "samaf:X, 1 s"
