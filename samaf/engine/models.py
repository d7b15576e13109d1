"""The models that come with the program, and the one of a store."""

from __future__ import annotations

from samaf.errors import FingerprinterError
from samaf.fingerprinters import (
    DEFAULT_MODEL,
    AnyFingerprinter,
    Card,
    load_fingerprinter,
    shipped,
)
from samaf.store import Store, StoredFingerprinter

__all__ = ["Card", "check_model", "model_of", "models", "stored_fingerprinter"]


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


def model_of(store: Store, model: str | None) -> AnyFingerprinter:
    """Load the model that the store belongs to, or the wanted one for a store without.

    Raises
    ------
    FingerprinterError
        There is no such model, or the store belongs to another one.
    """
    owner = store.fingerprinter()
    try:
        loaded = load_fingerprinter(model or (owner.name if owner else DEFAULT_MODEL))
    except FingerprinterError as error:
        if model or not owner:
            raise
        raise FingerprinterError(
            f"{store.url}: belongs to the model {owner.name} {owner.digest[:12]}, which cannot be "
            f"loaded ({error}); name its file as the model or use another store"
        ) from None
    if owner and owner.digest != loaded.digest:
        way_out = (
            "leave the model away or use another store"
            if model
            else f"rebuild it with: samaf --db {store.url} rehash, or name the model's old file"
        )
        raise FingerprinterError(
            f"{store.url}: belongs to the model {owner.name} {owner.digest[:12]}, not to "
            f"{loaded.name} {loaded.digest[:12]}; {way_out}"
        )
    return loaded
