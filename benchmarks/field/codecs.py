"""Round trips through codecs and processors that FFmpeg's encoders do not give.

Each works on float32 samples (n,), 16 kHz, within -1..1, and gives as many. What is not
installed is told by `missing`: libraries of the system are loaded when first used.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import io
import subprocess
from functools import cache
from importlib.util import find_spec
from shutil import which

import numpy as np
from scipy import signal

from benchmarks.errors import BenchmarkError
from samaf.audio import SAMPLE_RATE

NARROW_RATE = 8_000
OPUS_FRAME = 320  # 20 ms at 16 kHz
OPUS_VOIP = 2048
OPUS_SET_BITRATE, OPUS_SET_LOSS = 4002, 4014
AMR_WB_FRAME = 320  # 20 ms
AMR_WB_MODES = (6_600, 8_850, 12_650, 14_250, 15_850, 18_250, 19_850, 23_050, 23_850)
WEBRTC_FRAME = 160  # 10 ms
MOST_BYTES = 1_500  # of a packet

# What a condition may need: how to see that it is there, and how Debian or pip calls it.
NEEDS = {
    "sox": (lambda: which("sox") is not None, "the program sox"),
    "speexenc": (lambda: which("speexenc") is not None, "the program speexenc (Debian: speex)"),
    "opus": (lambda: ctypes.util.find_library("opus") is not None, "the library libopus0"),
    "amr-wb": (
        lambda: ctypes.util.find_library("vo-amrwbenc") is not None,
        "the library libvo-amrwbenc0",
    ),
    "codec2": (lambda: find_spec("pycodec2") is not None, "the package pycodec2"),
    "webrtc": (lambda: find_spec("webrtc_noise_gain") is not None, "the package webrtc-noise-gain"),
}


def missing(needs: tuple[str, ...]) -> str:
    """Name the first thing that is needed and not installed; empty when all are."""
    return next((NEEDS[name][1] for name in needs if not NEEDS[name][0]()), "")


def opus_with_losses(
    samples: np.ndarray, bit_rate: int, loss: float, rng: np.random.Generator
) -> np.ndarray:
    """Send over Opus in packets of 20 ms, some lost and concealed by the decoder."""
    opus = _opus()
    error = ctypes.c_int()
    encoder = opus.opus_encoder_create(SAMPLE_RATE, 1, OPUS_VOIP, ctypes.byref(error))
    decoder = opus.opus_decoder_create(SAMPLE_RATE, 1, ctypes.byref(error))
    try:
        for request, value in ((OPUS_SET_BITRATE, bit_rate), (OPUS_SET_LOSS, round(100 * loss))):
            opus.opus_encoder_ctl(encoder, request, ctypes.c_int(value))
        packet = ctypes.create_string_buffer(MOST_BYTES)
        heard = (ctypes.c_float * OPUS_FRAME)()
        parts = []
        for frame in _frames(samples, OPUS_FRAME):
            sound = np.ascontiguousarray(frame, np.float32)
            size = opus.opus_encode_float(
                encoder, sound.ctypes.data, OPUS_FRAME, packet, MOST_BYTES
            )
            lost = rng.random() < loss
            data, length = (None, 0) if lost else (packet, size)
            opus.opus_decode_float(decoder, data, length, heard, OPUS_FRAME, 0)
            parts.append(np.array(heard, np.float32))
    finally:
        opus.opus_encoder_destroy(encoder)
        opus.opus_decoder_destroy(decoder)
    return fitted(np.concatenate(parts), len(samples))


@cache
def _opus() -> ctypes.CDLL:
    opus = _library("opus")
    for maker in (opus.opus_encoder_create, opus.opus_decoder_create):
        maker.restype = ctypes.c_void_p
    opus.opus_encoder_ctl.argtypes = [ctypes.c_void_p, ctypes.c_int]
    opus.opus_encode_float.argtypes = [
        *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int32)
    ]
    opus.opus_decode_float.argtypes = [
        *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p),
        *(ctypes.c_int, ctypes.c_int),
    ]
    opus.opus_encoder_destroy.argtypes = opus.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    return opus


def amr_wide_band(samples: np.ndarray, bit_rate: int) -> np.ndarray:
    """Send over AMR-WB at one of `AMR_WB_MODES`."""
    encoder = _library("vo-amrwbenc")
    encoder.E_IF_init.restype = ctypes.c_void_p
    encoder.E_IF_encode.argtypes = [
        *(ctypes.c_void_p, ctypes.c_int16, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int16)
    ]
    encoder.E_IF_exit.argtypes = [ctypes.c_void_p]
    state = encoder.E_IF_init()
    packet = ctypes.create_string_buffer(MOST_BYTES)
    coded = bytearray(b"#!AMR-WB\n")
    mode = AMR_WB_MODES.index(bit_rate)
    try:
        for frame in _frames(pcm(samples), AMR_WB_FRAME):
            sound = np.ascontiguousarray(frame)
            size = encoder.E_IF_encode(state, mode, sound.ctypes.data, packet, 0)
            coded += packet.raw[:size]
    finally:
        encoder.E_IF_exit(state)
    return fitted(decoded(bytes(coded), "amr"), len(samples))


def speex(samples: np.ndarray, quality: int, *, wide: bool) -> np.ndarray:
    """Send over Speex, narrow (8 kHz) or wide band, by the program speexenc."""
    rate = SAMPLE_RATE if wide else NARROW_RATE
    form = ["--rate", str(rate), "--le", "--16bit", "--wideband" if wide else "--narrowband"]
    command = ["speexenc", *form, "--quality", str(quality), "-", "-"]
    data = pcm(_resampled(samples, rate)).astype("<i2").tobytes()
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise BenchmarkError(f"speexenc refuses a clip ({reason[-1]})")
    return fitted(decoded(done.stdout, "ogg"), len(samples))


def codec2(samples: np.ndarray, bit_rate: int) -> np.ndarray:
    """Send over codec2, a vocoder for radio."""
    import pycodec2

    coder = pycodec2.Codec2(bit_rate)
    size = coder.samples_per_frame()
    frames = _frames(pcm(_resampled(samples, NARROW_RATE)), size)
    narrow = np.concatenate([coder.decode(coder.encode(np.ascontiguousarray(f))) for f in frames])
    return fitted(signal.resample_poly(narrow / 32_768, 2, 1), len(samples))


def webrtc(samples: np.ndarray, gain_db: int, suppression: int) -> np.ndarray:
    """Pass through WebRTC's noise suppression (0 to 4) and automatic gain (0 to 31 dB)."""
    from webrtc_noise_gain import AudioProcessor

    processor = AudioProcessor(gain_db, suppression)
    parts = [
        np.frombuffer(processor.Process10ms(frame.tobytes()).audio, np.int16)
        for frame in _frames(pcm(samples), WEBRTC_FRAME)
    ]
    return fitted(np.concatenate(parts) / 32_768, len(samples))


def concealed(samples: np.ndarray, loss: float, rng: np.random.Generator) -> np.ndarray:
    """Lose packets of 20 ms and fill them as telephones do (G.711, appendix I).

    The last pitch period before the loss is repeated, ever more quietly: silent after 60 ms.
    """
    packet, slowest, fastest = SAMPLE_RATE // 50, SAMPLE_RATE // 66, SAMPLE_RATE // 200
    out = np.array(samples, np.float32)
    fade = np.linspace(1, 0, 3 * packet, dtype=np.float32)
    run = 0
    for start in range(3 * slowest, len(out) - packet + 1, packet):
        if rng.random() >= loss:
            run = 0
            continue
        past = out[start - run * packet - 3 * slowest : start - run * packet]
        recent = past[-slowest:]
        likeness = [
            float(recent @ past[len(past) - slowest - lag : len(past) - lag])
            for lag in range(fastest, slowest + 1)
        ]
        period = past[-(fastest + int(np.argmax(likeness))) :]
        filled = np.resize(np.roll(period, -(run * packet) % len(period)), packet)
        quiet = fade[run * packet : (run + 1) * packet]
        out[start : start + packet] = filled * np.pad(quiet, (0, packet - len(quiet)))
        run += 1
    return out


def decoded(data: bytes, container: str) -> np.ndarray:
    """Decode a file in memory, float (n,) at 16 kHz."""
    import av

    back = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    with av.open(io.BytesIO(data), "r", format=container) as coded:
        parts = [p.to_ndarray()[0] for f in coded.decode(audio=0) for p in back.resample(f)]
        parts += [p.to_ndarray()[0] for p in back.resample(None)]
    return np.concatenate(parts)


def fitted(samples: np.ndarray, count: int) -> np.ndarray:
    """Cut, or pad with zeros, to ``count`` samples, float32."""
    cut = samples[:count].astype(np.float32)
    return np.pad(cut, (0, count - len(cut)))


def pcm(samples: np.ndarray) -> np.ndarray:
    """Give samples as int16; what is beyond full scale is clipped."""
    return np.rint(np.clip(samples, -1, 1) * 32_767).astype(np.int16)


def _resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    return samples if rate == SAMPLE_RATE else signal.resample_poly(samples, rate, SAMPLE_RATE)


def _frames(samples: np.ndarray, size: int) -> np.ndarray:
    """Cut into frames, the last one filled with zeros, (m, size)."""
    return np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)


@cache
def _library(name: str) -> ctypes.CDLL:
    path = ctypes.util.find_library(name)
    if path is None:
        raise BenchmarkError(f"the library {name} is not installed")
    return ctypes.CDLL(path)
