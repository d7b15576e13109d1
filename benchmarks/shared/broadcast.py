"""A broadcast-like stream: programmes with prompts, jingles and music beds that recur."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.sampling import generator, required
from samaf.audio import SAMPLE_RATE, load
from samaf.training.corpora import Clip, Corpus

PLANTED_SECONDS = (3.0, 12.0)
KINDS = ("prompt", "jingle", "bed")
BED_SNR = (0.0, 6.0)  # dB in `BED_BAND` of a music bed over the voice that speaks over it
BED_BAND = (150.0, 5_000.0)  # Hz: a voice masks a drone below
LEAST_BED = 0.1  # of the mean power there: a bed begins and ends where it is no fainter
FRAME = SAMPLE_RATE // 100
GAIN = (0.25, 1.0)  # of a place
BETWEEN_SECONDS = 20.0  # of programme between two planted places, on average
PLACES = 12  # of a planted piece, on average; more of each once there are MOST_PIECES
MOST_PIECES = 60
# Speech at a quarter more or less speed is other speech, to hashes and to signals.
SPEEDS = (1.0, 0.8, 1.25, 0.64, 1.5625)


@dataclass(frozen=True, slots=True)
class Planted:
    """A place of a planted piece; ``piece`` is its number."""

    piece: int
    kind: str
    start: float
    stop: float


class Broadcast:
    """Writes a stream piece by piece, and keeps where everything is.

    Programmes are speech of the corpus, each clip once, and then all of them again at other
    speeds.
    """

    def __init__(self, corpus: Corpus, splits: tuple[str, ...], seconds: float, seed: str) -> None:
        self._rng = generator(seed)
        speech = list(required(corpus, "speech", *splits))
        music = _one_of_each(
            c for c in required(corpus, "music", *splits) if _seconds(c) >= PLANTED_SECONDS[1]
        )
        order = self._rng.permutation(len(speech))
        count = max(2, min(MOST_PIECES, round(seconds / BETWEEN_SECONDS / PLACES)))
        self._pieces = [
            self._piece(n, [speech[i] for i in order[:count]], music) for n in range(count)
        ]
        self._speech = [speech[i] for i in order[count:]]
        self._seconds = seconds

    def _piece(self, number: int, voices: list[Clip], music: list[Clip]) -> tuple[str, np.ndarray]:
        kind = KINDS[number % len(KINDS)]
        # A second piece of the same clip of music would be the same piece in part.
        if kind != "prompt" and number // len(KINDS) * 2 + 1 >= len(music):
            kind = "prompt"
        clip = voices[number] if kind == "prompt" else music[number // 3 * 2 + (kind == "bed")]
        samples = _from_first_sound(load(clip.path), kind)
        longest = min(PLANTED_SECONDS[1], len(samples) / SAMPLE_RATE)
        count = round(self._rng.uniform(PLANTED_SECONDS[0], max(longest, 3.1)) * SAMPLE_RATE)
        return kind, _from_first_sound(samples[:count][::-1], kind)[::-1]

    def _programme(self) -> Iterator[np.ndarray]:
        """Yield all speech, at one speed after the other."""
        import soxr

        for speed in SPEEDS:
            for clip in self._speech:
                samples = load(clip.path)
                yield samples if speed == 1 else soxr.resample(samples, speed, 1.0, "HQ")

    def parts(self) -> Iterator[tuple[np.ndarray, Planted | None]]:
        """Yield samples one after the other, and what is planted in them."""
        position = 0
        programme = self._programme()
        while position < self._seconds * SAMPLE_RATE:
            for _ in range(int(self._rng.integers(1, 4))):
                samples = next(programme, None)
                if samples is None:
                    return
                position += len(samples)
                yield samples, None
            for _ in range(int(self._rng.integers(1, 4))):
                number = int(self._rng.integers(len(self._pieces)))
                kind, piece = self._pieces[number]
                samples = piece * np.float32(self._rng.uniform(*GAIN))
                if kind == "bed":
                    voice = next(programme, None)  # one that is nowhere else
                    if voice is None:
                        return
                    samples = self._under_voice(samples, voice)
                start = position / SAMPLE_RATE
                position += len(samples)
                yield samples, Planted(number, kind, start, position / SAMPLE_RATE)

    def _under_voice(self, bed: np.ndarray, voice: np.ndarray) -> np.ndarray:
        """Lay a voice over a bed."""
        voice = np.resize(voice, len(bed))
        level = 10 ** (-self._rng.uniform(*BED_SNR) / 20)
        level *= _in_band(bed).std() / max(_in_band(voice).std(), 1e-6)
        return np.asarray(bed + voice * level, np.float32)


def _one_of_each(clips: Iterable[Clip]) -> list[Clip]:
    """Keep the first clip of each recording: a song repeats itself from clip to clip."""
    first: dict[str, Clip] = {}
    for clip in clips:
        first.setdefault(clip.recording, clip)
    return list(first.values())


def _from_first_sound(samples: np.ndarray, kind: str) -> np.ndarray:
    """Leave out what is 40 dB quieter than the rest: where silence ends cannot be seen.

    What is 10 dB quieter for half a second is masked by a voice.
    """
    is_bed = kind == "bed"
    frame, least = (SAMPLE_RATE // 2, LEAST_BED) if is_bed else (FRAME, 1e-4)
    judged = _in_band(samples) if is_bed else samples
    frames = judged[: len(judged) // frame * frame].reshape(-1, frame)
    loud = np.square(frames).mean(axis=1) > least * np.square(judged).mean()
    return samples[int(loud.argmax()) * frame :]


def _in_band(samples: np.ndarray) -> np.ndarray:
    """Keep the frequencies of `BED_BAND`."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[(hertz < BED_BAND[0]) | (hertz > BED_BAND[1])] = 0
    return np.asarray(np.fft.irfft(spectrum, len(samples)), np.float32)


def _seconds(clip: Clip) -> float:
    return len(load(clip.path)) / SAMPLE_RATE


def write(parts: Iterator[tuple[np.ndarray, Planted | None]], path: Path) -> list[Planted]:
    """Write parts as WAV of 16 bits; give what was planted."""
    planted = []
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for samples, place in parts:
            # Room for voice and bed together.
            file.writeframes(np.clip(samples * 15_000, -32_767, 32_767).astype("<i2").tobytes())
            if place:
                planted.append(place)
    return planted
