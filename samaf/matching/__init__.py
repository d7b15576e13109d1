"""Distances to answers: voting, alignment, hypotheses and calibration, as pure functions."""

from samaf.matching.calibration import calibration_of
from samaf.matching.candidates import Candidate, to_match
from samaf.matching.deep import DeepMatcher
from samaf.matching.hypotheses import PLAIN, Hypothesis, deep
from samaf.matching.matcher import Matcher
from samaf.matching.query_hashes import PreparedQuery, hash_under

__all__ = [
    "PLAIN",
    "Candidate",
    "DeepMatcher",
    "Hypothesis",
    "Matcher",
    "PreparedQuery",
    "calibration_of",
    "deep",
    "hash_under",
    "to_match",
]
