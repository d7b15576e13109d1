"""Untouched excerpts, compared with themselves and with the recordings that hold them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import samaf
from benchmarks.sampling import generator, required
from benchmarks.tables import Line
from benchmarks.terminal import Progress
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import wav
from samaf.records import Comparison
from samaf.training.corpora import Corpus

SECONDS = (1.2, 4.0)  # of an excerpt
RIGHT_SECONDS = 0.05
LOW_BER = 0.01


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison gave for an excerpt.

    Attributes
    ----------
    rows
        How many matches.
    ber, altered, error
        Of the best one: bit error rate, manipulation, and how far its place is off, in s.
    """

    name: str
    rows: int
    ber: float = 1.0
    altered: str = ""
    error: float = 0.0

    @property
    def right(self) -> bool:
        """Whether it is found where it was cut, as unaltered."""
        found = self.rows and not self.altered and self.error <= RIGHT_SECONDS
        return bool(found) and self.ber < LOW_BER


Outcome = tuple[Compared, Compared, Compared]  # with itself, in the recording, the other way round


def measure(corpus: Corpus, split: str, count: int, progress: Progress) -> list[Line]:
    """Cut an excerpt out of each of so many recordings, anywhere, and compare."""
    clips = required(corpus, "speech", split)
    chosen = generator("excerpts").permutation(len(clips))[:count]
    outcomes: list[Outcome] = []
    for number in chosen.tolist():
        path = clips[number].path
        rng = generator("excerpts", path.name)
        speech = load(path)
        length = min(len(speech), round(rng.uniform(*SECONDS) * SAMPLE_RATE))
        first = int(rng.integers(0, len(speech) - length + 1))
        excerpt = wav(speech[first : first + length])
        name = f"{path.stem} from {first / SAMPLE_RATE:.2f} s, {length / SAMPLE_RATE:.2f} s long"
        start = first / SAMPLE_RATE
        outcomes.append(
            (
                compared(name, samaf.compare(excerpt, excerpt), 0.0),
                compared(name, samaf.compare(excerpt, path), -start),
                compared(name, samaf.compare(path, excerpt), start),
            )
        )
        progress(len(outcomes), len(chosen))
    return judged(outcomes)


def compared(name: str, comparison: Comparison, place: float) -> Compared:
    """Judge the best match: the first file should begin ``place`` s into the second."""
    match = comparison.match
    if match is None:
        return Compared(name, 0)
    error = abs(match.query_start - match.reference_start - place)
    return Compared(name, len(comparison.matches), match.ber, str(match.manipulation), error)


def judged(outcomes: Sequence[Outcome]) -> list[Line]:
    """Count what is right, and list what is not."""
    ways = ("with itself", "with its recording", "its recording with it")
    measures: Sequence[tuple[str, Callable[[Compared], bool]]] = (
        ("found", lambda c: c.rows > 0),
        ("unaltered", lambda c: c.rows > 0 and not c.altered),
        (f"within {RIGHT_SECONDS:g} s", lambda c: c.rows > 0 and c.error <= RIGHT_SECONDS),
        (f"BER below {LOW_BER:g}", lambda c: c.ber < LOW_BER),
        ("all of these", lambda c: c.right),
        ("one row", lambda c: c.rows == 1),
    )
    lines: list[Line] = [("excerpts", f"{len(outcomes)}")]
    for way, results in zip(ways, zip(*outcomes, strict=True), strict=True):
        lines += [
            (f"{way}: {what}", f"{sum(map(holds, results))} of {len(results)}")
            for what, holds in measures
        ]
        lines.append((f"{way}: highest BER", f"{max(c.ber for c in results):.4f}"))
        lines += [(f"not right {way}: {c.name}", _shown(c)) for c in results if not c.right]
    return lines


def _shown(result: Compared) -> str:
    if not result.rows:
        return "nothing in common"
    altered = result.altered or "unaltered"
    return f"{altered}, BER {result.ber:.3f}, {result.error:.2f} s off"
