"""What the check says: tables, and calibration and Tippett plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.calibration.deep import DeepTrial
from benchmarks.calibration.validation import STATED, Judged, cllr, least_cllr, passing
from benchmarks.metrics import Estimate
from benchmarks.plots import COLOURS, panels
from benchmarks.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEEP_SECONDS = (("deep", 0.0, 99.0), ("deep, below 4 s", 0.0, 4.0), ("deep, from 4 s", 4.0, 99.0))
BEYOND = (1, 2)  # log10 likelihood ratios that misleading ones are counted at
RATES = 10.0 ** -np.linspace(0.5, 3.5, 13)
ALIKE = 0.25  # bit error rate below which another recording looks like an altered copy
DPI = 80  # keeps a picture below 100 kB


def rates(
    title: str, judged: Judged, groups: Mapping[str, np.ndarray], deep: Sequence[DeepTrial]
) -> Table:
    """Compare stated rates with the shares of impostors that pass."""

    def lines() -> Iterator[tuple[str | int, ...]]:
        for name, chosen in groups.items():
            yield _line(name, [judged.passing(rate, chosen) for rate in STATED])
        for name, low, high in DEEP_SECONDS:
            few = [t for t in deep if low <= t.seconds < high]
            if few:
                scores, voices = np.array([t.score for t in few]), [t.voice for t in few]
                yield _line(name, [passing(scores, voices, rate) for rate in STATED])

    return Table(
        "rates",
        title,
        "With 95 % intervals over voices.",
        ("impostors", "queries", "voices", *(f"{r:g}" for r in STATED)),
        tuple(lines()),
    )


def _line(name: str, estimates: Sequence[Estimate]) -> tuple[str | int, ...]:
    shares = (f"{e.value:.2g} ({e.low:.2g}-{e.high:.2g})" for e in estimates)
    return (name, estimates[0].queries, estimates[0].clips, *shares)


def ratios(judged: Judged, groups: Mapping[str, np.ndarray]) -> Table:
    """Show what likelihood ratios cost and how often they mislead."""
    genuine = np.array([t.genuine for t in judged.trials])
    body: list[tuple[str | int, ...]] = []
    for name, chosen in groups.items():
        true, false = judged.own_ratios[chosen & genuine], judged.ratios[chosen]
        if not len(true):
            continue
        # The least cost comes from the scores: bounds make ties of what they cut.
        least = least_cllr(judged.own[chosen & genuine], judged.scores[chosen])
        misled = [(false > b).mean() for b in BEYOND] + [(true < -b).mean() for b in BEYOND]
        costs = f"{cllr(true, false):.3f}", f"{least:.3f}"
        body.append((name, len(true), len(false), *costs, *(f"{m:.2g}" for m in misled)))
    heads = [f"false, LR > {10**b:g}" for b in BEYOND] + [f"true, LR < 1/{10**b:g}" for b in BEYOND]
    return Table(
        "ratios",
        "Likelihood ratios",
        "",
        ("queries", "true", "false", "Cllr", "least Cllr", *heads),
        tuple(body),
    )


def nearest(judged: Judged, groups: Mapping[str, np.ndarray]) -> Table:
    """Show how near other recordings come to clips: mostly other voices that say the same text."""
    rates = np.array([t.found[0][0] if t.found else np.nan for t in judged.trials])
    body = []
    for name, chosen in groups.items():
        found = rates[chosen & ~np.isnan(rates)]
        if len(found):
            below = 100 * (found < ALIKE).sum() / chosen.sum()
            body.append((name, int(chosen.sum()), f"{found.mean():.3f}", f"{below:.2f}"))
    return Table(
        "nearest",
        "Bit error rate of the best match in another recording",
        "",
        ("impostors", "queries", "mean", f"below {ALIKE:g}, %"),
        tuple(body),
    )


def calibration(
    judged: Judged, groups: Mapping[str, np.ndarray], deep: Sequence[DeepTrial]
) -> Figure:
    """Draw met over stated rates: kinds of sound on the left, lengths on the right."""
    figure, ((left, right),) = panels(1, 2, 5, 4)
    seconds = {name: g for name, g in groups.items() if name.endswith(" s")}
    kinds = {name: g for name, g in groups.items() if name not in seconds}
    for panel, chosen in ((left, kinds), (right, seconds)):
        for number, (name, group) in enumerate(chosen.items()):
            met = [judged.passing(rate, group) for rate in RATES]
            values, low, high = (
                np.array([getattr(e, part) for e in met]) for part in ("value", "low", "high")
            )
            _curve(panel, values, name, number)
            if name == "all":
                panel.fill_between(RATES, low, high, color=COLOURS[number], alpha=0.15, linewidth=0)
        _frame(panel)
    if deep:
        voices = [t.voice for t in deep]
        scores = np.array([t.score for t in deep])
        values = np.array([passing(scores, voices, rate).value for rate in RATES])
        _curve(left, values, f"deep ({len(deep)})", len(kinds))
    for panel in (left, right):
        panel.legend(fontsize=7, frameon=False)
    return figure


def _curve(panel: Axes, values: np.ndarray, name: str, number: int) -> None:
    colour = COLOURS[number % len(COLOURS)]
    stroke = "-" if number < len(COLOURS) else "--"
    shown = np.where(values > 0, values, np.nan)
    panel.plot(RATES, shown, stroke, color=colour, label=name, linewidth=1.2)


def _frame(panel: Axes) -> None:
    ends = np.array([RATES[-1], RATES[0]])
    panel.plot(ends, ends, color="black", linewidth=0.8)
    for factor in (0.5, 2):
        panel.plot(ends, factor * ends, ":", color="black", linewidth=0.8)
    panel.set(
        xscale="log",
        yscale="log",
        xlim=ends,
        ylim=(1e-4, 1),
        xlabel="stated rate of false matches",
        ylabel="share of impostors that pass",
    )
    panel.grid(alpha=0.25)


def tippett(judged: Judged, chosen: np.ndarray) -> Figure:
    """Draw how many true and false matches have more than a likelihood ratio."""
    figure, ((panel,),) = panels(1, 1, 5, 4)
    genuine = np.array([t.genuine for t in judged.trials])
    sides = {
        "from the recording": judged.own_ratios[chosen & genuine],
        "from none in the store": judged.ratios[chosen],
    }
    for number, (name, values) in enumerate(sides.items()):
        along = np.sort(values)
        above = 1 - np.arange(len(along)) / len(along)
        panel.step(along, 100 * above, where="pre", color=COLOURS[number], label=name)
    panel.axvline(0, color="black", linewidth=0.8)
    panel.set(xlabel="log10 likelihood ratio", ylabel="queries with at least that, %")
    panel.grid(alpha=0.25)
    panel.legend(fontsize=8, frameon=False)
    return figure
