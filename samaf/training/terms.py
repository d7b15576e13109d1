"""Models whose loss is a weighted sum of terms, each followed on its own."""

from __future__ import annotations

from typing import Any

import keras

Tensor = Any


class TermModel(keras.Model):
    """A Keras model with a tracker for each term of its loss.

    Parameters
    ----------
    terms
        The letters of the terms, see ``samaf.training.curves.TERMS``.
    weights
        Weight of each term by its letter; 1 where none is given.
    """

    def __init__(self, name: str, terms: str, weights: dict[str, float] | None) -> None:
        super().__init__(name=name)
        self.term_weights = weights or {}
        self.trackers = {t: keras.metrics.Mean(name=t) for t in terms}

    def reset_metrics(self) -> None:
        """Keep the means: Keras calls this before every batch, the trainer reads them later."""

    def followed(self, terms: dict[str, Any]) -> Any:
        """Note the terms of a batch and add them up with their weights."""
        for name, value in terms.items():
            self.trackers[name].update_state(value)
        return self.weighted(terms)

    def weighted(self, terms: dict[str, Any]) -> Any:
        """Add terms up with their weights."""
        return sum(self.term_weights.get(name, 1.0) * value for name, value in terms.items())

    def means(self) -> dict[str, float]:
        """Take the mean of each term since the last call."""
        means = {name: float(mean.result()) for name, mean in self.trackers.items()}
        for mean in self.trackers.values():
            mean.reset_state()
        return means
