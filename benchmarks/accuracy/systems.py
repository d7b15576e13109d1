"""Systems under test: samaf's models by the papers' protocols, deep queries, the baselines."""

from __future__ import annotations

import re
import threading
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Generic, TypeVar

import numpy as np

from baselines import recognizer as baselines
from benchmarks.accuracy.nearest import NearestWindows
from benchmarks.accuracy.protocol import HOP, Answers, System, hashes_of, window_samples
from samaf.audio import SAMPLE_RATE
from samaf.errors import FingerprinterError
from samaf.fingerprinters import (
    DEFAULT_MODEL,
    Fingerprinter,
    ModelCard,
    VectorFingerprinter,
    load_fingerprinter,
    load_hash_model,
    shipped,
)
from samaf.fingerprinters.vectors import QUERY_HOP
from samaf.index import ExactIndex, HashTable, VectorIndex, VectorNeighbors, table_of
from samaf.matching import Candidate, DeepMatcher, Matcher
from samaf.matching.voting import rank
from samaf.records import Codes, Hashes
from samaf.training.distortions import normalised

SAMAF, UNET, DEEP = "samaf", "unet", "+deep"
PAPER_MODEL = re.compile(r"[12]LST(128|256)(MH?E?|Random)")  # the paper's loss terms, or none
GRANULARITY = 9  # hashes that a deep query searches for at once, as `samaf query` does
EVERYTHING = 1e9  # false matches to expect at which none is held back: thresholds act on scores
NEIGHBORS = 5  # of each segment (U-Net paper, section 3.7.3)

Model = TypeVar("Model", Fingerprinter, VectorFingerprinter)
Search = TypeVar("Search")


class ModelSystem(System, Generic[Model, Search]):
    """A model of samaf: it stores codes, and searches all of them with an index of its own."""

    def __init__(self, name: str, fingerprinter: Model) -> None:
        self.name = name
        self.fingerprinter: Model = fingerprinter
        self._codes: dict[int, np.ndarray] = {}
        self._index: Search | None = None
        self._building = threading.Lock()

    def encode(self, samples: np.ndarray, seed: str) -> Codes:
        """Make the codes of a clip, float32 (n,), 16 kHz."""
        return self.fingerprinter.hashes([samples], seed)

    @abstractmethod
    def search_over(self, table: HashTable) -> Search:
        """Make the index over a table."""

    def parameters(self) -> Mapping[str, object]:
        """Name and digest of the model."""
        card = self.fingerprinter.card
        return {"model": card.name, "digest": card.digest, "bits": card.bits}

    def add(self, reference: int, samples: np.ndarray) -> None:
        """See ``System``."""
        self.insert(reference, self.encode(samples, f"reference {reference}").packed)

    def insert(self, reference: int, packed: np.ndarray) -> None:
        """Store codes, uint8 (m, bytes), in place of what was under this position."""
        self._codes[reference] = packed
        self._index = None

    def delete(self, reference: int) -> None:
        """See ``System``."""
        del self._codes[reference]
        self._index = None

    def stored_bits(self) -> int:
        """See ``System``."""
        return sum(8 * packed.size for packed in self._codes.values())

    @property
    def index(self) -> Search:
        """The search over everything stored, built when first needed."""
        with self._building:
            if self._index is None:
                width = self.fingerprinter.card.bits // 8
                self._index = self.search_over(table_of(sorted(self._codes.items()), width))
            return self._index


class HashSystem(ModelSystem[Fingerprinter, NearestWindows]):
    """A model by the paper's protocol: the nearest hash, or concatenation of hashes, answers.

    Nearest is what differs in the fewest bits. The paper's models answer so. With others, of
    the 32 windows that differ in the fewest bits the best by bit reliability answers, as
    ``samaf query`` chooses.

    The clip is hashed once, also when it is queried again on another store; windows of 2-6 s
    are 5, 9, 13, 17 or 21 of its hashes in a row. The score is 1 - error rate.
    """

    sampled = False

    def __init__(self, fingerprinter: Fingerprinter, parallel: int = 1) -> None:
        super().__init__(f"{SAMAF}:{fingerprinter.name}", fingerprinter)
        self.parallel = parallel
        self._by_reliability = not PAPER_MODEL.fullmatch(fingerprinter.name)
        self._queried: dict[bytes, Hashes] = {}  # 1 kB a clip, 10 kB with reliability

    def parameters(self) -> Mapping[str, object]:
        """Name and digest of the model, and how its bits count."""
        return {**super().parameters(), "by_reliability": self._by_reliability}

    def search_over(self, table: HashTable) -> NearestWindows:
        """See ``ModelSystem``."""
        return NearestWindows(table)

    def query(
        self, samples: np.ndarray, windows: Mapping[int, np.ndarray]
    ) -> Mapping[int, Answers]:
        """See ``System``."""
        key = sha256(samples.tobytes()).digest()
        hashes = self._queried.get(key)
        if hashes is None:
            hashes = self.fingerprinter.hashes([samples], f"query of {len(samples)} samples")
            if not self._by_reliability:
                hashes = replace(hashes, reliability=None)
            self._queried[key] = hashes
        lengths = [hashes_of(seconds) for seconds in sorted(windows)]
        nearest = self.index
        found = nearest.search(hashes, lengths)
        answers = {}
        for seconds, (window, rows, rates) in zip(sorted(windows), found, strict=True):
            wanted = np.isin(window, windows[seconds])
            position, block = nearest.table.locate(rows[wanted])
            answers[seconds] = _first_of_each(
                np.searchsorted(windows[seconds], window[wanted]),
                nearest.table.recording_ids[position],
                1 - rates[wanted],
                block * HOP,
            )
        return answers


def _first_of_each(
    window: np.ndarray, reference: np.ndarray, score: np.ndarray, offset: np.ndarray
) -> Answers:
    """Keep the first answer of each window and recording."""
    _, first = np.unique(window.astype(np.int64) << 32 | reference, return_index=True)
    return Answers.joined(window[first], reference[first], score[first], offset[first])


class DeepSystem(ModelSystem[Fingerprinter, ExactIndex]):
    """A model queried as ``samaf query --deep`` does; each window is a clip of its own.

    The score is -log10 of the expected number of false matches; the best match answers.
    """

    def __init__(self, fingerprinter: Fingerprinter) -> None:
        super().__init__(f"{SAMAF}:{fingerprinter.name}{DEEP}", fingerprinter)

    def search_over(self, table: HashTable) -> ExactIndex:
        """See ``ModelSystem``."""
        return ExactIndex(table)

    def query(
        self, samples: np.ndarray, windows: Mapping[int, np.ndarray]
    ) -> Mapping[int, Answers]:
        """See ``System``."""
        return {
            seconds: Answers.of(self._answers(samples, starts, seconds))
            for seconds, starts in windows.items()
        }

    def _answers(
        self, samples: np.ndarray, starts: np.ndarray, seconds: int
    ) -> Iterator[tuple[int, int, float, float]]:
        for number, window in enumerate(starts.tolist()):
            best = self.best(window_samples(samples, window, seconds))
            if best:
                reference = int(self.index.table.recording_ids[best.recording_index])
                yield number, reference, -best.log10_evalue, self._offset(best)

    def best(self, samples: np.ndarray) -> Candidate | None:
        """Give the best match of a clip, float32 (n,), however bad it is."""
        clip, seed = normalised(samples), f"query of {len(samples)} samples"
        calibration = self.fingerprinter.card.calibration
        matcher = Matcher(self.index, calibration, GRANULARITY, EVERYTHING, 1)
        deep = DeepMatcher(self.fingerprinter, matcher)
        candidates = deep.find_on_grid(clip, seed)
        return deep.refined(candidates[0], clip) if candidates else None

    def _offset(self, candidate: Candidate) -> float:
        """Tell where a clip begins in the reference, s; a reversed one where it ends."""
        hop, half = self.fingerprinter.hop, self.fingerprinter.block / 2
        return candidate.segment.reference(-half / hop) * hop + half


class VectorSystem(ModelSystem[VectorFingerprinter, VectorIndex]):
    """A model of vectors by the U-Net paper's protocol, queried with windows of 4 s and more.

    The harness' samples have 16 kHz; they are brought to the model's 48 kHz, so the bands
    above 8 kHz are empty. Of a window, a segment every 0.5 s has its 5 neighbors vote. The
    score is the negative distance of the nearest one.
    """

    shortest = 4

    def __init__(self, fingerprinter: VectorFingerprinter) -> None:
        super().__init__(f"{UNET}:{fingerprinter.name}", fingerprinter)

    def encode(self, samples: np.ndarray, seed: str) -> Codes:
        """Make the vectors of a clip."""
        return self.fingerprinter.hashes([self._resampled(samples)], seed)

    def search_over(self, table: HashTable) -> VectorIndex:
        """See ``ModelSystem``."""
        return VectorIndex(table)

    def query(
        self, samples: np.ndarray, windows: Mapping[int, np.ndarray]
    ) -> Mapping[int, Answers]:
        """See ``System``."""
        wide = self._resampled(samples)
        parts = {s: _segments(s) for s in windows}
        starts = np.unique(
            np.concatenate([(windows[s][:, None] + parts[s]).ravel() for s in windows])
        )
        size = self.fingerprinter.card.features.segment_samples
        step = round(HOP * self.fingerprinter.sample_rate)
        cut = [wide[start * step : start * step + size] for start in starts]
        vectors = self.fingerprinter.encode(np.array([np.pad(c, (0, size - len(c))) for c in cut]))

        def answers(seconds: int) -> Iterator[tuple[int, int, float, float]]:
            for number, start in enumerate(windows[seconds]):
                segments = vectors[np.searchsorted(starts, start + parts[seconds])]
                for best in rank(self.neighbors(segments), NEIGHBORS)[:1]:
                    offset = best.segment * self.fingerprinter.hop - best.row * QUERY_HOP
                    yield number, best.recording_id, -best.distances[0], offset

        return {seconds: Answers.of(answers(seconds)) for seconds in windows}

    def neighbors(self, vectors: np.ndarray, k: int = NEIGHBORS) -> VectorNeighbors:
        """Give the nearest stored segments of vectors (m, values), but for those of silence."""
        return self.index.search(vectors[~np.isnan(vectors[:, 0])], k)

    def _resampled(self, samples: np.ndarray) -> np.ndarray:
        """Bring samples of the harness to the rate of the model."""
        from scipy.signal import resample_poly

        wide = resample_poly(samples, self.fingerprinter.sample_rate, SAMPLE_RATE)
        return np.asarray(wide, dtype=np.float32)


def _segments(seconds: int) -> np.ndarray:
    """Tell where the segments of a window begin, in hops of windows."""
    last = round((seconds - VectorSystem.shortest) / HOP)
    return np.arange(0, last + 1, round(QUERY_HOP / HOP))


class WindowSystem(System):
    """A baseline, queried window by window, as if each were a clip of its own."""

    def __init__(self, recognizer: baselines.Recognizer) -> None:
        self.name = f"{recognizer.name}:{recognizer.settings}"
        self._recognizer = recognizer

    def parameters(self) -> Mapping[str, object]:
        """Name and settings."""
        return {"recognizer": self._recognizer.name, "settings": self._recognizer.settings}

    def add(self, reference: int, samples: np.ndarray) -> None:
        """See ``System``."""
        self._recognizer.add(str(reference), samples)

    def delete(self, reference: int) -> None:
        """See ``System``."""
        self._recognizer.delete(str(reference))

    def query(
        self, samples: np.ndarray, windows: Mapping[int, np.ndarray]
    ) -> Mapping[int, Answers]:
        """See ``System``."""
        return {
            seconds: Answers.of(
                (number, int(answer.key), answer.score, answer.offset_s)
                for number, window in enumerate(starts)
                for answer in _best(
                    self._recognizer.query(window_samples(samples, int(window), seconds))
                )
            )
            for seconds, starts in windows.items()
        }

    def stored_bits(self) -> int:
        """See ``System``."""
        return self._recognizer.stored_bits()


def _best(answers: Sequence[baselines.Answer]) -> list[baselines.Answer]:
    """Keep the best answer and those of equal score."""
    return [answer for answer in answers if answer.score == answers[0].score]


def open_system(spec: str, parallel: int = 1) -> System:
    """Make an empty system.

    Parameters
    ----------
    spec
        ``samaf:MODEL``, ``samaf:MODEL+deep`` for deep queries, ``unet:MODEL`` for a model of
        vectors, or a baseline as ``baselines.recognizer.create`` knows it.
    parallel
        Clips that a hash model may be queried with at the same time.

    Raises
    ------
    FingerprinterError, RecognizerError
        There is no such model or baseline, or it is not installed.
    """
    kind, _, model = spec.partition(":")
    if kind == UNET:
        return VectorSystem(load_vector_model(model))
    if kind == SAMAF:
        fingerprinter = load_hash_model(model.removesuffix(DEEP) or DEFAULT_MODEL)
        if model.endswith(DEEP):
            return DeepSystem(fingerprinter)
        return HashSystem(fingerprinter, parallel)
    return WindowSystem(baselines.create(spec))


def load_vector_model(name: str) -> VectorFingerprinter:
    """Load a model of vectors; `FingerprinterError` when it makes hashes."""
    loaded = load_fingerprinter(name)
    if not isinstance(loaded, VectorFingerprinter):
        raise FingerprinterError(f"{name}: makes hashes; as a system it is samaf:{name}")
    return loaded


def system_name(spec: str) -> str:
    """Give the name of a system, also of one that is not installed.

    Raises
    ------
    FingerprinterError, RecognizerError
        There is no such model or baseline.
    """
    if spec.partition(":")[0] in {SAMAF, UNET}:
        return open_system(spec).name
    name, _, settings = baselines.ALIASES.get(spec, spec).partition(":")
    known = baselines.SYSTEMS.get(name)
    if known is None or (settings and settings not in known.settings):
        raise baselines.RecognizerError(
            f"{spec}: no such system; python -m benchmarks accuracy list names them"
        )
    return f"{name}:{settings or known.settings[0]}"


def why_unusable(name: str) -> str:
    """Say why a system cannot run here; empty when it can."""
    if name.partition(":")[0] in {SAMAF, UNET}:
        return ""
    try:
        baselines.create(name)
    except baselines.UnavailableError as error:
        return str(error)
    return ""


def shortest_window(name: str) -> int:
    """Tell the shortest windows that the system of a name can be queried with, s."""
    return VectorSystem.shortest if name.partition(":")[0] == UNET else System.shortest


def known_systems() -> list[str]:
    """Name every system that ``open_system`` knows."""
    models = [f"{SAMAF if isinstance(card, ModelCard) else UNET}:{card.name}" for card in shipped()]
    return [*models, f"{SAMAF}:{DEFAULT_MODEL}{DEEP}", *baselines.available()]
