"""Tables of what was verified, and the calibration that is fitted to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log10, nan

import numpy as np

from benchmarks.verification.conditions import CONDITIONS
from benchmarks.verification.shared_sounds import SHARED
from samaf.verification.calibration import DECISION, score_of
from samaf.verification.tempo import TRIES

SAME_RECORDING = "same recording"  # at another place
TAIL = 0.1  # of the wrong candidates: the highest, to which a tail is fitted


@dataclass(frozen=True, slots=True)
class Answer:
    """One verified candidate; ``kind`` is right, or what sort of wrong one it was.

    ``z_elsewhere`` is the highest correlation at other lags of the recording. ``searched`` says
    that the tempo was found by the signals.
    """

    condition: str
    seconds: float
    kind: str
    z_waveform: float
    z_windows: float
    score: float
    z_elsewhere: float = nan
    searched: bool = False

    @property
    def altered(self) -> bool:
        """Whether its condition changes time or pitch, or may change the tempo."""
        return self.searched or self.condition in ALTERED

    @property
    def is_right(self) -> bool:
        """Whether the clip was cut from the recording."""
        return self.kind == "right"

    @property
    def is_wrong(self) -> bool:
        """Whether clip and recording share no sound at all where they were compared."""
        if self.is_right or self.kind == SHARED or self.condition in MIXED:
            return False
        return not (self.searched and self.kind == SAME_RECORDING)  # the search reaches the clip


ALTERED = frozenset(
    c.name for c in CONDITIONS if c.manipulation.tau != 1 or c.manipulation.rho != 1
)
MIXED = frozenset({"babble 0 dB"})  # of recordings of the same corpus: a wrong one may be right


def tables(answers: Sequence[Answer]) -> str:
    """Write what was verified of right candidates, and how high wrong ones came."""
    lengths = sorted({a.seconds for a in answers})
    head = ["condition", *(f"{s:g} s" for s in lengths)]
    lines = [head, ["---", *("---:" for _ in lengths)]]
    for name in dict.fromkeys(a.condition for a in answers):
        cells = [
            _cell([a for a in answers if a.condition == name and a.seconds == s]) for s in lengths
        ]
        lines.append([name, *cells])
    means = []
    for s in lengths:
        right = [_score(a) >= DECISION for a in answers if a.is_right and a.seconds == s]
        means.append(f"{100 * np.mean(right):.1f}")
    lines.append(["**verified, mean**", *means])
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{text}\n\n{_wrong(answers)}"


def _cell(answers: Sequence[Answer]) -> str:
    """Median of both statistics, and the share verified."""
    right = [a for a in answers if a.is_right]
    verified = 100 * np.mean([_score(a) >= DECISION for a in right])
    waveform, windows = (
        np.median([z(a) for a in right]) for z in (lambda a: a.z_waveform, lambda a: a.z_windows)
    )
    medians = (f"{z:.0f}" if isfinite(z) else "-" for z in (waveform, windows))
    return f"{' / '.join(medians)} / {verified:.0f} %"


def _wrong(answers: Sequence[Answer]) -> str:
    lines = ["wrong candidates", "", "| kind | number | waveform 50 / 90 / 99 / 100 % | windows "]
    lines[-1] += "| score of 1 / 2 / 3 / 4 or more |"
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    wrong = [a for a in answers if a.is_wrong]
    groups = {k: [a for a in wrong if a.kind == k] for k in dict.fromkeys(a.kind for a in wrong)}
    shared = [a for a in answers if a.kind == SHARED]
    for name, group in {**groups, "all": wrong, f"{SHARED} (true)": shared}.items():
        waveform = np.array([a.z_waveform for a in group])
        windows = np.array([a.z_windows for a in group])
        scores = np.array([_score(a) for a in group])
        quantiles = (_quantiles(z[np.isfinite(z)]) for z in (waveform, windows))
        passed = " / ".join(str(int((scores >= s).sum())) for s in (1, 2, 3, 4))
        lines.append(f"| {name} | {len(group):,} | {' | '.join(quantiles)} | {passed} |")
    return "\n".join(lines)


def _quantiles(z: np.ndarray) -> str:
    if not len(z):
        return "-"
    return " / ".join(f"{v:.1f}" for v in np.quantile(z, [0.5, 0.9, 0.99, 1]))


def _score(answer: Answer) -> float:
    """Score by the calibration as it is, not as it was when the answer was kept."""
    tries = TRIES if answer.searched else 1
    return score_of(answer.z_waveform, answer.z_windows, answer.altered, tries)


def fit(answers: Sequence[Answer]) -> str:
    """Fit tails to the highest tenth of the wrong candidates, then the likelihood ratio."""
    wrong = [a for a in answers if a.is_wrong]
    lines = []
    for altered in (False, True):
        group = [a for a in wrong if a.altered == altered]
        for name in ("z_waveform", "z_windows"):
            z = np.array([getattr(a, name) for a in group])
            lines.append(f"{name}, altered {altered}: {_tail(z[np.isfinite(z)])}")
    true = np.array([_score(a) for a in answers if a.is_right])
    false = np.array([_score(a) for a in wrong])
    slope, offset = _logistic(true, false)
    lines.append(f"log10 LR = {offset:.3f} + {slope:.3f} x score, at most {log10(len(false)):.1f}")
    lines.append(f"{len(true):,} right, {len(false):,} wrong candidates")
    return "\n".join(lines)


def _tail(z: np.ndarray) -> str:
    """Fit an exponential to the highest tenth: P(Z > z) = 0.1 exp(-(z - threshold) / scale)."""
    if len(np.unique(z)) < 1 / TAIL:
        return f"too few to fit: {len(z)}"
    threshold = np.quantile(z, 1 - TAIL)
    scale = float(np.mean(z[z > threshold] - threshold))
    start = threshold + scale * np.log(TAIL)
    return f"Tail({start:.2f}, {scale:.2f}) from {len(z):,}, highest {z.max():.1f}"


def _logistic(true: np.ndarray, false: np.ndarray) -> tuple[float, float]:
    """Fit log10 of the likelihood ratio as a line of the score, both sides weighted alike."""
    x = np.concatenate([true, false]).clip(0, 8)
    label = np.concatenate([np.ones(len(true)), np.zeros(len(false))])
    weight = np.where(label == 1, 0.5 / len(true), 0.5 / len(false))
    design = np.stack([x, np.ones(len(x))], axis=1)
    line = np.zeros(2)
    for _ in range(50):  # Newton's method
        chance = 1 / (1 + np.exp(-design @ line))
        curvature = (design.T * (weight * chance * (1 - chance))) @ design + 1e-6 * np.eye(2)
        line += np.linalg.solve(curvature, design.T @ (weight * (label - chance)))
    slope, offset = line / np.log(10)
    return float(slope), float(offset)
