"""From the samples of one stream to matches, each given when it has ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from samaf.engine.hash_query import matcher_of, to_matches
from samaf.engine.options import QueryOptions
from samaf.features import blocks, mfcc
from samaf.fingerprinters import Fingerprinter
from samaf.index import Index
from samaf.matching import Candidate, DeepMatcher, Matcher
from samaf.matching.sections import STEP_SECONDS, Cutter, Joiner, later, of_many
from samaf.matching.stream import Follower
from samaf.records import Hashes, Match
from samaf.store import Store

STEP_HASHES = 8  # of a stream that are hashed and searched for at once: 2 s
HOUR_SECTIONS = 3600 / STEP_SECONDS
HALVING_SECONDS = 5.0  # in which the peak meter falls by half, 6 dB


class StreamHasher:
    """Hashes a stream; what has come is normalised to the level of the last seconds.

    A recording is normalised to the peak of the whole, which a stream has not yet. Samples are
    hashed `STEP_HASHES` at a time, so that hashes do not depend on the pieces that they come in.
    """

    def __init__(self, fingerprinter: Fingerprinter, name: str) -> None:
        self._fingerprinter = fingerprinter
        self._name = name
        self._kept = np.empty(0, np.float32)  # from the next hash on
        self._count = 0
        self._peak = 0.0

    def feed(self, samples: np.ndarray) -> Iterator[Hashes]:
        """Yield the hashes that samples float32 (n,) complete, `STEP_HASHES` at a time."""
        self._kept = np.concatenate([self._kept, samples])
        while self._complete() >= STEP_HASHES:
            yield self._hashed(STEP_HASHES)

    def finish(self) -> Iterator[Hashes]:
        """Yield the hashes that are left."""
        if count := self._complete():
            yield self._hashed(count)

    def _complete(self) -> int:
        parameters = self._fingerprinter.card.features
        hop = parameters.hop_frames * parameters.step
        block = (parameters.block_frames - 1) * parameters.step + parameters.window
        return max(0, (len(self._kept) - block) // hop + 1)

    def _hashed(self, count: int) -> Hashes:
        """Hash the next ``count`` blocks."""
        parameters = self._fingerprinter.card.features
        hop = parameters.hop_frames * parameters.step
        block = (parameters.block_frames - 1) * parameters.step + parameters.window
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
    """Takes a stream, and gives the matches that have ended."""

    def feed(self, samples: np.ndarray, index: Index) -> Sequence[Match]:
        """Take samples float32 (n,)."""
        ...

    def finish(self, index: Index) -> Sequence[Match]:
        """Give what is still open, since the stream has ended."""
        ...


class PlainListener:
    """Follows a stream as it is, hash by hash."""

    def __init__(self, name: str, matcher: Matcher, fingerprinter: Fingerprinter, store: Store):
        self._hasher = StreamHasher(fingerprinter, name)
        self._follower = Follower(matcher)
        self._fingerprinter, self._store = fingerprinter, store
        self._seconds = 0.0

    def feed(self, samples: np.ndarray, index: Index) -> Sequence[Match]:
        """See `Listener`."""
        self._seconds += len(samples) / self._fingerprinter.card.features.sample_rate
        return self._matches(self._follow(self._hasher.feed(samples), index), index)

    def finish(self, index: Index) -> Sequence[Match]:
        """See `Listener`."""
        candidates = self._follow(self._hasher.finish(), index)
        return self._matches(candidates + self._follower.finish(index), index)

    def _follow(self, hashes: Iterator[Hashes], index: Index) -> list[Candidate]:
        return [c for some in hashes for c in self._follower.feed(some, index)]

    def _matches(self, candidates: Sequence[Candidate], index: Index) -> Sequence[Match]:
        return to_matches(candidates, index, self._fingerprinter, self._store, self._seconds)


class DeepListener:
    """Undoes manipulations of a stream, section by section."""

    def __init__(
        self,
        name: str,
        matcher: Matcher,
        fingerprinter: Fingerprinter,
        store: Store,
        *,
        exhaustive: bool,
    ) -> None:
        share = matcher.max_false_matches / HOUR_SECTIONS
        self._name, self._matcher = name, replace(matcher, max_false_matches=share)
        self._fingerprinter, self._store = fingerprinter, store
        self._exhaustive = exhaustive
        self._cutter = Cutter(fingerprinter.card.features.sample_rate)
        self._joiner = Joiner(matcher.k)

    def feed(self, samples: np.ndarray, index: Index) -> Sequence[Match]:
        """See `Listener`."""
        return [m for cut in self._cutter.feed(samples) for m in self._section(*cut, index)]

    def finish(self, index: Index) -> Sequence[Match]:
        """See `Listener`."""
        last = [m for cut in self._cutter.finish() for m in self._section(*cut, index)]
        return last + self._joiner.finish()

    def _section(self, start: float, samples: np.ndarray, index: Index) -> list[Match]:
        peak = np.float32(np.abs(samples).max(initial=0))
        matcher = replace(self._matcher, index=index)
        deep = DeepMatcher(self._fingerprinter, matcher, self._exhaustive)
        candidates = deep.find(samples / peak if peak else samples, f"{self._name} {start}")
        seconds = len(samples) / self._fingerprinter.card.features.sample_rate
        candidates = of_many(candidates, HOUR_SECTIONS)
        matches = to_matches(candidates, index, self._fingerprinter, self._store, seconds)
        return self._joiner.add([later(m, start) for m in matches], start + STEP_SECONDS)


def listener_of(
    name: str, options: QueryOptions, fingerprinter: Fingerprinter, index: Index, store: Store
) -> Listener:
    """Make the listener for some options."""
    matcher = matcher_of(fingerprinter, index, options)
    if options.deep:
        exhaustive = options.search == "exhaustive"
        return DeepListener(name, matcher, fingerprinter, store, exhaustive=exhaustive)
    return PlainListener(name, matcher, fingerprinter, store)
