"""Where a clip was found, how it was altered, and whether the signals agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log, log2
from typing import Literal, TypeAlias

import numpy as np

from samaf.records.recordings import Recording

UNALTERED = 0.02  # log of a factor that is not worth naming


# What a false match would be: other speech, or another voice that reads the same text.
Population: TypeAlias = Literal["speech", "prompts"]


@dataclass(frozen=True, slots=True)
class Manipulation:
    """How a clip was altered as far as time and frequency go.

    Attributes
    ----------
    tau
        Time factor: duration of the clip / duration of the reference segment.
    rho
        Pitch factor: frequencies of the clip / frequencies of the reference.
    reversed
        The clip runs backwards.
    """

    tau: float = 1.0
    rho: float = 1.0
    reversed: bool = False

    def __str__(self) -> str:
        """Name it as people do: "speed 0.95x", "pitch +3.9 semitones", "reversed"."""
        tempo, pitch = abs(log(self.tau)) > UNALTERED, abs(log(self.rho)) > UNALTERED
        parts = ["reversed"] if self.reversed else []
        if tempo and pitch and abs(log(self.tau * self.rho)) <= UNALTERED:
            parts.append(f"speed {1 / self.tau:.3f}x")
        else:
            parts += [f"tempo {1 / self.tau:.2f}x"] if tempo else []
            parts += [f"pitch {12 * log2(self.rho):+.1f} semitones"] if pitch else []
        return ", ".join(parts)


IDENTITY = Manipulation()


@dataclass(frozen=True, slots=True)
class Band:
    """How far two signals agree between two frequencies.

    Attributes
    ----------
    low, high
        Hz, in the recording.
    coherence
        0 to 1.
    coherent
        Whether it is beyond chance.
    """

    low: int
    high: int
    coherence: float
    coherent: bool


@dataclass(frozen=True, slots=True, eq=False)
class LagCurves:
    """The curves behind a verification, for a picture.

    Attributes
    ----------
    lags
        float64 (m,): where the clip's stretch would start in the recording, in s, every 10 ms.
        Empty where tempo and pitch were changed apart, which leaves no common waveform.
    correlation
        float32 (m,): the highest correlation of these 10 ms over the spread of all lags.
    peak_lag, peak
        The highest near the place that the hashes name; nan without a curve.
    times
        float64 (n,): moments of the clip, in s.
    offsets
        float64 (n,): seconds that these moments lie behind the line in the recording.
    agree
        bool (n,): whether they agree on their own.
    """

    lags: np.ndarray
    correlation: np.ndarray
    peak_lag: float
    peak: float
    times: np.ndarray
    offsets: np.ndarray
    agree: np.ndarray


@dataclass(frozen=True, slots=True)
class Verification:
    """What the signals of a clip and of a recording say about a match.

    Attributes
    ----------
    verified
        Whether the score is 4 or more: at most 1 in 10,000 wrong candidates.
    score
        -log10 of the probability that a wrong candidate agrees at least so well.
    log10_lr
        log10 of the likelihood ratio of that score; 0 says nothing, it is never below.
    z_waveform
        The correlation's peak over the spread of all other lags; nan where tempo and pitch were
        changed apart, which leaves no common waveform.
    z_windows
        Likeness of windows of 0.1 s along the line, against random places.
    query_start, query_stop, reference_start, reference_stop
        Seconds: the stretch that agrees, or the candidate's where nothing can be said.
    lag_samples
        Sample (16 kHz) of the recording that the clip's first sample falls on (its last one
        for a reversed clip), 0.5 precise at most; nan where the waveform does not agree.
    manipulation
        With the time factor as measured.
    inverted
        Whether the clip has the opposite polarity.
    bands
        Agreement by frequency; empty where the waveform does not agree.
    repeats
        Seconds: other places of the recording where the agreeing stretch begins as well.
    reason
        Why nothing could be computed: silence, too short, or no audio to compare with.
    curves
        None where nothing was computed.
    """

    verified: bool
    score: float
    log10_lr: float
    z_waveform: float
    z_windows: float
    query_start: float
    query_stop: float
    reference_start: float
    reference_stop: float
    lag_samples: float
    manipulation: Manipulation
    inverted: bool = False
    bands: tuple[Band, ...] = ()
    repeats: tuple[float, ...] = ()
    reason: str = ""
    curves: LagCurves | None = field(default=None, compare=False, repr=False)

    @property
    def drift_ppm(self) -> float:
        """How much slower than the recording's the clip's clock ran, in millionths."""
        return (self.manipulation.tau - 1) * 1e6


@dataclass(frozen=True, slots=True)
class Match:
    """One segment of the query, found in one reference.

    Attributes
    ----------
    score
        -log10 of the expected number of false matches at least this good in the whole search, so
        3 means one false answer in a thousand such queries. It is that of the query's population:
        against other speech, or against another voice that says the same text.
    log10_lr
        log10 of the likelihood ratio of that score: how many times as often a clip of this
        recording gets it as a clip of none in the store. 0 says nothing; it never goes beyond what
        the queries that it was calibrated on support.
    score_other_speech, log10_lr_other_speech
        Both against other speech.
    score_same_text, log10_lr_same_text
        Both against another voice that says the same text at the same pace.
    same_text_warning
        Whether a reading of the same text by another voice would look like this: the score
        against it is too low for the query's maximum of false matches.
    verification
        What the signals say, where they were compared.
    channel, reference_channel
        The side of the query and of the recording that were matched, such as "2", where their
        sides differ; "" is the mix of all channels.
    """

    recording: Recording
    query_start: float
    query_stop: float
    reference_start: float
    reference_stop: float
    ber: float
    score: float
    manipulation: Manipulation = IDENTITY
    log10_lr: float = 0.0
    score_other_speech: float = 0.0
    log10_lr_other_speech: float = 0.0
    score_same_text: float = 0.0
    log10_lr_same_text: float = 0.0
    same_text_warning: bool = False
    verification: Verification | None = None
    channel: str = ""
    reference_channel: str = ""


@dataclass(frozen=True, slots=True)
class RankedRecording:
    """A recording that a clip may come from, as a model of vectors ranks it.

    The nearest recordings always make candidates, also for a clip of none of them: they are
    ranked, not decided on.

    Attributes
    ----------
    segment
        Position in the recording of the stored segment that is nearest to the clip.
    query_start, query_stop, reference_start, reference_stop
        Seconds: the segment of the clip that it is nearest to, and where it lies itself.
    distances
        Euclidean distances of the neighbors that are of this recording, least first.
    """

    recording: Recording
    segment: int
    query_start: float
    query_stop: float
    reference_start: float
    reference_stop: float
    distances: tuple[float, ...]

    @property
    def distance(self) -> float:
        """Distance of the nearest segment."""
        return self.distances[0]

    @property
    def votes(self) -> int:
        """How many of the neighbors are of this recording."""
        return len(self.distances)
