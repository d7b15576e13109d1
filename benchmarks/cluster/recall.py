"""Recall and time of the search by cells and votes, against the exact index in the same run.

The gallery is real speech of two splits and distractors drawn from recordings that are not queried.
Clips are cut anywhere and damaged as in the field benchmark. A clip counts where the exact index
gives a match; it is found where the best match by cells is the same place.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.distractors import distractors
from benchmarks.errors import BenchmarkError
from benchmarks.field.conditions import Condition, select
from benchmarks.field.excerpts import excerpt
from benchmarks.surroundings import Surroundings, around_voices
from benchmarks.tables import Line
from samaf.audio import load
from samaf.engine.fingerprint import hash_file
from samaf.engine.hash_query import matcher_of
from samaf.engine.options import QueryOptions
from samaf.engine.prepare import prepare
from samaf.engine.stopwatch import Stopwatch
from samaf.fingerprinters import Fingerprinter, load_hash_model
from samaf.fingerprinters.codebook import CENTRES
from samaf.index import ExactIndex, HashTable, Index, IvfIndex, table_of
from samaf.index.candidates import Piece, effort
from samaf.index.cells import nearest_centres
from samaf.matching import Candidate, DeepMatcher, PreparedQuery
from samaf.media import Selection
from samaf.training.corpora import Clip, Corpus, open_corpus

CONDITIONS = "Clean,ALaw,AMR4.75,OpusLoss,Noise,Music,Room,Clipped,Distant,Drift,Babble"
DEEP_CONDITIONS = "Slow,Message1.5,Message2,Higher,Lower,Video"  # time or pitch changed
LENGTHS = (2.0, 3.0, 4.0, 6.0, 10.0)  # s
RECORDING_HASHES = 2_000  # of the distractors: 500 s each
VOICES = 40  # clips that babble is mixed from
SAME_PLACE = 4  # hashes: a second


@dataclass(frozen=True, slots=True)
class Tried:
    """One clip: its kind, and whether the exact index and the cells gave its best place."""

    condition: str
    seconds: float
    is_match: bool
    is_same: bool
    is_true: bool
    exact_ms: float
    cells_ms: float


def recall(
    corpus: Path, folder: Path, hashes: int, recordings: int, seed: int, *, deep: bool
) -> list[Line]:
    """Measure; see the module."""
    opened, fingerprinter = open_corpus(corpus), load_hash_model()
    clips = opened.select("speech", "validation")
    queried = np.arange(0, len(clips), 2)[:recordings]
    if len(queried) < 2:
        raise BenchmarkError(f"{corpus}: too little validation speech; name another corpus")
    table = gallery(opened, clips, queried, hashes, fingerprinter, folder, seed)
    exact, cells = ExactIndex(table, "compiled"), IvfIndex(table, fingerprinter.codebook())
    around = around_voices([opened], "validation", clips[1::2][:VOICES])
    tried = []
    for number, condition, seconds, prepared in damaged(
        clips, queried, around, fingerprinter, seed, deep=deep
    ):
        tried.append(_tried(exact, cells, prepared, fingerprinter, condition, seconds, clip=number))
    return [
        ("hashes searched", f"{table.total:,}"),
        ("recordings queried", f"{len(queried)}"),
        *_lines(tried, table.total, deep=deep),
        ("rows read for a hash of 10 s at 8 cells", _rows_read(cells, table, fingerprinter)),
    ]


def gallery(
    corpus: Corpus,
    clips: Sequence[Clip],
    queried: np.ndarray,
    count: int,
    fingerprinter: Fingerprinter,
    folder: Path,
    seed: int,
) -> HashTable:
    """Make a table: the queried split first, then that of training, then distractors."""
    width = fingerprinter.card.bits // 8
    own = [(n, hash_file(c.path, fingerprinter).hashes.packed) for n, c in enumerate(clips)]
    real = table_of(own, width)
    rng = np.random.default_rng(seed)
    made = distractors(real, queried, max(0, count - len(real.hashes)), rng)
    path = folder / "hashes-1.bin"
    with path.open("wb") as file:
        real.hashes.tofile(file)
        made.tofile(file)
    starts = len(real.hashes) + np.arange(0, len(made), RECORDING_HASHES)
    total = len(real.hashes) + len(made)
    return HashTable(
        np.memmap(path, np.uint8, "r", shape=(total, width)),
        np.append(real.recording_ids, len(own) + np.arange(len(starts))),
        np.append(real.starts, starts),
        np.append(real.counts, np.minimum(RECORDING_HASHES, total - starts)),
    )


def damaged(
    clips: Sequence[Clip],
    queried: np.ndarray,
    around: Surroundings,
    fingerprinter: Fingerprinter,
    seed: int,
    *,
    deep: bool = False,
) -> Iterator[tuple[int, Condition, float, PreparedQuery]]:
    """Yield clips of each length, prepared for plain or deep queries; conditions take turns."""
    conditions = select(DEEP_CONDITIONS if deep else CONDITIONS)
    for turn, number in enumerate(queried.tolist()):
        samples = load(clips[number].path)
        for place, seconds in enumerate(LENGTHS):
            condition = conditions[(turn + 3 * place) % len(conditions)]
            cut = excerpt(samples, str(number), seconds, condition, around, seed)
            if cut is not None:
                yield (
                    number,
                    condition,
                    seconds,
                    prepare(cut.audio, fingerprinter, Stopwatch(), Selection(), deep=deep),
                )


def _tried(
    exact: Index,
    cells: Index,
    prepared: PreparedQuery,
    fingerprinter: Fingerprinter,
    condition: Condition,
    seconds: float,
    clip: int,
) -> Tried:
    found, times = [], []
    for index in (exact, cells):
        matcher = matcher_of(fingerprinter, index, QueryOptions())
        begun = time.process_time()
        if prepared.samples is None:
            found.append(matcher.find(prepared.grids))
        else:
            deep = DeepMatcher(fingerprinter, matcher)
            found.append(deep.find(prepared.samples, prepared.salt))
        times.append(1e3 * (time.process_time() - begun))
    by_exact, by_cells = found
    return Tried(
        condition.name,
        seconds,
        bool(by_exact),
        bool(by_exact and by_cells) and is_same(by_exact[0], by_cells[0]),
        bool(by_exact) and by_exact[0].recording_id == clip,
        *times,
    )


def is_same(one: Candidate, other: Candidate) -> bool:
    """Tell whether two candidates are the same place of a recording, up to a second."""
    middle = (one.segment.first + one.segment.stop) / 2
    apart = one.segment.reference(middle) - other.segment.reference(middle)
    return one.recording_id == other.recording_id and abs(apart) <= SAME_PLACE


def _lines(tried: Sequence[Tried], total: int, *, deep: bool) -> Iterator[Line]:
    groups: dict[Any, list[Tried]] = defaultdict(list)
    for each in tried:
        groups[each.seconds].append(each)
    for seconds, group in sorted(groups.items()):
        matched = [each for each in group if each.is_match]
        looked = effort(total, [Piece(0, int(seconds * 4) - 3)], CENTRES)
        exact_ms, cells_ms = np.median([(e.exact_ms, e.cells_ms) for e in group], axis=0)
        at = "" if deep else f", {looked.probes} cells, {looked.diagonals:,} diagonals"
        yield (
            f"clips of {seconds:g} s{at}",
            f"same best place in {sum(e.is_same for e in matched)} of {len(matched)} with a match "
            f"({sum(e.is_true for e in matched)} of them true; {len(group)} queried); answer "
            f"{cells_ms:.0f} ms CPU, exact {exact_ms:.0f} ms",
        )
    kinds: dict[str, list[Tried]] = defaultdict(list)
    for each in tried:
        if each.is_match:
            kinds[each.condition].append(each)
    for name, group in sorted(kinds.items()):
        yield f"{name}, all lengths", f"{sum(e.is_same for e in group)} of {len(group)}"


def _rows_read(cells: IvfIndex, table: HashTable, fingerprinter: Fingerprinter) -> str:
    """Count rows in the 8 cells nearest to some stored hashes, as a share of all."""
    codebook = fingerprinter.codebook()
    query = np.ascontiguousarray(table.hashes[:: max(1, len(table.hashes) // 500)])
    read = cells.rows_in(nearest_centres(codebook, query, 8))
    return f"{read / len(query) / table.total:.2g} of all"
