"""Every parameter between samples and encoder input, in one frozen record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from samaf.errors import FingerprinterError


@dataclass(frozen=True, slots=True)
class FeatureParameters:
    """How samples become frames and frames become blocks.

    The defaults are those of the SAMAF paper, section 3.2, and of the package
    python_speech_features.

    Attributes
    ----------
    sample_rate
        Hz.
    window, step
        Samples per frame and between frames: 25 ms and 10 ms at 16 kHz.
    fft
        Points of the Fourier transform.
    mel_bands, low_hz, high_hz
        Triangular bands, equally wide on the mel scale, and their range.
    coefficients
        Cepstral coefficients kept; the first is the frame's log energy.
    preemphasis, lifter
        Weight of the sample before; length of the sine lifter.
    floor
        Least power of a band. 0 keeps the smallest double instead of zero.
    block_frames, hop_frames
        Frames of a block and from one block to the next: 1 s and 0.25 s.
    subtract_mean
        Take each block's own mean from its frames: a filter or a microphone is a
        constant in the cepstrum.
    stack
        Neighboring frames joined into one step of the encoder.
    tau, rho
        Time and pitch factor that the samples are supposed to have suffered; the
        features undo them. See ``samaf.records.Manipulation``.
    """

    sample_rate: int = 16_000
    window: int = 400
    step: int = 160
    fft: int = 512
    mel_bands: int = 26
    low_hz: float = 0.0
    high_hz: float = 8_000.0
    coefficients: int = 13
    preemphasis: float = 0.97
    lifter: int = 22
    floor: float = 0.0
    block_frames: int = 100
    hop_frames: int = 25
    subtract_mean: bool = False
    stack: int = 1
    tau: float = 1.0
    rho: float = 1.0

    def __post_init__(self) -> None:
        if self.block_frames % self.stack:
            raise FingerprinterError(
                f"stack {self.stack} does not divide the {self.block_frames} frames of a block; "
                "choose a divisor"
            )
        if self.coefficients > self.mel_bands:
            raise FingerprinterError(
                f"{self.coefficients} coefficients cannot come from {self.mel_bands} mel bands; "
                "ask for fewer"
            )
        if self.window > self.fft:
            raise FingerprinterError(
                f"a window of {self.window} samples does not fit {self.fft} FFT points; "
                "take more points"
            )

    @property
    def hop_seconds(self) -> float:
        """Time from one block to the next."""
        return self.hop_frames * self.step / self.sample_rate

    @property
    def block_seconds(self) -> float:
        """Nominal length of a block: frames x step, without the last window's tail."""
        return self.block_frames * self.step / self.sample_rate

    @property
    def steps(self) -> tuple[int, int]:
        """Encoder steps of a block and values of one step."""
        return self.block_frames // self.stack, self.coefficients * self.stack

    def as_dict(self) -> dict[str, Any]:
        """Give all fields, for model cards."""
        return asdict(self)
