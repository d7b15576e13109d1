"""Verify a candidate: do clip and recording agree as signals at the candidate's place?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import log, nan

import numpy as np

from samaf.records import IDENTITY, UNALTERED, LagCurves, Manipulation, Match, Verification
from samaf.verification.agreement import WINDOW, Agreement, along, coherent_bands
from samaf.verification.calibration import DECISION, log10_lr_of, score_of
from samaf.verification.correlation import (
    APART,
    BIN,
    LEAST_REPEAT,
    REPEAT,
    Correlation,
    SampleAlignment,
    WhiteClip,
    correlate,
)
from samaf.verification.signals import (
    SAMPLE_RATE,
    PreparedRecording,
    Samples,
    Signal,
    resampled,
)
from samaf.verification.windows import ClipWindows, Windows, compare_windows

LEAST = 0.4  # s
MOST = 6.0  # s of the segment that the statistics use; more proves no more
CONTEXT = 60.0  # s of the clip on either side in which the agreeing segment is looked for
SILENCE = 1e-4  # of full scale
REACH = 0.0012  # of the time factor: clocks, and 0.1 % between film and video
REACH_ALTERED = 0.012  # where the search had to find the factor, it knows it to 1 %
KEPT = 4  # stretches of a clip, prepared
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


class PreparedClip:
    """A clip whose stretches are prepared once for all candidates that name them.

    Parameters
    ----------
    samples
        float32 (n,), mono, 16 kHz.
    """

    def __init__(self, samples: np.ndarray) -> None:
        self.samples = np.asarray(samples, np.float32)
        self._stretches: dict[tuple[float, float, float, float, bool], _Stretch] = {}

    def segment(
        self, start: float, middle: float, stop: float, rho: float, backwards: bool
    ) -> _Stretch:
        """Give a segment of the clip as it runs forwards, in s, its pitch restored."""
        key = start, middle, stop, rho, backwards
        if key not in self._stretches:
            if len(self._stretches) >= KEPT:
                self._stretches.clear()
            samples = self.samples[::-1] if backwards else self.samples
            self._stretches[key] = _Stretch(samples, start, middle, stop, rho)
        return self._stretches[key]


class _Stretch:
    """A segment of a clip at the recording's pitch, with what lies around it.

    Attributes
    ----------
    samples
        float32 (n,); ``begin`` to ``end`` are the segment, ``anchor`` its middle.
    origin
        Seconds of the clip at the first of the samples.
    """

    def __init__(
        self, samples: np.ndarray, start: float, middle: float, stop: float, rho: float
    ) -> None:
        first = max(0, int((start - CONTEXT) * SAMPLE_RATE))
        samples = samples[first : int((stop + CONTEXT) * SAMPLE_RATE)]
        samples = resampled(np.nan_to_num(samples, posinf=0, neginf=0), rho)
        self.origin = first / SAMPLE_RATE
        rate = SAMPLE_RATE * rho
        self.begin, self.end, self.anchor = (
            round((t - self.origin) * rate) for t in (start, max(start, stop), middle)
        )
        peak = np.abs(samples[self.begin : self.end]).max(initial=0)
        self.samples = samples / peak if peak > SILENCE else samples

    @property
    def sound(self) -> np.ndarray:
        """The segment itself."""
        return self.samples[self.begin : self.end]

    @cached_property
    def white(self) -> WhiteClip:
        """For the first statistic."""
        return WhiteClip(self.sound)

    @cached_property
    def windows(self) -> ClipWindows:
        """For the second one."""
        return ClipWindows(self.sound)


def verify(
    clip: np.ndarray | PreparedClip,
    recording: Signal | np.ndarray,
    place: Match | Placement,
    *,
    reach: float | None = None,
    tries: int = 1,
) -> Verification:
    """Tell whether the signals agree at a place.

    Parameters
    ----------
    clip
        float32 (n,), mono, 16 kHz; prepared where several candidates are verified.
    recording
        The whole recording, mono, 16 kHz: an array, or a `Signal` that is read in parts;
        prepared where several candidates lie in it.
    place
        What the hashes name: right to 0.3 s, its time factor to 1.2 % where it is not 1.
    reach
        How far the speed may be off, as a share of it; by default as said for ``place``.
    tries
        How many alterations are tried at this place: the score is charged for the choice.

    Returns
    -------
    Verification
        Not verified with a reason where either side is silent or too short.
    """
    if isinstance(recording, np.ndarray):
        recording = PreparedRecording(Samples(recording))
    clip = clip if isinstance(clip, PreparedClip) else PreparedClip(clip)
    restored = _restore(clip, place, recording.count / SAMPLE_RATE)
    reason = _reason(restored.segment.sound, recording)
    if reason:
        return unverified(place, reason)
    windows = compare_windows(restored.segment.windows, recording, restored.line)
    correlation = None
    if restored.is_speed:
        usual = REACH_ALTERED if restored.altered else REACH
        correlation = correlate(restored.segment.white, recording, restored.line, reach or usual)
    # Where the recording repeats itself, a peak alone proves nothing: windows must agree as well.
    z = correlation.alone if correlation else nan
    altered = restored.altered or reach is not None
    score = score_of(z, windows.z, altered, tries)
    peak = score_of(correlation.contrast, nan, altered, tries) if correlation else 0.0
    if correlation and min(score, peak) >= DECISION:
        return _agreeing(restored, recording, place, correlation, windows, score)
    times = restored.time(restored.segment.begin + windows.middles)
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
class _Restored:
    """A clip that runs forwards at the recording's pitch, and the line it may lie on.

    Attributes
    ----------
    line
        Its ``middle`` is counted from the segment's beginning.
    duration
        Of the clip, in seconds.
    rho
        The pitch factor that was removed.
    is_speed
        Whether time and pitch were changed together, or not at all.
    """

    segment: _Stretch
    line: SampleAlignment
    duration: float
    rho: float
    is_speed: bool
    altered: bool
    reversed: bool

    def time(self, samples: np.ndarray) -> np.ndarray:
        """Give the seconds of the clip, as it was given, of some samples."""
        forwards = self.segment.origin + samples / (SAMPLE_RATE * self.rho)
        return self.duration - forwards if self.reversed else forwards


def _restore(clip: PreparedClip, place: Match | Placement, recorded: float) -> _Restored:
    """Turn the clip round, resample it, and cut the segment to what the recording holds."""
    manipulation, duration = place.manipulation, len(clip.samples) / SAMPLE_RATE
    tau, rho = manipulation.tau, manipulation.rho
    is_speed = abs(log(tau * rho)) <= UNALTERED
    rho = 1 / tau if is_speed else rho
    start, stop = place.query_start, min(place.query_stop, duration)
    if manipulation.reversed:
        start, stop = duration - stop, duration - start
    middle = (start + stop) / 2
    there = (place.reference_start + place.reference_stop) / 2
    half = min(stop - start, MOST * tau) / 2
    start = max(middle - half, middle - there * tau, 0.0)
    stop = min(middle + half, middle + (recorded - there) * tau, duration)
    segment = clip.segment(start, middle, stop, rho, manipulation.reversed)
    return _Restored(
        segment,
        SampleAlignment(segment.anchor - segment.begin, there * SAMPLE_RATE, 1 / (tau * rho)),
        duration,
        rho,
        is_speed,
        tau != 1 or rho != 1,
        manipulation.reversed,
    )


def _agreeing(
    restored: _Restored,
    recording: Signal,
    place: Match | Placement,
    correlation: Correlation,
    windows: Windows,
    score: float,
) -> Verification:
    """Say where, how exactly and in which bands the waveforms agree."""
    found, segment = correlation.line, restored.segment
    line = replace(found, middle=found.middle + segment.begin)
    agreement = along(segment.samples, recording, line)
    begin, end = _agreeing_part(agreement, segment)
    there = [float(line.place + (k - line.middle) * line.step) for k in (begin, end)]
    here = sorted(restored.time(np.array([begin, end])).tolist())
    first = -segment.origin * SAMPLE_RATE * restored.rho
    manipulation = replace(place.manipulation, tau=float(1 / (line.step * restored.rho)))
    if restored.is_speed and (restored.altered or abs(log(manipulation.tau)) > UNALTERED):
        manipulation = replace(manipulation, rho=1 / manipulation.tau)
    # From the start of what was correlated to the start of what agrees.
    ahead = (begin - segment.begin) * line.step
    return Verification(
        bool(score >= DECISION),
        score,
        log10_lr_of(score),
        correlation.alone,
        windows.z,
        here[0],
        here[1],
        there[0] / SAMPLE_RATE,
        there[1] / SAMPLE_RATE,
        float(line.place + (first - line.middle) * line.step),
        manipulation,
        correlation.inverted,
        coherent_bands(
            segment.samples[begin:end], recording, replace(line, middle=line.middle - begin)
        ),
        _repeats(correlation, ahead),
        curves=_curves(
            correlation, restored.time(agreement.middles), agreement.offsets, agreement.agree
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
        (correlation.curve / correlation.clutter).astype(np.float32),
        (line.place - line.middle * line.step) / SAMPLE_RATE,
        correlation.contrast,
        times,
        offsets,
        agree,
    )


def _agreeing_part(agreement: Agreement, segment: _Stretch) -> tuple[int, int]:
    """Give first and last sample of what agrees; the candidate's where no window does alone."""
    agreeing = agreement.middles[agreement.agree]
    if not len(agreeing):
        return segment.begin, segment.end
    half = WINDOW // 2
    begin, end = round(agreeing[0]) - half, round(agreeing[-1]) + half
    return max(0, begin), min(len(segment.samples), end)


def _repeats(correlation: Correlation, ahead: float) -> tuple[float, ...]:
    """List the other lags at which the correlation is about as high as at the line."""
    line, curve = correlation.line, correlation.curve
    own = (line.place - line.middle * line.step - correlation.first_lag) / BIN
    high = np.flatnonzero(curve >= max(REPEAT * correlation.z, LEAST_REPEAT))
    high = high[np.abs(high - own) > APART]
    groups = np.split(high, np.flatnonzero(np.diff(high) > APART) + 1)
    tops = [int(group[curve[group].argmax()]) for group in groups if len(group)]
    return tuple((correlation.first_lag + BIN * top + ahead) / SAMPLE_RATE for top in tops)


def _reason(segment: np.ndarray, recording: Signal) -> str:
    if recording.count < LEAST * SAMPLE_RATE:
        return "the recording is too short to verify"
    if len(segment) < LEAST * SAMPLE_RATE:
        return "the segment is too short to verify"
    return "" if np.abs(segment).max() > SILENCE else "the clip is silent"


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
