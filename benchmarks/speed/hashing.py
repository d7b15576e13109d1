"""Hashing: what its parts cost alone, beside ``samaf add`` and beside bare matrix products."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.speed import timed
from benchmarks.speed.program import made_files, processor_seconds, samaf
from benchmarks.tables import Line
from samaf.audio import audio_files, load
from samaf.engine.blas import one_blas_thread
from samaf.features import blocks, encoder_input, mfcc
from samaf.fingerprinters import Fingerprinter, load_hash_model
from samaf.fingerprinters.encoder import BATCH_BLOCKS

Result = TypeVar("Result")


def hashing(corpus: Path, folder: Path) -> list[Line]:
    """Time decoding, features and encoder on one thread, and the program that runs all three."""
    home = folder / "files"
    seconds = made_files(corpus, home, "mp3", "libmp3lame")
    fingerprinter = load_hash_model()
    parameters = fingerprinter.card.features
    paths = list(audio_files([home]))
    with one_blas_thread():
        sounds, decoding = _spent(lambda: [load(path) for path in paths])
        frames, features = _spent(lambda: [blocks(mfcc(x, parameters), parameters) for x in sounds])
        _, encoding = _spent(
            lambda: [fingerprinter.states(encoder_input(f, parameters)) for f in frames]
        )
    before = processor_seconds()
    samaf("--db", str(folder / "store.db"), "add", str(home))
    program = processor_seconds() - before
    parts = decoding + features + encoding
    each, long = 1e3 / len(paths), seconds / len(paths)
    mine, limit = _encoder_rates(fingerprinter)
    return [
        (
            f"decoding, features, encoder of {len(paths)} mp3 files of {long:.1f} s",
            f"{decoding * each:.1f} + {features * each:.1f} + {encoding * each:.1f} ms each",
        ),
        ("samaf add of them, in processor time", f"{program * each:.1f} ms each"),
        ("the three parts against it", f"{parts / program:.2f}"),
        ("encoder on one thread", f"{mine:,.0f} blocks/s"),
        ("matrix products of the same operations", f"{limit:,.0f} blocks/s"),
        ("the encoder against them", f"{mine / limit:.2f}"),
    ]


def _spent(action: Callable[[], Result]) -> tuple[Result, float]:
    """Give what an action gives, and its seconds by the clock: files are decoded elsewhere."""
    before = time.perf_counter()
    result = action()
    return result, time.perf_counter() - before


def _encoder_rates(fingerprinter: Fingerprinter) -> tuple[float, float]:
    """Give the encoder's blocks/s, and those of the products of its weights with as many rows."""
    import onnx
    from onnx import numpy_helper

    rng = np.random.default_rng(1)
    steps, values = fingerprinter.card.features.steps
    held = onnx.load(fingerprinter.path).graph.initializer
    weights = [numpy_helper.to_array(a)[0] for a in held if a.name[0] in "WR"]
    inputs = rng.standard_normal((BATCH_BLOCKS, steps, values)).astype(np.float32)
    pairs = [
        (rng.standard_normal((BATCH_BLOCKS, w.shape[1])).astype(np.float32), w.T) for w in weights
    ]

    def products() -> None:
        for _ in range(steps):
            for rows, matrix in pairs:
                rows @ matrix

    with one_blas_thread():
        encoder, _ = timed(lambda: fingerprinter.states(inputs))
        bare, _ = timed(products)
    return BATCH_BLOCKS / encoder, BATCH_BLOCKS / bare
