"""Deep queries as a system under test: every window is a clip of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.protocol import Answers, window_samples
from samaf.fingerprinters import Fingerprinter
from samaf.index import ExactIndex, table_of
from samaf.matching import Candidate
from samaf.matching.deep import find_on_grid, refined
from samaf.training.distortions import normalised

DEEP = "+deep"
GRANULARITY = 9  # hashes searched for at once, as a query does by default
EVERYTHING = 1e9  # a rate at which no finding is held back: thresholds act on the score


class DeepSystem:
    """A model asked as ``samaf query --deep`` asks it.

    The score is -log10 of the expected number of false findings; the best finding answers.
    """

    sampled = True
    parallel = 1
    least = 1

    def __init__(self, fingerprinter: Fingerprinter) -> None:
        self.name = f"samaf:{fingerprinter.name}{DEEP}"
        self._fingerprinter = fingerprinter
        self._hashes: dict[int, np.ndarray] = {}
        self._index: ExactIndex | None = None

    def parameters(self) -> Mapping[str, object]:
        """Name and digest of the model."""
        card = self._fingerprinter.card
        return {"model": card.name, "digest": card.digest, "bits": card.bits}

    def add(self, reference: int, samples: np.ndarray) -> None:
        """See ``System``."""
        hashes = self._fingerprinter.hashes([samples], f"reference {reference}")
        self.insert(reference, hashes.packed)

    def insert(self, reference: int, packed: np.ndarray) -> None:
        """Store hashes, uint8 (m, bytes), in place of what was under this position."""
        self._hashes[reference] = packed
        self._index = None

    def delete(self, reference: int) -> None:
        """See ``System``."""
        del self._hashes[reference]
        self._index = None

    def ask(self, samples: np.ndarray, windows: Mapping[int, np.ndarray]) -> Mapping[int, Answers]:
        """See ``System``."""
        answers = {}
        for seconds, starts in windows.items():
            entries = []
            for number, window in enumerate(starts.tolist()):
                best = self.best(window_samples(samples, window, seconds))
                if best:
                    reference = int(self.index.table.recording_ids[best.recording_index])
                    entries.append((number, reference, -best.log10_evalue, self._offset(best)))
            columns = zip(*entries, strict=True) if entries else ((), (), (), ())
            kinds = (np.int32, np.int32, np.float32, np.float32)
            answers[seconds] = Answers(
                *(np.array(c, kind) for c, kind in zip(columns, kinds, strict=True))
            )
        return answers

    def best(self, samples: np.ndarray) -> Candidate | None:
        """Give the best finding of a clip, float32 (n,), however bad it is."""
        clip, seed = normalised(samples), f"query of {len(samples)} samples"
        asked = self._fingerprinter, self.index
        found = find_on_grid(clip, seed, *asked, GRANULARITY, EVERYTHING, 1)
        return refined(found[0], clip, *asked) if found else None

    @property
    def index(self) -> ExactIndex:
        """The search over everything stored, built when first asked."""
        if self._index is None:
            width = self._fingerprinter.card.bits // 8
            self._index = ExactIndex(table_of(sorted(self._hashes.items()), width))
        return self._index

    def _offset(self, finding: Candidate) -> float:
        """Tell where a clip begins in the reference, s; a reversed one where it ends."""
        hop, half = self._fingerprinter.hop, self._fingerprinter.block / 2
        return finding.segment.reference(-half / hop) * hop + half

    def stored_bits(self) -> int:
        """See ``System``."""
        return sum(8 * packed.size for packed in self._hashes.values())
