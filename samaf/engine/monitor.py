"""From a stream to matches, one after the other: listen, hash, follow, name the recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Protocol

import numpy as np

from samaf.audio import Source
from samaf.audio.live import listen
from samaf.engine.blas import one_blas_thread
from samaf.engine.hash_query import to_matches
from samaf.engine.options import QueryOptions
from samaf.errors import AudioError
from samaf.features import blocks, mfcc
from samaf.fingerprinters import Fingerprinter
from samaf.index import Index
from samaf.matching import calibration_of
from samaf.matching.deep import find_deep
from samaf.matching.sections import STEP_SECONDS, Cutter, Joiner, later, of_many
from samaf.matching.stream import Follower
from samaf.records import Hashes, Match
from samaf.store import Store

HOUR_SECTIONS = 3600 / STEP_SECONDS
HALVING_SECONDS = 5.0  # in which the peak meter falls by half, 6 dB
LATE_SECONDS = 10.0  # behind a stream from which it is said, and again at twice as much


class StreamHasher:
    """Hashes a stream; what has come is normalised to the level of the last seconds.

    A recording is normalised to the peak of the whole, which a stream has not yet.
    """

    def __init__(self, fingerprinter: Fingerprinter, name: str) -> None:
        self._fingerprinter = fingerprinter
        self._name = name
        self._kept = np.empty(0, np.float32)  # from the next hash on
        self._count = 0
        self._peak = 0.0

    def feed(self, samples: np.ndarray) -> Hashes:
        """Give the hashes that samples float32 (n,) complete."""
        parameters = self._fingerprinter.card.features
        hop = parameters.hop_frames * parameters.step
        block = (parameters.block_frames - 1) * parameters.step + parameters.window
        self._kept = np.concatenate([self._kept, samples])
        count = max(0, (len(self._kept) - block) // hop + 1)
        if not count:
            return Hashes(
                np.empty((0, self._fingerprinter.card.bits // 8), np.uint8), np.empty(0, bool)
            )
        complete = self._kept[: (count - 1) * hop + block]
        fallen = self._peak * 0.5 ** (count * self._fingerprinter.hop / HALVING_SECONDS)
        self._peak = max(fallen, float(np.abs(complete).max(initial=0)))
        level = complete / np.float32(self._peak) if self._peak else complete
        cut = blocks(mfcc(level, parameters), parameters)[:count]
        self._kept = self._kept[count * hop :]
        self._count += count
        # Blocks with nothing in them get bits of their own, each time others.
        return self._fingerprinter.hash_blocks(cut, f"{self._name} {self._count}")


class Listener(Protocol):
    """Hears a stream, and tells the matches that have ended."""

    def feed(self, samples: np.ndarray, index: Index) -> Sequence[Match]:
        """Hear samples float32 (n,)."""
        ...

    def finish(self, index: Index) -> Sequence[Match]:
        """Tell what is still open, since the stream has ended."""
        ...


class Plain:
    """Follows a stream as it is, hash by hash."""

    def __init__(
        self, name: str, options: QueryOptions, fingerprinter: Fingerprinter, store: Store
    ) -> None:
        self._hasher = StreamHasher(fingerprinter, name)
        calibration = calibration_of(fingerprinter)
        self._follower = Follower(
            options.window_hashes(fingerprinter.hop),
            calibration,
            options.max_false_matches,
            options.k,
        )
        self._fingerprinter, self._store = fingerprinter, store
        self._seconds = 0.0

    def feed(self, samples: np.ndarray, index: Index) -> Sequence[Match]:
        """See `Listener`."""
        self._seconds += len(samples) / self._fingerprinter.card.features.sample_rate
        found = self._follower.feed(self._hasher.feed(samples), index)
        return to_matches(found, self._seconds, self._fingerprinter, index, self._store)

    def finish(self, index: Index) -> Sequence[Match]:
        """See `Listener`."""
        found = self._follower.finish(index)
        return to_matches(found, self._seconds, self._fingerprinter, index, self._store)


class Deep:
    """Undoes manipulations of a stream, section by section."""

    def __init__(
        self, name: str, options: QueryOptions, fingerprinter: Fingerprinter, store: Store
    ) -> None:
        self._name, self._question = name, options
        self._fingerprinter, self._store = fingerprinter, store
        self._cutter = Cutter(fingerprinter.card.features.sample_rate)
        self._joiner = Joiner(options.k)

    def feed(self, samples: np.ndarray, index: Index) -> Sequence[Match]:
        """See `Listener`."""
        return [m for cut in self._cutter.feed(samples) for m in self._heard(*cut, index)]

    def finish(self, index: Index) -> Sequence[Match]:
        """See `Listener`."""
        last = [m for cut in self._cutter.finish() for m in self._heard(*cut, index)]
        return last + self._joiner.finish()

    def _heard(self, start: float, samples: np.ndarray, index: Index) -> list[Match]:
        options, fingerprinter = self._question, self._fingerprinter
        peak = np.float32(np.abs(samples).max(initial=0))
        found = find_deep(
            samples / peak if peak else samples,
            f"{self._name} {start}",
            fingerprinter,
            index,
            options.window_hashes(fingerprinter.hop),
            options.max_false_matches / HOUR_SECTIONS,
            options.k,
            exhaustive=options.search == "exhaustive",
        )
        seconds = len(samples) / fingerprinter.card.features.sample_rate
        found = of_many(found, HOUR_SECTIONS)
        matches = to_matches(found, seconds, fingerprinter, index, self._store)
        return self._joiner.add([later(m, start) for m in matches], start + STEP_SECONDS)


def monitor(
    source: Source,
    options: QueryOptions,
    fingerprinter: Fingerprinter,
    index: Callable[[], Index],
    store: Store,
    on_lag: Callable[[float], None],
    until: Event | None,
) -> Iterator[Match]:
    """Yield the matches in a stream as they end; see ``Engine.monitor``."""
    with listen(source, until) as stream, one_blas_thread():
        given = stream.name, options, fingerprinter, store
        listener: Listener = Deep(*given) if options.deep else Plain(*given)
        bound = LATE_SECONDS
        try:
            for samples in stream.chunks():
                yield from listener.feed(samples, index())
                if stream.lag >= bound:
                    on_lag(stream.lag)
                    bound = 2 * stream.lag
        except AudioError:
            yield from listener.finish(index())
            raise
        yield from listener.finish(index())
