"""Blocks from a stream of samples, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from samaf.features.blocks import blocks
from samaf.features.mfcc import emphasise, frame_count, frames_from
from samaf.features.parameters import FeatureParameters


def frame_chunks(
    chunks: Iterable[np.ndarray], parameters: FeatureParameters
) -> Iterator[np.ndarray]:
    """Yield the frames of a stream, float32 (n, coefficients).

    They are those of ``mfcc``, except that audio of at least 1 s is padded with zeros to a full
    block. ``chunks`` are float32 arrays of any length that follow on each other.
    """
    step = parameters.step * parameters.tau
    buffer = np.empty(0, np.float32)  # emphasised samples from frame ``first`` on
    first, total, last = 0, 0, 0.0
    for chunk in chunks:
        if not len(chunk):
            continue
        buffer = np.concatenate([buffer, emphasise(chunk, parameters.preemphasis, last)])
        total += len(chunk)
        last = float(chunk[-1])
        # Frames that lie fully in the samples so far; the last of the signal may be padded.
        ready = max(0, int((total - parameters.window - 1) // step) + 1)
        if ready > first:
            yield frames_from(buffer, first, ready - first, parameters)
            buffer = buffer[round(ready * step) - round(first * step) :]
            first = ready
    count = frame_count(total, parameters) if total else 0
    if total >= round(parameters.block_seconds * parameters.tau * parameters.sample_rate):
        count = max(count, parameters.block_frames)
    if count > first:
        yield frames_from(buffer, first, count - first, parameters)


def block_chunks(
    chunks: Iterable[np.ndarray], parameters: FeatureParameters
) -> Iterator[np.ndarray]:
    """Yield the blocks of a stream, float32 (m, block_frames, coefficients)."""
    kept = np.empty((0, parameters.coefficients), np.float32)
    for frames in frame_chunks(chunks, parameters):
        kept = np.concatenate([kept, frames])
        cut = blocks(kept, parameters)
        if len(cut):
            yield cut
            kept = kept[len(cut) * parameters.hop_frames :]
