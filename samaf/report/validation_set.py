"""The pinned queries of ``samaf validate``: the bundled clips as a store, and clips made of them.

``python -m samaf.report.validation_set`` examines them and pins the results for the default model.
Run it after a change of model, calibration or search that is meant to change answers.
"""

from __future__ import annotations

import io
import tempfile
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from samaf.audio import SAMPLE_RATE, load
from samaf.engine.engine import Engine
from samaf.engine.engine import open as open_store
from samaf.engine.options import QueryOptions
from samaf.report.examination import ReportOptions, examine
from samaf.report.examined import Examined
from samaf.report.record import Examination
from samaf.report.values import from_json, to_json

CLIPS = Path(__file__).parents[1] / "clips"
PINNED = Path(__file__).with_name("pinned.json")
IMPOSTOR = "lena-stranger.ogg"  # the clip that is kept out of the store
LEVEL = 0.9 * 32767


PLAIN, VERIFIED, DEEP = QueryOptions(), QueryOptions(verify=True), QueryOptions(search="deep")


@dataclass(frozen=True, slots=True)
class PinnedQuery:
    """A clip made of a bundled one.

    Attributes
    ----------
    source, start, stop
        The bundled clip, and the seconds taken of it.
    options
        Of the query.
    change
        What is done to the samples.
    """

    source: str
    start: float
    stop: float
    options: QueryOptions = PLAIN
    change: Callable[[np.ndarray], np.ndarray] = lambda samples: samples


def _noisy(samples: np.ndarray) -> np.ndarray:
    """Add noise of a tenth of the peak from a generator that is the same everywhere."""
    noise = np.random.Generator(np.random.PCG64(7)).random(len(samples))
    return np.asarray(samples + 0.1 * (noise - 0.5), np.float32)


def _faster(samples: np.ndarray) -> np.ndarray:
    """Play at 1.25 times the speed, by linear interpolation."""
    at = np.arange(int(len(samples) / 1.25)) * 1.25
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


QUERIES: Mapping[str, PinnedQuery] = {
    "excerpt-1s.wav": PinnedQuery("amelia-harbour.ogg", 3.1, 4.1),
    "excerpt-2s.wav": PinnedQuery("diego-train.ogg", 4.05, 6.05),
    "excerpt-3s.wav": PinnedQuery("ines-river.ogg", 2.0, 5.0, VERIFIED),
    "noisy-6s.wav": PinnedQuery("hugo-kitchen.ogg", 1.5, 7.5, change=_noisy),
    "unknown.wav": PinnedQuery(IMPOSTOR, 2.0, 8.0),
    "too-short.wav": PinnedQuery("bruno-garden.ogg", 1.0, 1.5),
    "faster.wav": PinnedQuery("greta-weather.ogg", 2.0, 8.0, DEEP, _faster),
}


def write_queries(folder: Path) -> None:
    """Write the pinned clips as 16-bit WAV."""
    for name, query in QUERIES.items():
        samples = load(CLIPS / query.source)
        samples = samples[round(query.start * SAMPLE_RATE) : round(query.stop * SAMPLE_RATE)]
        changed = query.change(samples)
        pcm = np.rint(changed / max(float(np.abs(changed).max()), 1e-9) * LEVEL).astype("<i2")
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(pcm.tobytes())
        (folder / name).write_bytes(out.getvalue())


@contextmanager
def bundled_store(folder: Path, model: str | None = None) -> Iterator[Engine]:
    """Store the bundled clips but one in a folder."""
    path, cache = str(folder / "validation.db"), folder / "index"
    with open_store(path, model=model, cache_folder=cache) as engine:
        stored = [clip for clip in sorted(CLIPS.glob("*.ogg")) if clip.name != IMPOSTOR]
        for _ in engine.add(stored, jobs=1):
            pass
        yield engine


def run() -> Examination:
    """Examine the bundled clips and the pinned queries with the default model.

    The stored clips come first, each as a query: their bytes, samples and hashes are compared,
    too.
    """
    with tempfile.TemporaryDirectory(prefix="samaf-validate-") as temporary:
        folder = Path(temporary)
        write_queries(folder)
        with bundled_store(folder) as engine:
            clips: list[Examined] = []
            bundled = sorted(CLIPS.glob("*.ogg"))
            for options in (PLAIN, VERIFIED, DEEP):
                made = [folder / name for name, q in QUERIES.items() if q.options == options]
                paths = bundled + made if options == PLAIN else made
                record = examine(engine, paths, ReportOptions(options, pictures=False))
                clips += [replace(clip, given=Path(clip.given).name) for clip in record.clips]
    return replace(record, clips=tuple(clips), command="samaf validate", made_at="", entries=())


def pinned() -> Examination:
    """Read the results that this version must give."""
    return from_json(Examination, PINNED.read_bytes(), PINNED.name)


if __name__ == "__main__":
    PINNED.write_text(to_json(run()), encoding="utf-8")
    print(f"pinned: {PINNED}")
