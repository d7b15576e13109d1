"""A clip through a U-Net and back to audio (U-Net paper sections 3.6 and 4.2)."""

from __future__ import annotations

import errno
import math
import os
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from samaf.audio import Source, read
from samaf.engine.blas import one_blas_thread
from samaf.errors import AudioError
from samaf.features.inversion import audio
from samaf.features.melspectrogram import (
    MelParameters,
    mel_spectrogram,
    normalised,
    scale,
    segments,
)
from samaf.files import atomic
from samaf.fingerprinters.decoder import load_decoder
from samaf.records import Reconstruction
from samaf.text import printable

DECODING_MODEL = "UNET320"
PEAK = 255.0  # what the paper's 51.16 dB for its error of 0.49761 follow from


def decode(
    source: Source,
    out: str | Path,
    *,
    clean: Source | None = None,
    model: str | None = None,
) -> Reconstruction:
    """Rebuild the first 4 s of a clip from what a U-Net makes of them, and write them as WAV.

    The level of each band is the clip's: a normalised spectrogram does not hold it.

    Parameters
    ----------
    out
        Written in 16 bit, mono, at 48 kHz.
    clean
        The same clip without noise, which the result is compared with; the clip itself
        where none is given.

    Raises
    ------
    AudioError, FingerprinterError
        A clip gives no audio or silence, ``out`` is one of the clips or cannot be written, or
        the model has no decoder.
    """
    _refuse_same(Path(out), source, clean)
    decoder = load_decoder(model or DECODING_MODEL)
    features = decoder.card.features
    with one_blas_thread():
        path, spectrogram, padded = _spectrogram(source, features)
        target = _spectrogram(clean, features)[1] if clean is not None else spectrogram
        taken, wanted = (
            normalised(each, features) if features.normalised else each
            for each in (spectrogram, target)
        )
        rebuilt = decoder.rebuild(decoder.encode(taken))
        error = float(np.mean((rebuilt - wanted) ** 2))
        largest = float(np.abs(wanted).max())
        level, spread = scale(spectrogram, features) if features.normalised else (0.0, 1.0)
        samples = audio((rebuilt * spread + level)[0], features)
    _write(samples, features.sample_rate, Path(out))
    return Reconstruction(
        path,
        str(out),
        decoder.card.name,
        len(samples) / features.sample_rate,
        padded,
        error,
        largest,
        psnr(error, largest),
        psnr(error, PEAK),
    )


def psnr(error: float, peak: float) -> float:
    """Compute the peak signal-to-noise ratio in dB: 20 log10 peak - 10 log10 error."""
    return 20 * math.log10(peak) - 10 * math.log10(error) if error else math.inf


def _spectrogram(source: Source, features: MelParameters) -> tuple[str, np.ndarray, bool]:
    """Give path, log mel spectrogram (1, bands, frames) of the first segment, whether padded."""
    with read(source, features.sample_rate) as opened:
        path = opened.path or opened.name
        cut, padded = segments(opened.part(0, features.segment_samples), features)
    if not np.any(cut):
        raise AudioError(f"{path}: its first 4 s are silent; give a clip that begins with sound")
    return path, mel_spectrogram(cut, replace(features, normalised=False)), bool(padded[0])


def _refuse_same(out: Path, *sources: Source | None) -> None:
    paths = [Path(each) for each in sources if isinstance(each, str | os.PathLike)]
    for path in paths:
        if out.exists() and path.exists() and out.samefile(path):
            raise AudioError(f"{printable(out)}: is the clip itself; name another file for --out")


def _write(samples: np.ndarray, rate: int, path: Path) -> None:
    """Write a WAV that is there whole or not at all, instead of any file of that name."""
    pcm = np.rint(samples / max(np.abs(samples).max(), 1.0) * 32767).astype("<i2")
    path = path.resolve()
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no regular file")
        with (
            atomic(path) as temporary,
            temporary.open("wb") as file,
            wave.open(file, "wb") as out,
        ):
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(pcm.tobytes())
    except OSError as error:
        raise AudioError(
            f"{printable(path)}: cannot be written ({error.strerror}); name another file"
        ) from None
