"""Distances to answers: voting, alignment, hypotheses and confidence, as pure functions."""

from samaf.matching.hypotheses import PLAIN, Hypothesis, deep
from samaf.matching.search import Finding, find, places
from samaf.matching.timing import match_of

__all__ = ["PLAIN", "Finding", "Hypothesis", "deep", "find", "match_of", "places"]
