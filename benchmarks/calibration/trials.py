"""Queries whose answer is known: excerpts asked with and without their recording in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from benchmarks.calibration.subjects import Subject, Version
from samaf.fingerprinters import Confidence
from samaf.index import NOTHING, ExactIndex, HashTable, Index, Nearest, table_of
from samaf.matching import PLAIN, Finding, find, places
from samaf.matching.confidence import log10_false
from samaf.matching.search import MORE_NEIGHBOURS
from samaf.records import Hashes
from samaf.training.workers import spread

LENGTHS = (1, 3, 5, 9, 13, 21, 29, 37)  # hashes of the excerpts: 1, 1.5, 2, 3, 4, 6, 8, 10 s
EXCERPTS = 2  # of each length from a version of 10 s; longer sounds give more
LONGEST = 39  # hashes of a version that gives ``EXCERPTS``
GRANULARITY = 9  # hashes searched for at once, as a query does by default
KEPT = 4  # findings of a query: which one is best depends on what is fitted
EVERYTHING = 1e9  # a rate at which no finding is held back
SMALL_SHARE = 1 / 8  # of the references that the last version of each clip is asked in
RIGHT_HOPS = 2  # a place is right within half a second


@dataclass(frozen=True, slots=True)
class Trial:
    """One excerpt and what was found.

    Attributes
    ----------
    kind, split, voice
        Speech, music, noise or signal; where it is from; what is not independent of others.
    length
        Hashes asked about.
    places
        Places compared, without the excerpt's own recording.
    found
        (BER, hashes) of the best findings without the own recording.
    own
        (BER, hashes) of what was found at the right place with the own recording in the
        store; None where nothing was.
    genuine
        Whether the own recording can be stored: it is speech.
    small
        Whether it was asked in a small store.
    """

    kind: str
    split: str
    voice: str
    length: int
    places: float
    found: tuple[tuple[float, int], ...]
    own: tuple[float, int] | None
    genuine: bool
    small: bool


def findings(trials: Sequence[Trial]) -> tuple[np.ndarray, np.ndarray]:
    """Give BER and hashes of each trial's findings, float (n, k); 1 and 1 where none is."""
    rates = np.ones((len(trials), KEPT))
    hashes = np.ones((len(trials), KEPT))
    for row, trial in enumerate(trials):
        for column, found in enumerate(trial.found[:KEPT]):
            rates[row, column], hashes[row, column] = found
    return rates, hashes


def scores(trials: Sequence[Trial], confidence: Confidence) -> np.ndarray:
    """Give the score of each trial's best finding without its own recording, float (n,)."""
    return -expected(trials, *findings(trials), confidence).min(axis=1)


def own_scores(trials: Sequence[Trial], confidence: Confidence) -> np.ndarray:
    """Give the score of each trial's best finding with its own recording, float (n,).

    Where that is missed, the best finding is a false one.
    """
    own = np.array([t.own or (1.0, 1) for t in trials]).reshape(-1, 1, 2)
    every = np.concatenate([own, np.stack(findings(trials), axis=2)], axis=1)
    return -expected(trials, every[:, :, 0], every[:, :, 1], confidence).min(axis=1)


def expected(
    trials: Sequence[Trial], rates: np.ndarray, hashes: np.ndarray, confidence: Confidence
) -> np.ndarray:
    """Give log10 of the false findings to expect as good as findings (n, k), float (n, k).

    A query without any finding expects as many as there are places.
    """
    compared = np.array([t.places for t in trials])[:, None]
    return np.minimum(log10_false(rates, hashes, compared, confidence), np.log10(compared))


class Remembered:
    """An index that answers for excerpts of one version from a search of the whole of it."""

    def __init__(self, table: HashTable, answers: dict[int, Nearest]) -> None:
        self.table = table
        self.start = 0
        self._answers = answers

    def search(self, query: np.ndarray, hashes: int, k: int) -> Nearest:
        """See :class:`samaf.index.Index`; the query is the excerpt from ``start`` on."""
        windows = slice(self.start, self.start + len(query) - hashes + 1)
        whole = self._answers[hashes]
        return Nearest(whole.rows[windows, :k], whole.distances[windows, :k])


@dataclass(frozen=True, slots=True, eq=False)
class Hall:
    """All that is stored, and what trials depend on.

    ``voices`` and ``recordings`` name those of each row of the table.
    """

    table: HashTable
    recordings: np.ndarray
    confidence: Confidence
    half: float


def hall(asked: Sequence[Subject], confidence: Confidence, half: float) -> Hall:
    """Store the references of all subjects; recording ids are positions in ``asked``."""
    stored = [(n, s.reference) for n, s in enumerate(asked) if s.clip.kind == "speech"]
    table = table_of(stored, stored[0][1].shape[1])
    names = np.array([asked[n].clip.recording for n, _ in stored])
    return Hall(table, names, confidence, half)


def ask(asked: Sequence[Subject], where: Hall) -> list[Trial]:
    """Ask about excerpts of all versions of all subjects."""
    jobs = [(number, subject) for number, subject in enumerate(asked) if subject.versions]
    return [t for trials in spread(_trials, jobs, _kept, where) for t in trials]


def _kept(where: Hall) -> Hall:
    return where


def _trials(job: tuple[int, Subject], where: Hall) -> list[Trial]:
    number, subject = job
    rng = np.random.default_rng(_seed(subject))
    own = _own_recording(subject, where)
    mine = _of(where.table, where.table.recording_ids == number)
    trials = []
    for position, version in enumerate(subject.versions):
        small = position > 0 and position == len(subject.versions) - 1
        kept = ~own & (rng.random(len(own)) < SMALL_SHARE) if small else ~own
        rest = _of(where.table, kept)
        trials += _asked(subject, version, rest, mine, small, where, rng)
    return trials


def without(subject: Subject, where: Hall) -> HashTable:
    """Leave a subject's own recording out of what is stored."""
    return _of(where.table, ~_own_recording(subject, where))


def _own_recording(subject: Subject, where: Hall) -> np.ndarray:
    own = where.recordings == subject.clip.recording
    return np.asarray(own & (subject.clip.kind == "speech"))


def _seed(subject: Subject) -> np.ndarray:
    digest = sha256(str(subject.clip.path.name).encode("utf-8", "surrogateescape")).digest()
    return np.frombuffer(digest, np.uint32)


def _of(table: HashTable, chosen: np.ndarray) -> HashTable:
    """Leave some recordings of a table; the rows of the others belong to none."""
    return replace(
        table,
        recording_ids=table.recording_ids[chosen],
        starts=table.starts[chosen],
        counts=table.counts[chosen],
    )


def _asked(
    subject: Subject,
    version: Version,
    rest: HashTable,
    mine: HashTable,
    small: bool,
    where: Hall,
    rng: np.random.Generator,
) -> list[Trial]:
    """Ask about excerpts of one version.

    By bits alone, as scores count them: so the findings of the best scores come first.
    """
    bare = replace(version.hashes, weights=None)
    lengths = [n for n in LENGTHS if n <= len(version.hashes)]
    windows = {min(n, GRANULARITY) for n in lengths}
    others = _searched(rest, version, windows)
    stranger = Remembered(rest, others)
    genuine = len(mine.counts) > 0
    if genuine:
        nearest = _searched(mine, version, windows)
        known = Remembered(mine, {w: among(nearest[w], others[w]) for w in windows})
    trials = []
    for length in lengths:
        count = -(-EXCERPTS * len(version.hashes) // LONGEST)
        for start in rng.integers(0, len(version.hashes) - length + 1, count).tolist():
            excerpt = bare.cut(slice(start, start + length))
            own = None
            if genuine:
                known.start = start
                own = _own(_found(known, excerpt, where), version, start, where)
            stranger.start = start
            found = _found(stranger, excerpt, where)
            trials.append(
                Trial(
                    subject.clip.kind,
                    subject.clip.split,
                    subject.voice,
                    length,
                    max(1.0, places(excerpt, rest)),
                    tuple((f.stretch.ber, f.stretch.hashes) for f in found),
                    own,
                    genuine,
                    small,
                )
            )
    return trials


def _searched(table: HashTable, version: Version, windows: set[int]) -> dict[int, Nearest]:
    index = ExactIndex(table, "compiled")
    return {w: index.search(version.hashes.packed, w, MORE_NEIGHBOURS) for w in windows}


def among(own: Nearest, others: Nearest) -> Nearest:
    """Give what a search of everything finds of the own recording, at the ranks it has there.

    Hits become lines recording by recording, so those of the others can be left away.
    """
    rows = np.concatenate([np.full_like(others.rows, NOTHING), own.rows], axis=1)
    distances = np.concatenate([others.distances, own.distances], axis=1)
    order = np.argsort(distances, axis=1, kind="stable")[:, : others.rows.shape[1]]
    return Nearest(np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1))


def _found(index: Index, excerpt: Hashes, where: Hall) -> list[Finding]:
    tried = [(PLAIN[0], excerpt)]
    return find(tried, index, GRANULARITY, where.confidence, EVERYTHING, KEPT)


def _own(
    found: Sequence[Finding], version: Version, start: int, where: Hall
) -> tuple[float, int] | None:
    """Give the best finding at the right place, of findings in the own recording."""
    for finding in found:
        stretch = finding.stretch
        middle = (stretch.first + stretch.stop - 1) / 2
        truth = version.place(start + middle, where.half)
        if abs(stretch.reference(middle) - truth) <= RIGHT_HOPS:
            return stretch.ber, stretch.hashes
    return None
