"""Speech through codecs: encoded and decoded, with lost packets concealed as receivers do.

Every function takes float32 samples (n,) at 16 kHz with a peak of about 1 and gives as many,
aligned in time. FFmpeg's codecs come with the package (PyAV). SoX, Speex and Codec 2 are
programs of the system: `available` leaves their codecs out where they are not installed.
"""

from __future__ import annotations

import ctypes
import io
import subprocess
from collections.abc import Mapping, Sequence
from ctypes.util import find_library
from dataclasses import dataclass
from functools import cache
from shutil import which
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import signal

from samaf.audio import SAMPLE_RATE

SLOT_SECONDS = 0.02  # grid on which packets are lost
FADE_SECONDS = 0.06  # a repeated period dies away within this time (ITU-T G.711 Appendix I)
PERIODS = (40, 240)  # samples at 16 kHz: pitch of 67 to 400 Hz
HEADROOM = 0.7  # programs clip where resampling overshoots
LAPSE_SECONDS = 20  # a program that takes longer hangs


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec and how to reach it.

    Attributes
    ----------
    rate
        Sample rate in Hz at which it codes.
    bit_rates
        The modes it has, bit/s; or, where ``continuous``, the lowest and highest in use.
    delay_s
        What the decoder's output lags behind in seconds, where the container tells nobody.
    encoder, container
        FFmpeg's encoder, and the format that carries its packets.
    decoder
        FFmpeg's decoder where the usual one conceals nothing.
    erased
        What stands for a lost packet, made from the packet: the decoder then conceals.
    program, backend
        The program that codes, or the shared library that encodes, in place of FFmpeg.
    """

    rate: int
    bit_rates: tuple[int, ...]
    continuous: bool = False
    delay_s: float = 0.0
    encoder: str = ""
    container: str = "nut"
    decoder: str = ""
    erased: str = ""
    program: str = ""
    backend: str = ""


AMR = (4750, 5150, 5900, 6700, 7400, 7950, 10200, 12200)
AMR_WB = (6600, 8850, 12650, 14250, 15850, 18250, 19850, 23050, 23850)
SPEEX_NARROW = (2150, 3950, 5950, 8000, 11000, 15000, 18200, 24600)
SPEEX_WIDE = (3950, 5800, 7750, 9800, 12800, 16800, 20600, 23800)
CODEC2 = (1200, 1300, 1400, 1600, 2400, 3200)

CODECS: Mapping[str, Codec] = MappingProxyType(
    {
        "g711-alaw": Codec(8_000, (64_000,), encoder="pcm_alaw"),
        "g711-mulaw": Codec(8_000, (64_000,), encoder="pcm_mulaw"),
        "g722": Codec(16_000, (64_000,), delay_s=0.0014, encoder="g722"),
        "g723.1": Codec(8_000, (6300,), delay_s=0.0075, encoder="g723_1"),
        "g726": Codec(8_000, (16_000, 24_000, 32_000, 40_000), encoder="g726", container="wav"),
        "gsm": Codec(8_000, (13_000,), program="sox"),
        "amr": Codec(
            8_000,
            AMR,
            delay_s=0.005,
            encoder="libopencore_amrnb",
            decoder="libopencore_amrnb",
            erased="no data",
        ),
        "amr-wb": Codec(
            16_000,
            AMR_WB,
            delay_s=0.006,
            container="amr",
            decoder="libopencore_amrwb",
            erased="no data",
            backend="vo-amrwbenc",
        ),
        "speex": Codec(8_000, SPEEX_NARROW, program="speexenc"),
        "speex-wide": Codec(16_000, SPEEX_WIDE, program="speexenc"),
        "opus": Codec(
            16_000,
            (6_000, 24_000),
            continuous=True,
            encoder="libopus",
            container="matroska",
            decoder="libopus",
            erased="header",
        ),
        "mp3": Codec(
            16_000, (8_000, 16_000, 24_000, 32_000), encoder="libmp3lame", container="matroska"
        ),
        "aac": Codec(
            16_000, (12_000, 32_000), continuous=True, encoder="aac", container="matroska"
        ),
        "sbc": Codec(
            16_000,
            (32_000, 64_000),
            continuous=True,
            delay_s=0.0046,
            encoder="sbc",
            container="sbc",
        ),
        "realaudio": Codec(8_000, (8_000,), encoder="real_144", container="matroska"),
        "codec2": Codec(8_000, CODEC2, delay_s=0.019, program="c2enc"),
        "lpc10": Codec(8_000, (2_400,), delay_s=0.1345, program="sox"),
    }
)


@cache
def available() -> tuple[str, ...]:
    """Name the codecs that this machine has."""
    return tuple(
        name
        for name, codec in CODECS.items()
        if (not codec.program or which(codec.program))
        and (not codec.backend or find_library(codec.backend))
    )


def transmitted(
    samples: np.ndarray, name: str, bit_rate: int, lost: np.ndarray | None = None
) -> np.ndarray:
    """Encode, lose packets, decode.

    Parameters
    ----------
    name
        One of `available`.
    bit_rate
        bit/s; of a codec with modes one of ``CODECS[name].bit_rates``.
    lost
        bool (slots,), see `burst_losses`: a packet that begins in a lost slot of 20 ms does
        not arrive. AMR and Opus decoders conceal it themselves; elsewhere the last period of
        what came before is repeated and dies away.

    Returns
    -------
    float32 (n,), same length.
    """
    codec = CODECS[name]
    pcm = _narrowed(samples, codec.rate)
    if codec.program:
        decoded = _PROGRAMS[name](pcm, codec.rate, bit_rate)
        wide = _widened(decoded, codec, len(samples))
        return wide if lost is None else concealed(wide, lost)
    encode = _amr_wb if codec.backend else _encoded
    decoded, missing = _decoded(encode(pcm, codec, bit_rate), codec, lost)
    wide = _widened(decoded, codec, len(samples))
    return wide if missing is None else concealed(wide, missing)


def burst_losses(
    seconds: float, share: float, mean_burst: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw lost slots of 20 ms from a two-state Markov chain (Gilbert).

    Parameters
    ----------
    share
        Of slots that are lost on average, 0 to below 1.
    mean_burst
        Mean number of slots lost in a row, 1 or more.

    Returns
    -------
    bool (slots,); the first slot arrives.
    """
    count = int(np.ceil(seconds / SLOT_SECONDS))
    recover = 1 / mean_burst
    fail = min(1.0, recover * share / (1 - share))
    drawn = rng.random(count)
    lost = np.zeros(count, bool)
    for i in range(1, count):
        lost[i] = drawn[i] >= recover if lost[i - 1] else drawn[i] < fail
    return lost


def concealed(samples: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Replace lost slots by the last period before them, repeated and dying away in 60 ms."""
    out = samples.copy()
    slot = round(SLOT_SECONDS * SAMPLE_RATE)
    fade = FADE_SECONDS * SAMPLE_RATE
    edges = np.flatnonzero(np.diff(np.r_[False, lost, False].astype(np.int8)))
    for first, last in zip(edges[::2] * slot, edges[1::2] * slot, strict=True):
        stop = min(int(last), len(out))
        if first >= stop:
            continue
        before = out[max(0, first - 2 * PERIODS[1]) : first]
        gap = stop - first
        if len(before) < 2 * PERIODS[1]:
            out[first:stop] = 0
            continue
        repeated = np.resize(before[-_period(before) :], gap)
        out[first:stop] = repeated * np.clip(1 - np.arange(gap) / fade, 0, 1)
    return out


def _period(before: np.ndarray) -> int:
    """Find the lag at which the end of a sound resembles what came before it most."""
    end = before[-PERIODS[1] :].astype(np.float64)
    scores = []
    for lag in range(*PERIODS):
        earlier = before[len(before) - PERIODS[1] - lag : len(before) - lag].astype(np.float64)
        scores.append(end @ earlier / np.sqrt(earlier @ earlier + 1e-9))
    return PERIODS[0] + int(np.argmax(scores))


def _narrowed(samples: np.ndarray, rate: int) -> np.ndarray:
    """Resample to int16 at the codec's rate."""
    if rate != SAMPLE_RATE:
        samples = signal.resample_poly(samples, rate, SAMPLE_RATE)
    return (np.clip(HEADROOM * samples, -1, 1) * 32767).astype(np.int16)


def _widened(decoded: np.ndarray, codec: Codec, count: int) -> np.ndarray:
    """Bring decoded float samples to 16 kHz, take the delay out, cut or pad to ``count``."""
    decoded = decoded[round(codec.delay_s * codec.rate) :]
    if codec.rate != SAMPLE_RATE:
        decoded = signal.resample_poly(decoded, SAMPLE_RATE, codec.rate)
    whole = (decoded[:count] / HEADROOM).astype(np.float32)
    return np.pad(whole, (0, count - len(whole)))


# FFmpeg -----------------------------------------------------------------------------


def _encoded(pcm: np.ndarray, codec: Codec, bit_rate: int) -> io.BytesIO:
    import av

    memory = io.BytesIO()
    with av.open(memory, "w", format=codec.container) as out:
        stream: Any = out.add_stream(codec.encoder, rate=codec.rate, layout="mono")
        stream.bit_rate = bit_rate
        stream.codec_context.open()
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = codec.rate
        size = stream.frame_size or round(SLOT_SECONDS * codec.rate)
        convert = av.AudioResampler(stream.format, "mono", codec.rate, size)
        for part in (*convert.resample(frame), *convert.resample(None)):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    memory.seek(0)
    return memory


def _amr_wb(pcm: np.ndarray, codec: Codec, bit_rate: int) -> io.BytesIO:
    """Encode AMR-WB by its library; RFC 4867 names the storage format."""
    library = ctypes.CDLL(find_library(codec.backend))
    library.E_IF_init.restype = ctypes.c_void_p
    state = ctypes.c_void_p(library.E_IF_init())
    mode, packet = AMR_WB.index(bit_rate), ctypes.create_string_buffer(64)
    data = [b"#!AMR-WB\n"]
    frame = round(SLOT_SECONDS * codec.rate)
    for speech in np.pad(pcm, (0, -len(pcm) % frame + frame)).reshape(-1, frame):
        size = library.E_IF_encode(state, mode, speech.ctypes.data_as(ctypes.c_void_p), packet, 0)
        data.append(packet.raw[:size])
    library.E_IF_exit(state)
    return io.BytesIO(b"".join(data))


def _decoded(
    memory: io.BytesIO, codec: Codec, lost: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode what arrives; also tell which slots are still to be concealed."""
    import av

    back = av.AudioResampler("flt", "mono", codec.rate)
    missing = None if lost is None else np.zeros_like(lost)
    parts: list[np.ndarray] = []
    with av.open(memory, "r", format=codec.container) as coded:
        stream = coded.streams.audio[0]
        context: Any = stream.codec_context
        if codec.decoder:
            context = av.CodecContext.create(codec.decoder, "r")
            context.extradata, context.sample_rate = stream.codec_context.extradata, codec.rate
            context.layout = "mono"
        for packet in coded.demux(stream):
            at = 0.0 if packet.pts is None else float(packet.pts * packet.time_base)
            slots = slice(max(0, round(at / SLOT_SECONDS)), None)
            if lost is not None and missing is not None and lost[slots][:1].any():
                if codec.erased:
                    packet = _erased(packet, codec.erased)
                else:
                    long = float((packet.duration or 0) * packet.time_base)
                    missing[slots][: max(1, round(long / SLOT_SECONDS))] = True
            parts += [p.to_ndarray()[0] for f in context.decode(packet) for p in back.resample(f)]
        parts += [p.to_ndarray()[0] for p in back.resample(None)]
    return np.concatenate(parts), missing if missing is not None and missing.any() else None


def _erased(packet: Any, how: str) -> Any:
    """Make the packet that a decoder takes as lost: AMR's frame type 15, or Opus without data."""
    import av

    data = b"\x7c" if how == "no data" else bytes(packet)[:1]
    empty = av.Packet(data)
    empty.pts, empty.time_base = packet.pts, packet.time_base
    return empty


# Programs ---------------------------------------------------------------------------


def _piped(commands: Sequence[Sequence[str]], pcm: np.ndarray) -> np.ndarray:
    """Send int16 samples through programs, one after the other; float64 samples come back."""
    data = pcm.astype("<i2").tobytes()
    for command in commands:
        data = subprocess.run(
            command, input=data, capture_output=True, check=True, timeout=LAPSE_SECONDS
        ).stdout
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2") / 32768


def _sox(kind: str, pcm: np.ndarray, rate: int) -> np.ndarray:
    raw = ["-t", "raw", "-r", str(rate), "-e", "signed", "-b", "16", "-c", "1", "-"]
    coded = ["-t", kind, "-r", str(rate), "-c", "1"]
    return _piped((["sox", "-R", *raw, *coded, "-"], ["sox", "-R", *coded, "-", *raw]), pcm)


def _gsm(pcm: np.ndarray, rate: int, bit_rate: int) -> np.ndarray:
    return _sox("gsm", pcm, rate)


def _lpc10(pcm: np.ndarray, rate: int, bit_rate: int) -> np.ndarray:
    return _sox("lpc10", pcm, rate)


def _speex(pcm: np.ndarray, rate: int, bit_rate: int) -> np.ndarray:
    band = "--narrowband" if rate == 8_000 else "--wideband"
    encode = ["speexenc", band, "--rate", str(rate), "--bitrate", str(bit_rate), "--le", "-", "-"]
    return _piped((encode, ["speexdec", "-", "-"]), pcm)


def _codec2(pcm: np.ndarray, rate: int, bit_rate: int) -> np.ndarray:
    mode = str(bit_rate)
    return _piped((["c2enc", mode, "-", "-"], ["c2dec", mode, "-", "-"]), pcm)


_PROGRAMS = {
    "gsm": _gsm,
    "lpc10": _lpc10,
    "speex": _speex,
    "speex-wide": _speex,
    "codec2": _codec2,
}
