"""Distances to answers: voting, alignment, hypotheses and calibration, as pure functions."""

from samaf.matching.calibration import calibration_of
from samaf.matching.hypotheses import PLAIN, Hypothesis, deep
from samaf.matching.search import Candidate, count_comparisons, find, to_match

__all__ = [
    "PLAIN",
    "Candidate",
    "Hypothesis",
    "calibration_of",
    "count_comparisons",
    "deep",
    "find",
    "to_match",
]
