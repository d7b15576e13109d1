"""What a U-Net rebuilds: errors over the test split, and the paper's Figures 11 and 12."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.layout import Layout
from benchmarks.selection import required
from samaf.audio import load
from samaf.engine.decode import PEAK, psnr
from samaf.features.inversion import audio
from samaf.features.melspectrogram import (
    MelParameters,
    mel_spectrogram,
    normalised,
    scale,
    segments,
)
from samaf.fingerprinters.decoder import Encoded, SpectrogramDecoder
from samaf.training.corpora import Clip, Corpus
from samaf.training.distortions import excerpt, mix
from samaf.training.distortions import normalised as full_scale

SNR_DB = 10.0
SEED = 5
WIDTH, HEIGHT, DPI = 7.0, 4.0, 65  # small enough for a page


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A clip and what became of it, each a log mel spectrogram (bands, frames), not normalised.

    ``clean_error`` and ``noisy_error`` are mean square errors of what the model gave for the
    clean and the noisy segment, against the clean one, as the model takes spectrograms;
    ``foreign_error`` is that of the clean segment when the decoder gets the fingerprint of the
    noise in place of its own; ``peak`` is the largest magnitude of the clean one.
    """

    clean: np.ndarray
    noisy: np.ndarray
    from_clean: np.ndarray
    from_noisy: np.ndarray
    samples: tuple[np.ndarray, np.ndarray]
    clean_error: float
    noisy_error: float
    foreign_error: float
    peak: float


def trial(samples: np.ndarray, noise: np.ndarray, decoder: SpectrogramDecoder) -> Trial:
    """Rebuild the first 4 s of a clip with and without noise (paper section 3.6)."""
    features = decoder.card.features
    raw = replace(features, normalised=False)
    sounds = (samples, full_scale(mix(samples, noise, SNR_DB)), noise)
    cut = np.concatenate([segments(x, features)[0][:1] for x in sounds])
    heard = mel_spectrogram(cut, raw)
    level, spread = scale(heard, features) if features.normalised else (0.0, 1.0)
    taken = normalised(heard, features) if features.normalised else heard
    own = decoder.encode(taken)
    # Behind the two: the clean segment's outer layers with the noise's fingerprint.
    skips = {name: layer[[0, 1, 0]] for name, layer in own.skips.items()}
    rebuilt = decoder.rebuild(Encoded(own.vectors, skips))
    errors = ((rebuilt - taken[:1]) ** 2).mean(axis=(1, 2))
    again = rebuilt * spread + level
    return Trial(
        heard[0],
        heard[1],
        again[0],
        again[1],
        (cut[0], cut[1]),
        float(errors[0]),
        float(errors[1]),
        float(errors[2]),
        float(np.abs(taken[0]).max()),
    )


def chosen(corpus: Corpus, kind: str, count: int) -> list[Clip]:
    """Spread ``count`` clips over the test split."""
    clips = required(corpus, kind, "test")
    return list(clips[:: max(1, len(clips) // count)][:count])


def trials(corpus: Corpus, kind: str, decoder: SpectrogramDecoder, count: int) -> list[Trial]:
    """Rebuild clips of the test split, with noise of the test split."""
    rate = decoder.card.features.sample_rate
    sounds = [load(c.path, rate) for c in required(corpus, "noise", "test")]
    rng = np.random.default_rng(SEED)
    made = []
    for clip in chosen(corpus, kind, count):
        samples = load(clip.path, rate)
        made.append(trial(samples, excerpt(sounds, len(samples), rng), decoder))
    return made


def table(corpus: Corpus, decoders: list[SpectrogramDecoder], count: int) -> Layout:
    """Compare models: mean square error, and decibels for either peak (section 4.2)."""
    rows = []
    for decoder in decoders:
        for kind in ("speech", "music"):
            made = trials(corpus, kind, decoder, count)
            for name, errors in (
                ("clean", [t.clean_error for t in made]),
                (f"noise at {SNR_DB:g} dB", [t.noisy_error for t in made]),
                ("clean, fingerprint of the noise", [t.foreign_error for t in made]),
            ):
                error, peak = float(np.mean(errors)), float(np.mean([t.peak for t in made]))
                rows.append(
                    (
                        decoder.card.name,
                        kind,
                        name,
                        f"{error:.4f}",
                        f"{psnr(error, PEAK):.2f}",
                        f"{psnr(error, peak):.2f}",
                        f"{peak:.1f}",
                    )
                )
    return Layout(
        "reconstruction",
        "Rebuilt spectrograms",
        f"The first 4 s of {count} clips of the test split at most, as they are, with noise of "
        "that split, and with the fingerprint of that noise in place of their own, which shows "
        "what the fingerprint adds: mean square error against the clean spectrogram, as the model "
        "takes it, and the peak signal-to-noise ratio in dB for a peak of 255 and for the "
        "spectrograms' own.",
        ("model", "clips", "input", "mean square error", "PSNR, 255", "PSNR, own", "own peak"),
        tuple(rows),
    )


def draw(made: Trial, features: MelParameters, folder: Path) -> tuple[Path, Path]:
    """Draw Figure 11, the waveforms, and Figure 12, the spectrograms, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    titles = ("clean", f"noise at {SNR_DB:g} dB", "rebuilt from clean", "rebuilt from noisy")
    spectrograms = (made.clean, made.noisy, made.from_clean, made.from_noisy)
    rebuilt = [audio(each, features) for each in spectrograms[2:]]
    paths = folder / "unet-waveforms.png", folder / "unet-spectrograms.png"
    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
    for panel, title, samples in zip(
        figure.subplots(2, 2, sharex=True, sharey=True).ravel(),
        titles,
        (*made.samples, *rebuilt),
        strict=True,
    ):
        panel.plot(np.arange(len(samples)) / features.sample_rate, samples, linewidth=0.3)
        panel.set(title=title, xlabel="s", ylim=(-1.05, 1.05))
        panel.label_outer()
    FigureCanvasAgg(figure).print_png(paths[0])
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
    least = made.clean.max() - features.range_db * np.log(10) / 10
    for panel, title, log_power in zip(
        figure.subplots(2, 2, sharex=True, sharey=True).ravel(), titles, spectrograms, strict=True
    ):
        panel.pcolormesh(log_power, vmin=least, vmax=made.clean.max())
        panel.set(title=title, xlabel="frame", ylabel="mel band")
        panel.label_outer()
    FigureCanvasAgg(figure).print_png(paths[1])
    return paths
