"""Verify a candidate: do clip and recording agree as signals at the place that was named?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, nan

import numpy as np

from samaf.records import IDENTITY, UNALTERED, LagCurves, Manipulation, Match, Verification
from samaf.verification.agreement import WINDOW, Agreement, along, coherent_bands
from samaf.verification.calibration import DECISION, log10_lr_of, score_of
from samaf.verification.correlation import BIN, Correlation, Line, correlate
from samaf.verification.signals import SAMPLE_RATE, Samples, Signal, resampled
from samaf.verification.windows import Windows, compare_windows

LEAST = 0.4  # s
MOST = 10.0  # s of the stretch that the statistics use; more proves no more
CONTEXT = 60.0  # s of the clip on either side in which the agreeing stretch is looked for
SILENCE = 1e-4  # of full scale
REACH = 0.0045  # of the time factor
REACH_ALTERED = 0.012  # where the search had to find the factor, it knows it to 1 %
REPEAT = 0.5  # of the peak's height: where the recording holds the clip once more
LEAST_REPEAT_Z = 12.0  # higher than wrong places get
APART = 10  # bins of 10 ms between two repeats
LIKE = 0.8  # correlation of a window that is drawn as agreeing


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a clip may lie in a recording; a `Match` says the same.

    All in seconds; ``manipulation`` says how the clip was altered.
    """

    query_start: float
    query_stop: float
    reference_start: float
    reference_stop: float
    manipulation: Manipulation = IDENTITY


def verify(
    clip: np.ndarray, recording: Signal | np.ndarray, place: Match | Placement
) -> Verification:
    """Tell whether the signals agree at a place.

    Parameters
    ----------
    clip
        float32 (n,), mono, 16 kHz.
    recording
        The whole recording, mono, 16 kHz: an array, or a `Signal` that is read in parts.
    place
        What the hashes name: right to 0.3 s, its time factor to 0.45 % (1.2 % where the
        clip was altered).

    Returns
    -------
    Verification
        Not verified with a reason where either side is silent or too short.
    """
    if isinstance(recording, np.ndarray):
        recording = Samples(recording)
    undone = _undo(np.asarray(clip, np.float32), place, recording.count / SAMPLE_RATE)
    stretch = undone.samples[undone.begin : undone.end]
    reason = _reason(stretch, recording)
    if reason:
        return unverified(place, reason)
    windows = compare_windows(stretch, recording, undone.line)
    correlation = None
    if undone.is_speed:
        reach = REACH_ALTERED if undone.altered else REACH
        correlation = correlate(stretch, recording, undone.line, reach)
    z = correlation.z if correlation else nan
    score = score_of(z, windows.z, undone.altered)
    if correlation and score_of(z, nan, undone.altered) >= DECISION:
        return _agreeing(undone, recording, place, correlation, windows, score)
    times = undone.time(undone.begin + windows.middles)
    return replace(
        unverified(place, ""),
        verified=bool(score >= DECISION),
        score=score,
        log10_lr=log10_lr_of(score),
        z_waveform=z,
        z_windows=windows.z,
        curves=_curves(correlation, times, windows.offsets, windows.likeness > LIKE),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Undone:
    """A clip that runs forwards at the recording's pitch, and the line it may lie on.

    Attributes
    ----------
    samples
        float32 (n,); ``begin`` to ``end`` are the stretch that was named.
    line
        Its ``middle`` is counted from ``begin``.
    origin
        Seconds of the clip, as it runs forwards, at the first of the samples.
    duration
        Of the clip, in seconds.
    rho
        The pitch factor that was undone.
    is_speed
        Whether time and pitch were changed together, or not at all.
    """

    samples: np.ndarray
    begin: int
    end: int
    line: Line
    origin: float
    duration: float
    rho: float
    is_speed: bool
    altered: bool
    reversed: bool

    def time(self, samples: np.ndarray) -> np.ndarray:
        """Give the seconds of the clip, as it was given, of some samples."""
        forwards = self.origin + samples / (SAMPLE_RATE * self.rho)
        return self.duration - forwards if self.reversed else forwards


def _undo(clip: np.ndarray, place: Match | Placement, recorded: float) -> _Undone:
    """Turn the clip round, resample it, and cut the stretch to what the recording holds."""
    manipulation, duration = place.manipulation, len(clip) / SAMPLE_RATE
    tau, rho = manipulation.tau, manipulation.rho
    is_speed = abs(log(tau * rho)) <= UNALTERED
    rho = 1 / tau if is_speed else rho
    start, stop = place.query_start, min(place.query_stop, duration)
    if manipulation.reversed:
        clip, start, stop = clip[::-1], duration - stop, duration - start
    middle = (start + stop) / 2
    there = (place.reference_start + place.reference_stop) / 2
    half = min(stop - start, MOST * tau) / 2
    start = max(middle - half, middle - there * tau, 0.0)
    stop = min(middle + half, middle + (recorded - there) * tau, duration)
    origin = max(0, int((start - CONTEXT) * SAMPLE_RATE))
    samples = clip[origin : int((stop + CONTEXT) * SAMPLE_RATE)]
    samples = resampled(np.nan_to_num(samples, posinf=0, neginf=0), rho)
    rate = SAMPLE_RATE * rho
    begin, end, anchor = (
        round((t - origin / SAMPLE_RATE) * rate) for t in (start, max(start, stop), middle)
    )
    peak = np.abs(samples[begin:end]).max(initial=0)
    if peak > SILENCE:
        samples = samples / peak
    return _Undone(
        samples,
        begin,
        end,
        Line(anchor - begin, there * SAMPLE_RATE, 1 / (tau * rho)),
        origin / SAMPLE_RATE,
        duration,
        rho,
        is_speed,
        max(abs(log(tau)), abs(log(rho))) > UNALTERED,
        manipulation.reversed,
    )


def _agreeing(
    undone: _Undone,
    recording: Signal,
    place: Match | Placement,
    correlation: Correlation,
    windows: Windows,
    score: float,
) -> Verification:
    """Say where, how exactly and in which bands the waveforms agree."""
    found = correlation.line
    line = replace(found, middle=found.middle + undone.begin)
    agreement = along(undone.samples, recording, line)
    begin, end = _stretch(agreement, undone)
    there = [float(line.place + (k - line.middle) * line.step) for k in (begin, end)]
    here = sorted(undone.time(np.array([begin, end])).tolist())
    first = -undone.origin * SAMPLE_RATE * undone.rho
    manipulation = replace(place.manipulation, tau=float(1 / (line.step * undone.rho)))
    if undone.is_speed and undone.altered:
        manipulation = replace(manipulation, rho=1 / manipulation.tau)
    # From the start of what was correlated to the start of what agrees.
    ahead = (begin - undone.begin) * line.step
    return Verification(
        bool(score >= DECISION),
        score,
        log10_lr_of(score),
        correlation.z,
        windows.z,
        here[0],
        here[1],
        there[0] / SAMPLE_RATE,
        there[1] / SAMPLE_RATE,
        float(line.place + (first - line.middle) * line.step),
        manipulation,
        correlation.inverted,
        coherent_bands(
            undone.samples[begin:end], recording, replace(line, middle=line.middle - begin)
        ),
        _repeats(correlation, ahead),
        curves=_curves(
            correlation, undone.time(agreement.middles), agreement.offsets, agreement.agree
        ),
    )


def _curves(
    correlation: Correlation | None, times: np.ndarray, offsets: np.ndarray, agree: np.ndarray
) -> LagCurves:
    if correlation is None:
        return LagCurves(np.empty(0), np.empty(0, np.float32), nan, nan, times, offsets, agree)
    bins = np.arange(len(correlation.curve)) + 0.5
    line = correlation.line
    return LagCurves(
        (correlation.first_lag + BIN * bins) / SAMPLE_RATE,
        correlation.curve.astype(np.float32),
        (line.place - line.middle * line.step) / SAMPLE_RATE,
        correlation.z,
        times,
        offsets,
        agree,
    )


def _stretch(agreement: Agreement, undone: _Undone) -> tuple[int, int]:
    """Give first and last sample of what agrees; what was named where no window does alone."""
    agreeing = agreement.middles[agreement.agree]
    if not len(agreeing):
        return undone.begin, undone.end
    half = WINDOW // 2
    begin, end = round(agreeing[0]) - half, round(agreeing[-1]) + half
    return max(0, begin), min(len(undone.samples), end)


def _repeats(correlation: Correlation, ahead: float) -> tuple[float, ...]:
    """List the other lags at which the correlation is about as high as at the line."""
    line, curve = correlation.line, correlation.curve
    own = (line.place - line.middle * line.step - correlation.first_lag) / BIN
    high = np.flatnonzero(curve >= max(REPEAT * correlation.z, LEAST_REPEAT_Z))
    high = high[np.abs(high - own) > APART]
    groups = np.split(high, np.flatnonzero(np.diff(high) > APART) + 1)
    tops = [int(group[curve[group].argmax()]) for group in groups if len(group)]
    return tuple((correlation.first_lag + BIN * top + ahead) / SAMPLE_RATE for top in tops)


def _reason(stretch: np.ndarray, recording: Signal) -> str:
    if recording.count < LEAST * SAMPLE_RATE:
        return "the recording is too short to verify"
    if len(stretch) < LEAST * SAMPLE_RATE:
        return "the stretch is too short to verify"
    return "" if np.abs(stretch).max() > SILENCE else "the clip is silent"


def unverified(place: Match | Placement, reason: str) -> Verification:
    """Give the verification of a place where nothing could be compared, and why."""
    return Verification(
        False,
        0.0,
        0.0,
        nan,
        nan,
        place.query_start,
        place.query_stop,
        place.reference_start,
        place.reference_stop,
        nan,
        place.manipulation,
        reason=reason,
    )
