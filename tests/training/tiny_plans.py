"""Plans of runs that take a second. They import TensorFlow, which the made data do not."""

from __future__ import annotations

from dataclasses import replace

from training_data import TINY

from samaf.training.models import Architecture
from samaf.training.plan import Plan


class TinyPlan(Plan):
    """A plan whose model has 16 bits, which no name allows."""

    @property
    def architecture(self) -> Architecture:
        """Two layers and the letters behind ``tiny``."""
        return Architecture(self.name, 2, 16, self.name.removeprefix("tiny"))


def tiny_plan(terms: str = "C", steps: int = 20, **changes: object) -> Plan:
    """Plan a run that takes a second."""
    features = TINY if "C" in terms else replace(TINY, stack=1, subtract_mean=False)
    plan = TinyPlan(f"tiny{terms}", "made", features, steps, pairs=8, learning_rate=0.02, warm_up=2)
    return replace(plan, **changes)
