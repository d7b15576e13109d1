"""From a clip to a prepared query: decoded once, hashed once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from samaf.audio import Audio, Source, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.fingerprint import with_share
from samaf.engine.stopwatch import Stopwatch
from samaf.fingerprinters import Fingerprinter
from samaf.matching import PLAIN, PreparedQuery, hash_under
from samaf.matching.edge_blocks import SHORTEST, is_short
from samaf.matching.query_hashes import Grid, salt_of
from samaf.media import DEFAULT, Selection, joined
from samaf.records import QueryResult


def prepare(
    source: Source,
    fingerprinter: Fingerprinter,
    watch: Stopwatch,
    selection: Selection = DEFAULT,
    *,
    deep: bool = False,
    with_samples: bool = False,
) -> PreparedQuery:
    """Decode a clip, and hash it unaltered unless the search hashes it under hypotheses.

    The samples are kept where the search or ``with_samples`` needs them. With them, half a block is
    enough for a clip that is hashed unaltered.

    Raises
    ------
    AudioError
        It cannot be decoded, or has no such track or channel.
    """
    # Half a block, padded, proposes places, and the signals decide.
    least = (SHORTEST if with_samples and not deep else 1) * fingerprinter.block
    with one_blas_thread(), ExitStack() as stack:
        with watch("decode"):
            opened = read(source, track=selection.track, channel=selection.channel)
            audio = stack.enter_context(opened)
        streams = []
        with watch("hash"):
            streams.append(_stream(audio, "", fingerprinter, deep, with_samples, least))
            for side in audio.sides:
                channel = joined(side.media.used_channels)
                streams.append(_stream(side, channel, fingerprinter, deep, with_samples, least))
    blocks = np.array([stream.informative for stream in streams])
    padded = any(h.informative.any() for stream in streams for _, h in stream.grids)
    result = QueryResult(
        audio.path or audio.name,
        audio.sha256,
        audio.duration,
        reason=reason_for(audio.duration, bool(blocks.any()) or padded, fingerprinter, least),
        media=with_share(audio.media, blocks),
    )
    whole, *sides = (
        PreparedQuery(result, stream.grids, stream.samples, stream.channel) for stream in streams
    )
    return replace(whole, sides=tuple(sides))


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    """The mix of a clip's channels, or a side; ``informative`` is of its unpadded blocks."""

    channel: str
    grids: tuple[Grid, ...]
    samples: np.ndarray | None
    informative: np.ndarray


def _stream(
    audio: Audio,
    channel: str,
    fingerprinter: Fingerprinter,
    deep: bool,
    with_samples: bool,
    least: float,
) -> _Stream:
    if audio.duration < least:
        return _Stream(channel, (), None, np.empty(0, bool))
    if deep:
        informative = fingerprinter.informative(audio.chunks())
        return _Stream(channel, (), audio.samples(), informative)
    salt = salt_of(audio.sha256, channel)
    samples = audio.samples() if with_samples or is_short(audio.duration) else None
    if samples is not None and is_short(audio.duration):
        grids = hash_under(samples, salt, fingerprinter, [PLAIN])
    else:
        grids = [(PLAIN, fingerprinter.hashes(audio.chunks(), salt))]
    kept = samples if with_samples else None
    return _Stream(channel, tuple(grids), kept, grids[0][1].informative)


def reason_for(
    duration: float, informative: bool, fingerprinter: Fingerprinter, least: float | None = None
) -> str:
    """Say why audio of so many seconds cannot be searched for; empty where it can be.

    ``least`` are the seconds that it needs, a block by default.
    """
    least = least or fingerprinter.block
    if duration < least:
        return f"shorter than {least:g} s"
    return "" if informative else "nothing in it to recognise: silence or a steady tone"
