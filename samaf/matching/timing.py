"""From positions of hashes to seconds in clip and reference."""

from __future__ import annotations

from samaf.fingerprinters import Confidence
from samaf.matching.confidence import log10_likelihood_ratio
from samaf.matching.search import Finding
from samaf.records import Manipulation, Match, Recording


def match_of(
    finding: Finding,
    recording: Recording,
    hop: float,
    block: float,
    duration: float,
    confidence: Confidence,
) -> Match:
    """Turn a finding into a match.

    Parameters
    ----------
    hop, block
        Seconds between hashes and covered by one.
    duration
        Of the clip, in seconds.
    confidence
        Of the model: what a score is worth.
    """
    stretch, undone = finding.stretch, finding.manipulation
    slope = stretch.line.slope
    # Times of the clip as it was hashed; the manipulation's time factor stretches them.
    start, stop = stretch.begin * hop, stretch.end * hop
    # A block stands for its middle, whatever the tempo.
    middle = (start + stop) / 2
    there = stretch.reference((middle - block / 2) / hop) * hop + block / 2
    half = (stop - start) / 2 * slope
    begin, end = start * undone.tau, min(stop * undone.tau, duration)
    if undone.reversed:
        begin, end = duration - end, duration - begin
    score = -finding.log10_false
    return Match(
        recording,
        max(0.0, begin),
        end,
        min(max(0.0, there - half), recording.duration),
        min(max(0.0, there + half), recording.duration),
        stretch.ber,
        score,
        Manipulation(undone.tau / slope, undone.rho, undone.reversed),
        float(log10_likelihood_ratio(score, confidence)),
    )
