"""Distances to answers: voting, alignment, hypotheses and calibration, as pure functions."""

from samaf.matching.hypotheses import PLAIN, Hypothesis, deep
from samaf.matching.search import Candidate, count_comparisons, find
from samaf.matching.timing import to_match

__all__ = ["PLAIN", "Candidate", "Hypothesis", "deep", "find", "to_match", "count_comparisons"]
