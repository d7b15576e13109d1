"""What conditions need beside Python: codecs, SoX, WebRTC's audio processing."""

from __future__ import annotations

import subprocess
from importlib.util import find_spec
from shutil import which

import numpy as np

from benchmarks.errors import BenchmarkError
from samaf.audio import SAMPLE_RATE
from samaf.training.codecs import available

RAW = ["-t", "raw", "-r", str(SAMPLE_RATE), "-e", "floating-point", "-b", "32", "-c", "1"]
WEBRTC_FRAME = 160  # samples: 10 ms at 16 kHz

# What a need may be installed by; codecs that come with PyAV are always there.
SOURCES = {
    "sox": "the program sox",
    "webrtc": "the Python package webrtc-noise-gain",
    "codec2": "the programs c2enc and c2dec (Debian: codec2)",
    "speex": "the programs speexenc and speexdec (Debian: speex)",
    "amr-wb": "the library libvo-amrwbenc0",
}


def missing(need: str) -> str:
    """Name what is not installed of a key of `SOURCES`; empty where it is there or none needed."""
    there = {
        "": lambda: True,
        "sox": lambda: which("sox") is not None,
        "webrtc": lambda: find_spec("webrtc_noise_gain") is not None,
    }.get(need, lambda: need in available())
    return "" if there() else SOURCES[need]


def sox(samples: np.ndarray, *command: str) -> np.ndarray:
    """Send samples through SoX; ``command`` is what follows the input.

    Raises
    ------
    BenchmarkError
        SoX refuses.
    """
    data = samples.astype(np.float32).tobytes()
    done = subprocess.run(
        ["sox", "-R", *RAW, "-", *command], input=data, capture_output=True, check=False
    )
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise BenchmarkError(f"SoX refuses a clip ({reason[-1]})")
    return np.frombuffer(done.stdout, np.float32)


def webrtc(samples: np.ndarray, gain_db: int, suppression: int) -> np.ndarray:
    """Pass through WebRTC's noise suppression (0 to 4) and automatic gain (0 to 31 dB)."""
    from webrtc_noise_gain import AudioProcessor

    processor = AudioProcessor(gain_db, suppression)
    padded = np.pad(pcm(samples), (0, -len(samples) % WEBRTC_FRAME)).reshape(-1, WEBRTC_FRAME)
    parts = [processor.Process10ms(frame.tobytes()).audio for frame in padded]
    decoded = np.frombuffer(b"".join(parts), np.int16) / 32_768
    return decoded[: len(samples)].astype(np.float32)


def pcm(samples: np.ndarray) -> np.ndarray:
    """Give samples as int16; what is beyond full scale is clipped."""
    return np.rint(np.clip(samples, -1, 1) * 32_767).astype(np.int16)


def fitted(samples: np.ndarray, count: int) -> np.ndarray:
    """Cut, or pad with zeros, to ``count`` samples, float32."""
    cut = samples[:count].astype(np.float32)
    return np.pad(cut, (0, count - len(cut)))
