"""Candidates: segments of a query aligned with segments of recordings, before a decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samaf.fingerprinters import Fingerprinter
from samaf.matching.alignment import Segment
from samaf.matching.calibration import calibration_of, log10_likelihood_ratio
from samaf.matching.evidence import Evalues
from samaf.records import Manipulation, Match, Recording


@dataclass(frozen=True, slots=True)
class Candidate:
    """A segment of the query aligned with a segment of a recording.

    Attributes
    ----------
    recording_index
        Position of the reference in the index' table: a recording, or a side of it.
    recording_id
        The store's number of the recording, whichever side.
    segment
        Hashes of the query as it was hashed under ``manipulation``.
    span
        The same segment in hops of the clip as it is: start and stop.
    ber
        Bit error rate over whole, informative blocks: those padded at a clip's edges and those that
        hold nothing count for the E-values only, unless there are no others.
    log10_evalue
        That of `evalues` which decides.
    evalues
        Against each alternative.
    evidence
        What the E-value against other speech rests on: ``samaf.matching.evidence.EVIDENCE``.
    same_text_warning
        Whether the E-value against the same text is above the maximum of false matches.
    weighted_log10_evalue
        The E-value against the same text by bit reliability, without further evidence: ranks
        candidates for one place.
    comparisons
        Comparisons of the search that gave it; see ``samaf.matching.calibration``.
    """

    recording_index: int
    recording_id: int
    segment: Segment
    span: tuple[float, float]
    ber: float
    log10_evalue: float
    evalues: Evalues
    evidence: tuple[float, ...]
    same_text_warning: bool
    weighted_log10_evalue: float
    manipulation: Manipulation
    comparisons: float


def to_match(
    candidate: Candidate, recording: Recording, fingerprinter: Fingerprinter, duration: float
) -> Match:
    """Turn a candidate into a match.

    Parameters
    ----------
    fingerprinter
        The model of the hashes: the seconds between them and the score calibration.
    duration
        Of the clip, in seconds.
    """
    hop, block = fingerprinter.hop, fingerprinter.block
    segment, manipulation, evalues = candidate.segment, candidate.manipulation, candidate.evalues
    slope = segment.alignment.slope
    # Times of the clip as it was hashed; the manipulation's time factor stretches them. Padded
    # blocks reach beyond its edges.
    start, stop = max(0.0, segment.begin * hop), min(segment.end * hop, duration / manipulation.tau)
    # Times are those of a block's middle, whatever the tempo.
    middle = (start + stop) / 2
    centre = segment.reference((middle - block / 2) / hop) * hop + block / 2
    half = (stop - start) / 2 * slope
    begin, end = start * manipulation.tau, stop * manipulation.tau
    if manipulation.reversed:
        begin, end = duration - end, duration - begin
    calibration = calibration_of(fingerprinter)
    against = [-candidate.log10_evalue, -evalues.other_speech, -evalues.same_text]
    ratios = log10_likelihood_ratio(np.array(against), calibration).tolist()
    return Match(
        recording,
        begin,
        end,
        min(max(0.0, centre - half), recording.duration),
        min(max(0.0, centre + half), recording.duration),
        candidate.ber,
        against[0],
        Manipulation(manipulation.tau / slope, manipulation.rho, manipulation.reversed),
        ratios[0],
        score_other_speech=against[1],
        log10_lr_other_speech=ratios[1],
        score_same_text=against[2],
        log10_lr_same_text=ratios[2],
        same_text_warning=candidate.same_text_warning,
    )
