"""Verify right and wrong candidates, and say what passes.

python -m benchmarks verification --out FOLDER [--split test] [--clips 24] [--lengths 1,2,3,6]

Answers are kept clip by clip in FOLDER, so that a run goes on where it was stopped. With
``--fit`` the tails and the likelihood ratio are fitted to them, for
``samaf/verification/calibration.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from functools import lru_cache
from pathlib import Path

import click
import numpy as np

from benchmarks.accuracy.transformations import surroundings
from benchmarks.errors import BenchmarkError
from benchmarks.files import writing
from benchmarks.sampling import generator
from benchmarks.verification.conditions import CONDITIONS, Condition
from benchmarks.verification.report import Answer, fit, tables
from samaf.audio import SAMPLE_RATE, load
from samaf.engine.blas import one_blas_thread
from samaf.fingerprinters import load_hash_model
from samaf.training.corpora import Clip, default_root, open_corpus
from samaf.verification import Placement, verify

START_ERROR = 0.05  # s, of the place that the hashes name
FACTOR_ERROR = 0.008  # of its time and pitch factors where the clip was altered
NEAREST = 3  # wrong recordings that the hashes like best
OTHERS = 2  # wrong recordings of the same speaker or text, or any


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--corpus", type=click.Path(path_type=Path), default=default_root)
@click.option("--voices", type=click.Path(path_type=Path), help="More speech: wrong candidates.")
@click.option("--split", type=click.Choice(["validation", "test"]), default="validation")
@click.option("--clips", default=24, show_default=True, help="Speech clips that are cut.")
@click.option("--lengths", default="1,2,3,6", show_default=True, help="Seconds.")
@click.option("--fit", "fitting", is_flag=True, help="Fit the calibration to the answers.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Results folder.")
def command(
    corpus: Path,
    voices: Path | None,
    split: str,
    clips: int,
    lengths: str,
    fitting: bool,
    out: Path,
) -> None:
    """Verify right and wrong candidates, and say what passes."""
    if fitting and split == "test":
        raise BenchmarkError("--split test: is for checking only; fit on the validation split")
    trial = Trial(corpus, voices, split)
    seconds = [float(s) for s in lengths.split(",")]
    answers: list[Answer] = []
    with one_blas_thread():
        for clip in trial.chosen(clips):
            answers += trial.answers(clip, seconds, out / split)
    click.echo(fit(answers) if fitting else tables(answers))


class Trial:
    """One split: clips to cut, and recordings to take them for."""

    def __init__(self, corpus: Path, voices: Path | None, split: str) -> None:
        self.corpus, self.split = open_corpus(corpus), split
        self.speech = self.corpus.select("speech", split)
        self.recordings = list(self.speech) + list(self.corpus.select("music", split))
        if voices:
            self.recordings += open_corpus(voices).select("speech", split)
        self._model = load_hash_model("2LST256C")

    def chosen(self, count: int) -> list[Clip]:
        """Draw the clips that are cut, one a speaker as long as there are speakers."""
        order = np.random.default_rng(26).permutation(len(self.speech))
        seen: set[str] = set()
        first: list[Clip] = []
        later: list[Clip] = []
        for clip in (self.speech[i] for i in order):
            (later if clip.speaker in seen else first).append(clip)
            seen.add(clip.speaker)
        return (first + later)[:count]

    def answers(self, clip: Clip, lengths: Sequence[float], folder: Path) -> list[Answer]:
        """Verify all candidates of one clip, or read what was answered before."""
        answers: list[Answer] = []
        for seconds in lengths:
            path = folder / f"{clip.path.stem}-{seconds:g}.json"
            if not path.is_file():
                made = [astuple(answer) for answer in self._asked(clip, seconds)]
                with writing(path) as temporary:
                    temporary.write_text(json.dumps(made))
            answers += [Answer(*row) for row in json.loads(path.read_text())]
        return answers

    def _asked(self, clip: Clip, seconds: float) -> Iterator[Answer]:
        rng = generator(str(clip.path.name), str(seconds))
        samples, around = load(clip.path), surroundings(self.corpus, self.split, clip)
        count = int(seconds * SAMPLE_RATE)
        first = int(rng.integers(0, len(samples) - count))
        excerpt = samples[first : first + count]
        wrong = self._wrong(clip, excerpt, rng)
        for condition in CONDITIONS:
            asked = condition.change(excerpt, around, generator(clip.path.name, condition.name))
            yield self._answer(condition, seconds, "right", asked, samples, first, rng)
            for kind, recording, place in wrong:
                yield self._answer(condition, seconds, kind, asked, recording, place, rng)
        for kind, asked, other in _hums(excerpt, wrong[0][1], rng):
            yield self._answer(CONDITIONS[0], seconds, kind, asked, other, wrong[0][2], rng)

    def _answer(
        self,
        condition: Condition,
        seconds: float,
        kind: str,
        asked: np.ndarray,
        recording: np.ndarray,
        place: int,
        rng: np.random.Generator,
    ) -> Answer:
        """Verify one candidate, its place and factors as inexact as the search gives them."""
        manipulation = condition.guess(rng, FACTOR_ERROR)
        start = place / SAMPLE_RATE + rng.uniform(-START_ERROR, START_ERROR)
        duration = len(asked) / SAMPLE_RATE
        stop = start + duration / condition.manipulation.tau
        told = verify(asked, recording, Placement(0, duration, start, stop, manipulation))
        return Answer(condition.name, seconds, kind, told.z_waveform, told.z_windows, told.score)

    def _wrong(
        self, clip: Clip, excerpt: np.ndarray, rng: np.random.Generator
    ) -> list[tuple[str, np.ndarray, int]]:
        """Take wrong recordings where they resemble the excerpt most by their hashes."""
        own = self._hashes(excerpt, clip.path.name)
        others = [c for c in self.recordings if c.path != clip.path]
        distances = [_nearest(own, self._stored(c.path)) for c in others]
        nearest = np.argsort([d for d, _ in distances])[:NEAREST]
        wrong = [("nearest", i) for i in nearest]
        akin = [i for i, c in enumerate(others) if c.speaker and c.speaker == clip.speaker]
        wrong += [("same speaker", int(i)) for i in rng.permutation(akin)[:OTHERS]]
        wrong += [("any", int(i)) for i in rng.integers(0, len(others), OTHERS)]
        return [(kind, load(others[i].path), distances[i][1]) for kind, i in wrong]

    def _hashes(self, samples: np.ndarray, salt: str) -> np.ndarray:
        return self._model.hashes([samples], salt).packed

    @lru_cache(4096)  # noqa: B019  # one trial a process
    def _stored(self, path: Path) -> np.ndarray:
        return self._hashes(load(path), path.name)


def _nearest(own: np.ndarray, stored: np.ndarray) -> tuple[float, int]:
    """Give the least bit error rate along a diagonal, and its place in samples."""
    if len(own) > len(stored):
        return 1.0, 0
    windows = np.lib.stride_tricks.sliding_window_view(stored, len(own), axis=0)
    rates = np.bitwise_count(windows ^ own.T).mean(axis=(1, 2)) / 8
    best = int(rates.argmin())
    return float(rates[best]), best * SAMPLE_RATE // 4


def _hums(
    excerpt: np.ndarray, recording: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Lay the same hum or tone over a clip and a recording of other speech, as loud as it."""
    for kind, harmonics in (("hum", np.arange(50, 4_000, 50.0)), ("tone", np.array([1_000.0]))):
        sounds = []
        for samples in (excerpt, recording):
            t = np.arange(len(samples)) / SAMPLE_RATE + rng.uniform(0, 1)
            tones = np.sin(2 * np.pi * harmonics[:, None] * t) / np.sqrt(harmonics[:, None])
            loud = samples.std() / tones.sum(axis=0).std()
            sounds.append((samples + loud * tones.sum(axis=0)).astype(np.float32))
        yield kind, sounds[0], sounds[1]
