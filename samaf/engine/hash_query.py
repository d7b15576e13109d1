"""From a clip to an answer: decode, hash, search, name the recordings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from samaf.audio import Source, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.options import QueryOptions
from samaf.engine.stopwatch import Stopwatch
from samaf.engine.workers import in_order, processes
from samaf.errors import AudioError
from samaf.fingerprinters import Fingerprinter
from samaf.index import Index
from samaf.matching import PLAIN, Candidate, calibration_of, find, to_match
from samaf.matching.deep import find_deep, hash_under
from samaf.matching.edge_blocks import is_short
from samaf.matching.hypotheses import Hypothesis
from samaf.matching.sections import join, later, of_many, sections
from samaf.records import Fingerprint, Hashes, Match, QueryResult
from samaf.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A clip, decoded and hashed, before any search.

    Attributes
    ----------
    answer
        Without matches; its ``reason`` tells when there is nothing to search for.
    hashes
        Of the clip as it is.
    samples
        float32 (n,), only for deep questions and short clips.
    """

    answer: QueryResult
    hashes: Hashes
    samples: np.ndarray | None


def prepare(
    source: Source, options: QueryOptions, fingerprinter: Fingerprinter, watch: Stopwatch
) -> Clip:
    """Decode and hash a clip; `AudioError` when it cannot be."""
    with one_blas_thread(), ExitStack() as stack:
        with watch("decode"):
            audio = stack.enter_context(read(source))
        answer = QueryResult(audio.path or audio.name, audio.sha256, audio.duration)
        with watch("hash"):
            hashes = fingerprinter.hashes(audio.chunks(), audio.sha256)
        kept = options.deep or is_short(audio.duration)
        samples = audio.samples() if kept else None
    return _clip(answer, hashes, samples, fingerprinter)


def prepare_many(
    sources: Sequence[Source], options: QueryOptions, fingerprinter: Fingerprinter
) -> Iterator[tuple[Clip | AudioError, Stopwatch]]:
    """Hear clips in their order; in several processes where there are many files."""
    paths = [Path(each) for each in sources if isinstance(each, str | os.PathLike) and each != "-"]
    if options.deep or len(paths) < len(sources) or not processes(paths):
        for source in sources:
            watch = Stopwatch()
            try:
                yield prepare(source, options, fingerprinter, watch), watch
            except AudioError as error:
                yield error, watch
    else:
        yield from in_order(partial(_hear_there, fingerprinter), paths, fingerprinter)


def _hear_there(
    fingerprinter: Fingerprinter, path: Path, hashed: Callable[[Path], Fingerprint]
) -> tuple[Clip | AudioError, Stopwatch]:
    watch = Stopwatch()
    try:
        with watch("hash"):
            found = hashed(path)
        samples = None
        if is_short(found.duration):
            with watch("decode"), read(path) as audio:
                samples = audio.samples()
    except AudioError as error:
        return error, watch
    answer = QueryResult(found.path, found.sha256, found.duration)
    return _clip(answer, found.hashes, samples, fingerprinter), watch


def _clip(
    answer: QueryResult, hashes: Hashes, samples: np.ndarray | None, fingerprinter: Fingerprinter
) -> Clip:
    if not len(hashes):
        answer = replace(answer, reason=f"shorter than {fingerprinter.block:g} s")
    elif not hashes.informative.any():
        answer = replace(answer, reason="nothing in it to recognise: silence or a steady tone")
    return Clip(answer, hashes, samples)


def search(
    clip: Clip,
    options: QueryOptions,
    fingerprinter: Fingerprinter,
    index: Index,
    store: Store,
    watch: Stopwatch,
) -> QueryResult:
    """Look for a clip in the index, and name what is found as the store does."""
    if not index.table.total:
        return replace(clip.answer, reason="the store is empty")
    window = options.window_hashes(fingerprinter.hop)
    max_false_matches, k = options.max_false_matches, options.k
    with watch("search"):
        if not options.deep:
            calibration = calibration_of(fingerprinter)
            plain = find(
                _as_it_is(clip, fingerprinter), index, window, calibration, max_false_matches, k
            )
            found = [(0.0, clip.answer.duration, plain)]
        else:
            assert clip.samples is not None
            salt, exhaustive = clip.answer.sha256, options.search == "exhaustive"
            parts = sections(clip.samples, fingerprinter.card.features.sample_rate)
            share = max_false_matches / len(parts)
            found = []
            for start, seconds, part in parts:
                own = find_deep(
                    part, salt, fingerprinter, index, window, share, k, exhaustive=exhaustive
                )
                found.append((start, seconds, of_many(own, len(parts))))
    with watch("database"):
        matches = tuple(
            later(match, start)
            for start, seconds, own in found
            for match in to_matches(own, seconds, fingerprinter, index, store)
        )
    if len(found) > 1:
        matches = join(matches, k)
    return replace(clip.answer, matches=matches)


def _as_it_is(clip: Clip, fingerprinter: Fingerprinter) -> list[tuple[Hypothesis, Hashes]]:
    """Give a clip's hashes as they are; of a short one also those that hang over its ends."""
    if clip.samples is None:
        return [(PLAIN, clip.hashes)]
    return hash_under(clip.samples, clip.answer.sha256, fingerprinter, [PLAIN])


def account(options: QueryOptions, answer: QueryResult) -> dict[str, Any]:
    """Give question and answer as the audit log keeps them; JSON can hold it."""
    ranking = [
        {
            "sha256": ranked.recording.sha256,
            "name": ranked.recording.name,
            "segment": ranked.segment,
            "votes": ranked.votes,
            "distance": round(ranked.distance, 4),
        }
        for ranked in answer.ranking
    ]
    return {
        **({"ranking": ranking} if ranking else {}),
        "options": asdict(options),
        "reason": answer.reason,
        "matches": [
            {
                "sha256": match.recording.sha256,
                "name": match.recording.name,
                "query": [round(match.query_start, 3), round(match.query_stop, 3)],
                "reference": [round(match.reference_start, 3), round(match.reference_stop, 3)],
                "score": round(match.score, 2),
                "manipulation": str(match.manipulation),
            }
            for match in answer.matches
        ],
    }


def to_matches(
    found: Sequence[Candidate],
    duration: float,
    fingerprinter: Fingerprinter,
    index: Index,
    store: Store,
) -> tuple[Match, ...]:
    """Turn candidates into matches, with the recordings as the store has them now."""
    ids = [int(index.table.recording_ids[f.recording_index]) for f in found]
    recordings = store.get_many(ids)
    hop, block = fingerprinter.hop, fingerprinter.block
    calibration = calibration_of(fingerprinter)
    # A recording deleted since the index was read is in the store no more, and gives no match.
    return tuple(
        to_match(f, recordings[i], hop, block, duration, calibration)
        for f, i in zip(found, ids, strict=True)
        if i in recordings
    )
