"""The LSTM family: its settings, its data, its files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from samaf.features import FeatureParameters
from samaf.fingerprinters import Fingerprinter, ModelCard, load_hash_model
from samaf.fingerprinters.card import read_card, write_card, write_model
from samaf.training.codebook import add_codebook
from samaf.training.corpora import Corpus
from samaf.training.curves import BITS
from samaf.training.dataset import Dataset
from samaf.training.export import onnx_bytes
from samaf.training.models import Architecture, architecture
from samaf.training.plan import HeldOut, Plan
from samaf.training.preparation import Preparation, add_hard_negatives, prepare
from samaf.training.request import Listener, Request
from samaf.training.sampling import Sampling
from samaf.training.trainer import Trained
from samaf.training.validation import measure, prepare_validation, summary

VALIDATION_COPIES = 1
FIELD_CLIPS = 24  # measured 40 times a run; five times as many at its end
REPORT_STEPS = 20
PAPER_SECONDS = 21 * 86_400  # of training (SAMAF section 4.2)


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings of a kind of model.

    Attributes
    ----------
    copies
        Distorted copies of each clip.
    select
        Which weights are exported, see `Request`.
    """

    copies: int
    steps: int
    pairs: int
    learning_rate: float
    warm_up: int
    select: str
    sampling: Sampling = Sampling()  # noqa: RUF009  # frozen


# As many coefficients as bands, of which all models take the first: they share the data.
FRAMES = FeatureParameters(coefficients=26, floor=1e-7)
OURS = Preset(
    copies=6,
    steps=50_000,
    pairs=384,
    learning_rate=2e-3,
    warm_up=500,
    select="off_grid",
    sampling=Sampling(anchors_per_clip=2, hard_negatives=0.25, augmented=True),
)
PAPER = Preset(24, 20_000, 16, 0.01, 0, "accuracy")


def preset(kind: Architecture) -> Preset:
    """Choose the settings of a model: ours with term C, else the paper's (section 4.2)."""
    if kind.paired:
        return OURS
    return PAPER if kind.terms else replace(PAPER, steps=0, select="last")


@dataclass(frozen=True, slots=True)
class LstmFamily:
    """One run of the LSTM family; see ``run.Family``."""

    request: Request
    kind: Architecture
    chosen: Preset
    started: Fingerprinter | None
    distance: str = BITS

    @classmethod
    def of(cls, request: Request) -> LstmFamily:
        """Fill in the settings that a request leaves open."""
        kind = architecture(request.name)
        chosen = preset(kind)
        filled = replace(
            request,
            steps=chosen.steps if request.steps is None else request.steps,
            pairs=request.pairs or chosen.pairs,
            select=request.select or chosen.select,
            copies=request.copies or chosen.copies,
        )
        return cls(filled, kind, chosen, load_hash_model(request.start) if request.start else None)

    @property
    def start(self) -> Path | None:
        """The model file to start from."""
        return self.started.path if self.started else None

    def prepare(self, corpus: Corpus, listener: Listener) -> tuple[Dataset, HeldOut]:
        """Make frames of both splits, hard negatives, and clips of the field."""
        folder, data = self.request.out / "data", {}
        for split, count in (("train", self.request.copies), ("validation", VALIDATION_COPIES)):
            data[split] = prepare(
                corpus,
                split,
                FRAMES,
                folder,
                copies=count or 1,
                seed=self.request.seed,
                progress=partial(listener.prepared, split),
            )
            for reason in data[split].skipped:
                listener.noted(f"{reason}; left out")
        if not self.kind.paired:
            return data["train"], HeldOut(data["validation"])
        dataset = data["train"]
        if self.chosen.sampling.hard_negatives:
            home = folder / self._preparation(corpus).folder
            progress = partial(listener.prepared, "hard negatives")
            dataset = add_hard_negatives(dataset, home, load_hash_model(), progress)
        field = prepare_validation(
            corpus,
            FRAMES,
            folder,
            FIELD_CLIPS,
            partial(listener.prepared, "field"),
            references=("validation",),
        )
        return dataset, HeldOut(data["validation"], field)

    def _preparation(self, corpus: Corpus) -> Preparation:
        return Preparation(corpus.digest, "train", self.request.seed, FRAMES)

    def plan(self, corpus: Corpus, dataset: Dataset) -> Plan:
        """Say all that the weights depend on."""
        return Plan(
            self.request.name,
            self._preparation(corpus).folder,
            self.kind.features,
            self.request.steps or 0,
            self.request.pairs or 1,
            self.chosen.learning_rate,
            self.chosen.warm_up,
            sampling=self.chosen.sampling,
            copies=self.request.copies or 1,
            start=self.started.digest if self.started else "",
            seed=self.request.seed,
        )

    def report_every(self, plan: Plan) -> int:
        """Give the steps between two reports."""
        return REPORT_STEPS

    def export(
        self, trained: Trained, plan: Plan, dataset: Dataset, origin: dict[str, Any]
    ) -> Path:
        """Write the encoder and its card."""
        deviation = dataset.scale(plan.features.coefficients, plan.features.block_frames)[1]
        card = ModelCard(
            self.request.name,
            "lstm",
            self.kind.bits,
            plan.features,
            tuple(round(float(value), 4) for value in deviation),
            training=_training(plan, trained, dataset, origin),
        )
        return write_model(onnx_bytes(trained.model), card, self.request.out)

    def add_figures(
        self, model: Path, corpus: Corpus, data: tuple[Dataset, HeldOut], listener: Listener
    ) -> None:
        """Measure the exported model on all conditions."""
        card = read_card(model.with_suffix(".json"))
        assert isinstance(card, ModelCard)  # it was written a moment ago
        card = add_codebook(
            Fingerprinter(card, model), corpus, partial(listener.prepared, "the codebook's speech")
        )
        folder, progress = self.request.out / "data", partial(listener.prepared, "conditions")
        held_out = prepare_validation(corpus, FRAMES, folder, progress=progress)
        figures = measure(Fingerprinter(card, model).states, held_out, card.features)
        means = summary(figures)
        listener.noted(
            f"{card.name}: {means.on_grid:.1%} right at 1 s on the hop grid, {means.off_grid:.1%} "
            f"cut anywhere, mean of {len(figures)} conditions; nearest other recording at "
            f"{means.impostor_ber:.3f} of the bits"
        )
        validation = {
            "what": "blocks of distorted validation clips, on the hop grid and cut anywhere, "
            "against all originals of train and validation",
            "references": len(held_out.references),
            **_rounded(asdict(means)),
            "conditions": {name: _rounded(asdict(row)) for name, row in figures.items()},
        }
        write_card(replace(card, figures={"validation": validation}), model.parent)


def _training(
    plan: Plan, trained: Trained, dataset: Dataset, origin: dict[str, Any]
) -> dict[str, Any]:
    """Say what the model learnt from, how, where, and how long."""
    hours = dataset.counts[:, 0].sum() * plan.features.step / plan.features.sample_rate / 3600
    settings = asdict(plan)
    made: dict[str, Any] = {
        **origin,
        "speech_clips": len(dataset.weights),
        "speech_hours": round(float(hours), 2),
        "plan": {
            k: v for k, v in settings.items() if k not in {"name", "data", "features", "seed"}
        },
        "optimizer": "AdamW" if plan.architecture.paired else "Adagrad",
        "blocks_per_step": 2 * plan.pairs,
    }
    paper = trained.made.backend and not plan.architecture.paired
    if paper and trained.made.seconds < PAPER_SECONDS:
        made["note"] = "under-trained: the paper's models took 21 days"
    return made


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}
