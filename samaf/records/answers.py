"""Answers to queries, comparisons and searches within recordings."""

from __future__ import annotations

from dataclasses import dataclass

from samaf.media import MediaInfo
from samaf.records.matches import Match, RankedRecording
from samaf.records.recordings import Recording


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
    more
        Other recordings that match as well, beyond the ``k`` that were wanted for one segment: at
        least so many, since no more are looked for.
    unsearched
        Parts of the store that did not answer: servers of an index in a database.
    """

    query: str
    sha256: str
    duration: float
    matches: tuple[Match, ...] = ()
    reason: str = ""
    media: MediaInfo | None = None
    more: int = 0
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
