"""What a U-Net rebuilds: errors over the test split, and the paper's Figures 11 and 12."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.plots import panels, save
from benchmarks.sampling import required
from benchmarks.tables import Table
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
WIDTH, HEIGHT, DPI = 3.5, 2.0, 65  # of a panel; small enough for a page


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
    powers = mel_spectrogram(cut, raw)
    level, spread = scale(powers, features) if features.normalised else (0.0, 1.0)
    taken = normalised(powers, features) if features.normalised else powers
    own = decoder.encode(taken)
    # Behind the two: the clean segment's outer layers with the noise's fingerprint.
    skips = {name: layer[[0, 1, 0]] for name, layer in own.skips.items()}
    rebuilt = decoder.rebuild(Encoded(own.vectors, skips))
    errors = ((rebuilt - taken[:1]) ** 2).mean(axis=(1, 2))
    again = rebuilt * spread + level
    return Trial(
        powers[0],
        powers[1],
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


def table(corpus: Corpus, decoders: list[SpectrogramDecoder], count: int) -> Table:
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
    return Table(
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
    titles = ("clean", f"noise at {SNR_DB:g} dB", "rebuilt from clean", "rebuilt from noisy")
    spectrograms = (made.clean, made.noisy, made.from_clean, made.from_noisy)
    rebuilt = [audio(each, features) for each in spectrograms[2:]]
    paths = folder / "unet-waveforms.png", folder / "unet-spectrograms.png"
    sounds = (*made.samples, *rebuilt)
    figure, axes = panels(2, 2, WIDTH, HEIGHT, sharex=True, sharey=True)
    for panel, title, samples in zip(axes.flat, titles, sounds, strict=True):
        panel.plot(np.arange(len(samples)) / features.sample_rate, samples, linewidth=0.3)
        panel.set(title=title, xlabel="s", ylim=(-1.05, 1.05))
        panel.label_outer()
    save(figure, paths[0], DPI)
    figure, axes = panels(2, 2, WIDTH, HEIGHT, sharex=True, sharey=True)
    least = made.clean.max() - features.range_db * np.log(10) / 10
    for panel, title, log_power in zip(axes.flat, titles, spectrograms, strict=True):
        panel.pcolormesh(log_power, vmin=least, vmax=made.clean.max())
        panel.set(title=title, xlabel="frame", ylabel="mel band")
        panel.label_outer()
    save(figure, paths[1], DPI)
    return paths
