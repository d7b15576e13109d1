"""Frames become blocks: 100 frames (1 s) every 25 frames (0.25 s)."""

from __future__ import annotations

import numpy as np

from samaf.features.parameters import FeatureParameters


def blocks(frames: np.ndarray, parameters: FeatureParameters) -> np.ndarray:
    """Cut frames into overlapping blocks.

    Parameters
    ----------
    frames
        float32, shape (n, coefficients).

    Returns
    -------
    A read-only view, shape (m, block_frames, coefficients), m = 0 when there are fewer
    frames than a block has.
    """
    size, hop = parameters.block_frames, parameters.hop_frames
    if len(frames) < size:
        return np.empty((0, size, frames.shape[1]), frames.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(frames, size, axis=0)[::hop]
    return windows.swapaxes(1, 2)


def encoder_input(cut: np.ndarray, parameters: FeatureParameters) -> np.ndarray:
    """Prepare blocks for the encoder: mean subtraction, then stacking.

    float32, shape (m, block_frames / stack, coefficients x stack).
    """
    if parameters.subtract_mean:
        cut = cut - cut.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.ascontiguousarray(cut, np.float32).reshape(len(cut), *parameters.steps)
