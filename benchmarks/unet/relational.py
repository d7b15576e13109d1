"""The relational alternatives against the index, while the store grows (paper section 3.7.2.1)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.layout import Layout, Value
from benchmarks.metrics import Estimate, proportion
from benchmarks.unet.contenders import CONTENDERS, TOP
from benchmarks.unet.songs import SNR, Songs, more
from samaf.index import CellsIndex, VectorIndex, table_of

SONGS = 235  # of the paper
FACTORS = (0.1, 1, 10)
PROBES = (1, 4, 16, 64)


def compared(songs: Songs, title: str) -> Layout:
    """Ask every contender at every size of the store."""
    return Layout(
        "relational",
        f"Relational tables and index: {title}",
        f"Queries of 4 s from any place of a song of the store, as they are and with noise of the "
        f"corpus at {SNR:g} dB: share whose song is that of the nearest segment, or among the "
        f"nearest {TOP}, in %. Milliseconds of one processor a query, its encoding not counted. "
        f"Beyond {len(songs.stored)} songs the vectors are halfway between two drawn ones.",
        (
            *("contender", "songs", "segments", "ms a query"),
            *(f"{kind}, {which}" for kind in ("clean", "noisy") for which in ("first", "of five")),
        ),
        tuple(_lines(songs)),
    )


def _lines(songs: Songs) -> Iterator[tuple[Value, ...]]:
    for factor in FACTORS:
        count = round(factor * len(songs.stored))
        stored = songs.stored[:count]
        if count > len(songs.stored):
            further = more(songs.stored, count - len(songs.stored))
            stored = np.concatenate([stored, further])
        for name, make in CONTENDERS.items():
            contender = make(stored)
            asked = songs.song < count
            truth, taken, shares = songs.song[asked], 0.0, []
            for queries in (songs.clean[asked], songs.noisy[asked]):
                begun = time.process_time()
                answers = [contender.ask(query) for query in queries]
                taken += time.process_time() - begun
                shares += [_share(answers, truth, places) for places in (1, TOP)]
            segments = int((~np.isnan(stored[:, :, 0])).sum())
            yield name, count, segments, 1000 * taken / max(1, 2 * len(truth)), *shares


def cells(songs: Songs, title: str) -> Layout:
    """Compare the index with cells with the one that looks at everything."""
    body: list[tuple[Value, ...]] = []
    for factor in (1, FACTORS[-1]):
        count = round(factor * len(songs.stored))
        stored = songs.stored
        if count > len(stored):
            stored = np.concatenate([stored, more(stored, count - len(stored))])
        table = table_of(
            ((n, rows.view(np.uint8)) for n, rows in enumerate(stored)), _width(stored)
        )
        exact, exact_ms = _nearest(VectorIndex(table), songs.noisy)
        body.append((f"{count} songs, all", len(stored) * stored.shape[1], exact_ms, 100.0, 100.0))
        for probes in PROBES:
            found, taken = _nearest(CellsIndex(table, probes), songs.noisy)
            shared = [len({*a} & {*b}) / TOP for a, b in zip(exact, found, strict=True)]
            first = [a[0] == b[0] for a, b in zip(exact, found, strict=True)]
            shares = 100 * float(np.mean(first)), 100 * float(np.mean(shared))
            body.append((f"{count} songs, {probes} cells", "", taken, *shares))
    return Layout(
        "cells",
        f"IndexIVFFlat against IndexFlatL2: {title}",
        f"Share of the nearest segment, and of the nearest {TOP}, that are found, in %; queries "
        f"of 4 s with noise at {SNR:g} dB. As many cells as the square root of the segments.",
        ("store", "segments", "ms a query", "first", "of five"),
        tuple(body),
    )


def _nearest(index: VectorIndex, queries: np.ndarray) -> tuple[list[list[tuple[int, int]]], float]:
    """Give the nearest segments of each query, and the milliseconds that one took."""
    begun = time.process_time()
    found = [index.search(query[None], TOP) for query in queries]
    taken = 1000 * (time.process_time() - begun) / len(queries)
    places = [
        list(zip(each.recording_ids[0].tolist(), each.segments[0].tolist(), strict=True))
        for each in found
    ]
    return places, taken


def _width(stored: np.ndarray) -> int:
    return 4 * stored.shape[2]


def _share(answers: list[list[int]], truth: np.ndarray, places: int) -> Estimate:
    right = [song in found[:places] for found, song in zip(answers, truth, strict=True)]
    return proportion(np.array(right, float), np.ones(len(right), int))
