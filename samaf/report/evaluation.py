"""From likelihood ratios to words: the verbal scale of ENFSI's guideline of 2015.

ENFSI guideline for evaluative reporting in forensic science (2015). The words of a ratio never
say more than the ratio itself, which never exceeds what its calibration supports.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf, log10


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the scale: ratios from ``lowest`` up to the next step."""

    lowest: float
    words: str


SCALE = (
    Step(1, "no support for either proposition over the other"),
    Step(2, "weak support"),
    Step(10, "moderate support"),
    Step(100, "moderately strong support"),
    Step(1_000, "strong support"),
    Step(10_000, "very strong support"),
    Step(1_000_000, "extremely strong support"),
)


def step_of(log10_lr: float) -> Step:
    """Give the step of the scale for the size of a ratio, whichever proposition it favours."""
    size = abs(log10_lr)
    return max((step for step in SCALE if log10(step.lowest) <= size), key=lambda s: s.lowest)


def ratio_words(log10_lr: float) -> str:
    """Write a likelihood ratio as a number that is never larger than it is: "about 140".

    Examples
    --------
    >>> ratio_words(2.16), ratio_words(0.0), ratio_words(-1.13)
    ('about 140', 'about 1', 'about 1/13')
    """
    size = 10 ** abs(log10_lr)
    digits = max(0, floor(log10(size * (1 + 1e-12))) - 1)
    rounded = floor(size * (1 + 1e-12) / 10**digits) * 10**digits
    text = f"{rounded:,}"
    return f"about 1/{text}" if log10_lr < 0 and rounded > 1 else f"about {text}"


def bounded(log10_lr: float, lowest: float, highest: float) -> float:
    """Hold a ratio within what its calibration supports."""
    return min(max(log10_lr, lowest), highest)


def support_sentence(log10_lr: float, first: str, second: str) -> str:
    """Say in one sentence what a ratio means for two propositions, such as H1 and H2a."""
    step = step_of(log10_lr)
    if step is SCALE[0]:
        return f"The result gives {step.words} ({first} and {second})."
    favoured, other = (first, second) if log10_lr > 0 else (second, first)
    return f"The result gives {step.words} for {favoured} relative to {other}."


def scale_rows() -> tuple[tuple[str, str], ...]:
    """Give the whole scale as rows of a table: ratios, words."""
    uppers = [step.lowest for step in SCALE[1:]] + [inf]
    return tuple(
        (
            f"{step.lowest:,} to {upper:,}" if upper < inf else f"{step.lowest:,} and more",
            step.words,
        )
        for step, upper in zip(SCALE, uppers, strict=True)
    )
