"""The demonstration: distort excerpts of recordings, ask for them, draw the best answer."""

from __future__ import annotations

import io
import tempfile
import warnings
import wave
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import samaf
from samaf.audio import SAMPLE_RATE, audio_files, load, read, source
from samaf.errors import AudioError, SamafError
from samaf.files import atomic
from samaf.records import AddResult, Codes, Match, QueryResult, Recording
from samaf.text import printable

CLIPS = Path(__file__).parent / "clips"  # what is bundled
EXCERPT = 6.0  # s
PLACE_TOLERANCE = 0.5  # s that an answer may be off
TELEPHONE_HZ = (300, 3_400)
MU = 255  # of the telephone's companding
SPECTRUM_WINDOW, SPECTRUM_STEP, SPECTRUM_FFT = 400, 80, 1024  # 25 ms every 5 ms
CONTEXT = 1.0  # s drawn on either side of the clip


# --- distortions: float32 (n,) to float32 (m,) -------------------------------------------


def noisy(samples: np.ndarray, snr: float, rng: np.random.Generator) -> np.ndarray:
    """Add white noise at a signal-to-noise ratio in dB."""
    power = float(np.mean(samples**2))
    noise = rng.normal(0, np.sqrt(power / 10 ** (snr / 10)), len(samples))
    return (samples + noise).astype(np.float32)


def telephone(samples: np.ndarray) -> np.ndarray:
    """Keep 300-3400 Hz and code each sample in 8 bits by the mu-law."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[(hertz < TELEPHONE_HZ[0]) | (hertz > TELEPHONE_HZ[1])] = 0
    band = np.fft.irfft(spectrum, len(samples))
    band /= max(float(np.abs(band).max()), 1e-9)
    companded = np.sign(band) * np.log1p(MU * np.abs(band)) / np.log1p(MU)
    coded = np.rint(companded * 127) / 127
    return (np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(MU)) / MU).astype(np.float32)


def faster(samples: np.ndarray, factor: float) -> np.ndarray:
    """Play at another speed: duration / factor, frequencies x factor."""
    length = round(len(samples) / factor)
    spectrum = np.fft.rfft(samples)
    kept = min(len(spectrum), length // 2 + 1)
    resized = np.zeros(length // 2 + 1, spectrum.dtype)
    resized[:kept] = spectrum[:kept]
    return (np.fft.irfft(resized, length) * (length / len(samples))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Distortion:
    """What is done to an excerpt."""

    name: str
    apply: Callable[[np.ndarray, np.random.Generator], np.ndarray]


DISTORTIONS = (
    Distortion("noise at 10 dB", lambda samples, rng: noisy(samples, 10, rng)),
    Distortion("telephone", lambda samples, _: telephone(samples)),
    Distortion("4 % faster", lambda samples, _: faster(samples, 1.04)),
    Distortion("noise at 5 dB", lambda samples, rng: noisy(samples, 5, rng)),
    Distortion("telephone, noise", lambda samples, rng: telephone(noisy(samples, 15, rng))),
    Distortion("telephone, 3 % slower", lambda samples, _: telephone(faster(samples, 0.97))),
)
NOTHING = Distortion("nothing", lambda samples, _: samples)


# --- the trials --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an excerpt was, and what samaf said about it.

    Attributes
    ----------
    name, start
        The file that it was cut from, and where, in seconds.
    sha256
        Of that file if it is in the store, else empty.
    """

    name: str
    start: float
    sha256: str
    distortion: Distortion
    result: QueryResult

    @property
    def match(self) -> Match | None:
        """The best match; none for unknown."""
        return self.result.matches[0] if self.result.matches else None

    @property
    def right(self) -> bool:
        """Whether recording and place are the true ones, or "unknown" is the truth."""
        if self.match is None or not self.sha256:
            return self.match is None and not self.sha256
        begin = self.match.reference_start - self.match.query_start / self.match.manipulation.tau
        near = abs(begin - self.start) <= PLACE_TOLERANCE
        return self.match.recording.sha256 == self.sha256 and near


@dataclass(frozen=True, slots=True)
class Report:
    """The whole demonstration.

    Attributes
    ----------
    scene
        What to draw of the best match; None when nothing was found.
    picture
        Where it was drawn, if it was.
    """

    added: tuple[AddResult, ...]
    impostor: str
    outcomes: tuple[Outcome, ...]
    scene: Scene | None
    picture: Path | None = None


def run(folder: Path | None, picture: Path, seed: int = 1) -> Report:
    """Ask for distorted excerpts, see `ask`, and draw the best match, see `draw`.

    Raises
    ------
    SamafError
        There are fewer than two usable recordings, or the picture cannot be written.
    """
    report = ask(folder, seed)
    if report.scene is None:
        return report
    draw(report.scene, picture)
    return replace(report, picture=picture)


def ask(folder: Path | None, seed: int = 1) -> Report:
    """Index a folder into a temporary store, and ask it for distorted excerpts.

    Parameters
    ----------
    folder
        By default the bundled clips. Copies of a file count once. The last file is kept out of
        the store.

    Raises
    ------
    SamafError
        There are fewer than two usable recordings.
    """
    folder = folder or CLIPS
    rng = np.random.default_rng(seed)
    files = _distinct(audio_files([folder]))
    few = f"{printable(folder)}: holds fewer than two usable recordings; give another folder"
    if len(files) < 2:
        raise SamafError(few)
    with (
        tempfile.TemporaryDirectory(prefix="samaf-demo-") as temporary,
        samaf.open(
            str(Path(temporary, "demo.db")), cache_folder=Path(temporary, "index")
        ) as opened,
    ):
        added = tuple(opened.add(files[:-1]))
        kept = {r.recording.recording_id: r.recording for r in added if r.recording}
        if not kept:
            raise SamafError(few)
        recordings = list(kept.values())
        paths = {printable(path.absolute()): path for path in files}
        tried: list[tuple[Outcome, bytes]] = []
        for number, distortion in enumerate(DISTORTIONS):
            recording = recordings[number * len(recordings) // len(DISTORTIONS)]
            path = paths[recording.path]
            tried.append(_try(opened, path, recording, distortion, rng))
        tried.append(_try(opened, files[-1], None, NOTHING, rng))
        right = [(outcome, clip) for outcome, clip in tried if outcome.right and outcome.match]
        scene = None
        if right:
            best, clip = max(right, key=lambda pair: pair[0].result.matches[0].score)
            scene = _scene(opened, best, clip, paths, recordings)
    outcomes = tuple(outcome for outcome, _ in tried)
    return Report(added, printable(files[-1].name), outcomes, scene)


def _distinct(files: Iterable[Path]) -> list[Path]:
    """Give the first file of each content: a copy of a stored one is no impostor."""
    by_digest: dict[str, Path] = {}
    for path in files:
        try:
            with source.opened(path) as given:
                by_digest.setdefault(source.sha256(given.file), path)
        except AudioError:
            by_digest[str(path)] = path  # adding it reports why
    return list(by_digest.values())


def _try(
    opened: samaf.Engine,
    path: Path,
    recording: Recording | None,
    distortion: Distortion,
    rng: np.random.Generator,
) -> tuple[Outcome, bytes]:
    """Cut an excerpt, distort it, ask for it; give the outcome and the clip as wav."""
    start, samples = _excerpt(path, rng)
    clip = wav(distortion.apply(samples, rng))
    sha256 = recording.sha256 if recording else ""
    result = opened.query(clip)
    assert isinstance(result, QueryResult)  # the default model is one of hashes
    return Outcome(printable(path.name), start, sha256, distortion, result), clip


def _excerpt(path: Path, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """Cut a piece from somewhere within a file: start in seconds, float32 (n,)."""
    with read(path) as audio:
        length = min(audio.count, round(EXCERPT * audio.sample_rate))
        start = int(rng.integers(audio.count - length + 1))
        return start / audio.sample_rate, _slice(audio.chunks(), start, start + length)


def _slice(chunks: Iterable[np.ndarray], start: int, stop: int) -> np.ndarray:
    """Take samples ``start`` to ``stop`` from chunks that follow on each other."""
    parts, first = [], 0
    for chunk in chunks:
        parts.append(chunk[max(0, start - first) : max(0, stop - first)])
        first += len(chunk)
        if first >= stop:
            break
    return np.concatenate(parts)


def wav(samples: np.ndarray) -> bytes:
    """Write samples as a 16-bit wav, peak 0.9."""
    scaled = samples / max(float(np.abs(samples).max(initial=0)), 1e-9) * 0.9 * 32767
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.rint(scaled).astype("<i2").tobytes())
    return out.getvalue()


# --- the picture -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the picture shows.

    Attributes
    ----------
    title
        What the clip is.
    clip, reference
        Samples, float32 (n,); the reference's begin at ``origin`` seconds in its recording.
    times
        Middle of each hash of the clip in seconds, (m,).
    rates, others
        Bit error rate of each against the match, and against another recording at the same
        place, (m,); NaN where there is none.
    """

    title: str
    match: Match
    clip: np.ndarray
    reference: np.ndarray
    origin: float
    times: np.ndarray
    rates: np.ndarray
    others: np.ndarray


def _scene(
    opened: samaf.Engine,
    outcome: Outcome,
    clip: bytes,
    paths: Mapping[str, Path],
    recordings: Sequence[Recording],
) -> Scene:
    """Gather what belongs to one right outcome."""
    match = outcome.result.matches[0]
    samples = load(clip)
    hop, block = opened.fingerprinter.hop, opened.fingerprinter.block
    hashes = opened.fingerprinter.hashes([samples], outcome.result.sha256)
    times = np.arange(len(hashes)) * hop + block / 2
    at = np.rint((_there(match, times) - block / 2) / hop).astype(int)
    other = next(
        (r for r in recordings if r.recording_id != match.recording.recording_id), match.recording
    )
    start = max(0.0, float(_there(match, np.array(-CONTEXT))))
    stop = float(_there(match, np.array(len(samples) / SAMPLE_RATE + CONTEXT)))
    with read(paths[match.recording.path]) as audio:
        bounds = round(start * audio.sample_rate), round(stop * audio.sample_rate)
        reference = _slice(audio.chunks(), *bounds)
    return Scene(
        outcome.distortion.name,
        match,
        samples,
        reference,
        start,
        times,
        error_rates(hashes, opened.store.hashes(match.recording.recording_id), at),
        error_rates(hashes, opened.store.hashes(other.recording_id), at),
    )


def _there(match: Match, times: np.ndarray) -> np.ndarray:
    """Turn times in the clip into times in the recording, along a match."""
    return match.reference_start + (times - match.query_start) / match.manipulation.tau


def error_rates(hashes: Codes, reference: Codes, at: np.ndarray) -> np.ndarray:
    """Compare hash i with hash ``at[i]`` of a reference: float (m,), NaN where there is none."""
    rates = np.full(len(hashes), np.nan)
    stored = (at >= 0) & (at < len(reference))
    differing = hashes.packed[stored] ^ reference.packed[at[stored]]
    rates[stored] = np.bitwise_count(differing).sum(axis=1) / hashes.bits
    return rates


def spectrogram(samples: np.ndarray) -> np.ndarray:
    """Give the power spectrum in dB below its peak, float (bins, frames), one every 5 ms."""
    padded = np.pad(samples, (0, max(0, SPECTRUM_WINDOW - len(samples))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, SPECTRUM_WINDOW)[::SPECTRUM_STEP]
    spectrum = np.abs(np.fft.rfft(windows * np.hanning(SPECTRUM_WINDOW), SPECTRUM_FFT))
    decibels = 20 * np.log10(np.maximum(spectrum, 1e-6)).T
    return np.asarray(decibels - decibels.max())


def draw(scene: Scene, path: Path) -> None:
    """Draw both spectrograms, aligned in time, and the bit error rate below them, as PNG.

    The file's folder is made. The file is there whole or not at all.

    Raises
    ------
    SamafError
        The file cannot be written.
    """
    from matplotlib.figure import Figure

    match, seconds = scene.match, len(scene.clip) / SAMPLE_RATE
    window = np.array([-CONTEXT, seconds + CONTEXT])
    figure = Figure(figsize=(10, 7.2), layout="constrained")
    above, middle, below = figure.subplots(3, 1, height_ratios=[3, 3, 2])

    _image(above, scene.clip, 0.0)
    above.set_xlim(*window)
    _title(above, f"The clip: {scene.title}")
    above.set_xlabel("time in the clip (s)")

    _image(middle, scene.reference, scene.origin)
    middle.set_xlim(*_there(match, window))
    _title(middle, f"The answer: {match.recording.name}")
    middle.set_xlabel("time in the recording (s)")
    for axes, edges in (
        (above, (match.query_start, match.query_stop)),
        (middle, (match.reference_start, match.reference_stop)),
    ):
        axes.set_ylabel("frequency (kHz)")
        for edge in edges:
            axes.axvline(edge, color="white", linestyle="--", linewidth=1.5)

    below.axvspan(match.query_start, match.query_stop, color="tab:green", alpha=0.12, linewidth=0)
    below.plot(scene.times, scene.rates, "o-", color="tab:green", markersize=5, label="the answer")
    below.plot(scene.times, scene.others, "o-", color="0.6", markersize=4, label="another one")
    below.axhline(0.5, color="black", linestyle=":", linewidth=1)
    below.annotate("chance", (window[1], 0.5), (-4, 3), textcoords="offset points", ha="right")
    below.set_xlim(*window)
    below.set_ylim(0, 0.8)
    below.set_xlabel("time in the clip (s), middle of each 1 s block")
    below.set_ylabel("bit error rate")
    _title(
        below,
        f"Bits that differ: {100 * match.ber:.0f} % over "
        f"{match.query_stop - match.query_start:.1f} s, score {match.score:.0f}",
    )
    below.legend(loc="upper left", ncols=2, frameon=False)
    below.grid(alpha=0.3)
    image = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes.
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(image, dpi=110)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            temporary.write_bytes(image.getvalue())
    except OSError as error:
        raise SamafError(
            f"{printable(path)}: the picture cannot be written ({error.strerror}); change to a "
            "folder that can be written"
        ) from None


def _image(axes: Any, samples: np.ndarray, origin: float) -> None:
    extent = (origin, origin + len(samples) / SAMPLE_RATE, 0, SAMPLE_RATE / 2000)
    axes.imshow(
        spectrogram(samples),
        origin="lower",
        aspect="auto",
        extent=extent,
        cmap="magma",
        vmin=-70,
        vmax=0,
    )
    axes.set_facecolor("black")


def _title(axes: Any, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=11, fontweight="bold", parse_math=False)
