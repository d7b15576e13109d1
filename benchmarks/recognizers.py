"""Systems under test: samaf's models by the paper's protocol, and the baselines."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

import numpy as np

from baselines import recognizer as baselines
from benchmarks.deep import DEEP, DeepSystem
from benchmarks.nearest import NearestWindows
from benchmarks.protocol import HOP, Answers, System, hashes_of, window_samples
from benchmarks.vectors import UNET, VectorSystem, load_vector_model
from samaf.fingerprinters import DEFAULT_MODEL, Fingerprinter, ModelCard, load_hash_model, shipped
from samaf.index import table_of
from samaf.records import Hashes

SAMAF = "samaf"


class HashSystem:
    """A model by the paper's protocol: the nearest hash, or concatenation of hashes, answers.

    Nearest is what differs in the fewest bits; with our models, of the 32 windows that do so
    the one of the least weighed error rate, as ``samaf query`` chooses.

    The clip is hashed once, also when it is asked again of another store; windows of 2-6 s
    are 5, 9, 13, 17 or 21 of its hashes in a row. The score is 1 - error rate.
    """

    sampled = False
    least = 1

    def __init__(self, fingerprinter: Fingerprinter, parallel: int) -> None:
        self.name = f"{SAMAF}:{fingerprinter.name}"
        self.parallel = parallel
        self._fingerprinter = fingerprinter
        self._hashes: dict[int, np.ndarray] = {}
        self._asked: dict[bytes, Hashes] = {}  # 1 kB a clip, 10 kB with weights
        self._nearest: NearestWindows | None = None
        self._building = threading.Lock()

    def parameters(self) -> Mapping[str, object]:
        """Name and digest of the model, and how its bits count."""
        card = self._fingerprinter.card
        weighed = is_weighed(self._fingerprinter)
        return {"model": card.name, "digest": card.digest, "bits": card.bits, "weighed": weighed}

    def hashes(self, samples: np.ndarray, seed: str) -> Hashes:
        """Hash a clip."""
        return self._fingerprinter.hashes([samples], seed)

    def add(self, reference: int, samples: np.ndarray) -> None:
        """See ``System``."""
        self.insert(reference, self.hashes(samples, f"reference {reference}").packed)

    def insert(self, reference: int, packed: np.ndarray) -> None:
        """Store hashes, uint8 (m, bytes), in place of what was under this position."""
        self._hashes[reference] = packed
        self._nearest = None

    def delete(self, reference: int) -> None:
        """See ``System``."""
        del self._hashes[reference]
        self._nearest = None

    def ask(self, samples: np.ndarray, windows: Mapping[int, np.ndarray]) -> Mapping[int, Answers]:
        """See ``System``."""
        key = sha256(samples.tobytes()).digest()
        query = self._asked.get(key)
        if query is None:
            query = self.hashes(samples, f"query of {len(samples)} samples")
            if not is_weighed(self._fingerprinter):
                query = replace(query, reliability=None)
            self._asked[key] = query
        lengths = [hashes_of(seconds) for seconds in sorted(windows)]
        nearest = self.nearest()
        found = nearest.search(query, lengths)
        answers = {}
        for seconds, (window, rows, rates) in zip(sorted(windows), found, strict=True):
            asked = np.isin(window, windows[seconds])
            position, block = nearest.table.locate(rows[asked])
            answers[seconds] = _unique(
                np.searchsorted(windows[seconds], window[asked]),
                nearest.table.recording_ids[position],
                1 - rates[asked],
                block * HOP,
            )
        return answers

    def nearest(self) -> NearestWindows:
        """Give the search over everything stored, built when first asked."""
        with self._building:
            if self._nearest is None:
                parts = sorted(self._hashes.items())
                width = self._fingerprinter.card.bits // 8
                self._nearest = NearestWindows(table_of(parts, width))
            return self._nearest

    def stored_bits(self) -> int:
        """See ``System``."""
        return sum(8 * packed.size for packed in self._hashes.values())


def _unique(
    window: np.ndarray, reference: np.ndarray, score: np.ndarray, offset: np.ndarray
) -> Answers:
    """Keep the first answer of each window and recording."""
    _, first = np.unique(window.astype(np.int64) << 32 | reference, return_index=True)
    return Answers(
        window[first].astype(np.int32),
        reference[first].astype(np.int32),
        score[first].astype(np.float32),
        offset[first].astype(np.float32),
    )


def is_weighed(fingerprinter: Fingerprinter) -> bool:
    """Tell whether bits count by how sure they are: with our models, not by the paper's rule."""
    return fingerprinter.card.features.subtract_mean


class WindowSystem:
    """A recognizer that is asked window by window, as if each were a clip of its own."""

    parallel = 1
    sampled = True
    least = 1

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

    def ask(self, samples: np.ndarray, windows: Mapping[int, np.ndarray]) -> Mapping[int, Answers]:
        """See ``System``."""
        answers = {}
        for seconds, starts in windows.items():
            entries = [
                (number, int(answer.key), answer.score, answer.offset_s)
                for number, window in enumerate(starts)
                for answer in _best(
                    self._recognizer.query(window_samples(samples, int(window), seconds))
                )
            ]
            columns = zip(*entries, strict=True) if entries else ((), (), (), ())
            kinds = (np.int32, np.int32, np.float32, np.float32)
            answers[seconds] = Answers(
                *(np.array(c, kind) for c, kind in zip(columns, kinds, strict=True))
            )
        return answers

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
        Clips that a samaf model may be asked at the same time.

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
            f"{spec}: no such recognizer; python -m benchmarks list names them"
        )
    return f"{name}:{settings or known.settings[0]}"


def shortest(name: str) -> int:
    """Tell the shortest windows that the system of a name can be asked, s."""
    return VectorSystem.least if name.partition(":")[0] == UNET else 1


def known_systems() -> list[str]:
    """Name every system that ``open_system`` knows."""
    models = [f"{SAMAF if isinstance(card, ModelCard) else UNET}:{card.name}" for card in shipped()]
    return [*models, f"{SAMAF}:{DEFAULT_MODEL}{DEEP}", *baselines.available()]
