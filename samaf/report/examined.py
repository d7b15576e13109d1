"""What an examination found of each clip, as plain values; see `samaf.report.record`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quality:
    """What the samples of an item are like, measured at 16 kHz; see `samaf.report.quality`.

    Attributes
    ----------
    peak_db, loud_db
        Of the largest sample, and of the loud frames (95 % of frames are quieter).
    near_peak
        Share of samples within 1 % of the peak: large where the sound was clipped.
    bandwidth_hz
        Highest frequency within 50 dB of the strongest; at most half the sample rate.
    noise_db
        Level of the quiet frames (10 % are quieter), relative to the loud ones.
    active_s
        Seconds that are louder than the pauses; None where no pauses can be seen.
    """

    peak_db: float | None
    loud_db: float | None
    near_peak: float
    bandwidth_hz: float
    noise_db: float | None
    active_s: float | None


@dataclass(frozen=True, slots=True)
class Item:
    """A file: its bytes, what was decoded of it, and what that is like.

    Attributes
    ----------
    sha256
        Of the bytes, computed before anything was decoded.
    notes
        What became of tracks, channels, pauses and damaged packets.
    samples_sha256
        Of the decoded samples: mono, float32, little-endian, 16 kHz.
    """

    name: str
    bytes: int
    sha256: str
    duration: float
    container: str
    codec: str
    sample_rate: int
    channels: int
    layout: str
    samples: int
    samples_sha256: str
    quality: Quality
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """A recording of the store."""

    recording_id: int
    name: str
    sha256: str
    duration: float
    added_at: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Alteration:
    """How the clip was altered in time and frequency, as estimated by the search.

    Attributes
    ----------
    tau, rho
        Time factor and pitch factor, see `samaf.records.Manipulation`.
    examined
        Whether the search looked for changes of tempo, pitch, speed and direction.
    text
        The same in words; empty where none was found.
    """

    tau: float
    rho: float
    reversed: bool
    examined: bool
    text: str


@dataclass(frozen=True, slots=True)
class Course:
    """How clip and recording agree along time; points in the order of the clip.

    Attributes
    ----------
    times, reference_times
        Middle of each block in the clip and, along the match's line, in the recording.
    ber
        Bit error rate of each block.
    lags
        Seconds that the best place of five blocks lies behind the line; None where the blocks
        do not agree.
    """

    times: tuple[float, ...]
    reference_times: tuple[float, ...]
    ber: tuple[float, ...]
    lags: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Signal:
    """What the comparison of the signals gave, see `samaf.verification`."""

    verified: bool
    score: float
    log10_lr: float
    highest: float
    z_waveform: float | None
    z_windows: float | None
    query_start: float
    query_stop: float
    reference_start: float
    reference_stop: float
    lag_samples: float | None
    drift_ppm: float | None
    inverted: bool
    bands: tuple[str, ...]
    repeats: tuple[float, ...]
    population: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Score and likelihood ratio of a match against one alternative.

    Attributes
    ----------
    key
        Of the `Alternative`.
    score
        -log10 of the expected false matches of that kind in the search.
    log10_lr
        None where the model is not calibrated.
    """

    key: str
    score: float
    log10_lr: float | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody decided about a match, from the store's audit log.

    Attributes
    ----------
    decision
        "accepted", "to check" or "rejected".
    """

    decision: str
    name: str
    comment: str
    decided_at: str
    entry_id: int


@dataclass(frozen=True, slots=True)
class Found:
    """A match: a stretch of the clip that comes from a stretch of a recording.

    Attributes
    ----------
    score
        -log10 of the expected false matches in the search: the one that decided.
    evidence
        Against each alternative; the one that decided comes first.
    channel, reference_channel
        The side of the clip and of the recording that match, such as "2", where the channels of
        one differ; empty for the mix of all.
    hashes, agreeing
        Blocks of the stretch, and those whose bit error rate supports the match.
    coverage
        Share of the clip's duration that the stretch takes.
    audio
        "read", "not looked at", or why the recording's own audio was not looked at.
    signal
        None where the signals were not compared.
    same_text
        Whether a reading of the same text by another voice would look like this.
    judgements
        What people decided about it, the newest first.
    pictures
        Names of the pictures of its sound.
    """

    recording: Stored
    query_start: float
    query_stop: float
    reference_start: float
    reference_stop: float
    ber: float
    score: float
    evidence: tuple[Evidence, ...]
    alteration: Alteration
    channel: str
    reference_channel: str
    hashes: int
    agreeing: int
    coverage: float
    audio: str
    course: Course
    signal: Signal | None = None
    same_text: bool = False
    judgements: tuple[Judgement, ...] = ()
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recording that came near but was not accepted as a match."""

    recording: Stored
    query_start: float
    query_stop: float
    reference_start: float
    reference_stop: float
    ber: float
    score: float


@dataclass(frozen=True, slots=True)
class Examined:
    """One clip and what was found of it.

    Attributes
    ----------
    given
        The path as it was given.
    item
        None where the file could not be used; ``reason`` says why.
    reason
        Why the clip was not searched for, or could not be.
    hashes_sha256
        SHA-256 of the clip's hashes on the plain grid.
    """

    given: str
    item: Item | None
    reason: str = ""
    hashes_sha256: str = ""
    matches: tuple[Found, ...] = ()
    candidates: tuple[Candidate, ...] = ()

    @property
    def outcome(self) -> str:
        """Say what became of it: "found", "unknown" or "failed"."""
        return "failed" if self.item is None else "found" if self.matches else "unknown"
