"""Verdicts on answers and what is made of them, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.accuracy import tables
from benchmarks.accuracy.paper_tables import summary, table4, table6
from benchmarks.accuracy.protocol import Answers, left_out
from benchmarks.accuracy.report import Counted, Report, Verdicts, judge, open_set, tallies
from benchmarks.accuracy.results import Cell, Reference
from benchmarks.metrics import Estimate, Separation

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


def report(references: list[Reference] = REFERENCES, split: str = "test") -> Report:
    echo = tallies(verdicts([0, 0, 1], [1, 0, 1], [1, 1, 1]), 4)
    plain = tallies(verdicts([0, 1], [1, 1], [1, 1]), 4)
    cells = {("Echo", 1): Counted(HEADER, echo), ("Original", 1): Counted(HEADER, plain)}
    partial = {("Original", 1): Counted(HEADER, plain)}
    return Report(
        {"corpus": "small", "corpus_digest": "d", "references": 4},
        references,
        {("samaf:X", split): cells, ("dejavu:best", split): partial},
        {("samaf:X", split): {}, ("dejavu:best", split): {}},
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
    assert found["identified"].queries.tolist() == [2, 1, 0, 0]
    assert found["placed"].queries.tolist() == [1, 1, 0, 0]


def test_mean_of_transformations_needs_all_of_them() -> None:
    found = report()
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
    assert table4(report()).head[-1] == "speaker"
    nameless = [replace(reference, speaker="") for reference in REFERENCES]
    table = table4(report(nameless))
    assert table.head == ("system", "recording", "and its place")
    assert "no labels" in table.note
    own = [replace(reference, speaker=reference.key) for reference in REFERENCES]
    table = table4(report(own))
    assert table.head == ("system", "recording", "and its place")
    assert "No speaker has two recordings" in table.note


def test_only_cells_that_a_system_can_be_queried_with_are_missing() -> None:
    cell = Counted(HEADER, tallies(verdicts([0], [1], [1]), 4))
    short, long = ("Echo", 1), ("Echo", 6)
    stored = {"audio_s": 9.0, "cpu_s": 1.0, "stored_bits": 9, "peak_bytes": 9}
    asked = {"samaf:X": [short, long], "unet:Y": [long], "unet:Z": [], "dejavu:best": [long]}
    found = replace(
        report(),
        cells={(name, "test"): dict.fromkeys(keys, cell) for name, keys in asked.items()},
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
    found = report()
    assert tables.costs(found).body[-1][-1] == "no memory"
    text = summary(found)
    assert "counted apart: 1 at 1 s" in text
    assert "Could not be made: 1 transformed clips, e.g. gone.wav: no such file" in text


def test_table6_says_when_it_was_not_measured() -> None:
    assert "Not measured" in table6(report()).note
    known = table6(report(split="train"))
    assert "Not measured" not in known.note
    assert known.body[0][0] == "samaf:X, 1 s"


# Two clips of one source, another of the same speaker, one of somebody else.
LABELLED = [
    Reference("0", "test", "anna", "radio", 10),
    Reference("1", "test", "anna", "radio", 10),
    Reference("2", "test", "anna", "phone", 10),
    Reference("3", "test", "bert", "radio", 10),
]


def cell(clip: list[int], begin: list[float], answers: list[tuple[int, int, float]]) -> Cell:
    window, reference, offset = zip(*answers, strict=True) if answers else ((), (), ())
    return Cell(
        {},
        np.array(clip, np.int32),
        np.array(begin, np.float32),
        Answers(
            np.array(window, np.int32),
            np.array(reference, np.int32),
            np.full(len(window), 0.9, np.float32),
            np.array(offset, np.float32),
        ),
    )


def test_verdicts() -> None:
    found = judge(
        cell(
            clip=[0, 0, 0, 0, 0, 3],
            begin=[1, 1, 1, 1, 1, np.nan],
            answers=[
                (0, 0, 1.2),  # right
                (1, 0, 3.0),  # right recording, wrong place
                (2, 1, 1.0),  # another clip of the source
                (3, 2, 1.0),  # tie: the same speaker ...
                (3, 0, 1.0),  # ... and the right one
                (5, 3, 0.0),  # right, place unknown; query 4 has no answer
            ],
        ),
        LABELLED,
    )
    assert found.identified.tolist() == [1, 1, 0, 0.5, 0, 1]
    assert found.placed[:5].tolist() == [1, 0, 0, 0.5, 0]
    assert np.isnan(found.placed[5])
    assert found.source.tolist() == [1, 1, 1, 0.5, 0, 1]
    assert found.speaker.tolist() == [1, 1, 1, 1, 0, 1]
    assert found.score[3] == np.float32(0.9)
    assert found.score[4] == -np.inf


def test_hashes_that_only_fill_the_store_are_never_right() -> None:
    found = judge(cell([0, 0], [0, 0], [(0, 4, 0), (1, 0, 0), (1, 4, 0)]), LABELLED)
    for shares in (found.identified, found.placed, found.source, found.speaker):
        assert shares.tolist() == [0, 0.5]


def test_no_answers_at_all() -> None:
    found = judge(cell([0, 1], [0, 0], []), LABELLED)
    assert found.identified.tolist() == [0, 0]


def test_an_accuracy_table_sums_up_extreme_and_lifelike_transformations() -> None:
    def counted(right: list[float]) -> Counted:
        return Counted({"clips": 2, **HEADER}, tallies(verdicts([0, 1], right, [1, 1]), 4))

    cells = {
        ("Babble5dB", 2): counted([1, 0.5]),
        ("Echo", 2): counted([1, 0]),
        ("Original", 2): counted([1, 1]),
        ("Reverse", 2): counted([0, 0]),
    }
    key = ("samaf:X", "test")
    bits = {"Echo": Separation(0.1, 0.02, 0.5, 0.04, 0.25, 9)}
    table = tables.accuracy(replace(report(), cells={key: cells}, separations={key: bits}), *key)
    assert table.name == "accuracy-samaf+X-test"
    assert table.head == ("transformation", "2 s", "BER, true", "BER, impostors", "overlap")
    values = [(line[0], line[1].value) for line in table.body if isinstance(line[1], Estimate)]
    assert values == [
        ("Original", 1),
        ("Echo", 0.5),
        ("Reverse", 0),
        ("Babble5dB", 0.75),
        ("mean", 0.5),
        ("mean, 6 out", 0.75),
        ("worst, 6 out", 0.5),
        ("mean, real life", 0.75),
    ]
    assert table.body[1][2:] == ("0.100±0.02", "0.500±0.04", "0.250")
    assert table.body[0][2:] == ("-", "-", "-")
