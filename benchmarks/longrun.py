"""An hour of sound with altered excerpts of stored recordings: how much a deep monitor finds.

Speech of the validation split: half of its recordings is stored, with all of the train split,
the other half speaks in between.

python -m benchmarks.longrun [--minutes 60]
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
from benchmarks.conditions import Surroundings
from benchmarks.errors import BenchmarkError
from benchmarks.options import friendly
from benchmarks.transformations import Row, require_sox, transform
from samaf.audio import SAMPLE_RATE, load
from samaf.records import IDENTITY, Manipulation, Match
from samaf.training.corpora import Clip, Corpus, default_root, open_corpus

KINDS = ("as it is", "speed", "tempo", "pitch", "reversed")
STRONGEST = 1.25  # factors from 1 / 1.25 to 1.25
NOWHERE = Surroundings((), (), (), ())
SECONDS = (5.0, 9.0)  # of a reference that an excerpt holds
BETWEEN = (4.0, 10.0)  # of a stranger before each excerpt
NEAR = 0.5  # s that a border may be off


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

    asked: int = 0
    found: int = 0
    near: int = 0
    borders: list[float] = field(default_factory=list)  # s that the worse border is off
    factors: list[float] = field(default_factory=list)  # of log factors, the larger error


def programme(
    stored: Sequence[Clip], strangers: Sequence[Clip], seconds: float, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, Excerpt | None]]:
    """Yield strangers and excerpts in turn: float32 (n,) each, and the truth of an excerpt."""
    now, turn = 0.0, 0
    while now < seconds:
        piece = _part(load(strangers[int(rng.integers(len(strangers)))].path), *BETWEEN, rng)
        now += len(piece) / SAMPLE_RATE
        yield piece, None
        clip, kind = stored[int(rng.integers(len(stored)))], KINDS[turn % len(KINDS)]
        piece, undone = _altered(_part(load(clip.path), *SECONDS, rng), kind, rng)
        stop = now + len(piece) / SAMPLE_RATE
        yield piece, Excerpt(kind, clip.path.name, now, stop, undone)
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
    effects, undone = {
        "as it is": ("", IDENTITY),
        "speed": (f"speed {factor} rate -h {SAMPLE_RATE}", Manipulation(1 / factor, factor)),
        "tempo": (f"tempo -s {factor}", Manipulation(1 / factor, 1.0)),
        "pitch": (f"pitch {cents}", Manipulation(1.0, factor)),
        "reversed": ("reverse", Manipulation(reversed=True)),
    }[kind]
    if not effects:
        return samples, undone
    row = Row(kind, "sox", f"gain -3 {effects}", undone.tau, undone.rho, "")
    return transform(row, samples, "", NOWHERE), undone


def judged(
    truth: Sequence[Excerpt], matches: Sequence[Match]
) -> tuple[dict[str, Tally], list[Match]]:
    """Hold matches against the truth; also give those that are right for no excerpt."""
    tallies = {kind: Tally() for kind in KINDS}
    left = list(matches)
    for excerpt in truth:
        tally = tallies[excerpt.kind]
        tally.asked += 1
        own = [m for m in left if _is_of(m, excerpt)]
        if not own:
            continue
        left = [m for m in left if m not in own]
        best = max(own, key=lambda m: m.query_stop - m.query_start)
        off = max(abs(best.query_start - excerpt.start), abs(best.query_stop - excerpt.stop))
        told, done = best.manipulation, excerpt.manipulation
        tally.found += 1
        tally.near += off <= NEAR
        tally.borders.append(off)
        tally.factors.append(max(abs(log(told.tau / done.tau)), abs(log(told.rho / done.rho))))
    return tallies, left


def _is_of(match: Match, excerpt: Excerpt) -> bool:
    both = min(match.query_stop, excerpt.stop) - max(match.query_start, excerpt.start)
    return match.recording.name == excerpt.name and both > 0


def table(tallies: dict[str, Tally]) -> Iterator[str]:
    """Tell as Markdown how much was found."""
    heads = (
        *("excerpts", "number", "found", "start and stop within 0.5 s"),
        *("median border error", "1st-9th decile of factor errors"),
    )
    yield "| " + " | ".join(heads) + " |"
    yield "| --- |" + " ---: |" * (len(heads) - 1)
    for kind, tally in tallies.items():
        border = float(np.median(tally.borders)) if tally.borders else nan
        low, high = np.quantile(tally.factors, (0.1, 0.9)) if tally.factors else (nan, nan)
        yield (
            f"| {kind} | {tally.asked} | {tally.found} | {tally.near} | {border:.2f} s | "
            f"{100 * low:.1f}-{100 * high:.1f} % |"
        )


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
    """Give clips of the validation split that are stored, and strangers, by recording."""
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


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", default="2LST256C")
@click.option("--corpus", type=click.Path(path_type=Path), default=default_root)
@click.option("--minutes", default=60.0, show_default=True, help="Length of the recording.")
@click.option("--seed", default=1, show_default=True)
@friendly
def main(model: str, corpus: Path, minutes: float, seed: int) -> None:
    """Let ``samaf monitor --deep`` hear an hour with altered excerpts of what is stored."""
    opened = open_corpus(corpus)
    stored, strangers = halves(opened)
    require_sox([Row("speed", "sox", "", 1.0, 1.0, "")])
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        pieces = programme(stored, strangers, 60 * minutes, np.random.default_rng(seed))
        truth, seconds = _write(folder / "programme.wav", pieces)
        url = str(folder / "store.db")
        with samaf.open(url, model=model, cache_folder=folder) as engine:
            added = list(engine.add([c.path for c in [*stored, *opened.select("speech", "train")]]))
            began, memory, matches = time.process_time(), [], []
            for match in engine.monitor(folder / "programme.wav", search="deep"):
                matches.append(match)
                memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    tallies, wrong = judged(truth, matches)
    click.echo("\n".join(table(tallies)))
    click.echo(f"\n{seconds:.0f} s, {len(added)} recordings stored, {len(wrong)} false matches")
    click.echo(f"CPU seconds a second of sound: {(time.process_time() - began) / seconds:.2f}")
    if memory:
        early = memory[len(memory) // 5]
        click.echo(f"peak memory: {early:.0f} MB after a fifth of the matches, {memory[-1]:.0f} MB")


if __name__ == "__main__":
    main()
