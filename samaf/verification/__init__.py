"""Do two stretches of samples agree as signals? Proof of what the hashes only suggest."""

from samaf.verification.signals import Samples, Signal
from samaf.verification.verify import Placement, PreparedClip, unverified, verify

__all__ = ["Placement", "PreparedClip", "Samples", "Signal", "unverified", "verify"]
