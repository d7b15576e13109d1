"""Verify right and wrong candidates, and say what passes.

python -m benchmarks verification --out FOLDER [--split test] [--clips 24] [--lengths 1,2,3,6]

With ``--tempo`` the tempo of each candidate is found by the signals, as after a plain search.

Answers are kept clip by clip in FOLDER, so that a run goes on where it was stopped. With
``--fit`` the tails and the likelihood ratio are fitted to them, for
``samaf/verification/calibration.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from math import nan
from pathlib import Path

import click
import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.files import writing
from benchmarks.sampling import generator
from benchmarks.surroundings import around_clip
from benchmarks.verification.conditions import CONDITIONS, Condition
from benchmarks.verification.report import SAME_RECORDING, Answer, fit, tables
from benchmarks.verification.shared_sounds import shared_sounds
from samaf.audio import SAMPLE_RATE, load
from samaf.engine.blas import one_blas_thread
from samaf.fingerprinters import load_hash_model
from samaf.records import Verification
from samaf.training.corpora import Clip, default_root, open_corpus
from samaf.verification import (
    Placement,
    PreparedClip,
    PreparedRecording,
    Samples,
    unverified,
    verify,
)
from samaf.verification.tempo import TRIES, tempo_of

START_ERROR = 0.05  # s, of the place that the hashes name
FACTOR_ERROR = 0.008  # of its time and pitch factors where the clip was altered
NEAREST = 3  # wrong recordings that the hashes like best
SAME_TEXT = 8  # recordings of other voices with the same prompts, of which one is drawn


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--corpus", type=click.Path(path_type=Path), default=default_root)
@click.option(
    "--voices",
    type=click.Path(path_type=Path),
    help="More speech, with prompts that many voices read.",
)
@click.option("--split", type=click.Choice(["validation", "test"]), default="validation")
@click.option("--clips", default=24, show_default=True, help="Speech clips that are cut.")
@click.option("--lengths", default="1,2,3,6", show_default=True, help="Seconds.")
@click.option(
    "--tempo", is_flag=True, help="Find the tempo by the signals, as a plain search does."
)
@click.option("--kept", is_flag=True, help="Take the answers that OUT holds, and ask nothing.")
@click.option("--fit", "fitting", is_flag=True, help="Fit the calibration to the answers.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Results folder.")
def command(
    corpus: Path,
    voices: Path | None,
    split: str,
    clips: int,
    lengths: str,
    tempo: bool,
    kept: bool,
    fitting: bool,
    out: Path,
) -> None:
    """Verify right and wrong candidates, and say what passes."""
    if fitting and split == "test":
        raise BenchmarkError("--split test: is for checking only; fit on the validation split")
    if fitting and tempo:
        raise BenchmarkError("--tempo: is for checking only; fit on candidates of a known tempo")
    folder = out / f"{split}-tempo" if tempo else out / split
    answers: list[Answer] = []
    if kept:
        for path in sorted(folder.glob("*.json")):
            answers += _read(path)
        if not answers:
            raise BenchmarkError(f"{folder}: holds no answers; leave --kept away")
    else:
        trial = Trial(corpus, voices, split, tempo)
        seconds = [float(s) for s in lengths.split(",")]
        with one_blas_thread():
            for clip in trial.chosen(clips):
                answers += trial.answers(clip, seconds, folder)
    click.echo(fit(answers) if fitting else tables(answers))


class Trial:
    """One split: clips to cut, and recordings to take them for.

    With ``tempo``, candidates are placed by their middle, and the signals find the tempo.
    """

    def __init__(self, corpus: Path, voices: Path | None, split: str, tempo: bool = False) -> None:
        self._tempo = tempo
        self.corpus, self.split = open_corpus(corpus), split
        self.speech = list(self.corpus.select("speech", split))
        if voices:
            self.speech += open_corpus(voices).select("speech", split)
        self.recordings = self.speech + list(self.corpus.select("music", split))
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
            answers += _read(path)
        return answers

    def _asked(self, clip: Clip, seconds: float) -> Iterator[Answer]:
        rng = generator(str(clip.path.name), str(seconds))
        samples, around = load(clip.path), around_clip(self.corpus, self.split, clip)
        count = int(seconds * SAMPLE_RATE)
        first = int(rng.integers(0, max(1, len(samples) - count)))
        excerpt = samples[first : first + count]
        others, own = self._others(clip, excerpt), _samples(clip.path)
        for condition in CONDITIONS:
            changed = condition.change(excerpt, around, generator(clip.path.name, condition.name))
            prepared = PreparedClip(changed)
            yield self._answer(condition, seconds, "right", prepared, own, first, rng)
            elsewhere = _elsewhere(first, len(samples) - count, rng)
            if elsewhere is not None:
                yield self._answer(
                    condition, seconds, SAME_RECORDING, prepared, own, elsewhere, rng
                )
            for kind, other in _wrong(clip, others, rng):
                recording = _samples(other.clip.path)
                yield self._answer(condition, seconds, kind, prepared, recording, other.place, rng)
        other = others[0]
        other_audio = load(other.clip.path)
        music = around.music[int(rng.integers(len(around.music)))]
        for kind, mixed, there in shared_sounds(excerpt, other_audio, other.place, music, rng):
            sides = PreparedClip(mixed), PreparedRecording(Samples(there))
            yield self._answer(CONDITIONS[0], seconds, kind, *sides, other.place, rng)

    def _answer(
        self,
        condition: Condition,
        seconds: float,
        kind: str,
        prepared: PreparedClip,
        recording: PreparedRecording,
        place: int,
        rng: np.random.Generator,
    ) -> Answer:
        """Verify one candidate, its place and factors as inexact as the search gives them."""
        manipulation = condition.guess(rng, FACTOR_ERROR)
        start = place / SAMPLE_RATE + rng.uniform(-START_ERROR, START_ERROR)
        duration = len(prepared.samples) / SAMPLE_RATE
        stop = start + duration / condition.manipulation.tau
        verification = self._verified(
            prepared, recording, Placement(0, duration, start, stop, manipulation)
        )
        return Answer(
            condition.name,
            seconds,
            kind,
            verification.z_waveform,
            verification.z_windows,
            verification.score,
            _elsewhere_z(verification),
            self._tempo,
        )

    def _verified(
        self, prepared: PreparedClip, recording: PreparedRecording, place: Placement
    ) -> Verification:
        if not self._tempo:
            return verify(prepared, recording, place)
        found = tempo_of(prepared, recording, place)
        if found is None:
            return unverified(place, "the signals show no tempo")
        return verify(prepared, recording, found, tries=TRIES)

    def _others(self, clip: Clip, excerpt: np.ndarray) -> list[_Other]:
        """List the other recordings, those first whose hashes resemble the excerpt most."""
        own = self._hashes(excerpt, clip.path.name)
        others = (c for c in self.recordings if c.path != clip.path)
        placed = (_Other(c, *_nearest(own, self._stored(c.path))) for c in others)
        return sorted(placed, key=lambda other: other.distance)

    def _hashes(self, samples: np.ndarray, salt: str) -> np.ndarray:
        return self._model.hashes([samples], salt).packed

    @lru_cache(4096)  # noqa: B019  # one trial a process
    def _stored(self, path: Path) -> np.ndarray:
        return self._hashes(load(path), path.name)


def _read(path: Path) -> list[Answer]:
    return [Answer(*row) for row in json.loads(path.read_text())]


@dataclass(frozen=True, slots=True)
class _Other:
    """Another recording, and where its hashes resemble an excerpt most, in samples."""

    clip: Clip
    distance: float
    place: int


def _wrong(
    clip: Clip, others: Sequence[_Other], rng: np.random.Generator
) -> Iterator[tuple[str, _Other]]:
    """Draw wrong recordings; other voices of one source of prompts read the same list."""
    for other in others[:NEAREST]:
        yield "nearest", other
    akin = [o for o in others if o.clip.speaker and o.clip.speaker == clip.speaker]
    lists = [
        o
        for o in others
        if clip.joined and o.clip.source == clip.source and o.clip.speaker != clip.speaker
    ]
    for kind, group in (("same text", lists[:SAME_TEXT]), ("same speaker", akin), ("any", others)):
        if group:
            yield kind, group[int(rng.integers(len(group)))]


def _elsewhere(first: int, last: int, rng: np.random.Generator) -> int | None:
    """Draw another place of the same recording, a second or more away; none where none is."""
    places = np.arange(0, last + 1, SAMPLE_RATE // 4)
    places = places[np.abs(places - first) >= SAMPLE_RATE]
    return int(rng.choice(places)) if len(places) else None


def _elsewhere_z(verification: Verification) -> float:
    """Give the highest correlation a second or more away; nan where there is no curve."""
    curves = verification.curves
    if curves is None or not len(curves.lags):
        return nan
    away = np.abs(curves.lags - curves.peak_lag) >= 1
    return float(curves.correlation[away].max(initial=0))


@lru_cache(128)
def _samples(path: Path) -> PreparedRecording:
    return PreparedRecording(Samples(load(path)))


def _nearest(own: np.ndarray, stored: np.ndarray) -> tuple[float, int]:
    """Give the least bit error rate along a diagonal, and its place in samples."""
    if len(own) > len(stored):
        return 1.0, 0
    windows = np.lib.stride_tricks.sliding_window_view(stored, len(own), axis=0)
    rates = np.bitwise_count(windows ^ own.T).mean(axis=(1, 2)) / 8
    best = int(rates.argmin())
    return float(rates[best]), best * SAMPLE_RATE // 4
