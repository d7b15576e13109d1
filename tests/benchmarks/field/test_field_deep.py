"""What a deep query is charged, fitted to impostors of a known law."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.errors import BenchmarkError
from benchmarks.field import deep
from benchmarks.field.answers import ANSWERS, SETTINGS, Answer
from benchmarks.field.plan import NO_SOURCE, NO_SPEAKER
from samaf.fingerprinters import ScoreCalibration
from samaf.fingerprinters.card import Decision
from samaf.matching.calibration import for_deep
from samaf.matching.evidence import EVIDENCE

SPEAKERS, QUERIES, EXCESS = 40, 4_000, 0.4


def _answers() -> list[Answer]:
    """Make answers whose best score is 0.4 decades above the one that was stated."""
    rng = np.random.default_rng(26)
    made = []
    for n in range(QUERIES):
        ber = EXCESS + rng.exponential(1 / np.log(10))
        candidate = {"recording": "other", **dict.fromkeys(EVIDENCE, 0.0), "ber": ber}
        asked = (f"s{n}/a", f"s{n % SPEAKERS}", "Clean", 1.0 + n % 2)
        made.append(Answer(*asked, NO_SOURCE, 0.0, 1.0, {}, [], [candidate]))
        made.append(Answer(*asked, NO_SPEAKER, 0.0, 1.0, {}, [], [{**candidate, "ber": 9.0}]))
    return made


DATA = deep.impostors(_answers())


def test_the_charge_is_what_passes_beyond_the_stated_rate() -> None:
    free = replace(ScoreCalibration(), decision=Decision(knee=3.0, slope=0.5))
    charged = deep.charged(DATA, free)
    assert charged.decision.deep == pytest.approx(EXCESS, abs=0.05)
    assert for_deep(charged).decision.intercept == pytest.approx(-charged.decision.deep)
    assert deep.charged(DATA, charged) == charged


def test_the_charge_is_taken_from_what_lies_below_the_bend() -> None:
    # Above a knee at 0.5 half of the evidence counts: a charge of so many decades takes half as
    # many from the score, until it falls below.
    bent = replace(ScoreCalibration(), decision=Decision(knee=0.5, slope=0.5))
    assert deep.charged(DATA, bent).decision.deep == pytest.approx(EXCESS, abs=0.05)


def test_no_query_is_paid_for_passing_too_seldom() -> None:
    strict = replace(ScoreCalibration(), decision=Decision(intercept=-2.0, knee=3.0, slope=0.5))
    assert deep.charged(DATA, strict).decision.deep == 0


def test_the_check_shows_what_passes_with_and_without_a_charge() -> None:
    bent = replace(ScoreCalibration(), decision=Decision(knee=3.0, slope=0.5))
    lines = deep.checked(DATA, bent).splitlines()
    passed = {
        line.split("|")[1].strip(): float(line.split("|")[3].split()[0])
        for line in lines
        if line.startswith(("| all", "| 1 s", "| 2 s"))
    }
    assert passed["all, without a charge"] == pytest.approx(10 * 10**EXCESS, rel=0.1)
    for name in ("all", "1 s", "2 s"):
        assert passed[name] == pytest.approx(10, rel=0.2)


def test_too_few_queries_are_refused() -> None:
    few = deep.impostors(_answers()[:20])
    with pytest.raises(BenchmarkError, match="10 deep queries are too few"):
        deep.charged(few, ScoreCalibration())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"split": "test", "search": "deep"}, "the test split is for reporting"),
        ({"split": "validation", "search": "plain"}, "was made with the plain search"),
    ],
)
def test_answers_that_are_not_for_this_fit_are_refused(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    (tmp_path / SETTINGS).write_text(json.dumps(settings))
    (tmp_path / ANSWERS).write_text(json.dumps(asdict(_answers()[0])) + "\n")
    done = CliRunner().invoke(main, ["field", "deep", str(tmp_path)])
    assert done.exit_code == 1
    assert said in done.output
