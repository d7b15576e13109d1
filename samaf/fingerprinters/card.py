"""Model cards: what a model file is, how it was made, and how accurate it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from samaf.errors import FingerprinterError
from samaf.features import FeatureParameters
from samaf.features.melspectrogram import MelParameters
from samaf.fingerprinters.fields import checked, numbers

CARD_FORMAT = 1
VECTORS = frozenset({"unet"})  # families that make vectors; all others make hashes
MODELS = Path(__file__).parent / "models"  # what is shipped
UNCALIBRATED = "not calibrated"


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """How a score becomes a log10 likelihood ratio: offset + slope x score, within bounds.

    Attributes
    ----------
    lowest, highest
        The most extreme values that the number of queries can support.
    population
        The queries: numbers of true and of false matches.
    """

    offset: float = 0.0
    slope: float = 0.0
    lowest: float = 0.0
    highest: float = 0.0
    population: str = UNCALIBRATED


@dataclass(frozen=True, slots=True)
class Weights:
    """What each kind of evidence adds to a score; see ``samaf.matching.evidence``."""

    ber: float = 1.0
    weighted: float = 0.0
    margin: float = 0.0
    rival: float = 0.0
    activity: float = 0.0
    length: float = 0.0
    size: float = 0.0
    few: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """How evidence becomes a score against other speech, in decades.

    The score is ``intercept`` and the weighted evidence; above ``knee`` it grows ``slope`` times
    as much, since fewer impostors tell of higher scores. Without a fit it is -log10 of the E-value
    by the bit error rate alone.

    Attributes
    ----------
    deep
        Taken from the intercept in a deep query: its many hypotheses find more that is alike by
        chance than the number of comparisons tells.
    population
        What it was fitted to.
    """

    intercept: float = 0.0
    weights: Weights = field(default_factory=Weights)
    knee: float = 0.0
    slope: float = 1.0
    deep: float = 0.0
    population: str = UNCALIBRATED


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
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
        log10 of how many fewer independent comparisons long segments have than single hashes.
    same_text
        Share of impostor queries whose words another voice says in the store: a sentence
        that two people read, a phrase that everyone uses. 0 leaves same-text impostors out.
    same_text_mean, same_text_deviation
        Bit error rate of segments of same-text impostors.
    same_text_comparisons
        Comparisons (hashes of the store x hashes of the query x slopes) that this share
        was measured at; it grows with them.
    deep_same_text
        How many times as often a deep query meets same-text impostors as a plain one with as
        many comparisons: it also matches words that are said faster or higher.
    decision
        From all evidence to the score against other speech.
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
    same_text: float = 0.0
    same_text_mean: float = 0.3
    same_text_deviation: float = 0.03
    same_text_comparisons: float = 1.0
    deep_same_text: float = 1.0
    decision: Decision = field(default_factory=Decision)
    likelihood: LikelihoodRatio = field(default_factory=LikelihoodRatio)
    population: str = UNCALIBRATED

    @property
    def calibrated(self) -> bool:
        """Whether the numbers were measured, rather than the defaults."""
        return self.population != UNCALIBRATED


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Everything about a model except its weights.

    Attributes
    ----------
    deviation
        Deviation of each coefficient within blocks of training speech; tells an
        informative block from silence or a steady tone.
    training
        Data, licences, minutes, machine, as free entries.
    figures
        Measured accuracy, as free entries.
    onnx_sha256
        Of the model file; filled in when written.
    codebook_sha256
        Of the codebook beside it, see ``samaf.fingerprinters.codebook``; empty without one. It is
        no part of the digest: hashes compare whatever they are searched by.
    """

    name: str
    family: str
    bits: int
    features: FeatureParameters
    deviation: tuple[float, ...]
    calibration: ScoreCalibration = field(default_factory=ScoreCalibration)
    training: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    onnx_sha256: str = ""
    codebook_sha256: str = ""
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
        return _json(self)


@dataclass(frozen=True, slots=True)
class VectorCard:
    """Everything about a model of vectors except its weights.

    Attributes
    ----------
    values
        Numbers of a vector.
    training, figures, onnx_sha256
        As in `ModelCard`; the model file is the encoder.
    decoder_sha256
        Of the decoder's file; empty where the model has none.
    """

    name: str
    family: str
    values: int
    features: MelParameters
    training: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    onnx_sha256: str = ""
    decoder_sha256: str = ""
    format: int = CARD_FORMAT

    @property
    def bits(self) -> int:
        """Bits that a vector takes, as float32."""
        return 32 * self.values

    @property
    def calibration(self) -> None:
        """None: recordings are ranked, without a probability that they are right."""
        return None

    @property
    def digest(self) -> str:
        """SHA-256 over the encoder's file and the parameters: such vectors compare."""
        parts = {
            "onnx": self.onnx_sha256,
            "features": self.features.as_dict(),
            "values": self.values,
        }
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def as_json(self) -> str:
        """Write the card as JSON text."""
        return _json(self)


Card = ModelCard | VectorCard


def _json(card: Card) -> str:
    return json.dumps(asdict(card), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write_model(onnx: bytes, card: Card, folder: Path) -> Path:
    """Write model and card side by side; give the model's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{card.name}.onnx"
    path.write_bytes(onnx)
    write_card(replace(card, onnx_sha256=sha256(onnx).hexdigest()), folder)
    return path


def write_card(card: Card, folder: Path) -> Path:
    """Write ``NAME.json``."""
    path = folder / f"{card.name}.json"
    path.write_text(card.as_json(), encoding="utf-8")
    return path


def read_card(path: Path) -> Card:
    """Read a card.

    Raises
    ------
    FingerprinterError
        It is no card, or was written by a newer samaf.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] > CARD_FORMAT:
            raise FingerprinterError(
                f"{path}: was written by a newer samaf (card format {data['format']}); update samaf"
            )
        card = _vector_card(data) if data["family"] in VECTORS else _hash_card(data)
        if not all(isinstance(text, str) for text in (card.name, card.family, card.onnx_sha256)):
            raise TypeError("its name is no text")
        return checked(card)
    except (
        *(OSError, ValueError, KeyError, TypeError),
        *(AttributeError, OverflowError, RecursionError, ZeroDivisionError),
    ) as error:
        raise FingerprinterError(
            f"{path}: is no readable model card ({error}); install samaf again or export the model "
            "again"
        ) from None


def _hash_card(data: dict[str, Any]) -> ModelCard:
    features = checked(FeatureParameters(**data["features"]))
    calibration = data["calibration"]
    calibration["correlation"] = tuple(calibration["correlation"])
    decision = calibration.get("decision", {})
    weights = checked(Weights(**decision.get("weights", {})))
    calibration["decision"] = checked(Decision(**{**decision, "weights": weights}))
    calibration["likelihood"] = checked(LikelihoodRatio(**calibration.get("likelihood", {})))
    made = {
        "features": features,
        "deviation": tuple(data["deviation"]),
        "calibration": checked(ScoreCalibration(**calibration)),
    }
    card = ModelCard(**{**data, **made})
    numbers("deviation", card.deviation)
    if type(card.bits) is not int or card.bits < 8 or card.bits % 8:
        raise ValueError(f"bits is {card.bits!a:.40}")
    return card


def _vector_card(data: dict[str, Any]) -> VectorCard:
    card = VectorCard(**{**data, "features": checked(MelParameters(**data["features"]))})
    if type(card.values) is not int or card.values < 1:
        raise ValueError(f"values is {card.values!a:.40}")
    return card


def shipped() -> list[Card]:
    """Read the cards of all shipped models, in name order."""
    return [read_card(path) for path in sorted(MODELS.glob("*.json"))]
