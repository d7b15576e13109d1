"""Do two stretches of samples agree as signals? Proof of what the hashes only suggest."""

from samaf.verification.signals import PreparedRecording, Samples, Signal
from samaf.verification.verify import Placement, PreparedClip, unverified, verify

__all__ = [
    "Placement",
    "PreparedClip",
    "PreparedRecording",
    "Samples",
    "Signal",
    "unverified",
    "verify",
]
