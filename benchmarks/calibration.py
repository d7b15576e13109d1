"""Fit a model's confidence to impostor queries of the validation split.

    python -m benchmarks.calibration [MODEL] [--corpus PATH] [--write]

Impostors are excerpts of 1 to 8 s of validation speech, plain and distorted, of music and
of noise. The store holds all originals of the train and validation splits except the
excerpt's own recording: other recordings of the same speaker stay in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import click
import numpy as np

from samaf.audio import load
from samaf.fingerprinters import Confidence, Fingerprinter, load_fingerprinter
from samaf.fingerprinters.card import MODELS, write_card
from samaf.index import ExactIndex, table_of
from samaf.matching import PLAIN, find, places
from samaf.matching.confidence import log10_false
from samaf.records import Hashes
from samaf.training.corpora import Clip, Corpus, default_root, open_corpus
from samaf.training.dataset import load_material
from samaf.training.distortions import change_speed, distort

LAGS = 8
GRANULARITY = 9  # hashes searched for at once, as a query does by default
SECONDS = (1.0, 8.0)
VERSIONS = 4  # of each clip: plain, then distorted
EXCERPTS = 10  # of each version
PAIRS = 6_000  # of unrelated stretches
STRETCH = 24  # hashes
RATES = np.linspace(0.05, 0.6, 40)  # impostor rates that the line is fitted to
SUSPECT = -2.5  # log10 of expected findings below which words are taken to be the same
LONG = 8  # hashes from which a suspect tells how alike the same words are
EVERYTHING = 1e9  # a rate at which no finding is held back


@dataclass(frozen=True, slots=True)
class Trial:
    """The best finding of one impostor query; no hashes where there was none."""

    kind: str
    ber: float
    hashes: int
    places: float


def unrelated(hashes: list[np.ndarray], rng: np.random.Generator) -> Confidence:
    """Measure error rates between hashes of different recordings, along diagonals."""
    long = [h for h in hashes if len(h) >= STRETCH]
    table = np.empty((PAIRS, STRETCH))
    for row in table:
        a, b = rng.choice(len(long), 2, replace=False)
        i = rng.integers(len(long[a]) - STRETCH + 1)
        j = rng.integers(len(long[b]) - STRETCH + 1)
        differing = np.bitwise_count(long[a][i : i + STRETCH] ^ long[b][j : j + STRETCH])
        row[:] = differing.mean(axis=1) / 8
    mean, deviation = float(table.mean()), float(table.std())
    centred = (table - mean) / deviation
    products = ((centred[:, lag:] * centred[:, :-lag]).mean() for lag in range(1, LAGS + 1))
    return Confidence(
        round(mean, 5), round(deviation, 5), tuple(round(float(p), 4) for p in products)
    )


def rates(trials: list[Trial], confidence: Confidence) -> np.ndarray:
    """Give log10 of the expected false findings that each trial's best finding has."""
    return np.array(
        [
            float(log10_false(np.array(t.ber), np.array(t.hashes), t.places, confidence))
            if t.hashes
            else np.log10(t.places)
            for t in trials
        ]
    )


def fit(trials: list[Trial], plain: Confidence) -> Confidence:
    """Find the line and the share of same words under which stated rates are met.

    A query with E expected false findings has one with probability 1 - exp(-E). The line
    is fitted where unrelated speech dominates; what then stays far below it is taken for
    the same words in another voice.
    """
    tried = np.log10([t.places for t in trials])
    chance = rates(trials, plain) - tried
    wanted = np.log10(-np.log1p(-RATES))

    def errors(slope: float) -> np.ndarray:
        return np.asarray(wanted - np.quantile(slope * chance + tried, RATES))

    slope = min(np.linspace(0.1, 1.5, 141), key=lambda s: float(errors(s).var()))
    line = replace(
        plain, offset=round(float(errors(slope).mean()), 4), slope=round(float(slope), 4)
    )
    suspect = [t for t, r in zip(trials, rates(trials, line), strict=True) if r < SUSPECT]
    alike = np.array([t.ber for t in suspect if t.hashes >= LONG])
    if len(alike) < 2:
        return line
    return replace(
        line,
        same_words=round(len(suspect) / len(trials), 5),
        same_words_mean=round(float(alike.mean()), 4),
        same_words_deviation=round(float(alike.std()), 4),
    )


def hash_clips(corpus: Corpus, model: str) -> list[tuple[Clip, list[Hashes]]]:
    """Hash all clips; those of the validation split also in distorted versions."""
    clips = [
        *corpus.select("speech", "train", "validation"),
        *corpus.select("music", "validation"),
        *corpus.select("noise", "validation"),
    ]
    with ProcessPoolExecutor(os.cpu_count(), initializer=_start, initargs=(corpus, model)) as pool:
        return list(zip(clips, pool.map(_hash, clips, chunksize=8), strict=True))


_worker: dict[str, object] = {}  # model and material of a worker process


def _start(corpus: Corpus, model: str) -> None:
    _worker.update(
        fingerprinter=load_fingerprinter(model), material=load_material(corpus, "validation")
    )


def _hash(clip: Clip) -> list[Hashes]:
    fingerprinter: Fingerprinter = _worker["fingerprinter"]  # type: ignore[assignment]
    samples = load(clip.path)
    seed = sha256(str(clip.path.name).encode()).digest()
    rng = np.random.default_rng(np.frombuffer(seed, np.uint32))
    versions = [samples]
    while clip.split == "validation" and len(versions) < VERSIONS:
        copy = distort(samples, rng, _worker["material"])  # type: ignore[arg-type]
        versions.append(change_speed(copy.samples, copy.step) if copy.step != 1 else copy.samples)
    return [fingerprinter.hashes([v], f"{clip.path.name} {n}") for n, v in enumerate(versions)]


def impostors(
    hashed: list[tuple[Clip, list[Hashes]]], confidence: Confidence, rng: np.random.Generator
) -> Iterator[Trial]:
    """Query excerpts whose own recording is not in the store."""
    stored = [(n, v[0].packed) for n, (c, v) in enumerate(hashed) if c.kind == "speech"]
    width = stored[0][1].shape[1]
    for clip, versions in hashed:
        if clip.split != "validation":
            continue
        own = {n for n, (c, _) in enumerate(hashed) if c.recording == clip.recording}
        index = ExactIndex(table_of([(n, h) for n, h in stored if n not in own], width))
        for version in versions:
            for _ in range(EXCERPTS):
                length = min(round((rng.uniform(*SECONDS) - 1) * 4) + 1, len(version))
                start = int(rng.integers(len(version) - length + 1))
                excerpt = Hashes(
                    version.packed[start : start + length],
                    version.informative[start : start + length],
                )
                found = find([(PLAIN[0], excerpt)], index, GRANULARITY, confidence, EVERYTHING, 1)
                best = found[0].stretch if found else None
                yield Trial(
                    clip.kind,
                    best.ber if best else 0.5,
                    best.hashes if best else 0,
                    max(1.0, places(excerpt, index.table)),
                )


def stated_and_met(trials: list[Trial], confidence: Confidence) -> list[tuple[float, float]]:
    """Compare stated rates with the share of impostors that they let through."""
    values = rates(trials, confidence)
    return [(rate, float((values <= np.log10(rate)).mean())) for rate in (1e-1, 1e-2, 1e-3)]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", default="2LST256C")
@click.option("--corpus", type=click.Path(path_type=Path), default=default_root)
@click.option("--write", is_flag=True, help="Write the fit into the card of a shipped model.")
def main(model: str, corpus: Path, write: bool) -> None:
    """Fit the confidence of MODEL to impostor queries of the validation split."""
    opened = open_corpus(corpus)
    rng = np.random.default_rng(11)
    hashed = hash_clips(opened, model)
    speech = [v[0].packed for c, v in hashed if c.kind == "speech"]
    plain = unrelated(speech, rng)
    trials = list(impostors(hashed, plain, rng))
    kinds = sorted({t.kind for t in trials})
    counts = ", ".join(f"{sum(t.kind == k for t in trials)} {k}" for k in kinds)
    fitted = replace(
        fit(trials, plain),
        population=f"excerpts of 1-8 s of the validation split, store {len(speech)} recordings: "
        f"{counts}; corpus {opened.digest[:12]}",
    )
    click.echo(f"{model}: {fitted}")
    for kind in ("all", *kinds):
        chosen = [t for t in trials if kind in ("all", t.kind)]
        met = ", ".join(f"{a:g}: {b:.2g}" for a, b in stated_and_met(chosen, fitted))
        click.echo(f"{kind} ({len(chosen)} queries), stated rate: met rate  {met}")
    if write:
        card = load_fingerprinter(model).card
        click.echo(write_card(replace(card, confidence=fitted), MODELS))


if __name__ == "__main__":
    main()
