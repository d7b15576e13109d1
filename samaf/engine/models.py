"""The models that come with the program, and the one of a store."""

from __future__ import annotations

from samaf.fingerprinters import AnyFingerprinter, Card, load_fingerprinter, shipped
from samaf.store import StoredFingerprinter

__all__ = ["Card", "check_model", "models", "stored_fingerprinter"]


def models() -> list[Card]:
    """Give the cards of the models that come with this program, in name order."""
    return shipped()


def check_model(name: str) -> None:
    """Raise `FingerprinterError` where a model cannot be loaded."""
    load_fingerprinter(name)


def stored_fingerprinter(fingerprinter: AnyFingerprinter) -> StoredFingerprinter:
    """Describe a model as a store keeps it."""
    card = fingerprinter.card
    return StoredFingerprinter(
        fingerprinter.digest, card.name, card.bits, card.family, card.features.as_dict()
    )
