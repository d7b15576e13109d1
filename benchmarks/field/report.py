"""Tables and the DET figure, made of raw answers."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from benchmarks.field.answers import ANSWERS, SETTINGS, Answer, read_answers
from benchmarks.field.conditions import CONDITIONS, Condition
from benchmarks.field.plan import NO_OTHERS, NO_SOURCE, NO_SPEAKER
from benchmarks.field.scoring import by_speaker, costs, wilson
from benchmarks.files import writing
from benchmarks.metrics import Detection, detection
from benchmarks.plots import panels, save

REPORT, FIGURE = "report.md", "det.png"
STATED = (0.1, 0.01, 0.001)
# What the store lacks, and the score that decides.
POPULATIONS = {"speech": (NO_SOURCE, "score"), "prompts": (NO_SPEAKER, "score_same_text")}
SHOWN_RATES = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95)  # on the axes of the figure


def write(folder: Path) -> str:
    """Write report.md and det.png beside the answers of a folder; give the report."""
    answers = [a for a in read_answers(folder / ANSWERS) if a.without != NO_OTHERS]
    settings = json.loads((folder / SETTINGS).read_text("utf-8"))
    text = report(answers, settings)
    with writing(folder / REPORT) as path:
        path.write_text(text, "utf-8")
    draw(answers, folder / FIGURE)
    return text


def report(answers: Sequence[Answer], settings: dict[str, Any]) -> str:
    """Give all tables as Markdown."""
    clips = {a.clip for a in answers}
    speakers = {a.speaker for a in answers}
    seconds = np.median([a.elapsed for a in answers]) if answers else float("nan")
    head = (
        f"{len(answers):,} queries of {len(clips)} clips of {len(speakers)} speakers, "
        f"{settings['split']} split; {settings['search']} search with the program's defaults, "
        f"model {settings['model'][:12]}, stores {settings['times']}x; median {seconds:.2f} s a "
        "query. Babble comes from speakers of whom nothing is stored, and is not in the means."
    )
    parts = [head, _overview(answers), _passing(answers)]
    if any("verified" in m for a in answers for m in a.matches):
        parts.append(_verified(answers))
    parts.append(_costs(of_speech(answers)))
    parts += [_details(answers, length) for length in _lengths(answers)]
    return "\n\n".join(parts) + "\n"


def for_fits(answers: Iterable[Answer]) -> list[Answer]:
    """Keep the queries of stores that differ in the clip's recording alone.

    Nothing else of its collection is stored, so that rivals are as near on both sides.
    """
    return [a for a in answers if a.without in (NO_SOURCE, NO_OTHERS)]


def of_speech(answers: Iterable[Answer]) -> list[Answer]:
    """Leave out the queries of a store that may hold readings of their text."""
    return [a for a in answers if a.without != NO_SPEAKER]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the queries whose recording is stored came out in what way, 0..1."""

    first: float
    right: float
    wrong: float
    unknown: float
    queries: int


def share(answers: Sequence[Answer]) -> Share:
    """Count the outcomes of queries whose recording is stored."""
    n = len(answers)
    if not n:
        nan = float("nan")
        return Share(nan, nan, nan, nan, 0)
    right, wrong = sum(a.right for a in answers), sum(a.wrong for a in answers)
    first = sum(a.right_first for a in answers)
    return Share(first / n, right / n, wrong / n, (n - right - wrong) / n, n)


def _overview(answers: Sequence[Answer]) -> str:
    """Give the table of the issue: right first at any score / right said, by length."""
    lengths, known = _lengths(answers), _grouped(a for a in answers if a.stored)
    title = "## Right recording first at any score / right recording said, %"
    lines = [_row(["condition", *(f"{x:g} s" for x in lengths)]), _rule(len(lengths))]
    means: dict[float, list[Share]] = defaultdict(list)
    for condition in _present(answers):
        cells = [share(known[condition.name, x]) for x in lengths]
        lines.append(_row([condition.title, *map(_pair, cells)]))
        for x, cell in zip(lengths, cells, strict=True):
            if cell.queries and not condition.babble:
                means[x].append(cell)
    lines.append(_row(["**mean**", *(_pair(_mean(means[x])) for x in lengths)]))
    return "\n".join([title, "", *lines])


def _mean(shares: Sequence[Share]) -> Share:
    if not shares:
        return share([])
    first, right, wrong, unknown = np.mean(
        [(s.first, s.right, s.wrong, s.unknown) for s in shares], axis=0
    ).tolist()
    return Share(first, right, wrong, unknown, sum(s.queries for s in shares))


def _passing(answers: Sequence[Answer]) -> str:
    """Give the share of impostors that pass at stated rates, and wrong recordings said."""
    title = "## Queries whose recording is not stored: share that passes at a stated rate, %"
    note = (
        "Population speech: the store lacks all of the clip's collection, and so what may share "
        "its text. Prompts: it lacks the clip's speaker. 95 % intervals: by Wilson, then by "
        "drawing speakers."
    )
    head = ["population, queries", "n", *(f"{rate:g}" for rate in STATED)]
    lines = [_row(head), _rule(len(head) - 1)]
    chosen = {"all": [a for a in answers if not _condition(a).babble]}
    for x in _lengths(answers):
        chosen[f"{x:g} s"] = [a for a in chosen["all"] if a.seconds == x]
    chosen["babble"] = [a for a in answers if _condition(a).babble]
    for population, (without, score) in POPULATIONS.items():
        for name, some in chosen.items():
            outside = [a for a in some if a.without == without]
            if outside:
                best = [best_score(a, score) for a in outside]
                cells = [_rate([b >= -np.log10(r) for b in best], outside) for r in STATED]
                lines.append(_row([f"{population}, {name}", f"{len(outside):,}", *cells]))
    inside = [a for a in chosen["all"] if a.stored]
    wrong = f"Recording stored, another one said: {_rate([a.wrong for a in inside], inside)} %."
    return "\n".join([title, "", note, "", *lines, "", wrong])


def _verified(answers: Sequence[Answer]) -> str:
    """Give the share of queries that the signals verify a recording of, the right or another."""
    some = [a for a in answers if not _condition(a).babble]
    lines = ["## Verified by the signals: share of queries, %", ""]
    for title, chosen, right in (
        ("Recording stored, verified", [a for a in some if a.stored], True),
        ("Recording stored, another one verified", [a for a in some if a.stored], False),
        ("Recording not stored, another one verified", [a for a in some if not a.stored], False),
    ):
        if chosen:
            hits = [
                any(m.get("verified") and (a.stored and a.is_right(m)) == right for m in a.matches)
                for a in chosen
            ]
            lines.append(f"- {title}: {_rate(hits, chosen)} of {len(chosen):,}")
    return "\n".join(lines)


def best_score(answer: Answer, name: str = "score") -> float:
    """Give the highest score of any candidate; -inf where there is none."""
    return max((float(c[name]) for c in answer.candidates), default=-np.inf)


def _rate(hits: Sequence[bool], answers: Sequence[Answer]) -> str:
    low, high = wilson(sum(hits), len(hits))
    drawn = by_speaker(hits, [a.speaker for a in answers])
    return (
        f"{100 * drawn.value:.2f} ({100 * low:.2f}-{100 * high:.2f}; "
        f"{100 * drawn.low:.2f}-{100 * drawn.high:.2f})"
    )


def _costs(answers: Sequence[Answer]) -> str:
    title = "## Likelihood ratios: cost in bits, 95 % intervals by speaker"
    lines = [_row(["queries", "Cllr", "minimum Cllr", "equal error rate, %"]), _rule(3)]
    some = [a for a in answers if not _condition(a).babble]
    floor = min((_ratio(a) for a in some if a.candidates), default=0.0)
    for name, length in [("all", None), *((f"{x:g} s", x) for x in _lengths(answers))]:
        chosen = [a for a in some if length in (None, a.seconds)]
        ratios = np.array([_ratio(a) if a.candidates else floor for a in chosen])
        stored = np.array([a.stored for a in chosen], bool)
        speakers = np.array([a.speaker for a in chosen], str)
        both = costs(ratios[stored], ratios[~stored], speakers[stored], speakers[~stored])
        rate = 100 * curve(chosen).equal_error_rate
        lines.append(_row([name, *map(str, both), f"{rate:.1f}"]))
    return "\n".join([title, "", *lines])


def _ratio(answer: Answer) -> float:
    return max(float(c["log10_lr"]) for c in answer.candidates)


def _details(answers: Sequence[Answer], length: float) -> str:
    known = _grouped(a for a in answers if a.stored and a.seconds == length)
    head = ["condition", "n", "right first at any score", "right", "wrong", "unknown"]
    lines = [_row(head), _rule(len(head) - 1)]
    for condition in _present(answers):
        some = known[condition.name, length]
        if some:
            shares, speakers = share(some), [a.speaker for a in some]
            right = by_speaker([a.right for a in some], speakers)
            interval = f" ({100 * right.low:.0f}-{100 * right.high:.0f})"
            cells = [
                f"{100 * v:.0f}" for v in (shares.first, shares.right, shares.wrong, shares.unknown)
            ]
            cells[1] += interval
            lines.append(_row([condition.title, str(shares.queries), *cells]))
    return "\n".join([f"## {length:g} s, recording stored, %", "", *lines])


# The figure --------------------------------------------------------------------------


def curve(answers: Sequence[Answer]) -> Detection:
    """Sweep the threshold over queries with and without their recording in the store."""
    inside = [a for a in answers if a.stored]
    return detection(
        np.array([float(a.right_first) for a in inside]),
        np.array([float(a.candidates[0]["score"]) if a.candidates else -np.inf for a in inside]),
        np.array([best_score(a) for a in answers if not a.stored]),
    )


def draw(answers: Sequence[Answer], path: Path) -> None:
    """Draw missed against false answers by length, both axes in normal deviates."""
    figure, ((axes,),) = panels(1, 1, 6, 6)
    for length in _lengths(answers):
        chosen = (a for a in of_speech(answers) if a.seconds == length)
        found = curve([a for a in chosen if not _condition(a).babble])
        axes.plot(
            _deviates(found.false_positive), _deviates(found.missed), label=f"{length:g} s", lw=1.3
        )
    ticks = _deviates(np.array(SHOWN_RATES))
    labels = [f"{100 * rate:g}" for rate in SHOWN_RATES]
    axes.set_xticks(ticks, labels)
    axes.set_yticks(ticks, labels)
    axes.set_xlim(ticks[0], ticks[-1])
    axes.set_ylim(ticks[0], ticks[-1])
    axes.set_xlabel("recording not stored, an answer is given, %")
    axes.set_ylabel("recording stored, right answer not given, %")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="upper right")
    save(figure, path)


def _deviates(rates: np.ndarray) -> np.ndarray:
    normal = NormalDist()
    return np.array([normal.inv_cdf(float(np.clip(r, 1e-5, 1 - 1e-5))) for r in rates])


# Parts -------------------------------------------------------------------------------

_BY_NAME = {condition.name: condition for condition in CONDITIONS}


def _condition(answer: Answer) -> Condition:
    return _BY_NAME[answer.condition]


def _present(answers: Sequence[Answer]) -> list[Condition]:
    there = {a.condition for a in answers}
    return [condition for condition in CONDITIONS if condition.name in there]


def _lengths(answers: Sequence[Answer]) -> list[float]:
    return sorted({a.seconds for a in answers})


def _grouped(answers: Iterable[Answer]) -> dict[tuple[str, float], list[Answer]]:
    groups: dict[tuple[str, float], list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[answer.condition, answer.seconds].append(answer)
    return groups


def _pair(found: Share) -> str:
    return f"{100 * found.first:.0f} / {100 * found.right:.0f}" if found.queries else "-"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rule(columns: int) -> str:
    return "| --- |" + " ---: |" * columns
