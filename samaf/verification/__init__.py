"""Do two stretches of samples agree as signals? Proof of what the hashes only suggest."""

from samaf.verification.agreement import Band
from samaf.verification.signals import Samples, Signal
from samaf.verification.verify import Placement, Trace, Verification, verify

__all__ = ["Band", "Placement", "Samples", "Signal", "Trace", "Verification", "verify"]
