"""Which planted overlaps of two collections are found among many hours, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np

import samaf
from benchmarks.accuracy.distractors import distractors
from benchmarks.sampling import generator, required
from benchmarks.shared.cost import measured
from benchmarks.tables import Line
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import wav
from samaf.index import table_of
from samaf.records import Hashes, Overlap, Recording
from samaf.training.corpora import Corpus

INSIDE_SECONDS = (1.0, 1.5, 2.0, 3.0)  # planted between other speech
WHOLE_SECONDS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)  # of files that hold nothing else
LEAST_SHARED = 0.5  # s
EACH = 24  # of each length and kind
CLIPS = 4  # of speech in a recording of the first collection
DISTRACTOR_HASHES = 2_000  # 500 s
DISTRACTOR_CLIPS = 60  # of speech that distractors are drawn from
HOP = 0.25  # s
SHOWN = 5  # wrong pairs
EDGE = 0.5  # s at both ends of a recording that nothing is taken from


@dataclass(frozen=True, slots=True)
class Planted:
    """A stretch of a recording of the first collection in a file of the second."""

    kind: str
    seconds: float
    first: str
    second: str


def measure(
    corpus: Corpus, split: str, hours: float, index: str, granularity_s: int, folder: Path
) -> list[Line]:
    """Make both collections, look for what they share, and compare with what was planted."""
    url, files, planted = made(corpus, split, hours, folder)
    with measured() as cost:
        result = samaf.overlap(
            url, files, index=index, granularity_s=granularity_s, least_shared=LEAST_SHARED
        )
    with samaf.open(url) as engine:
        stats = engine.stats()
    return [
        (
            "first collection",
            f"{stats.hashes * HOP / 3600:.0f} h in {stats.recordings:,} recordings",
        ),
        ("second collection", f"{len(planted)} files"),
        *judged(planted, result),
        *cost.lines,
    ]


def judged(planted: Sequence[Planted], result: Overlap) -> list[Line]:
    """Count what was found of each kind and length, and the pairs that share nothing."""
    pairs = {(pair.first.name, pair.second.name) for pair in result.pairs}
    lines: list[Line] = []
    for kind, seconds in dict.fromkeys((p.kind, p.seconds) for p in planted):
        some = [p for p in planted if (p.kind, p.seconds) == (kind, seconds)]
        found = sum((p.first, p.second) in pairs for p in some)
        lines.append((f"{seconds:g} s, {kind}", f"{found} of {len(some)}"))
    wrong = sorted(pairs - {(p.first, p.second) for p in planted})
    lines.append(("pairs that share nothing", f"{len(wrong)}"))
    return [*lines, *(("share nothing", " ".join(pair)) for pair in wrong[:SHOWN])]


def made(corpus: Corpus, split: str, hours: float, folder: Path) -> tuple[str, Path, list[Planted]]:
    """Make a store of real speech and distractors, and a folder of files with planted overlaps.

    Returns
    -------
    The store, the folder, and what is planted.
    """
    rng = generator("overlap")
    clips = required(corpus, "speech", split)
    order = rng.permutation(len(clips)).tolist()
    half = len(order) // 2
    recordings = [
        np.concatenate([load(clips[n].path) for n in order[a : min(b, half)]])
        for a, b in pairwise(range(0, half + CLIPS, CLIPS))
    ]
    first, second = folder / "a", folder / "b"
    first.mkdir()
    second.mkdir()
    for number, samples in enumerate(recordings):
        (first / f"{number:03}.wav").write_bytes(wav(samples))
    other = [clip.path for clip in required(corpus, "speech", "train")[:DISTRACTOR_CLIPS]]
    around = _stretches([load(clips[n].path) for n in order[half:]])
    planted = []
    for kind, lengths in (("between other speech", INSIDE_SECONDS), ("alone", WHOLE_SECONDS)):
        for seconds in lengths:
            for count in range(EACH):
                number = int(rng.integers(len(recordings)))
                samples = recordings[number]
                size = round(seconds * SAMPLE_RATE)
                edge = round(EDGE * SAMPLE_RATE)
                at = _loud(samples, size, edge, rng)
                parts = [samples[at : at + size] * np.float32(rng.uniform(0.3, 1))]
                if kind != "alone":
                    parts = [next(around), *parts, next(around)]
                name = f"{kind.split()[0]}-{seconds:g}-{count:02}.wav"
                (second / name).write_bytes(wav(np.concatenate(parts)))
                planted.append(Planted(kind, seconds, f"{number:03}.wav", name))
    return _store(first, other, hours, folder), second, planted


def _stretches(sounds: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield stretches of 3 to 5 s, each once as long as they last."""
    rng = generator("around")
    while True:
        for sound in sounds:
            size = int(rng.integers(3 * SAMPLE_RATE, 5 * SAMPLE_RATE))
            yield from (sound[a : a + size] for a in range(0, len(sound) - size + 1, size))


def _loud(samples: np.ndarray, size: int, edge: int, rng: np.random.Generator) -> int:
    """Choose a place that is no pause: at least half as loud as the recording."""
    least = np.square(samples).mean() / 4
    while True:
        at = int(rng.integers(edge, len(samples) - size - edge))
        if np.square(samples[at : at + size]).mean() >= least:
            return at


def _store(recordings: Path, other: Sequence[Path], hours: float, folder: Path) -> str:
    """Store recordings, and distractors like other speech, up to so many hours."""
    url = str(folder / "store.db")
    with samaf.open(url, cache_folder=folder) as engine:
        for _ in engine.add([recordings]):
            pass
        hop, total = engine.fingerprinter.hop, engine.stats().hashes
        like = [(n, samaf.fingerprint(path).hashes.packed) for n, path in enumerate(other)]
        table = table_of(like, like[0][1].shape[1])
        count = max(0, round(3600 * hours / hop) - total)
        drawn = distractors(table, np.empty(0), count, np.random.default_rng(1))
        batch = []
        for number, start in enumerate(range(0, len(drawn), DISTRACTOR_HASHES)):
            rows = drawn[start : start + DISTRACTOR_HASHES]
            name = f"distractor-{number}.wav"
            about = sha256(name.encode()).hexdigest(), name, f"/nowhere/{name}", len(rows) * hop
            batch.append((Recording(*about), Hashes(rows, np.ones(len(rows), bool))))
        engine.store.add_many(batch)
    return url
