"""A model of vectors as a system under test: the nearest segment answers, as in the U-Net paper."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.protocol import HOP, Answers
from samaf.audio import SAMPLE_RATE
from samaf.errors import FingerprinterError
from samaf.fingerprinters import VectorFingerprinter, load_fingerprinter
from samaf.fingerprinters.vectors import QUERY_HOP
from samaf.index import VectorIndex, VectorNeighbors, table_of
from samaf.matching.voting import rank

UNET = "unet"
NEIGHBORS = 5  # of each segment (paper section 3.7.3)


class VectorSystem:
    """A model of vectors, asked with windows of 4 s and more.

    The harness' samples have 16 kHz; they are brought to the model's 48 kHz, so the bands
    above 8 kHz are empty. Of a window, a segment every 0.5 s has its 5 neighbors vote. The
    score is the negative distance of the nearest one.
    """

    sampled = True
    parallel = 1
    least = 4

    def __init__(self, fingerprinter: VectorFingerprinter) -> None:
        self.name = f"{UNET}:{fingerprinter.name}"
        self.fingerprinter = fingerprinter
        self._stored: dict[int, np.ndarray] = {}
        self._index: VectorIndex | None = None

    def parameters(self) -> Mapping[str, object]:
        """Name and digest of the model."""
        card = self.fingerprinter.card
        return {"model": card.name, "digest": card.digest, "values": card.values}

    def add(self, reference: int, samples: np.ndarray) -> None:
        """See ``System``."""
        wide = resampled(samples, self.fingerprinter)
        self.insert(reference, self.fingerprinter.hashes([wide], "").packed)

    def insert(self, reference: int, packed: np.ndarray) -> None:
        """Store the bytes of vectors, uint8 (m, bytes)."""
        self._stored[reference] = packed
        self._index = None

    def delete(self, reference: int) -> None:
        """See ``System``."""
        del self._stored[reference]
        self._index = None

    def ask(self, samples: np.ndarray, windows: Mapping[int, np.ndarray]) -> Mapping[int, Answers]:
        """See ``System``."""
        wide = resampled(samples, self.fingerprinter)
        parts = {s: _segments(s) for s in windows}
        starts = np.unique(
            np.concatenate([(windows[s][:, None] + parts[s]).ravel() for s in windows])
        )
        size = self.fingerprinter.card.features.segment_samples
        step = round(HOP * self.fingerprinter.sample_rate)
        cut = [wide[start * step : start * step + size] for start in starts]
        vectors = self.fingerprinter.encode(np.array([np.pad(c, (0, size - len(c))) for c in cut]))
        answers = {}
        for seconds, asked in windows.items():
            entries = [
                (number, *self._answer(vectors[np.searchsorted(starts, start + parts[seconds])]))
                for number, start in enumerate(asked)
            ]
            known = [entry for entry in entries if entry[1] >= 0]
            columns = zip(*known, strict=True) if known else ((), (), (), ())
            kinds = (np.int32, np.int32, np.float32, np.float32)
            answers[seconds] = Answers(
                *(np.array(c, kind) for c, kind in zip(columns, kinds, strict=True))
            )
        return answers

    def neighbors(self, vectors: np.ndarray, k: int = NEIGHBORS) -> VectorNeighbors:
        """Give the nearest stored segments of vectors (m, values), but for those of silence."""
        return self.index.search(vectors[~np.isnan(vectors[:, 0])], k)

    def _answer(self, vectors: np.ndarray) -> tuple[int, float, float]:
        """Give reference, score and offset for the vectors of one window; -1 for none."""
        ranked = rank(self.neighbors(vectors), NEIGHBORS)
        if not ranked:
            return -1, 0.0, 0.0
        best = ranked[0]
        offset = best.segment * self.fingerprinter.hop - best.row * QUERY_HOP
        return best.recording_id, -best.distances[0], offset

    @property
    def index(self) -> VectorIndex:
        """The search over everything stored, built when first asked."""
        if self._index is None:
            width = self.fingerprinter.card.bits // 8
            self._index = VectorIndex(table_of(sorted(self._stored.items()), width))
        return self._index

    def stored_bits(self) -> int:
        """See ``System``."""
        return sum(8 * packed.size for packed in self._stored.values())


def load_vector_model(name: str) -> VectorFingerprinter:
    """Load a model of vectors; `FingerprinterError` when it makes hashes."""
    loaded = load_fingerprinter(name)
    if not isinstance(loaded, VectorFingerprinter):
        raise FingerprinterError(f"{name}: makes hashes; as a system it is samaf:{name}")
    return loaded


def resampled(samples: np.ndarray, fingerprinter: VectorFingerprinter) -> np.ndarray:
    """Bring samples of the harness, float32 (n,), to the rate of a model."""
    from scipy.signal import resample_poly

    return np.asarray(
        resample_poly(samples, fingerprinter.sample_rate, SAMPLE_RATE), dtype=np.float32
    )


def _segments(seconds: int) -> np.ndarray:
    """Tell where the segments of a window begin, in hops of windows."""
    last = round((seconds - VectorSystem.least) / HOP)
    return np.arange(0, last + 1, round(QUERY_HOP / HOP))
