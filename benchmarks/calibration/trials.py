"""Queries whose answer is known: excerpts asked with and without their recording in the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from benchmarks.calibration.subjects import Subject, Version
from samaf.fingerprinters import Fingerprinter, ScoreCalibration, load_hash_model
from samaf.index import NOTHING, ExactIndex, HashTable, Index, Neighbors, table_of
from samaf.matching import PLAIN, Candidate, Hypothesis, count_comparisons, find
from samaf.matching.calibration import log10_evalue
from samaf.matching.edge_blocks import hash_with_padding, is_short
from samaf.matching.search import MORE_NEIGHBORS
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

Found = tuple[float, int, float]


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
        (BER, hashes, places compared) of the best findings without the own recording.
    own
        The same of what was found at the right place with the own recording in the store;
        None where nothing was.
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
    found: tuple[Found, ...]
    own: Found | None
    genuine: bool
    small: bool


def findings(trials: Sequence[Trial]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give BER, hashes and places compared of each trial's findings, float (n, k) each.

    Where there is none, 1, 1 and the places of the trial.
    """
    table = np.ones((len(trials), KEPT, 3))
    for row, trial in zip(table, trials, strict=True):
        row[:, 2] = trial.places
        for column, found in enumerate(trial.found[:KEPT]):
            row[column] = found
    return table[:, :, 0], table[:, :, 1], table[:, :, 2]


def scores(trials: Sequence[Trial], calibration: ScoreCalibration) -> np.ndarray:
    """Give the score of each trial's best finding without its own recording, float (n,)."""
    return -expected(*findings(trials), calibration).min(axis=1)


def own_scores(trials: Sequence[Trial], calibration: ScoreCalibration) -> np.ndarray:
    """Give the score of each trial's best finding with its own recording, float (n,).

    Where that is missed, the best finding is a false one.
    """
    own = np.array([t.own or (1.0, 1, t.places) for t in trials]).reshape(-1, 1, 3)
    every = np.concatenate([own, np.stack(findings(trials), axis=2)], axis=1)
    return -expected(every[:, :, 0], every[:, :, 1], every[:, :, 2], calibration).min(axis=1)


def expected(
    rates: np.ndarray, hashes: np.ndarray, compared: np.ndarray, calibration: ScoreCalibration
) -> np.ndarray:
    """Give log10 of the false findings to expect as good as findings (n, k), float (n, k).

    A query without any finding expects as many as there are places.
    """
    return np.minimum(log10_evalue(rates, hashes, compared, calibration), np.log10(compared))


class Remembered:
    """An index that answers for excerpts of one version from a search of the whole of it."""

    def __init__(self, table: HashTable, answers: dict[int, Neighbors]) -> None:
        self.table = table
        self.start = 0
        self._answers = answers

    def search(self, query: np.ndarray, hashes: int, k: int) -> Neighbors:
        """See :class:`samaf.index.Index`; the query is the excerpt from ``start`` on."""
        windows = slice(self.start, self.start + len(query) - hashes + 1)
        whole = self._answers[hashes]
        return Neighbors(whole.rows[windows, :k], whole.distances[windows, :k])


@dataclass(frozen=True, slots=True, eq=False)
class Hall:
    """All that is stored, and what trials depend on.

    ``voices`` and ``recordings`` name those of each row of the table.
    """

    table: HashTable
    recordings: np.ndarray
    calibration: ScoreCalibration
    half: float


def hall(asked: Sequence[Subject], calibration: ScoreCalibration, half: float) -> Hall:
    """Store the references of all subjects; recording ids are positions in ``asked``."""
    stored = [(n, s.reference) for n, s in enumerate(asked) if s.clip.kind == "speech"]
    table = table_of(stored, stored[0][1].shape[1])
    names = np.array([asked[n].clip.recording for n, _ in stored])
    return Hall(table, names, calibration, half)


def ask(asked: Sequence[Subject], where: Hall, model: str) -> list[Trial]:
    """Ask about excerpts of all versions of all subjects."""
    jobs = [(number, subject) for number, subject in enumerate(asked) if subject.versions]
    return [t for trials in spread(_trials, jobs, _workshop, where, model) for t in trials]


def _workshop(where: Hall, model: str) -> tuple[Hall, Fingerprinter]:
    return where, load_hash_model(model)


def _trials(job: tuple[int, Subject], workshop: tuple[Hall, Fingerprinter]) -> list[Trial]:
    (number, subject), (where, fingerprinter) = job, workshop
    rng = np.random.default_rng(_seed(subject))
    own = _own_recording(subject, where)
    mine = _of(where.table, where.table.recording_ids == number)
    trials = []
    for position, version in enumerate(subject.versions):
        small = position > 0 and position == len(subject.versions) - 1
        kept = ~own & (rng.random(len(own)) < SMALL_SHARE) if small else ~own
        rest = _of(where.table, kept)
        for excerpt in _excerpts(version, rest, mine, fingerprinter, rng):
            found = _found(excerpt, excerpt.others, where)
            own_found = _found(excerpt, excerpt.own, where) if len(mine.counts) else []
            share = rest.total / max(1, mine.total)
            compared = (count_comparisons(q, rest) / h.prior for h, q in excerpt.tried)
            trials.append(
                Trial(
                    subject.clip.kind,
                    subject.clip.split,
                    subject.voice,
                    excerpt.length,
                    max(1.0, *compared),
                    tuple(map(_numbers, found)),
                    _own(own_found, version, excerpt.start, where, share),
                    len(mine.counts) > 0,
                    small,
                )
            )
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


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """A part of a version.

    Attributes
    ----------
    start, length
        Its first hash and how many it has.
    tried
        What is searched for, by bits alone, as scores count them: so the findings of the best
        scores come first.
    others, own
        Indexes of the recordings of others, and of its own one.
    """

    start: int
    length: int
    tried: list[tuple[Hypothesis, Hashes]]
    others: Index
    own: Index


def _excerpts(
    version: Version,
    rest: HashTable,
    mine: HashTable,
    fingerprinter: Fingerprinter,
    rng: np.random.Generator,
) -> Iterator[Excerpt]:
    parameters = fingerprinter.card.features
    bare = replace(version.hashes, reliability=None)
    every, alone = ExactIndex(rest, "compiled"), ExactIndex(mine, "compiled")
    others = every.search(bare.packed, GRANULARITY, MORE_NEIGHBORS)
    stranger = Remembered(rest, {GRANULARITY: others})
    own = alone.search(bare.packed, GRANULARITY, MORE_NEIGHBORS)
    known = Remembered(mine, {GRANULARITY: among(own, others)})
    for length in (n for n in LENGTHS if n <= len(bare)):
        seconds = (length - 1) * fingerprinter.hop + fingerprinter.block
        count = -(-EXCERPTS * len(bare) // LONGEST)
        for start in rng.integers(0, len(bare) - length + 1, count).tolist():
            if is_short(seconds):
                first = start * parameters.hop_frames
                stop = first + (length - 1) * parameters.hop_frames + parameters.block_frames
                frames, seed = version.frames[first:stop], f"excerpt {first}"
                made = hash_with_padding(frames, PLAIN, seed, fingerprinter, True)
                tried = [(h, replace(q, reliability=None)) for h, q in made]
                once = Once(every)
                yield Excerpt(start, length, tried, once, Among(alone, once))
            else:
                stranger.start = known.start = start
                tried = [(PLAIN, bare.cut(slice(start, start + length)))]
                yield Excerpt(start, length, tried, stranger, known)


class Once:
    """An index that looks for the same windows once."""

    def __init__(self, index: Index) -> None:
        self.table = index.table
        self._index = index
        self._answers: dict[tuple[bytes, int, int], Neighbors] = {}

    def search(self, query: np.ndarray, hashes: int, k: int) -> Neighbors:
        """See :class:`samaf.index.Index`."""
        asked = query.tobytes(), hashes, k
        if asked not in self._answers:
            self._answers[asked] = self._index.search(query, hashes, k)
        return self._answers[asked]


class Among:
    """An index of one's own recording that answers as one of all recordings does of it."""

    def __init__(self, own: Index, others: Index) -> None:
        self.table = own.table
        self._own = own
        self._others = others

    def search(self, query: np.ndarray, hashes: int, k: int) -> Neighbors:
        """See :class:`samaf.index.Index`."""
        return among(self._own.search(query, hashes, k), self._others.search(query, hashes, k))


def among(own: Neighbors, others: Neighbors) -> Neighbors:
    """Give what a search of everything finds of the own recording, at the ranks it has there.

    Hits become lines recording by recording, so those of the others can be left away.
    """
    rows = np.concatenate([np.full_like(others.rows, NOTHING), own.rows], axis=1)
    distances = np.concatenate([others.distances, own.distances], axis=1)
    order = np.argsort(distances, axis=1, kind="stable")[:, : others.rows.shape[1]]
    return Neighbors(np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1))


def _found(excerpt: Excerpt, index: Index, where: Hall) -> list[Candidate]:
    return find(excerpt.tried, index, GRANULARITY, where.calibration, EVERYTHING, KEPT)


def _numbers(finding: Candidate, times: float = 1.0) -> Found:
    return finding.segment.ber, finding.segment.hashes, finding.comparisons * times


def _own(
    found: Sequence[Candidate], version: Version, start: int, where: Hall, times: float
) -> Found | None:
    """Give the best finding at the right place, of findings in the own recording.

    The store is ``times`` as large as that recording, so it counts as many places.
    """
    for finding in found:
        stretch = finding.segment
        middle = (stretch.first + stretch.stop - 1) / 2
        truth = version.place(start + middle, where.half)
        if abs(stretch.reference(middle) - truth) <= RIGHT_HOPS:
            return _numbers(finding, times)
    return None
