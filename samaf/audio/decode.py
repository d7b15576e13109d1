"""Decoding: any file that FFmpeg knows becomes mono float32 samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from samaf.audio.announced import announced_seconds
from samaf.audio.source import Opened
from samaf.errors import AudioError

SAMPLE_RATE = 16_000  # Hz
TRUNCATED_SECONDS = 1.0  # audio that may lack against the header before a file counts as cut
# FFmpeg's own AMR-NB decoder refuses frames of discontinuous transmission.
DECODERS = {"amrnb": "libopencore_amrnb"}
# Formats without a header, which FFmpeg guesses from bytes such as plain text.
GUESSED = frozenset({"amrnb", "amrwb"})


def decode(source: Opened, rate: int = SAMPLE_RATE) -> Iterator[np.ndarray]:
    """Yield the samples of the first sound track, float32 (n,), mono at ``rate`` Hz.

    Channels are averaged. Levels stay as they are in the file.

    Raises
    ------
    AudioError
        The bytes are no audio, there is no sound track, the file is cut off, or it
        holds samples that are no numbers.
    """
    import av

    name = source.path or source.name
    seconds = 0.0
    try:
        with av.open(source.file, mode="r", metadata_errors="replace") as container:
            if container.format.name in GUESSED:
                raise AudioError(
                    f"{name}: cannot be decoded as audio (no known header); "
                    "convert it to wav or flac"
                )
            if not container.streams.audio:
                raise AudioError(f"{name}: there is no sound track in it; give a file with sound")
            for samples in _stream(container, source, rate):
                seconds += len(samples) / rate
                yield samples
    except av.error.FFmpegError as error:
        reason = error.strerror or type(error).__name__
        if seconds:
            raise AudioError(
                f"{name}: damaged or cut off after {seconds:.1f} s ({reason}); "
                "get the whole file or save what is left as wav"
            ) from None
        raise AudioError(
            f"{name}: cannot be decoded as audio ({reason}); convert it to wav or flac"
        ) from None


def _stream(  # type: ignore[no-untyped-def]
    container, source: Opened, rate: int
) -> Iterator[np.ndarray]:
    import av

    name = source.path or source.name
    stream = container.streams.audio[0]
    decoder = special_decoder(stream)
    announced = announced_seconds(source.file, container, stream)
    # One frame a second out: fewer and larger arrays.
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate, frame_size=rate)
    decoded = 0.0
    try:
        for packet in container.demux(stream):
            frames = decoder.decode(packet) if decoder else packet.decode()
            for frame in frames:
                frame.pts = None
                decoded += frame.samples / frame.sample_rate
                for resampled in resampler.resample(frame):
                    yield finite_samples(resampled, name)
    except av.error.FFmpegError:
        # What follows the announced end, such as a padding byte, need not be audio.
        if not announced or announced - decoded > TRUNCATED_SECONDS:
            raise
    if not decoded:
        raise AudioError(f"{name}: its sound track is empty; give a file with sound")
    for resampled in resampler.resample(None):
        yield finite_samples(resampled, name)
    if announced - decoded > TRUNCATED_SECONDS:
        raise AudioError(
            f"{name}: cut off, its header announces {announced:.1f} s and only "
            f"{decoded:.1f} s are there; get the whole file or save what is left as wav"
        )


def finite_samples(frame, name: str) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Take the samples out of a frame, float32 (n,); `AudioError` when some are no numbers."""
    samples: np.ndarray = frame.to_ndarray().reshape(-1)
    if not np.isfinite(samples).all():
        raise AudioError(
            f"{name}: holds samples that are not finite numbers; export it again as 16-bit wav"
        )
    return samples


def special_decoder(stream):  # type: ignore[no-untyped-def]
    """Open the better decoder where there is one, else none."""
    import av

    wanted = DECODERS.get(stream.codec_context.name)
    if wanted is None or wanted not in av.codecs_available:
        return None
    context: Any = av.CodecContext.create(wanted, "r")
    context.sample_rate = stream.codec_context.sample_rate
    context.layout = stream.codec_context.layout
    return context
