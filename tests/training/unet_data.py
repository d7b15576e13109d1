"""Small made data for U-Nets: prepared frames, a plan that takes a second, a corpus at 48 kHz."""

from __future__ import annotations

from samaf.training.unet.model import UNet
from samaf.training.unet.plan import UNetPlan

TINY = (4, 6, 8, 8, 8, 64)


class TinyUNetPlan(UNetPlan):
    """A plan whose model has few channels."""

    def model(self) -> UNet:
        """Make it, in float32."""
        return UNet(self.kind, self.term_weights, channels=TINY, seed=self.seed)


def tiny_plan(name: str = "UNET320", steps: int = 6) -> TinyUNetPlan:
    """Plan a run over made data."""
    return TinyUNetPlan(name, "made", steps, pairs=4, learning_rate=1e-3)
