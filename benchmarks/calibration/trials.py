"""Queries whose answer is known: excerpts with and without their recording in the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from benchmarks.calibration.probes import Probe, Version
from samaf.fingerprinters import Fingerprinter, ScoreCalibration, load_hash_model
from samaf.index import ExactIndex, HashTable, Index, RankedAmong, table_of
from samaf.matching import PLAIN, Candidate, Hypothesis, Matcher
from samaf.matching.calibration import log10_evalue
from samaf.matching.edge_blocks import hash_with_padding, is_short
from samaf.matching.search import count_comparisons
from samaf.records import Hashes
from samaf.training.workers import spread

LENGTHS = (1, 3, 5, 9, 13, 21, 29, 37)  # hashes of the excerpts: 1, 1.5, 2, 3, 4, 6, 8, 10 s
EXCERPTS = 2  # of each length from a version of 10 s; longer sounds give more
LONGEST = 39  # hashes of a version that gives ``EXCERPTS``
GRANULARITY = 9  # hashes searched for at once, as a query does by default
KEPT = 4  # candidates of a query: which one is best depends on what is fitted
EVERYTHING = 1e9  # expected false matches at which nothing is held back
SMALL_SHARE = 1 / 8  # of the references that the last version of each clip is queried on
RIGHT_HOPS = 2  # a place is right within half a second

Tried = list[tuple[Hypothesis, Hashes]]
Found = tuple[float, int, float]  # BER, hashes, comparisons


@dataclass(frozen=True, slots=True)
class Trial:
    """One excerpt and what was found.

    Attributes
    ----------
    kind, split, voice
        Speech, music, noise or signal; where it is from; what is not independent of others.
    length
        Hashes of the excerpt.
    comparisons
        Comparisons, without the excerpt's own recording.
    found
        (BER, hashes, comparisons) of the best candidates without the own recording.
    own
        The same of what was found at the right place with the own recording in the store;
        None where nothing was.
    genuine
        Whether the own recording can be stored: it is speech.
    small
        Whether the store was small.
    """

    kind: str
    split: str
    voice: str
    length: int
    comparisons: float
    found: tuple[Found, ...]
    own: Found | None
    genuine: bool
    small: bool


def candidates(trials: Sequence[Trial]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give BER, hashes and comparisons of each trial's candidates, float (n, k) each.

    Where there is none, 1, 1 and the comparisons of the trial.
    """
    table = np.ones((len(trials), KEPT, 3))
    for row, trial in zip(table, trials, strict=True):
        row[:, 2] = trial.comparisons
        for column, found in enumerate(trial.found[:KEPT]):
            row[column] = found
    return table[:, :, 0], table[:, :, 1], table[:, :, 2]


def scores(trials: Sequence[Trial], calibration: ScoreCalibration) -> np.ndarray:
    """Give the score of each trial's best candidate without its own recording, float (n,)."""
    return -expected(*candidates(trials), calibration).min(axis=1)


def own_scores(trials: Sequence[Trial], calibration: ScoreCalibration) -> np.ndarray:
    """Give the score of each trial's best candidate with its own recording, float (n,).

    Where that is missed, the best match is a false one.
    """
    own = np.array([t.own or (1.0, 1, t.comparisons) for t in trials]).reshape(-1, 1, 3)
    every = np.concatenate([own, np.stack(candidates(trials), axis=2)], axis=1)
    return -expected(every[:, :, 0], every[:, :, 1], every[:, :, 2], calibration).min(axis=1)


def expected(
    rates: np.ndarray, hashes: np.ndarray, comparisons: np.ndarray, calibration: ScoreCalibration
) -> np.ndarray:
    """Give log10 of the false matches to expect as good as candidates (n, k), float (n, k).

    A query without any candidate expects as many as there are comparisons.
    """
    return np.minimum(log10_evalue(rates, hashes, comparisons, calibration), np.log10(comparisons))


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """All that is stored, and what trials depend on.

    Attributes
    ----------
    table
        Recording ids are positions of the probes.
    recordings
        str (r,): the source recording of each recording of the table.
    half
        A block's half, in hops.
    """

    table: HashTable
    recordings: np.ndarray
    calibration: ScoreCalibration
    half: float

    def holds(self, probe: Probe) -> np.ndarray:
        """Tell which recordings are cut from the same source as a probe, bool (r,)."""
        same = self.recordings == probe.clip.recording
        return np.asarray(same & (probe.clip.kind == "speech"))


def gallery(probes: Sequence[Probe], calibration: ScoreCalibration, half: float) -> Gallery:
    """Store the references of all probes that are speech."""
    stored = [(n, p.reference) for n, p in enumerate(probes) if p.clip.kind == "speech"]
    table = table_of(stored, stored[0][1].shape[1])
    names = np.array([probes[n].clip.recording for n, _ in stored])
    return Gallery(table, names, calibration, half)


def run_trials(probes: Sequence[Probe], stored: Gallery, model: str) -> list[Trial]:
    """Query with excerpts of all versions of all probes."""
    jobs = [(number, probe) for number, probe in enumerate(probes) if probe.versions]
    return [t for trials in spread(_trials, jobs, _workshop, stored, model) for t in trials]


def _workshop(stored: Gallery, model: str) -> tuple[Gallery, Fingerprinter]:
    return stored, load_hash_model(model)


def _trials(job: tuple[int, Probe], workshop: tuple[Gallery, Fingerprinter]) -> list[Trial]:
    (number, probe), (stored, fingerprinter) = job, workshop
    rng = np.random.default_rng(_seed(probe))
    related = stored.holds(probe)
    alone = ExactIndex(stored.table.only(stored.table.recording_ids == number), "compiled")
    trials = []
    for position, version in enumerate(probe.versions):
        small = position > 0 and position == len(probe.versions) - 1
        kept = ~related & (rng.random(len(related)) < SMALL_SHARE) if small else ~related
        others = ExactIndex(stored.table.only(kept), "compiled")
        times = others.table.total / max(1, alone.table.total)
        for start, length, tried in _excerpts(version, fingerprinter, rng):
            strange = _find(tried, others, stored)
            own = _find(tried, RankedAmong(alone, others), stored) if alone.table.total else []
            trials.append(
                Trial(
                    probe.clip.kind,
                    probe.clip.split,
                    probe.voice,
                    length,
                    max(1.0, *(count_comparisons(grid, others.table) for grid in tried)),
                    tuple(map(_numbers, strange)),
                    _right(own, version, start, stored, times),
                    len(alone.table.counts) > 0,
                    small,
                )
            )
    return trials


def _seed(probe: Probe) -> np.ndarray:
    digest = sha256(str(probe.clip.path.name).encode("utf-8", "surrogateescape")).digest()
    return np.frombuffer(digest, np.uint32)


def _excerpts(
    version: Version, fingerprinter: Fingerprinter, rng: np.random.Generator
) -> Iterator[tuple[int, int, Tried]]:
    """Yield parts of a version: first hash, how many hashes, and what is searched for.

    They are searched for by bits alone, as scores count them: so the candidates of the best
    scores come first.
    """
    parameters = fingerprinter.card.features
    bare = replace(version.hashes, reliability=None)
    for length in (n for n in LENGTHS if n <= len(bare)):
        seconds = (length - 1) * fingerprinter.hop + fingerprinter.block
        count = -(-EXCERPTS * len(bare) // LONGEST)
        for start in rng.integers(0, len(bare) - length + 1, count).tolist():
            if is_short(seconds):
                first = start * parameters.hop_frames
                stop = first + (length - 1) * parameters.hop_frames + parameters.block_frames
                frames, seed = version.frames[first:stop], f"excerpt {first}"
                made = hash_with_padding(frames, PLAIN, seed, fingerprinter, True)
                yield start, length, [(h, replace(q, reliability=None)) for h, q in made]
            else:
                yield start, length, [(PLAIN, bare.cut(slice(start, start + length)))]


def _find(tried: Tried, index: Index, stored: Gallery) -> list[Candidate]:
    return Matcher(index, stored.calibration, GRANULARITY, EVERYTHING, KEPT).find(tried)


def _numbers(candidate: Candidate, times: float = 1.0) -> Found:
    return candidate.segment.ber, candidate.segment.hashes, candidate.comparisons * times


def _right(
    found: Sequence[Candidate], version: Version, start: int, stored: Gallery, times: float
) -> Found | None:
    """Give the best candidate at the right place, of candidates in the own recording.

    The store is ``times`` as large as that recording, so it counts as many comparisons.
    """
    for candidate in found:
        segment = candidate.segment
        middle = (segment.first + segment.stop - 1) / 2
        truth = version.place(start + middle, stored.half)
        if abs(segment.reference(middle) - truth) <= RIGHT_HOPS:
            return _numbers(candidate, times)
    return None
