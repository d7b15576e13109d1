"""What all systems that look up hashes in one table have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from baselines.recognizer import SAMPLE_RATE, Answer, checked
from baselines.table import HashTable, Hits, Prints


class LandmarkRecognizer(ABC):
    """A recognizer made of two steps: prints of samples, and answers from equal hashes.

    Parameters
    ----------
    settings
        Name of the settings.
    columns
        Columns of ``Prints.values``.
    """

    name: str
    hash_bits: int

    def __init__(self, settings: str, columns: int = 1) -> None:
        self.settings = settings
        self.table = HashTable(columns)

    @abstractmethod
    def prints(self, samples: np.ndarray) -> Prints:
        """Hashes of float32 samples, shape (n,), 16 kHz."""

    @abstractmethod
    def answers(self, query: Prints) -> list[Answer]:
        """Recordings that share hashes with the query, best first."""

    def add(self, key: str, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
        """Store a recording; see ``Recognizer``."""
        self.table.add(key, self.prints(checked(samples, sample_rate)))

    def query(self, samples: np.ndarray) -> list[Answer]:
        """Answers, best first; see ``Recognizer``."""
        return self.answers(self.prints(checked(samples)))

    def delete(self, key: str) -> None:
        """Forget a recording; see ``Recognizer``."""
        self.table.delete(key)

    def stored_bits(self) -> int:
        """Bits of all stored hashes; see ``Recognizer``."""
        return len(self.table) * self.hash_bits


def last_of_each_hash(prints: Prints) -> Prints:
    """One print per hash: the last one, which is what a map from hash to time keeps."""
    _, from_the_end = np.unique(prints.hashes[::-1], return_index=True)
    return prints.take(np.sort(len(prints) - 1 - from_the_end))


def popular_offsets(
    hits: Hits, offsets: np.ndarray, adjacent: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per recording the offset that most hits agree on.

    Parameters
    ----------
    hits
        Equal hashes.
    offsets
        int, shape (hits,).
    adjacent
        Count the hits at the next higher offset too.

    Returns
    -------
    files, offsets, counts
        int64, one entry per recording, by falling count; in a tie the recording added
        first comes first, and of its offsets the smallest is taken.
    """
    cells, counts = np.unique((hits.files << 32) + (offsets + 2**31), return_counts=True)
    if adjacent:
        counts = counts + np.append(np.where(np.diff(cells) == 1, counts[1:], 0), 0)[: len(cells)]
    files = cells >> 32
    order = np.lexsort((cells, -counts, files))
    best = order[np.unique(files[order], return_index=True)[1]]
    best = best[np.lexsort((files[best], -counts[best]))]
    return files[best], (cells[best] & (2**32 - 1)) - 2**31, counts[best]
