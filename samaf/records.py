"""The frozen records that cross the borders between packages.

Times are seconds, levels are relative to full scale (peak 1), hashes are packed
with ``numpy.packbits`` (big-endian bit order, +1 as 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log, log2
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np

from samaf.media import MediaInfo

UNALTERED = 0.02  # log of a factor that is not worth naming
NO_LABELS: Mapping[str, str] = MappingProxyType({})
# What a false match would be: other speech, or another voice that reads the same text.
Population: TypeAlias = Literal["speech", "prompts"]


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that was added to a store.

    Attributes
    ----------
    recording_id
        The store's number for it; 0 while it is in no store.
    sha256
        SHA-256 of the file's bytes, 64 hexadecimal digits: its identity.
    name
        File name without folders.
    path
        Where the file was when it was added.
    duration
        Length of the decoded audio in seconds.
    labels
        Free text by name: speaker, video, case number.
    revision
        The store's revision that added it; 0 while it is in no store.
    added_at
        UTC time of adding in ISO 8601; empty while it is in no store.
    media
        What was decoded of the file; None where it was stored before schema 0004.
    """

    sha256: str
    name: str
    path: str
    duration: float
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    recording_id: int = 0
    revision: int = 0
    added_at: str = ""
    media: MediaInfo | None = None

    def channel(self, side: int) -> str:
        """Write which channels a side has, such as "2"; "" for side 0, the mix of all."""
        return self.media.channel(side) if side and self.media else ""


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """What a store keeps of one piece of audio: one code a block.

    Attributes
    ----------
    packed
        uint8, shape (m, bits / 8): hashes of 128 or 256 bits every 0.25 s, or the bytes of
        float32 vectors every 2.5 s.
    informative
        bool, shape (m,). False where the block has nothing to recognise (digital
        silence, a steady tone): the bits of a hash are noise drawn for this recording alone.
    streams
        How many equally long streams stand in them one behind the other: first the mix of all
        channels, then each side of a recording whose sides differ.
    """

    packed: np.ndarray
    informative: np.ndarray
    streams: int = field(default=1, kw_only=True)

    def __len__(self) -> int:
        return len(self.packed)

    def stream(self, number: int) -> np.ndarray:
        """Give the codes of one stream, uint8 (m / streams, bits / 8)."""
        size = len(self.packed) // self.streams
        return self.packed[number * size : (number + 1) * size]

    @property
    def bits(self) -> int:
        """Bits of one code."""
        return 8 * self.packed.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class Hashes(Codes):
    """The hashes of a query, one every 0.25 s.

    Attributes
    ----------
    reliability
        uint8, shape (m, bits), or None where only bits are known, as in a store: how reliable
        each bit is, in parts of the most reliable of its hash.
    activity
        uint8, shape (m,), or None as in a store: the share of each block that is not a pause, in
        parts of 255.
    """

    reliability: np.ndarray | None = None
    activity: np.ndarray | None = None

    def cut(self, rows: slice) -> Hashes:
        """Give some hashes in a row."""
        reliability = None if self.reliability is None else self.reliability[rows]
        activity = None if self.activity is None else self.activity[rows]
        return Hashes(self.packed[rows], self.informative[rows], reliability, activity)

    def followed_by(self, other: Hashes) -> Hashes:
        """Give these hashes and those that come behind them."""
        return Hashes(
            np.concatenate([self.packed, other.packed]),
            np.concatenate([self.informative, other.informative]),
            _joined(self.reliability, other.reliability),
            _joined(self.activity, other.activity),
        )


def _joined(before: np.ndarray | None, after: np.ndarray | None) -> np.ndarray | None:
    return None if before is None or after is None else np.concatenate([before, after])


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
        Seconds: the stretch that agrees, or the one that was named where nothing can be said.
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
        What the signals say, where that was asked for.
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


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer of a model of hashes to one query.

    Attributes
    ----------
    matches
        Best first; none of them means unknown.
    reason
        Why the clip could not be searched for: too short, silent.
    media
        What was decoded of the clip.
    unsearched
        Parts of the store that did not answer: servers of an index in a database.
    """

    query: str
    sha256: str
    duration: float
    matches: tuple[Match, ...] = ()
    reason: str = ""
    media: MediaInfo | None = None
    unsearched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RankingResult:
    """The answer of a model of vectors to one query.

    Attributes
    ----------
    ranking
        The likeliest first.
    reason
        Why the clip could not be searched for: silent.
    padded
        Whether the clip was shorter than the model needs and got silence at its end.
    media
        What was decoded of the clip.
    """

    query: str
    sha256: str
    duration: float
    ranking: tuple[RankedRecording, ...] = ()
    reason: str = ""
    padded: bool = False
    media: MediaInfo | None = None


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of one file given to ``add``.

    ``status`` is "added", "present" (the same bytes were stored before) or "failed"
    with the reason in ``message``. There it also says of a recording that was added why no
    query will find it. While a folder is watched, the status may also be "moved" (the path of the
    recording follows), "replaced" (other bytes lie at the path of a recording, which stays) or
    "removed" (the file is gone; the recording stays).
    """

    path: str
    status: str
    recording: Recording | None = None
    hashes: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Relocation:
    """What became of a recording whose file was not at its path any more.

    Attributes
    ----------
    recording
        As the store has it now.
    before
        The path that it had.
    found
        Whether its file was found, and its path follows.
    """

    recording: Recording
    before: str
    found: bool


@dataclass(frozen=True, slots=True)
class RehashResult:
    """What became of a store that was to be rehashed with another model.

    Attributes
    ----------
    name, digest
        The model.
    recordings
        Recordings there were.
    missing
        Those whose audio could not be found or hashed again.
    forgotten
        Whether those were deleted.
    """

    url: str
    name: str
    digest: str
    recordings: int
    missing: tuple[Recording, ...]
    forgotten: bool

    @property
    def done(self) -> bool:
        """Whether the store belongs to the model now."""
        return self.forgotten or not self.missing


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two pieces of audio share, best first: the first is the query of each match.

    ``reason`` says which of them could not be compared, and why (too short, silent);
    ``first_media`` and ``second_media`` say what was decoded of them.
    """

    first: str
    second: str
    matches: tuple[Match, ...]
    reason: str = ""
    first_media: MediaInfo | None = None
    second_media: MediaInfo | None = None

    @property
    def match(self) -> Match | None:
        """The best common segment, if there is one."""
        return self.matches[0] if self.matches else None


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """Whether a clip holds sound of a recording, by their signals.

    Attributes
    ----------
    matches
        The places that are verified, best first; the likeliest place where none is.
    reason
        Why nothing was compared: too short, silent.
    """

    clip: str
    clip_sha256: str
    recording: str
    recording_sha256: str
    matches: tuple[Match, ...] = ()
    reason: str = ""

    @property
    def verified(self) -> bool:
        """Whether a place is verified."""
        return any(m.verification is not None and m.verification.verified for m in self.matches)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two recordings of a store that share audio, and all segments that they share.

    The first recording is the query of each match, the second its reference.
    """

    first: Recording
    second: Recording
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class RepeatedSegment:
    """A segment that a recording holds at two places.

    Attributes
    ----------
    first_start, first_stop, second_start, second_stop
        Seconds; the first place is the earlier one. Which of them is the original is unknown.
    ber
        Bit error rate of the 1.5 s that agree best.
    correlation
        Of the samples at both places: 1 for a plain copy, below 0.45 for words said twice.
    score
        -log10 of the expected number of such bit error rates by chance in this recording.
    """

    first_start: float
    first_stop: float
    second_start: float
    second_stop: float
    ber: float
    correlation: float
    score: float


@dataclass(frozen=True, slots=True)
class CopiesResult:
    """The segments that a recording holds twice, best first.

    ``reason`` says why when it could not be searched (too short, silent); ``tones`` counts
    repetitions of steady tones, such as ringing, which are no copies.
    """

    path: str
    sha256: str
    duration: float
    copies: tuple[RepeatedSegment, ...] = ()
    reason: str = ""
    tones: int = 0


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """What a U-Net's decoder made of the first segment of a clip.

    Attributes
    ----------
    path, out
        The clip, and the WAV file that was written.
    duration
        Seconds of it.
    padded
        Whether the clip was shorter than a segment and zeros filled it up.
    error
        Mean square error of the rebuilt spectrogram against the clean one.
    peak
        Largest magnitude of the clean spectrogram.
    psnr, psnr_255
        Peak signal-to-noise ratio in dB, for that peak and for one of 255.
    """

    path: str
    out: str
    model: str
    duration: float
    padded: bool
    error: float
    peak: float
    psnr: float
    psnr_255: float


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """The hashes, or vectors, of one file: number i starts at ``i x hop`` seconds."""

    path: str
    sha256: str
    duration: float
    model: str
    digest: str
    hop: float
    hashes: Codes
    media: MediaInfo | None = None


@dataclass(frozen=True, slots=True)
class Jump:
    """A moment at which a recording leaves the time line of its event.

    Attributes
    ----------
    at
        Seconds of the recording.
    seconds
        What is missing there; negative where something was put in.
    """

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class SyncedRecording:
    """Where a recording lies on the time line of an event that others recorded too.

    Attributes
    ----------
    group
        Recordings of one event have the same number, from 1 on; 0 where it goes with no other.
    offset
        Seconds from the start of the time line, where its earliest recording begins.
    drift_ppm
        How much faster its clock ran than that of the group's first recording, in millionths:
        the recording is longer by so much.
    offset_error, drift_error_ppm
        Half of the 95 % interval of both.
    residual
        Root mean square of the moments that were measured from the time line, in seconds.
    moments
        How many were measured.
    jumps
        Where it was paused or cut, in the order of time.
    reason
        Why it is in no group.
    """

    path: str
    sha256: str
    duration: float
    group: int = 0
    offset: float = 0.0
    drift_ppm: float = 0.0
    offset_error: float = 0.0
    drift_error_ppm: float = 0.0
    residual: float = 0.0
    moments: int = 0
    jumps: tuple[Jump, ...] = ()
    reason: str = ""

    @property
    def end(self) -> float:
        """Where it ends on the time line, in seconds."""
        return self.place(self.duration)

    def place(self, moment: float) -> float:
        """Give where a moment of it lies on the time line, both in seconds."""
        missing = sum(jump.seconds for jump in self.jumps if jump.at <= moment)
        return self.offset + missing + moment / (1 + self.drift_ppm * 1e-6)


@dataclass(frozen=True, slots=True)
class RepeatPlace:
    """One place of a piece that recurs: where in which recording, in seconds."""

    recording: Recording
    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class RepeatCluster:
    """A piece that recurs, and all its places in the order of recordings and time.

    ``seconds`` is its usual length, the median of its places.
    """

    number: int
    seconds: float
    places: tuple[RepeatPlace, ...]


@dataclass(frozen=True, slots=True)
class RecordingGroup:
    """Recordings that share audio with each other, directly or through others of the group.

    Attributes
    ----------
    number
        From 1 on; groups with most recordings come first.
    recordings
        In the order of their ids.
    seconds
        Of each recording, what it shares with the one that it shares most with, in seconds,
        besides common pieces.
    """

    number: int
    recordings: tuple[Recording, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RecordingGroups:
    """Groups of recordings, and the common pieces that joined none."""

    groups: tuple[RecordingGroup, ...]
    common: tuple[RepeatCluster, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two collections share.

    Attributes
    ----------
    pairs
        The first recording of each is of the first collection, the second of the second.
    common
        Pieces that many recordings hold, such as a jingle: no overlap by themselves.
    compared
        Recordings of the first and of the second collection.
    passed_over
        Files that could not be compared, and why.
    """

    pairs: tuple[Duplicate, ...]
    common: tuple[RepeatCluster, ...]
    compared: tuple[int, int]
    passed_over: tuple[tuple[str, str], ...] = ()
