"""From a stream to matches, one after the other: listen, hash, follow, name the recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event

import numpy as np

from samaf.audio import Source
from samaf.audio.live import listen
from samaf.engine.asking import Question, named
from samaf.engine.blas import one_blas_thread
from samaf.errors import AudioError
from samaf.features import blocks, mfcc
from samaf.fingerprinters import Fingerprinter
from samaf.index import Index
from samaf.matching import Finding
from samaf.matching.stream import Follower
from samaf.records import Hashes, Match
from samaf.store import Store

HOURLY_RATE = 0.1  # expected false matches an hour
HALVING_SECONDS = 5.0  # in which the peak meter falls by half, 6 dB
LATE_SECONDS = 10.0  # behind a stream from which it is said, and again at twice as much


class Ear:
    """Hashes a stream; what has come is normalised to the level of the last seconds.

    A recording is normalised to the peak of the whole, which a stream has not yet.
    """

    def __init__(self, fingerprinter: Fingerprinter, name: str) -> None:
        self._fingerprinter = fingerprinter
        self._name = name
        self._kept = np.empty(0, np.float32)  # from the next hash on
        self._count = 0
        self._peak = 0.0

    def hear(self, samples: np.ndarray) -> Hashes:
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
        heard = self._kept[: (count - 1) * hop + block]
        fallen = self._peak * 0.5 ** (count * self._fingerprinter.hop / HALVING_SECONDS)
        self._peak = max(fallen, float(np.abs(heard).max(initial=0)))
        level = heard / np.float32(self._peak) if self._peak else heard
        cut = blocks(mfcc(level, parameters), parameters)[:count]
        self._kept = self._kept[count * hop :]
        self._count += count
        # Blocks with nothing in them get bits of their own, each time others.
        return self._fingerprinter.hash_blocks(cut, f"{self._name} {self._count}")


def monitor(
    source: Source,
    question: Question,
    fingerprinter: Fingerprinter,
    index: Callable[[], Index],
    store: Store,
    late: Callable[[float], None],
    until: Event | None,
) -> Iterator[Match]:
    """Yield the matches in a stream as they end; see ``Engine.monitor``."""
    window = (question.granularity - 1) * round(1 / fingerprinter.hop) + 1
    follower = Follower(window, fingerprinter.card.confidence, question.rate, question.k)
    with listen(source, until) as stream, one_blas_thread():
        ear = Ear(fingerprinter, stream.name)

        def matches(found: list[Finding], at: Index) -> tuple[Match, ...]:
            return named(found, stream.seconds, fingerprinter, at, store)

        bound = LATE_SECONDS
        try:
            for samples in stream.chunks():
                now = index()
                yield from matches(follower.feed(ear.hear(samples), now), now)
                if stream.lag >= bound:
                    late(stream.lag)
                    bound = 2 * stream.lag
        except AudioError:
            now = index()
            yield from matches(follower.finish(now), now)
            raise
        now = index()
        yield from matches(follower.finish(now), now)
