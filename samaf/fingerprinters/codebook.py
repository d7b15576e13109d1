"""Codebooks: the centres of the cells that large stores are searched by.

A codebook is a file of hashes beside the model, ``NAME-codebook.bin``: real hashes of the speech
that the model was trained with. It belongs to the model, not to a store, so it never has to be
learned again when a store grows, and all parts of a distributed index have the same one.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from samaf.errors import FingerprinterError
from samaf.files import atomic
from samaf.fingerprinters.card import ModelCard, write_card

CENTRES = 16_384  # x 32 B = 512 kB; a cell of a store of 10^9 hashes lists 61,000 rows


def codebook_path(model: Path) -> Path:
    """Give the path of a model's codebook."""
    return model.with_name(f"{model.stem}-codebook.bin")


def draw_centres(hashes: np.ndarray, centres: int = CENTRES) -> np.ndarray:
    """Draw centres from hashes uint8 (n, bytes), each at most once; all where there are fewer."""
    distinct = np.unique(hashes, axis=0)
    count = min(centres, len(distinct))
    return distinct[np.sort(np.random.default_rng(0).choice(len(distinct), count, replace=False))]


def write_codebook(centres: np.ndarray, card: ModelCard, model: Path) -> ModelCard:
    """Write a codebook uint8 (cells, bytes) beside a model, and its digest into the card."""
    content = np.ascontiguousarray(centres).tobytes()
    with atomic(codebook_path(model)) as temporary:
        temporary.write_bytes(content)
    card = replace(card, codebook_sha256=sha256(content).hexdigest())
    write_card(card, model.parent)
    return card


def read_codebook(card: ModelCard, model: Path) -> np.ndarray:
    """Read the codebook of a model, uint8 (cells, bytes).

    Raises
    ------
    FingerprinterError
        It has none, or the file is another one.
    """
    if not card.codebook_sha256:
        raise FingerprinterError(
            f"{model}: the model has no codebook to search large stores by; take the index "
            "`exact`, or run its `samaf train` again, which exports it with one"
        )
    path = codebook_path(model)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FingerprinterError(
            f"{path}: cannot be read ({error.strerror}); install samaf again or take the index "
            "`exact`"
        ) from None
    if sha256(content).hexdigest() != card.codebook_sha256 or len(content) % (card.bits // 8):
        raise FingerprinterError(
            f"{path}: is not the codebook that the card of {card.name} belongs to; install samaf "
            "again or take the index `exact`"
        )
    return np.frombuffer(content, np.uint8).reshape(-1, card.bits // 8)
