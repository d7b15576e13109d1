"""An upper bound for unaltered clips: the query's spectrogram slid along every recording.

Log energies of 24 bands every 40 ms; the score is the normalised cross-correlation of the
two spectrograms, each band freed of its mean over the window, so that neither level nor a
fixed filter matters. Pitch and tempo are not searched.
"""

from __future__ import annotations

import numpy as np

from baselines.recognizer import SAMPLE_RATE, Answer, RecognizerError, checked
from baselines.spectra import power_spectrogram

BANDS = 24
LOWEST_HZ, HIGHEST_HZ = 150.0, 7000.0
WINDOW = 1024  # samples, 64 ms
HOP = 640  # samples, 40 ms
FLOOR = 1e-5  # of the loudest cell: 50 dB of range
CHUNK = 8192  # frames correlated at once: bounds the memory
ANSWERS = 10


def log_bands(samples: np.ndarray) -> np.ndarray:
    """Log energies of 24 logarithmic bands, float32, shape (frames, 24)."""
    power = power_spectrogram(samples, np.hanning(WINDOW).astype(np.float32), HOP)
    hertz = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    edges = LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (np.arange(BANDS + 1) / BANDS)
    bands = np.searchsorted(edges, hertz, side="right") - 1
    matrix = ((bands[:, None] == np.arange(BANDS)) & (hertz < HIGHEST_HZ)[:, None]).astype(
        np.float32
    )
    energies = power @ matrix
    loudest = energies.max(initial=0.0)
    if loudest == 0.0:
        return np.zeros_like(energies)
    return np.log(np.maximum(energies, FLOOR * loudest) / loudest).astype(np.float32)


def sliding_correlation(stored: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Normalised cross-correlation at every full overlap, float32, shape (n - m + 1,).

    Parameters
    ----------
    stored
        float32, shape (n, bands), n >= m.
    query
        float32, shape (m, bands).
    """
    m = len(query)
    centred = query - query.mean(axis=0)
    length = len(stored) - m + 1
    dots = np.zeros(length, np.float32)
    for first in range(0, length, CHUNK):
        count = min(CHUNK, length - first)
        products = centred @ stored[first : first + count + m - 1].T
        for row in range(m):
            dots[first : first + count] += products[row, row : row + count]
    return dots / _norms(stored, m) / max(float(np.linalg.norm(centred)), 1e-9)


def _norms(stored: np.ndarray, m: int) -> np.ndarray:
    """Euclidean norm of each window of m frames, each band freed of its mean."""
    total = np.cumsum(np.pad(stored, ((1, 0), (0, 0))), axis=0, dtype=np.float64)
    squares = np.cumsum(np.append(0.0, (stored.astype(np.float64) ** 2).sum(axis=1)))
    sums = total[m:] - total[:-m]
    spread = squares[m:] - squares[:-m] - (sums**2).sum(axis=1) / m
    return np.sqrt(np.maximum(spread, 1e-6)).astype(np.float32)


class BruteForce:
    """Spectrogram correlation with every recording that is at least as long as the clip."""

    name = "bruteforce"

    def __init__(self, settings: str) -> None:
        self.settings = settings
        self._bands: dict[str, np.ndarray] = {}

    def add(self, key: str, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
        """Store a recording; see ``Recognizer``."""
        if key in self._bands:
            raise RecognizerError(f"{key!r} is stored already: delete it first")
        self._bands[key] = log_bands(checked(samples, sample_rate))

    def query(self, samples: np.ndarray) -> list[Answer]:
        """The ten recordings of highest correlation that are at least as long as the clip."""
        query = log_bands(checked(samples))
        keys = [key for key, bands in self._bands.items() if len(bands) >= max(len(query), 1)]
        if not keys or not query.any():
            return []
        lengths = np.array([len(self._bands[key]) for key in keys])
        flat = np.concatenate([self._bands[key] for key in keys])
        correlations = sliding_correlation(flat, query)
        starts = np.cumsum(lengths) - lengths
        offsets = np.array(
            [
                int(np.argmax(correlations[start : start + length - len(query) + 1]))
                for start, length in zip(starts, lengths, strict=True)
            ]
        )
        scores = correlations[starts + offsets]
        order = np.argsort(-scores, kind="stable")[:ANSWERS]
        return [
            Answer(keys[i], float(scores[i]), float(offsets[i]) * HOP / SAMPLE_RATE) for i in order
        ]

    def delete(self, key: str) -> None:
        """Forget a recording; see ``Recognizer``."""
        if key not in self._bands:
            raise RecognizerError(f"{key!r} is not stored: nothing to delete")
        del self._bands[key]

    def stored_bits(self) -> int:
        """Bits of the stored spectrograms, 32 per cell."""
        return sum(32 * bands.size for bands in self._bands.values())
