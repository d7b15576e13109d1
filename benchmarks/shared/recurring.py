"""How many planted repeats of a stream are found, how exact, and what is found besides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import samaf
from benchmarks.shared.broadcast import KINDS, Broadcast, Planted, write
from benchmarks.shared.cost import measured
from benchmarks.tables import Line
from samaf.engine.blas import one_blas_thread
from samaf.fingerprinters import DEFAULT_MODEL, load_hash_model
from samaf.index import ExactIndex
from samaf.index.table import table_of
from samaf.matching import calibration_of
from samaf.matching.repeats import repeat_pairs
from samaf.records import RepeatCluster
from samaf.training.corpora import Corpus

RIGHT_SECONDS = 0.3
FOUND = 0.5  # share of a planted place that a place of a cluster covers
RUN = 8  # hashes of a distractor that follow each other as in speech


def measure(
    corpus: Corpus, splits: tuple[str, ...], minutes: float, seed: str, folder: Path
) -> list[Line]:
    """Make a stream, search it, and compare with what was planted."""
    stream = folder / "stream.wav"
    planted = write(Broadcast(corpus, splits, 60 * minutes, seed).parts(), stream)
    with measured() as cost:
        clusters = samaf.repeats([stream])
    (duration,) = {c.places[0].recording.duration for c in clusters[:1]} or {0.0}
    return [
        ("stream", f"{duration / 3600:.2f} h"),
        *judged(planted, clusters),
        *cost.lines,
    ]


def judged(planted: Sequence[Planted], clusters: Sequence[RepeatCluster]) -> list[Line]:
    """Compare clusters with what was planted.

    A planted place counts where its piece is planted twice or more. It is found where a place of
    the cluster that holds most of its piece covers half of it.
    """
    counts = Counter(place.piece for place in planted)
    wanted = [place for place in planted if counts[place.piece] > 1]
    holders: dict[int, Counter[int]] = defaultdict(Counter)
    nearest: dict[int, tuple[int, float, float]] = {}
    false = []
    for cluster in clusters:
        pieces = set()
        for place in cluster.places:
            shares = [_share(p, place.start, place.stop) for p in planted]
            best = int(np.argmax(shares)) if shares else -1
            length = place.stop - place.start
            inside = shares[best] * (planted[best].stop - planted[best].start) if shares else 0.0
            if inside < FOUND * length:
                pieces.add(-1)
                continue
            pieces.add(planted[best].piece)
            if shares[best] >= FOUND:
                holders[planted[best].piece][cluster.number] += 1
                nearest[best] = (cluster.number, place.start, place.stop)
        if len(pieces) > 1 or -1 in pieces:
            false.append(cluster)
    lines = []
    errors: list[float] = []
    for kind in KINDS:
        places = [i for i, p in enumerate(planted) if counts[p.piece] > 1 and p.kind == kind]
        main = {piece: numbers.most_common(1)[0][0] for piece, numbers in holders.items()}
        found = [i for i in places if i in nearest and nearest[i][0] == main.get(planted[i].piece)]
        for i in found:
            _, start, stop = nearest[i]
            errors += [abs(start - planted[i].start), abs(stop - planted[i].stop)]
        share = len(found) / max(1, len(places))
        lines.append((f"{kind}s found", f"{len(found)} of {len(places)} ({100 * share:.1f} %)"))
    within = np.mean([error <= RIGHT_SECONDS for error in errors]) if errors else 0.0
    return [
        ("planted", f"{len(wanted)} places of {len({p.piece for p in wanted})} pieces"),
        *lines,
        (f"boundaries within {RIGHT_SECONDS:g} s", f"{100 * within:.1f} %"),
        ("border error, median", f"{np.median(errors) if errors else 0:.3f} s"),
        ("clusters", f"{len(clusters)}"),
        ("clusters that are none", f"{len(false)}"),
        *((f"none: {c.seconds:.1f} s", _shown(c)) for c in false[:10]),
    ]


def _share(planted: Planted, start: float, stop: float) -> float:
    both = min(planted.stop, stop) - max(planted.start, start)
    return max(0.0, both) / (planted.stop - planted.start)


def _shown(cluster: RepeatCluster) -> str:
    return " ".join(f"{place.start:.1f}" for place in cluster.places[:5])


def scale(corpus: Corpus, splits: tuple[str, ...], hours: float, folder: Path) -> list[Line]:
    """Search the hashes of a stream that distractors prolong to so many hours, without audio."""
    stream = folder / "stream.wav"
    planted = write(Broadcast(corpus, splits, 3600, "scale").parts(), stream)
    fingerprinter = load_hash_model(DEFAULT_MODEL)
    own = samaf.fingerprint(stream).hashes.packed
    rng = np.random.default_rng(24)
    count = max(0, round(3600 * hours / fingerprinter.hop) - len(own))
    rows = np.concatenate([own, prolonged(own, count, rng)])
    with measured() as cost, one_blas_thread():
        index = ExactIndex(table_of([(0, rows)], own.shape[1]))
        calibration = calibration_of(fingerprinter)
        pairs = repeat_pairs(index, calibration, fingerprinter.hop, 1e-3, lambda *_: None)
    end = len(own) * fingerprinter.hop
    beyond = [p for p in pairs if p.pair.second[1] > end]
    return [
        ("hashes", f"{len(rows):,} ({len(rows) * fingerprinter.hop / 3600:.1f} h)"),
        ("planted places", f"{len(planted)}"),
        ("pairs", f"{len(pairs)}"),
        ("pairs with a distractor", f"{len(beyond)}"),
        *cost.lines,
    ]


def prolonged(own: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw hashes like those of a stream: short runs of them, two fifths of all bits flipped."""
    starts = rng.integers(0, len(own) - RUN, -(-count // RUN))
    rows = own[(starts[:, None] + np.arange(RUN)).ravel()][:count]
    flipped = rng.random((len(rows), 8 * own.shape[1]), np.float32) < 0.4
    return np.asarray(rows ^ np.packbits(flipped, axis=1))
