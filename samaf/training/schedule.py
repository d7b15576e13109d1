"""The learning rate over a run."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

DECAY_SHARE = 0.2  # of the steps, at the end


@keras.saving.register_keras_serializable("samaf")
class Trapezoid(keras.optimizers.schedules.LearningRateSchedule):
    """Rise from 0 for ``warm_up`` steps, stay, and fall to 0 over the last fifth.

    As long as it stays, a run depends on ``steps`` in nothing: a plan with more steps can
    take over, and one with fewer can end the run at any time.
    """

    def __init__(self, peak: float, warm_up: int, steps: int) -> None:
        self.peak, self.warm_up, self.steps = peak, warm_up, steps

    def __call__(self, step: Any) -> Any:
        """Give the learning rate of a step, counted from 0."""
        done = ops.cast(step, "float32")
        rising = (done + 1) / max(1, self.warm_up)
        falling = (self.steps - done) / max(1.0, DECAY_SHARE * self.steps)
        return self.peak * ops.clip(ops.minimum(rising, falling), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make it."""
        return {"peak": self.peak, "warm_up": self.warm_up, "steps": self.steps}


def decay_begins(steps: int) -> int:
    """Give the step from which the learning rate falls."""
    return int((1 - DECAY_SHARE) * steps)
