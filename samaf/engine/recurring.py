"""Pieces that recur in files: from places that agree in pairs to all places of what they share."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from samaf.audio import Audio
from samaf.matching.merging import covered
from samaf.matching.repeats import RepeatPair
from samaf.records import Recording, RepeatCluster, RepeatPlace
from samaf.verification.recurrence import (
    OWN,
    Occurrence,
    agreeing,
    extent,
    profile,
    search,
    template,
)

FOUND = 0.15  # correlation with a piece; what one voice says twice reaches 0.08, rarely 0.14
BATCH = 48  # templates that are searched for at once: 1.3 MB each
SAME = 0.5  # share of a place that another one covers, and of places of which that holds
SHORTER = 0.5  # s by which a place must be shorter than the others to be another version
LEAST_PLACE = 1.0  # s
WHOLE = 0.9  # of a piece: a loop agrees with itself at shorter lags, too


@dataclass(frozen=True, slots=True)
class Piece:
    """What recurs, from ``start`` to ``stop`` of its own time."""

    places: tuple[Occurrence, ...]
    start: float
    stop: float

    @property
    def seconds(self) -> float:
        """Length of the piece."""
        return self.stop - self.start


def recurring(
    found: Sequence[RepeatCluster],
    pairs: Sequence[RepeatPair],
    recordings: Sequence[Recording],
    audios: Sequence[Audio],
) -> list[RepeatCluster]:
    """Search all audio for what the places of each cluster share.

    Parameters
    ----------
    found
        Clusters that may lack places, be cut in two or have the wrong boundaries.
    pairs
        Those that clusters were made of, with lags that are right to a sample.
    recordings, audios
        By their positions in the pairs.
    """
    seeds = [
        piece
        for cluster, links in zip(found, _links(found, pairs, recordings), strict=True)
        for aligned in _aligned(cluster, links, recordings)
        if (piece := _bounded(audios, aligned))
    ]
    found = [
        cluster
        for piece in _searched(audios, seeds)
        if (cluster := _cluster(piece, recordings, audios))
    ]
    kept: list[RepeatCluster] = []
    for cluster in sorted(found, key=lambda c: -len(c.places) * c.seconds):
        if not any(_known(cluster, other) for other in kept):
            kept.append(cluster)
    return kept


@dataclass(frozen=True, slots=True)
class _Link:
    """A pair that connects the places ``one`` and ``other`` of a cluster."""

    one: int
    other: int
    pair: RepeatPair


def _links(
    found: Sequence[RepeatCluster], pairs: Sequence[RepeatPair], recordings: Sequence[Recording]
) -> list[list[_Link]]:
    """List the pairs that connect two places of a cluster, for each cluster."""
    places = defaultdict(list)
    signals = {id(recording): n for n, recording in enumerate(recordings)}
    for number, cluster in enumerate(found):
        for n, place in enumerate(cluster.places):
            signal = signals[id(place.recording)]
            places[signal].append((place.stop, place.start, number, n))
    for each in places.values():
        each.sort()

    def held(signal: int, segment: tuple[float, float]) -> list[tuple[int, int, float]]:
        at = bisect_left(places[signal], segment[0], key=lambda place: place[0])
        out = []
        for stop, start, number, n in places[signal][at:]:
            if start >= segment[1]:
                break
            if max(covered(segment, (start, stop)), covered((start, stop), segment)) > SAME:
                out.append((number, n, (start + stop) / 2))
        return out

    links: list[list[_Link]] = [[] for _ in found]
    for pair in pairs:
        lag = pair.pair.second[0] - pair.pair.first[0]
        behind = held(pair.second_recording, pair.pair.second)
        for number, n, middle in held(pair.first_recording, pair.pair.first):
            length = found[number].seconds
            for other_number, m, other_middle in behind:
                near = abs(other_middle - middle - lag) < length / 2
                if (other_number, near) == (number, True) and m != n:
                    links[number].append(_Link(n, m, pair))
    return links


def _aligned(
    cluster: RepeatCluster,
    links: Sequence[_Link],
    recordings: Sequence[Recording],
) -> Iterator[Piece]:
    """Put places on a common time, from the one that most others are connected with.

    Places that nothing connects to these are another piece.
    """
    near: dict[int, list[tuple[int, _Link, int]]] = defaultdict(list)
    for link in links:
        near[link.one].append((link.other, link, 1))
        near[link.other].append((link.one, link, -1))
    signals = {id(recording): n for n, recording in enumerate(recordings)}
    left = set(near)
    while left:
        hub = max(sorted(left), key=lambda n: len({other for other, *_ in near[n]}))
        origins = {hub: cluster.places[hub].start}
        waiting = [hub]
        for n in waiting:
            for other, link, sign in near[n]:
                if other in left - origins.keys():
                    pair = link.pair.pair
                    origins[other] = origins[n] + sign * (pair.second[0] - pair.first[0])
                    waiting.append(other)
        left -= origins.keys()
        members = [(origin, cluster.places[n]) for n, origin in sorted(origins.items())]
        yield Piece(
            tuple(Occurrence(signals[id(place.recording)], origin) for origin, place in members),
            median(place.start - origin for origin, place in members),
            median(place.stop - origin for origin, place in members),
        )


def _bounded(audios: Sequence[Audio], piece: Piece) -> Piece | None:
    """Find where a piece begins and ends; none where its places do not agree."""
    if len(piece.places) < 2:
        return None
    found = extent(audios, piece.places, piece.start, piece.stop)
    if found is None:
        return None
    # A loop goes on as the next of its rounds: one is the piece.
    if found[1] - found[0] > _apart(piece.places):
        found = max(found[0], piece.start), min(found[1], piece.stop)
    return replace(piece, start=found[0], stop=found[1]) if found[0] < found[1] else None


def _apart(places: Sequence[Occurrence]) -> float:
    """Give the least time between two places of one recording."""
    ordered = sorted((place.signal, place.origin) for place in places)
    pairs = zip(ordered[:-1], ordered[1:], strict=True)
    return min((b[1] - a[1] for a, b in pairs if a[0] == b[0]), default=float("inf"))


def _searched(audios: Sequence[Audio], pieces: Sequence[Piece]) -> list[Piece]:
    """Search all audio for pieces, and give each with all its places."""
    out = []
    for batch in (pieces[n : n + BATCH] for n in range(0, len(pieces), BATCH)):
        templates = [template(audios, p.places, p.start, p.stop) for p in batch]
        # Where its signals agree with those of another place, a place needs no peak.
        peaks = [[(0.0, place) for place in piece.places] for piece in batch]
        for signal, audio in enumerate(audios):
            for n, moment, height in search(audio, [samples for _, samples in templates], FOUND):
                peaks[n].append((height, Occurrence(signal, moment - templates[n][0])))
        for piece, found in zip(batch, peaks, strict=True):
            out.append(replace(piece, places=_highest(found, WHOLE * piece.seconds)))
    return out


def _highest(peaks: Sequence[tuple[float, Occurrence]], apart: float) -> tuple[Occurrence, ...]:
    """Give the highest peaks, none nearer to a higher one than ``apart`` seconds."""
    kept: dict[int, list[float]] = defaultdict(list)
    for _, place in sorted(peaks, key=lambda peak: -peak[0]):
        if all(abs(place.origin - other) >= apart for other in kept[place.signal]):
            kept[place.signal].append(place.origin)
    return tuple(Occurrence(signal, t) for signal in sorted(kept) for t in sorted(kept[signal]))


def _known(cluster: RepeatCluster, other: RepeatCluster) -> bool:
    """Tell whether another cluster has most places of one, and is not just a longer piece."""
    inside = alike = 0
    for place in cluster.places:
        segment = place.start, place.stop
        there = [(p.start, p.stop) for p in other.places if p.recording is place.recording]
        inside += any(covered(one, segment) > SAME for one in there)
        alike += any(min(covered(segment, one), covered(one, segment)) > SAME for one in there)
    count = len(cluster.places)
    return alike > SAME * count or (inside > SAME * count and count <= len(other.places))


def _cluster(
    piece: Piece, recordings: Sequence[Recording], audios: Sequence[Audio]
) -> RepeatCluster | None:
    """Give a piece with the boundaries of each of its places: some may be shorter versions."""
    bounded = _bounded(audios, piece)
    if bounded is None:
        return None
    found = profile(audios, bounded.places, bounded.start, bounded.stop)
    places = []
    for place, own in zip(bounded.places, found.each, strict=True):
        start, stop = agreeing(found, np.where(own > OWN, 1, -1))
        if stop - start < LEAST_PLACE:
            continue
        start = bounded.start if start - bounded.start < SHORTER else start
        stop = bounded.stop if bounded.stop - stop < SHORTER else stop
        recording = recordings[place.signal]
        begin, end = max(0.0, place.origin + float(start)), place.origin + float(stop)
        places.append(RepeatPlace(recording, begin, min(end, recording.duration)))
    if len(places) < 2:
        return None
    return RepeatCluster(0, float(median(p.stop - p.start for p in places)), tuple(places))
