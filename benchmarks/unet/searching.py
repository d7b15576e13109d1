"""Searching as in the paper's section 4.4: 4 s from any place of a stored recording, with noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.protocol import TAIL, System
from benchmarks.accuracy.systems import NEIGHBORS, VectorSystem
from benchmarks.errors import BenchmarkError
from benchmarks.metrics import UNMEASURED, Estimate, proportion
from benchmarks.sampling import generator, required
from benchmarks.tables import Table, Value
from benchmarks.terminal import Progress
from benchmarks.unet.songs import with_noise
from samaf.audio import SAMPLE_RATE, load
from samaf.index import VectorNeighbors
from samaf.matching.voting import rank
from samaf.training.corpora import SPLITS, Clip, Corpus

RATE = 48_000  # Hz: clips are cut and mixed as they are, models of hashes get a third of it
CONDITIONS: dict[str, float | None] = {"clean": None, "20 dB": 20, "10 dB": 10, "0 dB": 0}
LENGTHS = (4, 8)  # s
FALSE = 0.01  # of impostors that pass in the open set
FAR = 64  # neighbors looked at, so that some are of other recordings


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A clip, float32 (n,), and the position of the recording that it is cut from."""

    source: int
    samples: np.ndarray


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a query.

    Attributes
    ----------
    nearest, most, heaviest, among
        Whether the recording is that of the nearest segment, of most votes, of the votes that
        weigh most, or among the first five of these; 0 to 1. All but the first are those of
        models of vectors alone.
    own, others
        Distance of the nearest segment if it is right, and of the nearest of any other
        recording; infinite without.
    """

    nearest: float
    most: float = 0.0
    heaviest: float = 0.0
    among: float = 0.0
    own: float = np.inf
    others: float = np.inf


def searched(
    corpus: Corpus, kind: str, systems: Sequence[System], queries: int, progress: Progress
) -> Table:
    """Store all clips of a kind, and send every system the same queries."""
    for needed in (kind, "noise"):
        required(corpus, needed, "test")  # before all clips are stored
    clips = corpus.select(kind, *SPLITS)
    steps, done = len(clips) + len(LENGTHS) * len(CONDITIONS) * queries, 0
    lengths = np.zeros(len(clips), int)
    for reference, clip in enumerate(clips):
        samples = load(clip.path, RATE)
        lengths[reference] = len(samples)
        for system in systems:
            if isinstance(system, VectorSystem):
                system.insert(reference, system.fingerprinter.hashes([samples], "").packed)
            else:
                system.add(reference, narrow(samples))
        progress(done := done + 1, steps)
    body: list[tuple[Value, ...]] = []
    for seconds in LENGTHS:
        for condition, snr in CONDITIONS.items():
            sources: list[int] = []
            outcomes: list[list[Outcome]] = [[] for _ in systems]
            for query in _queries(corpus, clips, lengths, queries, seconds, snr):
                sources.append(query.source)
                for system, own in zip(systems, outcomes, strict=True):
                    own.append(_outcome(system, query, seconds))
                progress(done := done + 1, steps)
            body += [
                (f"{system.name}, {seconds} s, {condition}", *_figures(system, sources, own))
                for system, own in zip(systems, outcomes, strict=True)
            ]
    return Table(
        f"search-{kind}",
        f"Search: {kind}",
        f"{len(clips)} recordings of all splits stored; {queries} clips from any place of those "
        "of the test split, with noise of the test split. The recording of the nearest segment, "
        "that of most votes, that whose votes weigh most, which `samaf query` puts first, and "
        f"whether it is among the first {NEIGHBORS} so, in %. Open set: the nearest is right, and "
        f"nearer than {100 * FALSE:g} % of the clips come to recordings that they are not of.",
        ("system", "nearest", "most votes", "heaviest", "of five", "open set"),
        tuple(sorted(body, key=lambda line: str(line[0]).partition(",")[0])),
    )


def narrow(samples: np.ndarray) -> np.ndarray:
    """Bring samples to the 16 kHz that models of hashes take."""
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(samples, SAMPLE_RATE, RATE), dtype=np.float32)


def _queries(
    corpus: Corpus,
    clips: Sequence[Clip],
    lengths: np.ndarray,
    count: int,
    seconds: int,
    snr: float | None,
) -> Iterator[Query]:
    """Cut clips; the same places whatever the noise."""
    rng = generator("search", clips[0].kind, str(seconds))
    size = round((seconds + TAIL) * RATE)
    long = [n for n, clip in enumerate(clips) if clip.split == "test" and lengths[n] > size]
    if not long:
        raise BenchmarkError(
            f"{corpus.root}: no {clips[0].kind} of the test split is longer than {seconds} s; name "
            "another corpus"
        )
    noises = corpus.select("noise", "test")
    for _ in range(count):
        source = long[rng.integers(len(long))]
        start = rng.integers(0, lengths[source] - size)
        noise, turned = noises[rng.integers(len(noises))], int(rng.integers(1 << 32))
        cut = load(clips[source].path, RATE)[start : start + size]
        if snr is not None:
            cut = with_noise(cut, load(noise.path, RATE), snr, np.random.default_rng(turned))
        yield Query(source, cut / max(float(np.abs(cut).max()), 1e-9))


def _outcome(system: System, query: Query, seconds: int) -> Outcome:
    if not isinstance(system, VectorSystem):
        found = system.query(narrow(query.samples), {seconds: np.array([0])})[seconds].reference
        # Recordings that tie share the point.
        return Outcome(float(np.mean(found == query.source)) if len(found) else 0.0)
    near = system.neighbors(system.fingerprinter.vectors([query.samples]).values, FAR)
    columns = (near.recording_ids, near.segments, near.distances)
    ranked = rank(VectorNeighbors(*(column[:, :NEIGHBORS] for column in columns)), FAR)
    if not ranked:
        return Outcome(0.0)
    nearest = min(ranked, key=lambda each: each.distances[0])
    most = min(ranked, key=lambda each: (-len(each.distances), each.distances[0]))
    source = query.source
    others = near.distances[near.recording_ids != source]
    return Outcome(
        nearest.recording_id == source,
        most.recording_id == source,
        ranked[0].recording_id == source,
        source in [each.recording_id for each in ranked[:NEIGHBORS]],
        nearest.distances[0] if nearest.recording_id == source else np.inf,
        float(others.min(initial=np.inf)),
    )


def _figures(
    system: System, sources: Sequence[int], outcomes: Sequence[Outcome]
) -> Iterator[Estimate]:
    """Give the shares of right answers: nearest, most votes, heaviest, of five, open set."""

    def share(right: Sequence[float]) -> Estimate:
        return proportion(np.bincount(sources, right), np.bincount(sources))

    yield share([each.nearest for each in outcomes])
    if not isinstance(system, VectorSystem):
        yield from [UNMEASURED] * 4
        return
    yield share([each.most for each in outcomes])
    yield share([each.heaviest for each in outcomes])
    yield share([each.among for each in outcomes])
    threshold = np.quantile([each.others for each in outcomes], FALSE)
    yield share([float(each.own < threshold) for each in outcomes])
