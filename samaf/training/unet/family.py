"""The U-Net family: its settings, its data, its files."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from samaf.errors import TrainingError
from samaf.features.melspectrogram import MelParameters
from samaf.fingerprinters import VectorCard
from samaf.fingerprinters.card import write_model
from samaf.fingerprinters.decoder import SpectrogramDecoder
from samaf.training.corpora import Corpus
from samaf.training.request import Listener, Request
from samaf.training.trainer import Trained
from samaf.training.unet.export import decoder_bytes, encoder_bytes
from samaf.training.unet.model import Variant, variant
from samaf.training.unet.plan import UNetPlan
from samaf.training.unet.spectrograms import SNR_DB, Preparation, Spectrograms, prepare

BATCH = 32  # spectrograms measured at once
REPORTS = 20  # in a whole run, each with an evaluation


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings of a family of models.

    Attributes
    ----------
    copies
        Noisy copies of each clip.
    epochs
        How often each clip is learnt, from another segment each time.
    select
        Which weights are exported: the last ones, or those of the smallest loss or the
        largest accuracy on the validation split.
    """

    copies: int = 4
    epochs: int = 20
    pairs: int = 128
    learning_rate: float = 1e-4
    warm_up: int = 0
    select: str = "loss"


def preset(kind: Variant) -> Preset:
    """Choose the paper's settings (section 3.4.1), or ours for the contrastive term."""
    chosen = Preset(epochs=20 if kind.features.normalised else 60)
    if kind.contrastive:
        return replace(chosen, pairs=64, learning_rate=1e-3, warm_up=30, select="last")
    return chosen


@dataclass(frozen=True, slots=True)
class UNetFamily:
    """One run of the U-Net family; see ``run.Family``."""

    request: Request
    kind: Variant
    chosen: Preset
    start: Path | None = None
    distance: str = "mean distance of vectors"

    @classmethod
    def of(cls, request: Request) -> UNetFamily:
        """Fill in the settings that a request leaves open.

        Raises
        ------
        TrainingError
            The request names a model to start from, or weights that this family has not.
        """
        kind = variant(request.name)
        if request.start:
            raise TrainingError(
                f"{request.name}: starts from new weights only; leave out --from {request.start}"
            )
        if request.select == "off_grid":
            raise TrainingError(
                f"{request.name}: is not measured on clips cut anywhere; give --select last, loss "
                "or accuracy"
            )
        chosen = preset(kind)
        filled = replace(
            request,
            pairs=request.pairs or chosen.pairs,
            select=request.select or chosen.select,
            copies=request.copies or chosen.copies,
        )
        return cls(filled, kind, chosen)

    def prepare(self, corpus: Corpus, listener: Listener) -> tuple[Spectrograms, Spectrograms]:
        """Make the spectrograms of both splits."""
        data = {}
        for split in ("train", "validation"):
            data[split] = prepare(
                corpus,
                split,
                self._frames,
                self.request.out / "data",
                copies=self.request.copies or 1,
                seed=self.request.seed,
                progress=partial(listener.prepared, split),
            )
            for reason in data[split].skipped:
                listener.noted(f"{reason}; left out")
        return data["train"], data["validation"]

    @property
    def _frames(self) -> MelParameters:
        """Features of prepared frames, which are not normalised yet: raw models share them."""
        return replace(self.kind.features, normalised=False)

    def plan(self, corpus: Corpus, dataset: Spectrograms) -> UNetPlan:
        """Say all that the weights depend on."""
        request, pairs = self.request, self.request.pairs or 1
        whole = math.ceil(self.chosen.epochs * len(dataset) / pairs)
        prepared = Preparation(
            corpus.digest, "train", request.copies or 1, request.seed, self._frames
        )
        return UNetPlan(
            request.name,
            prepared.folder,
            whole if request.steps is None else request.steps,
            pairs,
            self.chosen.learning_rate,
            self.chosen.warm_up,
            seed=request.seed,
        )

    def report_every(self, plan: UNetPlan) -> int:
        """Give the steps between two reports."""
        return max(1, plan.steps // REPORTS)

    def export(
        self, trained: Trained, plan: UNetPlan, dataset: Spectrograms, origin: dict[str, Any]
    ) -> Path:
        """Write encoder, decoder and card."""
        name, out = self.request.name, self.request.out
        decoder = decoder_bytes(trained.model)
        (out / f"{name}-decoder.onnx").write_bytes(decoder)
        card = VectorCard(
            name,
            "unet",
            320,
            self.kind.features,
            training=_training(plan, dataset, origin),
            decoder_sha256=sha256(decoder).hexdigest(),
        )
        return write_model(encoder_bytes(trained.model), card, out)

    def add_figures(
        self,
        model: Path,
        corpus: Corpus,
        data: tuple[Spectrograms, Spectrograms],
        listener: Listener,
    ) -> None:
        """Measure the exported model."""
        measured(model, data, self.request.seed, listener)


def measured(
    model: Path, data: tuple[Spectrograms, Spectrograms], seed: int, listener: Listener
) -> None:
    """Add the validation figures of an exported model to its card.

    Every validation clip gives one noisy segment that begins anywhere. References are the
    segments of all clean clips that a store would hold.
    """
    decoder = SpectrogramDecoder(model)
    features = decoder.card.features
    found = []
    dataset, held_out = data
    for clips in (held_out, dataset):
        clip, at = clips.stored(features)
        cut = partial(clips.cut, version=0, parameters=features)
        parts = [slice(a, a + BATCH) for a in range(0, len(clip), BATCH)]
        vectors = [decoder.encode(cut(clip=clip[p], at=at[p])).vectors for p in parts]
        found.append((np.concatenate(vectors), clip if clips is held_out else clip * 0 - 1))
    references, owner = (np.concatenate(each) for each in zip(*found, strict=True))
    right, noisy_errors, clean_errors = [], [], []
    for step in range(math.ceil(len(held_out) / BATCH)):
        count = min(BATCH, len(held_out) - step * BATCH)
        x, (clean, moments) = held_out.pairs(seed, step, BATCH, features)
        x, clean, clip = x[:count], clean[:count], moments[:count, 0]
        encoded = decoder.encode(x)
        right.append(owner[nearest(encoded.vectors, references)] == clip)
        noisy_errors.append(((decoder.rebuild(encoded) - clean) ** 2).mean(axis=(1, 2)))
        again = decoder.rebuild(decoder.encode(clean))
        clean_errors.append(((again - clean) ** 2).mean(axis=(1, 2)))
    accuracy = float(np.concatenate(right).mean())
    validation = {
        "what": "one noisy segment of each validation clip, beginning anywhere, against the stored "
        f"segments of all clean clips of train and validation; {SNR_DB[0]:g} to {SNR_DB[1]:g} dB",
        "references": len(references),
        "queries": len(held_out),
        "accuracy": round(accuracy, 4),
        "mean_square_error_noisy": round(float(np.concatenate(noisy_errors).mean()), 4),
        "mean_square_error_clean": round(float(np.concatenate(clean_errors).mean()), 4),
    }
    listener.noted(f"{decoder.card.name}: {accuracy:.1%} of noisy segments right")
    card = replace(decoder.card, figures={"validation": validation})
    write_model(model.read_bytes(), card, model.parent)


def nearest(vectors: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Find the reference at the least distance from each vector, int (n,)."""
    # One after the other: all differences at once take 6 GB for 100 h of references.
    apart = (((vector - references) ** 2).sum(axis=1) for vector in vectors)
    return np.array([each.argmin() for each in apart])


def _training(plan: UNetPlan, dataset: Spectrograms, origin: dict[str, Any]) -> dict[str, Any]:
    """Say what the model learnt from, how, where, and how long."""
    features = plan.kind.features
    hours = dataset.counts[:, 0].sum() * features.step / features.sample_rate / 3600
    return {
        **origin,
        "clips": len(dataset),
        "hours": round(float(hours), 2),
        "plan": {k: v for k, v in plan.as_dict().items() if k not in {"name", "data", "seed"}},
        "optimizer": "AdamW" if plan.kind.contrastive else "Adam",
        "epochs": round(origin["steps"] * plan.pairs / len(dataset), 1),
        "segments_per_step": plan.pairs,
    }
