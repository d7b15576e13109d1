"""What the samples of a file are like: level, clipping, bandwidth, noise, activity.

Plain measurements, each defined by one line of arithmetic; none of them decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from samaf.report.examined import Quality

FRAME_S = 0.01
FFT = 512  # samples, 32 ms at 16 kHz
BAND_DB = 50.0  # below the strongest frequency: still part of the band
SILENCE_DB = -100.0
LOUD, QUIET = 95, 10  # percentiles of the levels of frames
LEAST_CONTRAST_DB = 3.0  # between loud and quiet frames: with less there are no pauses to see
LARGEST_CONTRAST_DB = 30.0  # frames further below the loud ones are pauses whatever the noise
NEAR_PEAK = 0.99


def quality(chunks: Iterable[np.ndarray], peak: float, sample_rate: int) -> Quality:
    """Measure samples that come in chunks; memory does not grow with them.

    Parameters
    ----------
    chunks
        float32 (n,), peak-normalised.
    peak
        Largest magnitude before that, relative to full scale.
    """
    frame = round(FRAME_S * sample_rate)
    levels: list[np.ndarray] = []
    power = np.zeros(FFT // 2 + 1)
    near, count = 0, 0
    window = np.hanning(FFT).astype(np.float32)
    for chunk in chunks:
        near += int((np.abs(chunk) >= NEAR_PEAK).sum())
        count += len(chunk)
        frames = chunk[: len(chunk) // frame * frame].reshape(-1, frame)
        mean_squares = np.mean(np.square(frames, dtype=np.float64), axis=1)
        levels.append((10 * np.log10(np.maximum(mean_squares, 1e-10))).astype(np.float32))
        pieces = chunk[: len(chunk) // FFT * FFT].reshape(-1, FFT)
        power += np.square(np.abs(np.fft.rfft(pieces * window, axis=1)), dtype=np.float64).sum(0)
    if not peak or not count:
        return Quality(None, None, 0.0, 0.0, None, None)
    peak_db = 20 * float(np.log10(peak))
    decibels = np.concatenate(levels)
    if not len(decibels):
        return Quality(round(peak_db, 2), None, near / count, 0.0, None, None)
    loud, quiet = (float(x) for x in np.percentile(decibels, [LOUD, QUIET]))
    active = None
    if loud - quiet >= LEAST_CONTRAST_DB:
        pause = max((loud + quiet) / 2, loud - LARGEST_CONTRAST_DB)
        active = FRAME_S * int((decibels > pause).sum())
    inside = np.flatnonzero(power >= power.max() * 10 ** (-BAND_DB / 10))
    bandwidth = float(inside[-1]) * sample_rate / FFT if power.any() else 0.0
    return Quality(
        peak_db=round(peak_db, 2),
        loud_db=round(loud + peak_db, 1),
        near_peak=near / count,
        bandwidth_hz=bandwidth,
        noise_db=round(max(quiet, SILENCE_DB) - loud, 1),
        active_s=None if active is None else round(active, 2),
    )
