"""How far bits of the same moment lie apart, and bits of unrelated ones."""

from __future__ import annotations

import numpy as np

from benchmarks.conditions import generator
from benchmarks.metrics import Separation, separation
from benchmarks.preparation import read_samples
from benchmarks.protocol import HOP
from benchmarks.recognizers import HashSystem
from benchmarks.runs import Material
from benchmarks.transformations import Row
from samaf.audio import SAMPLE_RATE
from samaf.index.exact import pairwise

CLIPS = 60  # of those asked about, spread over them
IMPOSTORS = 256  # references' hashes that each block is compared with
HALF = 0.5  # s from the begin of a block to its middle


def true_distances(
    query: np.ndarray, reference: np.ndarray, row: Row, duration: float
) -> np.ndarray:
    """Measure the blocks of a transformed clip against those of the same moments.

    Where the row tells no moments, the nearest block of the recording stands for it.

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
    moments = np.array([row.place(moment, duration) for moment in middles])
    if np.isnan(moments).any():
        return distances.min(axis=1)
    place = np.rint((moments - HALF) / HOP).astype(int)
    inside = (place >= 0) & (place < len(reference))
    return distances[np.flatnonzero(inside), place[inside]]


def separate(system: HashSystem, material: Material, row: Row) -> Separation:
    """Compare true pairs of one row with impostors, over at most 60 clips at 1 s."""
    table = system.nearest().table
    places = np.flatnonzero(
        [(n, row.name) in material.prepared.files for n in range(len(material.asked))]
    )
    places = places[np.linspace(0, len(places) - 1, min(CLIPS, len(places))).round().astype(int)]
    true, impostor = [np.empty(0, int)], [np.empty(0, int)]
    for place in places:
        path = material.prepared.files[int(place), row.name]
        samples = read_samples(path)
        own = int(np.flatnonzero(table.recording_ids == material.asked[place])[0])
        query = system.hashes(samples, path.stem).packed
        if not len(query) or not table.counts[own]:
            continue
        true.append(true_distances(query, table.rows(own), row, len(samples) / SAMPLE_RATE))
        others = generator("impostors", path.stem).integers(len(table.hashes), size=IMPOSTORS)
        first = table.starts[own]
        others = others[(others < first) | (others >= first + table.counts[own])]
        impostor.append(pairwise(query, table.hashes[others]).ravel())
    return separation(np.concatenate(true), np.concatenate(impostor), table.bits)
