"""From the sound of one stream to matches, each given when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import log10
from typing import Protocol

import numpy as np

from samaf.audio.stream_decode import Sound
from samaf.engine.hash_query import matcher_of, to_matches
from samaf.engine.options import QueryOptions
from samaf.features import blocks, mfcc
from samaf.fingerprinters import Fingerprinter
from samaf.index import Index
from samaf.matching import Candidate, DeepMatcher, Matcher
from samaf.matching.merging import keep_best, match_place
from samaf.matching.sections import STEP_SECONDS, Cutter, Joiner, later, of_many
from samaf.matching.stream import Follower
from samaf.records import Hashes, Match
from samaf.store import Store

STEP_HASHES = 8  # of a stream that are hashed and searched for at once: 2 s
HOUR_SECTIONS = 3600 / STEP_SECONDS
HALVING_SECONDS = 5.0  # in which the peak meter falls by half, 6 dB
HELD_SECONDS = 4.0  # that a match waits for what mix and sides of a stream make of it
MOST_GIVEN = 100  # that are remembered


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
    """Takes the mix of a stream, or a side, and gives the matches that have ended.

    Attributes
    ----------
    streams
        How many listeners share the maximum of false matches: one for the mix, one a side.
    """

    streams: int

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
        self._most = log10(matcher.max_false_matches)
        self.streams = 1

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
        candidates = [c for c in of_many(candidates, self.streams) if c.log10_evalue <= self._most]
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
        self.streams = 1

    def feed(self, samples: np.ndarray, index: Index) -> Sequence[Match]:
        """See `Listener`."""
        return [m for cut in self._cutter.feed(samples) for m in self._section(*cut, index)]

    def finish(self, index: Index) -> Sequence[Match]:
        """See `Listener`."""
        last = [m for cut in self._cutter.finish() for m in self._section(*cut, index)]
        return last + self._joiner.finish()

    def _section(self, start: float, samples: np.ndarray, index: Index) -> list[Match]:
        peak = np.float32(np.abs(samples).max(initial=0))
        most = self._matcher.max_false_matches / self.streams
        matcher = replace(self._matcher, index=index, max_false_matches=most)
        deep = DeepMatcher(self._fingerprinter, matcher, self._exhaustive)
        candidates = deep.find(samples / peak if peak else samples, f"{self._name} {start}")
        seconds = len(samples) / self._fingerprinter.card.features.sample_rate
        candidates = of_many(candidates, HOUR_SECTIONS * self.streams)
        matches = to_matches(candidates, index, self._fingerprinter, self._store, seconds)
        return self._joiner.add([later(m, start) for m in matches], start + STEP_SECONDS)


class StreamListener:
    """Follows the mix of a stream, and each side of it, as a query searches for a clip's.

    Parameters
    ----------
    new
        Makes the listener of the mix "", or of the side of a name.
    k
        Matches to give at most for one segment of the mix, or of a side.
    sample_rate
        Of the sound, in Hz.
    """

    def __init__(self, new: Callable[[str], Listener], k: int, sample_rate: int) -> None:
        self._new, self._k, self._sample_rate = new, k, sample_rate
        self._listeners: dict[str, tuple[float, Listener]] = {}  # and where it begins, in s
        self._now = 0.0  # s of the stream
        self._held: list[tuple[float, Match]] = []  # since when
        self._given: list[Match] = []

    def feed(self, sounds: Sequence[Sound], index: Index) -> Sequence[Match]:
        """Take what has come; give the matches that have ended."""
        parts: dict[str, list[Sound]] = {}
        for sound in sounds:
            parts.setdefault(sound.channel, []).append(sound)
            self._now = max(self._now, (sound.start + len(sound.samples)) / self._sample_rate)
        found = []
        for channel, given in parts.items():
            if channel not in self._listeners:
                start = given[0].start / self._sample_rate
                self._listeners[channel] = start, self._new(channel)
                for _, listener in self._listeners.values():
                    listener.streams = len(self._listeners)
            start, listener = self._listeners[channel]
            samples = np.concatenate([sound.samples for sound in given])
            found += _placed(listener.feed(samples, index), channel, start)
        return self._settled(found, HELD_SECONDS if len(self._listeners) > 1 else 0.0)

    def finish(self, index: Index) -> Sequence[Match]:
        """Give what is still open, since the stream has ended."""
        found = []
        for channel, (start, listener) in self._listeners.items():
            found += _placed(listener.finish(index), channel, start)
        return self._settled(found, 0.0)

    def _settled(self, found: Sequence[Match], wait: float) -> Sequence[Match]:
        """Hold matches for so long; give those that no better one says too."""
        if len(self._listeners) == 1:
            self._given = [*self._given, *found][-MOST_GIVEN:]
            return found
        self._held += [(self._now, match) for match in found]
        ordered = sorted(self._held, key=lambda each: -each[1].score)
        kept = keep_best(ordered, self._k, lambda each: match_place(each[1]), self._given_places())
        self._held = [each for each in kept if each[0] > self._now - wait]
        given = [match for since, match in kept if since <= self._now - wait]
        self._given = [*self._given, *given][-MOST_GIVEN:]
        return sorted(given, key=lambda match: match.query_start)

    def _given_places(self) -> list[tuple[float, Match]]:
        return [(0.0, match) for match in self._given]


def _placed(matches: Sequence[Match], channel: str, start: float) -> list[Match]:
    """Give matches of a side that begins so many seconds into the stream."""
    return [replace(later(match, start), channel=channel) for match in matches]


def listener_of(
    name: str, options: QueryOptions, fingerprinter: Fingerprinter, index: Index, store: Store
) -> StreamListener:
    """Make the listener for some options."""
    matcher = matcher_of(fingerprinter, index, options)

    def new(channel: str) -> Listener:
        salt = f"{name} {channel}" if channel else name
        if options.deep:
            exhaustive = options.search == "exhaustive"
            return DeepListener(salt, matcher, fingerprinter, store, exhaustive=exhaustive)
        return PlainListener(salt, matcher, fingerprinter, store)

    return StreamListener(new, options.k, fingerprinter.card.features.sample_rate)
