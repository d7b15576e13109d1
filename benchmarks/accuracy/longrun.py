"""An hour of sound with altered excerpts of stored recordings: how much a deep monitor finds.

Speech of the validation split: half of its recordings is stored, with all of the train split,
the other half speaks in between.
"""

from __future__ import annotations

import resource
import tempfile
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from math import log, nan
from pathlib import Path

import click
import numpy as np

import samaf
from benchmarks.accuracy.transformations import (
    Transformation,
    require_sox,
    transform,
)
from benchmarks.errors import BenchmarkError
from benchmarks.surroundings import Surroundings
from benchmarks.tables import Table, Value, markdown
from benchmarks.terminal import corpus_option, model_argument
from samaf.audio import SAMPLE_RATE, load
from samaf.events import StreamMatch
from samaf.records import IDENTITY, Manipulation, Match
from samaf.training.corpora import Clip, Corpus, open_corpus

KINDS = ("as it is", "speed", "tempo", "pitch", "reversed")
STRONGEST = 1.25  # factors from 1 / 1.25 to 1.25
NOWHERE = Surroundings((), (), (), ())
SECONDS = (5.0, 9.0)  # of a reference that an excerpt holds
BETWEEN = (4.0, 10.0)  # of other speech before each excerpt
NEAR = 0.5  # s that a boundary may be off


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Where a reference is in the programme, s, and what was done to it."""

    kind: str
    name: str
    start: float
    stop: float
    manipulation: Manipulation = IDENTITY


@dataclass(slots=True)
class Tally:
    """How the excerpts of one kind were found."""

    excerpts: int = 0
    found: int = 0
    near: int = 0
    boundaries: list[float] = field(default_factory=list)  # s that the worse boundary is off
    factors: list[float] = field(default_factory=list)  # of log factors, the larger error


def programme(
    stored: Sequence[Clip], others: Sequence[Clip], seconds: float, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, Excerpt | None]]:
    """Yield other speech and excerpts in turn: float32 (n,) each, and the truth of an excerpt."""
    now, turn = 0.0, 0
    while now < seconds:
        piece = _part(load(others[int(rng.integers(len(others)))].path), *BETWEEN, rng)
        now += len(piece) / SAMPLE_RATE
        yield piece, None
        clip, kind = stored[int(rng.integers(len(stored)))], KINDS[turn % len(KINDS)]
        piece, manipulation = _altered(_part(load(clip.path), *SECONDS, rng), kind, rng)
        stop = now + len(piece) / SAMPLE_RATE
        yield piece, Excerpt(kind, clip.path.name, now, stop, manipulation)
        now, turn = stop, turn + 1


def _part(samples: np.ndarray, least: float, most: float, rng: np.random.Generator) -> np.ndarray:
    count = min(len(samples), round(rng.uniform(least, most) * SAMPLE_RATE))
    start = int(rng.integers(len(samples) - count + 1))
    return samples[start : start + count]


def _altered(
    samples: np.ndarray, kind: str, rng: np.random.Generator
) -> tuple[np.ndarray, Manipulation]:
    factor = float(np.exp(rng.uniform(-log(STRONGEST), log(STRONGEST))))
    cents = 1200 * np.log2(factor)
    effects, manipulation = {
        "as it is": ("", IDENTITY),
        "speed": (f"speed {factor} rate -h {SAMPLE_RATE}", Manipulation(1 / factor, factor)),
        "tempo": (f"tempo -s {factor}", Manipulation(1 / factor, 1.0)),
        "pitch": (f"pitch {cents}", Manipulation(1.0, factor)),
        "reversed": ("reverse", Manipulation(reversed=True)),
    }[kind]
    if not effects:
        return samples, manipulation
    transformation = Transformation(
        kind, "sox", f"gain -3 {effects}", manipulation.tau, manipulation.rho, ""
    )
    return transform(transformation, samples, "", NOWHERE), manipulation


def judged(
    truth: Sequence[Excerpt], matches: Sequence[Match]
) -> tuple[dict[str, Tally], list[Match]]:
    """Compare matches with the truth; also give those that are right for no excerpt."""
    tallies = {kind: Tally() for kind in KINDS}
    left = list(matches)
    for excerpt in truth:
        tally = tallies[excerpt.kind]
        tally.excerpts += 1
        right = [m for m in left if _is_of(m, excerpt)]
        if not right:
            continue
        left = [m for m in left if m not in right]
        best = max(right, key=lambda m: m.query_stop - m.query_start)
        off = max(abs(best.query_start - excerpt.start), abs(best.query_stop - excerpt.stop))
        reported, applied = best.manipulation, excerpt.manipulation
        tally.found += 1
        tally.near += off <= NEAR
        tally.boundaries.append(off)
        errors = reported.tau / applied.tau, reported.rho / applied.rho
        tally.factors.append(max(abs(log(error)) for error in errors))
    return tallies, left


def _is_of(match: Match, excerpt: Excerpt) -> bool:
    both = min(match.query_stop, excerpt.stop) - max(match.query_start, excerpt.start)
    return match.recording.name == excerpt.name and both > 0


def table(tallies: dict[str, Tally], note: str) -> Table:
    """Show how much was found."""
    body: list[tuple[Value, ...]] = []
    for kind, tally in tallies.items():
        boundary = float(np.median(tally.boundaries)) if tally.boundaries else nan
        low, high = np.quantile(tally.factors, (0.1, 0.9)) if tally.factors else (nan, nan)
        body.append(
            (
                *(kind, tally.excerpts, tally.found, tally.near),
                *(f"{boundary:.2f} s", f"{100 * low:.1f}-{100 * high:.1f} %"),
            )
        )
    heads = (
        *("excerpts", "number", "found", "start and stop within 0.5 s"),
        *("median boundary error", "1st-9th decile of factor errors"),
    )
    return Table("longrun", "Altered excerpts in a long recording", note, heads, tuple(body))


def _write(
    path: Path, pieces: Iterator[tuple[np.ndarray, Excerpt | None]]
) -> tuple[list[Excerpt], float]:
    """Write a programme; give its excerpts and its length in seconds."""
    truth = []
    with closing(wave.open(str(path), "wb")) as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        for samples, excerpt in pieces:
            loud = samples / max(1e-9, float(np.abs(samples).max()))
            out.writeframes((loud * 30_000).astype("<i2").tobytes())
            truth += [excerpt] if excerpt else []
        return truth, out.getnframes() / SAMPLE_RATE


def halves(corpus: Corpus) -> tuple[list[Clip], list[Clip]]:
    """Give clips of the validation split that are stored, and others, by recording."""
    speech = corpus.select("speech", "validation")
    recordings = list(dict.fromkeys(c.recording for c in speech))
    known = set(recordings[::2])
    if len(recordings) < 2:
        raise BenchmarkError(
            f"{corpus.root}: two recordings of validation speech are needed; name another corpus"
        )
    return [c for c in speech if c.recording in known], [
        c for c in speech if c.recording not in known
    ]


@click.command()
@model_argument
@corpus_option
@click.option("--minutes", default=60.0, show_default=True, help="Length of the recording.")
@click.option("--seed", default=1, show_default=True)
def longrun(model: str, corpus: Path, minutes: float, seed: int) -> None:
    """Search for altered excerpts of stored recordings in an hour, by ``samaf monitor --deep``."""
    opened = open_corpus(corpus)
    stored, others = halves(opened)
    require_sox([Transformation("speed", "sox", "", 1.0, 1.0, "")])
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        pieces = programme(stored, others, 60 * minutes, np.random.default_rng(seed))
        truth, seconds = _write(folder / "programme.wav", pieces)
        url = str(folder / "store.db")
        with samaf.open(url, model=model, cache_folder=folder) as engine:
            added = list(engine.add([c.path for c in [*stored, *opened.select("speech", "train")]]))
            began, memory, matches = time.process_time(), [], []
            for event in engine.monitor(folder / "programme.wav", search="deep"):
                assert isinstance(event, StreamMatch)
                matches.append(event.match)
                memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
            taken = time.process_time() - began
    tallies, wrong = judged(truth, matches)
    note = (
        f"{seconds:.0f} s, {len(added)} recordings stored, {len(wrong)} false matches. CPU seconds "
        f"a second of sound: {taken / seconds:.2f}."
    )
    if memory:
        early = memory[len(memory) // 5]
        note += f" Peak memory: {early:.0f} MB after a fifth of the matches, {memory[-1]:.0f} MB."
    click.echo(markdown(table(tallies, note)))
