"""One model from corpora to its files: prepare, train, export, measure."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from samaf.training.corpora import Corpus, open_corpora
from samaf.training.outcome import conclude, origin
from samaf.training.request import Listener, Request
from samaf.training.trainer import Run, Trained, train


class Family(Protocol):
    """What one family of models does in its own way.

    Attributes
    ----------
    request
        The request, with the family's settings where it has none.
    start
        Model file whose weights training starts from.
    distance
        What curves call the distance of a pair.
    """

    @property
    def request(self) -> Request: ...  # noqa: D102
    @property
    def start(self) -> Path | None: ...  # noqa: D102
    @property
    def distance(self) -> str: ...  # noqa: D102

    def prepare(self, corpus: Corpus, listener: Listener) -> tuple[Any, Any]:
        """Make the data to learn from and those to measure on."""

    def plan(self, corpus: Corpus, dataset: Any) -> Run:
        """Say all that the weights depend on."""

    def report_every(self, plan: Any) -> int:
        """Give the steps between two reports."""

    def export(self, trained: Trained, plan: Any, dataset: Any, origin: dict[str, Any]) -> Path:
        """Write model and card."""

    def add_figures(
        self, model: Path, corpus: Corpus, data: tuple[Any, Any], listener: Listener
    ) -> None:
        """Add the validation figures of an exported model to its card."""


def train_model(request: Request, listener: Listener = Listener()) -> Path:  # noqa: B008  # frozen
    """Make ``NAME.onnx``, ``NAME.json``, a codebook and ``NAME-curves.png``; give the model's path.

    Of a U-Net also ``NAME-decoder.onnx``. A run that was stopped goes on, a finished one is
    only exported and measured.

    Raises
    ------
    CorpusError, TrainingError
        The corpora give no data; the name, the checkpoint or the loss is bad.
    """
    if request.name.startswith("UNET"):
        from samaf.training.unet.family import UNetFamily

        return train_family(UNetFamily.of(request), listener)
    from samaf.training.lstm_family import LstmFamily

    return train_family(LstmFamily.of(request), listener)


def train_family(family: Family, listener: Listener) -> Path:
    """Run all stages for a model of any family; see `train_model`."""
    request = family.request
    corpus = open_corpora(request.corpora)
    for path in corpus.missing:
        listener.noted(f"{path}: belongs to the corpus, but is missing; left out")
    dataset, held_out = family.prepare(corpus, listener)
    plan = family.plan(corpus, dataset)
    trained = train(
        plan,
        dataset,
        request.out / request.name,
        listener.trained,
        held_out,
        start=family.start,
        every=family.report_every(plan),
        seconds=60 * request.minutes,
    )
    step = conclude(trained, request, family.distance)
    made = origin(corpus, trained, request, step)
    model = family.export(trained, plan, dataset, made)
    family.add_figures(model, corpus, (dataset, held_out), listener)
    return model
