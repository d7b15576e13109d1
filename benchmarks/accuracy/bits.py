"""Bit errors: Hamming distances of hashes of the same moment, and of unrelated ones."""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy.protocol import HOP
from benchmarks.accuracy.query_sets import QuerySet
from benchmarks.accuracy.query_systems import settings_of
from benchmarks.accuracy.results import BitErrors
from benchmarks.accuracy.systems import HashSystem
from benchmarks.accuracy.transformations import Transformation
from benchmarks.sampling import generator
from samaf.audio import SAMPLE_RATE
from samaf.index.exact import pairwise

CLIPS = 60  # of those queried, spread over them
IMPOSTORS = 256  # references' hashes that each block is compared with
HALF = 0.5  # s from the begin of a block to its middle


def true_distances(
    query: np.ndarray, reference: np.ndarray, transformation: Transformation, duration: float
) -> np.ndarray:
    """Measure the blocks of a transformed clip against those of the same moments.

    Where moments are not known, the nearest block of the recording stands for it.

    Parameters
    ----------
    query, reference
        uint8 (m, bytes) and (n, bytes), hashes of the transformed clip and the original.
    duration
        Of the transformed clip, s.

    Returns
    -------
    int (k,), k <= m: distances in bits.
    """
    distances = pairwise(query, reference)
    middles = np.arange(len(query)) * HOP + HALF
    moments = np.array([transformation.place(moment, duration) for moment in middles])
    if np.isnan(moments).any():
        return distances.min(axis=1)
    place = np.rint((moments - HALF) / HOP).astype(int)
    inside = (place >= 0) & (place < len(reference))
    return distances[np.flatnonzero(inside), place[inside]]


def bit_errors(
    system: HashSystem, query_set: QuerySet, transformation: Transformation
) -> BitErrors:
    """Compare true pairs of one transformation with impostors, over at most 60 clips at 1 s."""
    table, name = system.index.table, transformation.name
    files = query_set.prepared.files
    places = np.flatnonzero([(n, name) in files for n in range(len(query_set.clips))])
    places = places[np.linspace(0, len(places) - 1, min(CLIPS, len(places))).round().astype(int)]
    true, impostor = [np.empty(0, int)], [np.empty(0, int)]
    for place in places.tolist():
        seed = files[place, name].stem
        samples = query_set.prepared.samples(place, name)
        original = int(np.flatnonzero(table.recording_ids == query_set.clips[place])[0])
        query = system.encode(samples, seed).packed
        if not len(query) or not table.counts[original]:
            continue
        duration = len(samples) / SAMPLE_RATE
        true.append(true_distances(query, table.rows(original), transformation, duration))
        others = generator("impostors", seed).integers(len(table.hashes), size=IMPOSTORS)
        first = table.starts[original]
        others = others[(others < first) | (others >= first + table.counts[original])]
        impostor.append(pairwise(query, table.hashes[others]).ravel())
    header = {**settings_of(system, query_set, transformation), "bits": table.bits}
    return BitErrors(header, np.concatenate(true), np.concatenate(impostor))
