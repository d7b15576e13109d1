"""The model that a store belongs to: its name in the store, and the model itself."""

from __future__ import annotations

from samaf.errors import FingerprinterError
from samaf.fingerprinters import DEFAULT_MODEL, AnyFingerprinter, load_fingerprinter
from samaf.store import Store, StoredFingerprinter


def load_owner(store: Store, model: str | None) -> AnyFingerprinter:
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
        raise FingerprinterError(
            f"{store.url}: belongs to the model {owner.name} {owner.digest[:12]}, not to "
            f"{loaded.name} {loaded.digest[:12]}; leave the model away or use another store"
        )
    return loaded


def stored_form(fingerprinter: AnyFingerprinter) -> StoredFingerprinter:
    """Describe a model as a store keeps it."""
    card = fingerprinter.card
    return StoredFingerprinter(
        fingerprinter.digest, card.name, card.bits, card.family, card.features.as_dict()
    )
