"""One U-Net from a corpus to its files: prepare, train, export, measure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from samaf.errors import TrainingError
from samaf.fingerprinters import VectorCard
from samaf.fingerprinters.card import write_model
from samaf.fingerprinters.decoder import SpectrogramDecoder
from samaf.training.corpora import Corpus, open_corpus
from samaf.training.outcome import conclude, origin
from samaf.training.run import Listener, Request
from samaf.training.trainer import Trained, train
from samaf.training.unet.export import decoder_bytes, encoder_bytes
from samaf.training.unet.model import Variant, variant
from samaf.training.unet.plan import UNetPlan
from samaf.training.unet.spectrograms import SNR_DB, SOURCES, Preparation, Spectrograms, prepare

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


def train_unet(
    name: str,
    root: Path,
    out: Path,
    request: Request,
    listener: Listener,
) -> Path:
    """Make ``NAME.onnx``, ``NAME-decoder.onnx``, ``NAME.json`` and ``NAME-curves.png``.

    See ``samaf.training.run.train_model``.

    Raises
    ------
    CorpusError, TrainingError
        The corpus gives no data; the name, the checkpoint or the loss is bad; a model to
        start from is named.
    """
    kind = variant(name)
    if request.start:
        raise TrainingError(
            f"{name}: starts from new weights only; leave out --from {request.start}"
        )
    chosen = preset(kind)
    chosen = replace(
        chosen,
        pairs=request.pairs or chosen.pairs,
        select=request.select or chosen.select,
        copies=request.copies or chosen.copies,
    )
    corpus = open_corpus(root)
    for path in corpus.missing:
        listener.noted(f"{path}: belongs to the corpus, but is missing; left out")
    # Prepared frames are not normalised yet: raw models share them.
    features = replace(kind.features, normalised=False)
    data = {}
    for split in ("train", "validation"):
        data[split] = prepare(
            corpus,
            split,
            features,
            out / "data",
            copies=chosen.copies,
            seed=request.seed,
            progress=partial(listener.prepared, split),
        )
        for reason in data[split].skipped:
            listener.noted(f"{reason}; left out")
    whole = math.ceil(chosen.epochs * len(data["train"]) / chosen.pairs)
    plan = UNetPlan(
        name,
        Preparation(corpus.digest, "train", chosen.copies, request.seed, features).folder,
        whole if request.steps is None else request.steps,
        chosen.pairs,
        chosen.learning_rate,
        chosen.warm_up,
        seed=request.seed,
    )
    trained = train(
        plan,
        data["train"],
        out / name,
        listener.trained,
        data["validation"],
        every=max(1, plan.steps // REPORTS),
        seconds=60 * request.minutes,
    )
    step = conclude(trained, name, out, chosen.select, "mean distance of vectors")
    decoder = decoder_bytes(trained.model)
    (out / f"{name}-decoder.onnx").write_bytes(decoder)
    card = VectorCard(
        name,
        "unet",
        320,
        kind.features,
        training=_training(corpus, plan, chosen, trained, step, data["train"]),
        decoder_sha256=sha256(decoder).hexdigest(),
    )
    model = write_model(encoder_bytes(trained.model), card, out)
    return measured(model, data, request.seed, listener)


def measured(model: Path, data: dict[str, Spectrograms], seed: int, listener: Listener) -> Path:
    """Add the validation figures of an exported model to its card.

    Every validation clip gives one noisy segment that begins anywhere. References are the
    segments of all clean clips that a store would hold.
    """
    decoder = SpectrogramDecoder(model)
    features = decoder.card.features
    stored = []
    for split in ("validation", "train"):
        clip, at = data[split].stored(features)
        cut = partial(data[split].cut, version=0, parameters=features)
        parts = [slice(a, a + BATCH) for a in range(0, len(clip), BATCH)]
        vectors = [decoder.encode(cut(clip=clip[p], at=at[p])).vectors for p in parts]
        stored.append((np.concatenate(vectors), clip if split == "validation" else clip * 0 - 1))
    references, clips = (np.concatenate(parts) for parts in zip(*stored, strict=True))
    queries = data["validation"]
    right, noisy_errors, clean_errors = [], [], []
    for step in range(math.ceil(len(queries) / BATCH)):
        count = min(BATCH, len(queries) - step * BATCH)
        x, (clean, moments) = queries.pairs(seed, step, BATCH, features)
        x, clean, clip = x[:count], clean[:count], moments[:count, 0]
        encoded = decoder.encode(x)
        right.append(clips[nearest(encoded.vectors, references)] == clip)
        noisy_errors.append(((decoder.rebuild(encoded) - clean) ** 2).mean(axis=(1, 2)))
        again = decoder.rebuild(decoder.encode(clean))
        clean_errors.append(((again - clean) ** 2).mean(axis=(1, 2)))
    accuracy = float(np.concatenate(right).mean())
    validation = {
        "what": "one noisy segment of each validation clip, beginning anywhere, against the stored "
        f"segments of all clean clips of train and validation; {SNR_DB[0]:g} to {SNR_DB[1]:g} dB",
        "references": len(references),
        "queries": len(queries),
        "accuracy": round(accuracy, 4),
        "mean_square_error_noisy": round(float(np.concatenate(noisy_errors).mean()), 4),
        "mean_square_error_clean": round(float(np.concatenate(clean_errors).mean()), 4),
    }
    listener.noted(f"{decoder.card.name}: {accuracy:.1%} of noisy segments right")
    card = replace(decoder.card, figures={"validation": validation})
    return write_model(model.read_bytes(), card, model.parent)


def nearest(vectors: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Find the reference at the least distance from each vector, int (n,)."""
    # One after the other: all differences at once take 6 GB for 100 h of references.
    apart = (((vector - references) ** 2).sum(axis=1) for vector in vectors)
    return np.array([each.argmin() for each in apart])


def _training(
    corpus: Corpus,
    plan: UNetPlan,
    chosen: Preset,
    trained: Trained,
    step: int,
    dataset: Spectrograms,
) -> dict[str, Any]:
    """Say what the model learnt from, how, where, and how long."""
    kinds = Counter(c.kind for c in corpus.clips if c.split == "train" and c.kind in SOURCES)
    features = plan.kind.features
    hours = dataset.counts[:, 0].sum() * features.step / features.sample_rate / 3600
    return {
        **origin(
            corpus,
            trained,
            copies=chosen.copies,
            select=chosen.select,
            step=step,
            seed=plan.seed,
        ),
        "clips": len(dataset),
        "kinds": dict(sorted(kinds.items())),
        "hours": round(float(hours), 2),
        "plan": {k: v for k, v in plan.as_dict().items() if k not in {"name", "data", "seed"}},
        "optimizer": "AdamW" if plan.kind.contrastive else "Adam",
        "epochs": round(step * plan.pairs / len(dataset), 1),
        "segments_per_step": plan.pairs,
    }
