"""What the check says, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.calibration.deep import DeepTrial
from benchmarks.calibration.validation import STATED, Judged, cllr, least_cllr, passing
from benchmarks.metrics import Estimate

DEEP_SECONDS = (("deep", 0.0, 99.0), ("deep, below 4 s", 0.0, 4.0), ("deep, from 4 s", 4.0, 99.0))
BEYOND = (1, 2)  # log10 likelihood ratios that misleading ones are counted at


def rates(
    judged: Judged, groups: Mapping[str, np.ndarray], deep: Sequence[DeepTrial]
) -> Iterator[str]:
    """Compare stated rates with the shares of impostors that pass."""
    yield "| impostors | queries | voices | " + " | ".join(f"{r:g}" for r in STATED) + " |"
    yield "| --- | ---: | ---: | " + " | ".join("---:" for _ in STATED) + " |"
    for name, chosen in groups.items():
        yield _line(name, [judged.passing(rate, chosen) for rate in STATED])
    for name, low, high in DEEP_SECONDS:
        few = [t for t in deep if low <= t.seconds < high]
        if few:
            found, voices = np.array([t.score for t in few]), [t.voice for t in few]
            yield _line(name, [passing(found, voices, rate) for rate in STATED])


def _line(name: str, estimates: Sequence[Estimate]) -> str:
    first = estimates[0]
    shares = [f"{e.value:.2g} ({e.low:.2g}-{e.high:.2g})" for e in estimates]
    return f"| {name} | {first.queries:,} | {first.clips} | " + " | ".join(shares) + " |"


def ratios(judged: Judged, groups: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Tell what likelihood ratios cost and how often they mislead."""
    heads = [f"false, LR > {10**b:g}" for b in BEYOND] + [f"true, LR < 1/{10**b:g}" for b in BEYOND]
    yield "| queries | true | false | Cllr | least Cllr | " + " | ".join(heads) + " |"
    yield "| --- |" + " ---: |" * (4 + len(heads))
    genuine = np.array([t.genuine for t in judged.trials])
    for name, chosen in groups.items():
        true, false = judged.own_ratios[chosen & genuine], judged.ratios[chosen]
        if not len(true):
            continue
        # The least cost is told from the scores: bounds make ties of what they cut.
        least = least_cllr(judged.own[chosen & genuine], judged.scores[chosen])
        misled = [(false > b).mean() for b in BEYOND] + [(true < -b).mean() for b in BEYOND]
        cells = [f"{cllr(true, false):.3f}", f"{least:.3f}", *(f"{m:.2g}" for m in misled)]
        yield f"| {name} | {len(true):,} | {len(false):,} | " + " | ".join(cells) + " |"
