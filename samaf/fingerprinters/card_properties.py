"""What a model's card says, under the names by which both families are asked."""

from __future__ import annotations

from typing import Generic, TypeVar

from samaf.fingerprinters.card import ModelCard, VectorCard

AnyCard = TypeVar("AnyCard", ModelCard, VectorCard)


class CardProperties(Generic[AnyCard]):
    """A model with its card.

    Attributes
    ----------
    card
        Its name, parameters and figures.
    """

    card: AnyCard

    @property
    def name(self) -> str:
        """Name of the model, e.g. ``2LST256C``."""
        return self.card.name

    @property
    def digest(self) -> str:
        """Identity of model file and parameters."""
        return self.card.digest

    @property
    def sample_rate(self) -> int:
        """Hz of the samples that it takes."""
        return self.card.features.sample_rate

    @property
    def hop(self) -> float:
        """Seconds from one hash or stored vector to the next."""
        return self.card.features.hop_seconds
