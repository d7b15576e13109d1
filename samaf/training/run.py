"""One model from a corpus to its files: prepare, train, export, measure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from samaf.features import FeatureParameters
from samaf.fingerprinters import Fingerprinter, ModelCard, load_hash_model
from samaf.fingerprinters.card import read_card, write_card, write_model
from samaf.training.corpora import Corpus, open_corpus
from samaf.training.dataset import Dataset, Preparation, prepare
from samaf.training.export import onnx_bytes
from samaf.training.models import Architecture, architecture
from samaf.training.outcome import conclude, origin
from samaf.training.plan import Plan
from samaf.training.trainer import Progress, Trained, train
from samaf.training.validation import measure, prepare_validation

VALIDATION_COPIES = 2
SELECTIONS = ("last", "loss", "accuracy")


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings of a family of models.

    Attributes
    ----------
    frames
        Features of the prepared data, of which a model may take the first coefficients.
    copies
        Distorted copies of each clip.
    select
        Which weights are exported: the last ones, or those of the smallest loss or the
        largest accuracy on the validation split.
    """

    frames: FeatureParameters
    copies: int
    steps: int
    pairs: int
    learning_rate: float
    warm_up: int
    select: str


# As many coefficients as bands, of which all models take the first: they share the data.
FRAMES = FeatureParameters(coefficients=26, floor=1e-7)
OURS = Preset(FRAMES, 24, 7_000, 384, 2.5e-3, 300, "last")
PAPER = Preset(FRAMES, 24, 20_000, 16, 0.01, 0, "accuracy")
PAPER_SECONDS = 21 * 86_400  # of training (SAMAF section 4.2)


def preset(kind: Architecture) -> Preset:
    """Choose the settings of a model: ours with term C, else the paper's (section 4.2)."""
    if kind.paired:
        return OURS
    return PAPER if kind.terms else replace(PAPER, steps=0, select="last")


@dataclass(frozen=True, slots=True)
class Request:
    """The settings of a run; None takes the preset's. See `train_model`."""

    steps: int | None = None
    pairs: int | None = None
    minutes: float = math.inf
    select: str | None = None
    copies: int | None = None
    seed: int = 1
    start: str | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """What a run reports: its preparation (what, done, total), and the training."""

    prepared: Callable[[str, int, int], None] = lambda what, done, total: None
    trained: Callable[[Progress], None] = lambda progress: None
    noted: Callable[[str], None] = lambda line: None


def train_model(
    name: str,
    root: Path,
    out: Path,
    *,
    steps: int | None = None,
    pairs: int | None = None,
    minutes: float = math.inf,
    select: str | None = None,
    copies: int | None = None,
    seed: int = 1,
    start: str | None = None,
    listener: Listener = Listener(),  # noqa: B008  # frozen
) -> Path:
    """Make ``NAME.onnx``, ``NAME.json`` and ``NAME-curves.png`` in ``out``.

    Of a U-Net also ``NAME-decoder.onnx``, see ``unet.run.train_unet``.

    Prepared data lie in ``out/data``, checkpoint and curves in ``out/NAME``: a run that was
    stopped goes on, a finished one is only exported and measured.

    Parameters
    ----------
    root
        Corpus, see ``corpora.open_corpus``.
    steps, pairs, select, copies
        In place of the preset's; pairs are those of a step.
    minutes
        Stop training after this time, and export what is there.
    start
        Name of a shipped model, or a model file, whose weights training starts from.

    Raises
    ------
    CorpusError, TrainingError
        The corpus gives no data; the name, the checkpoint or the loss is bad.
    """
    request = Request(steps, pairs, minutes, select, copies, seed, start)
    if name.startswith("UNET"):
        from samaf.training.unet.run import train_unet

        return train_unet(name, root, out, request, listener)
    return _train_lstm(name, root, out, request, listener)


def _train_lstm(name: str, root: Path, out: Path, request: Request, listener: Listener) -> Path:
    kind = architecture(name)
    chosen = preset(kind)
    chosen = replace(
        chosen,
        steps=chosen.steps if request.steps is None else request.steps,
        pairs=request.pairs or chosen.pairs,
        select=request.select or chosen.select,
        copies=request.copies or chosen.copies,
    )
    started = load_hash_model(request.start) if request.start else None
    corpus = open_corpus(root)
    for path in corpus.missing:
        listener.noted(f"{path}: named by the manifest, but missing; left out")
    data = {}
    for split, count in (("train", chosen.copies), ("validation", VALIDATION_COPIES)):
        data[split] = prepare(
            corpus,
            split,
            chosen.frames,
            out / "data",
            copies=count,
            seed=request.seed,
            progress=partial(listener.prepared, split),
        )
        for reason in data[split].skipped:
            listener.noted(f"{reason}; left out")
    plan = Plan(
        name,
        Preparation(corpus.digest, "train", chosen.copies, request.seed, chosen.frames).folder,
        kind.features,
        chosen.steps,
        chosen.pairs,
        chosen.learning_rate,
        chosen.warm_up,
        redrawn=kind.paired,
        start=started.digest if started else "",
        seed=request.seed,
    )
    trained = train(
        plan,
        data["train"],
        out / name,
        listener.trained,
        data["validation"],
        start=started.path if started else None,
        seconds=60 * request.minutes,
    )
    step = conclude(trained, name, out, chosen.select)
    card = ModelCard(
        name,
        "lstm",
        kind.bits,
        plan.features,
        _deviation(data["train"], plan.features),
        training=_training(corpus, plan, chosen, trained, step, data["train"]),
    )
    model = write_model(onnx_bytes(trained.model), card, out)
    return _measured(model, corpus, chosen, out / "data", listener)


def _measured(
    model: Path, corpus: Corpus, chosen: Preset, folder: Path, listener: Listener
) -> Path:
    """Add the validation figures of an exported model to its card."""
    card = read_card(model.with_suffix(".json"))
    assert isinstance(card, ModelCard)  # it was written a moment ago
    held_out = prepare_validation(
        corpus,
        chosen.frames,
        folder,
        progress=partial(listener.prepared, "conditions"),
    )
    found = measure(Fingerprinter(card, model).states, held_out, card.features)
    figures = {name: _rounded(asdict(row)) for name, row in found.items()}
    mean = float(np.mean([row.accuracy for row in found.values()]))
    listener.noted(f"{card.name}: {mean:.1%} right at 1 s, mean of {len(found)} conditions")
    validation = {
        "what": "blocks of distorted validation clips against all originals of train, validation",
        "references": len(held_out.references),
        "mean_accuracy": round(mean, 4),
        "conditions": figures,
    }
    write_card(replace(card, figures={"validation": validation}), model.parent)
    return model


def _deviation(dataset: Dataset, features: FeatureParameters) -> tuple[float, ...]:
    deviation = dataset.scale(features.coefficients, features.block_frames)[1]
    return tuple(round(float(value), 4) for value in deviation)


def _training(
    corpus: Corpus, plan: Plan, chosen: Preset, trained: Trained, step: int, dataset: Dataset
) -> dict[str, Any]:
    """Say what the model learnt from, how, where, and how long."""
    hours = dataset.counts[:, 0].sum() * plan.features.step / plan.features.sample_rate / 3600
    settings = asdict(plan)
    made: dict[str, Any] = {
        **origin(
            corpus,
            trained,
            copies=chosen.copies,
            select=chosen.select,
            step=step,
            seed=plan.seed,
        ),
        "speech_clips": len(dataset.weights),
        "speech_hours": round(float(hours), 2),
        "plan": {
            k: v for k, v in settings.items() if k not in {"name", "data", "features", "seed"}
        },
        "optimizer": "AdamW" if plan.architecture.paired else "Adagrad",
        "blocks_per_step": 2 * plan.pairs,
    }
    if (
        trained.made.backend
        and not plan.architecture.paired
        and trained.made.seconds < PAPER_SECONDS
    ):
        made["note"] = "under-trained: the paper's models took 21 days"
    return made


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}
