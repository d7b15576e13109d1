"""From positions of hashes to seconds in clip and reference."""

from __future__ import annotations

from samaf.fingerprinters import ScoreCalibration
from samaf.matching.calibration import log10_likelihood_ratio
from samaf.matching.search import Candidate
from samaf.records import Manipulation, Match, Recording


def to_match(
    candidate: Candidate,
    recording: Recording,
    hop: float,
    block: float,
    duration: float,
    calibration: ScoreCalibration,
) -> Match:
    """Turn a candidate into a match.

    Parameters
    ----------
    hop, block
        Seconds between hashes and covered by one.
    duration
        Of the clip, in seconds.
    calibration
        Of the model: what a score is worth.
    """
    segment, manipulation = candidate.segment, candidate.manipulation
    slope = segment.alignment.slope
    # Times of the clip as it was hashed; the manipulation's time factor segments them.
    start, stop = segment.begin * hop, segment.end * hop
    # A block stands for its middle, whatever the tempo.
    middle = (start + stop) / 2
    there = segment.reference((middle - block / 2) / hop) * hop + block / 2
    half = (stop - start) / 2 * slope
    begin, end = start * manipulation.tau, min(stop * manipulation.tau, duration)
    if manipulation.reversed:
        begin, end = duration - end, duration - begin
    score = -candidate.log10_evalue
    return Match(
        recording,
        max(0.0, begin),
        end,
        min(max(0.0, there - half), recording.duration),
        min(max(0.0, there + half), recording.duration),
        segment.ber,
        score,
        Manipulation(manipulation.tau / slope, manipulation.rho, manipulation.reversed),
        float(log10_likelihood_ratio(score, calibration)),
    )
