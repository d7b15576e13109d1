"""Model cards: what a model file is, how it was made, and what it is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from samaf.errors import FingerprinterError
from samaf.features import FeatureParameters
from samaf.fingerprinters.fields import checked, numbers

CARD_FORMAT = 1
MODELS = Path(__file__).parent / "models"  # what is shipped


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """How a score becomes a log10 likelihood ratio: offset + slope x score, within bounds.

    Attributes
    ----------
    lowest, highest
        The most extreme values that as many queries as were asked can support.
    population
        What was asked: true matches, and false ones.
    """

    offset: float = 0.0
    slope: float = 0.0
    lowest: float = 0.0
    highest: float = 0.0
    population: str = "not calibrated"


@dataclass(frozen=True, slots=True)
class Confidence:
    """How the distances of unrelated speech are distributed, from impostor queries.

    Attributes
    ----------
    mean, deviation
        Bit error rate of one hash against unrelated ones.
    correlation
        Correlation of the error rates of hashes 1, 2, 3 ... hops apart on a diagonal.
    knee, offset, slope
        log10 of the true probability is ``offset`` where that of a normal distribution is
        ``knee``, and grows as much above it; below, ``slope`` times as much: real tails are
        heavier.
    overlap
        log10 of how many fewer places count as tries of their own for long stretches than
        for single hashes.
    same_words
        Share of impostor queries whose words another voice says in the store: a sentence
        that two people read, a phrase that everyone uses. 0 leaves them out of account.
    same_words_mean, same_words_deviation
        Bit error rate of stretches of the same words.
    stored
        Hashes of the store that the share of same words was found in; it grows with the
        store. 0 where it is not known.
    likelihood
        From scores to likelihood ratios.
    population
        What the impostors were.
    """

    mean: float = 0.5
    deviation: float = 0.05
    correlation: tuple[float, ...] = (0.5, 0.25, 0.1)
    offset: float = 0.0
    slope: float = 1.0
    knee: float = 0.0
    overlap: float = 0.0
    same_words: float = 0.0
    same_words_mean: float = 0.3
    same_words_deviation: float = 0.03
    stored: float = 0.0
    likelihood: LikelihoodRatio = field(default_factory=LikelihoodRatio)
    population: str = "not calibrated"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Everything about a model except its weights.

    Attributes
    ----------
    deviation
        Deviation of each coefficient within blocks of training speech; tells a block with
        something in it from silence or a steady tone.
    training
        Data, licences, minutes, machine, as free entries.
    figures
        Measured accuracy, as free entries.
    onnx_sha256
        Of the model file; filled in when written.
    """

    name: str
    family: str
    bits: int
    features: FeatureParameters
    deviation: tuple[float, ...]
    confidence: Confidence = field(default_factory=Confidence)
    training: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    onnx_sha256: str = ""
    format: int = CARD_FORMAT

    @property
    def digest(self) -> str:
        """SHA-256 over model file and parameters: hashes of equal digests compare."""
        parts = {
            "onnx": self.onnx_sha256,
            "features": self.features.as_dict(),
            "bits": self.bits,
            "deviation": self.deviation,
        }
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def as_json(self) -> str:
        """Write the card as JSON text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write_model(onnx: bytes, card: ModelCard, folder: Path) -> Path:
    """Write model and card side by side; give the model's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{card.name}.onnx"
    path.write_bytes(onnx)
    write_card(replace(card, onnx_sha256=sha256(onnx).hexdigest()), folder)
    return path


def write_card(card: ModelCard, folder: Path) -> Path:
    """Write ``NAME.json``."""
    path = folder / f"{card.name}.json"
    path.write_text(card.as_json(), encoding="utf-8")
    return path


def read_card(path: Path) -> ModelCard:
    """Read a card.

    Raises
    ------
    FingerprinterError
        It is no card, or one of a newer program.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] > CARD_FORMAT:
            raise FingerprinterError(
                f"{path}: was written by a newer samaf (card format {data['format']}); update samaf"
            )
        data["features"] = checked(FeatureParameters(**data["features"]))
        data["deviation"] = tuple(data["deviation"])
        confidence = data["confidence"]
        confidence["correlation"] = tuple(confidence["correlation"])
        confidence["likelihood"] = checked(LikelihoodRatio(**confidence.get("likelihood", {})))
        data["confidence"] = checked(Confidence(**confidence))
        card = ModelCard(**data)
        numbers("deviation", card.deviation)
        if not all(isinstance(text, str) for text in (card.name, card.family, card.onnx_sha256)):
            raise TypeError("its name is no text")
        if type(card.bits) is not int or card.bits < 8 or card.bits % 8:
            raise ValueError(f"bits is {card.bits!a:.40}")
        return checked(card)
    except (
        *(OSError, ValueError, KeyError, TypeError),
        *(AttributeError, OverflowError, RecursionError, ZeroDivisionError),
    ) as error:
        raise FingerprinterError(
            f"{path}: is no readable model card ({error}); install samaf again or export the model "
            "again"
        ) from None


def shipped() -> list[ModelCard]:
    """Read the cards of all shipped models, in name order."""
    return [read_card(path) for path in sorted(MODELS.glob("*.json"))]
