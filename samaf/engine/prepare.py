"""From a clip to a prepared query: decoded once, hashed once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from samaf.audio import Source, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.stopwatch import Stopwatch
from samaf.fingerprinters import Fingerprinter
from samaf.matching import PLAIN, PreparedQuery, hash_under
from samaf.matching.edge_blocks import is_short
from samaf.matching.query_hashes import Grid
from samaf.records import QueryResult


def prepare(
    source: Source,
    fingerprinter: Fingerprinter,
    watch: Stopwatch,
    *,
    deep: bool = False,
    with_samples: bool = False,
) -> PreparedQuery:
    """Decode a clip, and hash it unaltered unless the search hashes it under hypotheses.

    The samples are kept where the search or ``with_samples`` needs them.

    Raises
    ------
    AudioError
        It cannot be decoded.
    """
    with one_blas_thread(), ExitStack() as stack:
        with watch("decode"):
            audio = stack.enter_context(read(source))
        result = QueryResult(audio.path or audio.name, audio.sha256, audio.duration)
        grids: list[Grid] = []
        samples, informative = None, False
        if audio.duration >= fingerprinter.block:
            needed = deep or with_samples or is_short(audio.duration)
            samples = audio.samples() if needed else None
            with watch("hash"):
                if deep:
                    informative = fingerprinter.is_informative(audio.chunks())
                elif samples is None or not is_short(audio.duration):
                    grids = [(PLAIN, fingerprinter.hashes(audio.chunks(), audio.sha256))]
                else:
                    grids = hash_under(samples, audio.sha256, fingerprinter, [PLAIN])
            informative = informative or any(hashes.informative.any() for _, hashes in grids)
    result = replace(result, reason=reason_for(audio.duration, informative, fingerprinter))
    return PreparedQuery(result, tuple(grids), samples if deep or with_samples else None)


def reason_for(duration: float, informative: bool, fingerprinter: Fingerprinter) -> str:
    """Say why audio of so many seconds cannot be searched for; empty where it can be."""
    if duration < fingerprinter.block:
        return f"shorter than {fingerprinter.block:g} s"
    return "" if informative else "nothing in it to recognise: silence or a steady tone"
