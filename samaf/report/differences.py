"""Two records of the same examination compared, value by value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from samaf.report.record import Examination

# That numbers share at least where they differ by rounding alone: processors add float32 in other
# orders, which moves states by 1e-6 and scores by 1e-5 of their values.
DIGITS = 4
# What says when, where and with what, and none of the results.
UNCOMPARED = frozenset(
    "made_at command case given language pictures audio entries judgements".split()
)
SURROUNDINGS = frozenset("program store recording_id added_at labels index".split())


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not the same.

    Attributes
    ----------
    where
        Names of the fields that lead to it.
    kind
        "result", "rounding" (a number of a result that is the same to 4 digits), or
        "surroundings" (versions, the store).
    """

    where: str
    recorded: str
    now: str
    kind: str


def differences(recorded: Examination, now: Examination) -> tuple[Difference, ...]:
    """List all values of two records that differ; numbers are the same only to the last bit."""
    return tuple(_differences(asdict(recorded), asdict(now), "", "result"))


def verdict(found: tuple[Difference, ...]) -> str:
    """Say "identical", "the same to 4 digits" or "different" of the results."""
    kinds = {difference.kind for difference in found}
    if "result" in kinds:
        return "different"
    return f"the same to {DIGITS} digits" if "rounding" in kinds else "identical"


def _differences(one: Any, other: Any, where: str, kind: str) -> Iterator[Difference]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one:
            if key in UNCOMPARED:
                continue
            at = f"{where}.{key}" if where else key
            below = "surroundings" if key in SURROUNDINGS else kind
            yield from _differences(one[key], other[key], at, below)
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if len(one) != len(other):
            yield Difference(where, f"{len(one)} entries", f"{len(other)} entries", kind)
        for number, (a, b) in enumerate(zip(one, other, strict=False), 1):
            yield from _differences(a, b, f"{where} {number}", kind)
    elif one != other:
        is_rounded = kind == "result" and _nearly(one, other)
        yield Difference(where, f"{one}", f"{other}", "rounding" if is_rounded else kind)


def _nearly(one: Any, other: Any) -> bool:
    if not (type(one) is type(other) is float):
        return False
    return abs(one - other) <= 10.0**-DIGITS * max(abs(one), abs(other))
