"""What one recording holds twice, without any store."""

from __future__ import annotations

from functools import partial

import numpy as np

from samaf.audio import Audio, Source, read
from samaf.engine.blas import one_blas_thread
from samaf.engine.notices import notice
from samaf.features import encoder_input
from samaf.features.stream import frame_chunks
from samaf.fingerprinters import DEFAULT_MODEL, Fingerprinter, load_hash_model
from samaf.matching import calibration_of
from samaf.matching.calibration import log10_evalue
from samaf.matching.self_matches import (
    COPY_HASHES,
    CORRELATION,
    GRIDS,
    TONAL,
    SelfMatch,
    correlation,
    self_matches,
    tonal_share,
)
from samaf.records import CopiesResult, RepeatedSegment


def copies(
    source: Source,
    *,
    model: str | None = None,
    track: int | None = None,
    channel: int | None = None,
) -> CopiesResult:
    """Tell which segments a recording holds twice: the trace of copy-move forgery.

    Finds copies of 1.5 s and more, as they are or coded once more. What a speaker says twice
    is none. An hour takes about 60 MB of memory.

    Parameters
    ----------
    track, channel
        Number of the sound track, and of its only channel, from 1; by default all are mixed.

    Raises
    ------
    AudioError, FingerprinterError
        The file cannot be decoded, has no such track or channel, or there is no such model.
    """
    fingerprinter = load_hash_model(model or DEFAULT_MODEL)
    parameters = fingerprinter.card.features
    with one_blas_thread(), read(source, track=track, channel=channel) as audio:
        notice(audio.path or audio.name, audio.media)
        answer = partial(CopiesResult, audio.path or audio.name, audio.sha256, audio.duration)
        frames = np.concatenate(
            [np.empty((0, parameters.coefficients), np.float32)]
            + list(frame_chunks(audio.chunks(), parameters))
        )
        found = _self_matches(frames, fingerprinter, audio.sha256)
        if isinstance(found, str):
            return answer(reason=found)
        hashes = len(frames) // parameters.hop_frames
        copied = [_copy(self_match, audio, hashes, fingerprinter) for self_match in found]
        alike = [copy for copy in copied if copy.correlation >= CORRELATION]
        kept = tuple(copy for copy in alike if not _is_tonal(copy, audio))
        return answer(kept, tones=len(alike) - len(kept))


def _is_tonal(copy: RepeatedSegment, audio: Audio) -> bool:
    first, stop = (
        round(audio.sample_rate * seconds) for seconds in (copy.first_start, copy.first_stop)
    )
    return tonal_share(audio.part(first, stop - first)) > TONAL


def _self_matches(
    frames: np.ndarray, fingerprinter: Fingerprinter, salt: str
) -> list[SelfMatch] | str:
    """Search frames (n, coefficients) for repeats, or say why there is nothing to search."""
    parameters = fingerprinter.card.features
    size, hop = parameters.block_frames, parameters.hop_frames
    starts = len(frames) - size + 1
    if starts < 1:
        return f"shorter than {fingerprinter.block:g} s"
    windows = np.lib.stride_tricks.sliding_window_view(frames, size, axis=0).swapaxes(1, 2)
    own = fingerprinter.hash_blocks(windows[::hop], salt)
    if not own.informative.any():
        return "nothing in it to recognise: silence or a steady tone"

    def hash_at(at: np.ndarray) -> np.ndarray:
        states = fingerprinter.states(encoder_input(windows[at], parameters))
        return np.packbits(states >= 0, axis=1)

    grid = hop * np.arange(len(own))
    others = (round(hop * n / GRIDS) for n in range(1, GRIDS))
    grids = [own.packed, *(hash_at(np.minimum(grid + by, starts - 1)) for by in others)]
    return self_matches(grids, own.informative, hash_at, starts, hop)


def _copy(
    self_match: SelfMatch, audio: Audio, hashes: int, fingerprinter: Fingerprinter
) -> RepeatedSegment:
    hop, calibration = fingerprinter.hop, calibration_of(fingerprinter)
    comparisons = hashes**2 / 2 * GRIDS
    agreeing = np.array(min(self_match.hashes, COPY_HASHES))
    chance = log10_evalue(np.array(self_match.ber), agreeing, comparisons, calibration)
    first, second, length = (
        hop * t for t in (self_match.first, self_match.second, self_match.length)
    )
    length = min(length, audio.duration - second)
    # What lies beyond the boundaries, which are good to a hop, is no copy.
    inner = max(0.0, min(hop, (length - fingerprinter.block) / 2))
    here, there = (
        round(audio.sample_rate * (first + inner)),
        round(audio.sample_rate * (second + inner)),
    )
    count = round(audio.sample_rate * (length - 2 * inner))
    reach = round(audio.sample_rate * hop / GRIDS)  # hashes alone may be some frames off
    early = max(0, there - reach)
    likeness, place = correlation(
        audio.part(here, count), audio.part(early, there - early + count + reach)
    )
    if likeness >= CORRELATION:
        second += (early + place - there) / audio.sample_rate
    return RepeatedSegment(
        first, first + length, second, second + length, self_match.ber, likeness, -float(chance)
    )
