"""Decoding: any file that FFmpeg knows becomes mono float32 samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from samaf.audio.announced import announced_seconds, id3_bytes
from samaf.audio.source import Opened
from samaf.errors import AudioError

SAMPLE_RATE = 16_000  # Hz
TRUNCATED_SECONDS = 1.0  # audio that may lack against the header before a file counts as cut
# FFmpeg's own AMR-NB decoder refuses frames of discontinuous transmission.
DECODERS = {"amrnb": "libopencore_amrnb"}
# Formats without a header, which FFmpeg guesses from bytes such as plain text.
GUESSED = frozenset({"amrnb", "amrwb"})
# Formats that keep the time of each packet. Others count packets, damaged ones too.
TIMED = frozenset({"matroska", "mov"})
PAUSE_SECONDS = 0.1  # a longer gap between two frames is a pause; less is rounding


def decode(source: Opened, sample_rate: int = SAMPLE_RATE) -> Iterator[np.ndarray]:
    """Yield the samples of the first sound track, float32 (n,), mono at ``sample_rate`` Hz.

    Channels are averaged. Levels stay as they are in the file. A pause in the timestamps is
    silence, where the length that the file announces covers it.

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
            for samples in _stream(container, source, sample_rate):
                seconds += len(samples) / sample_rate
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


def _stream(container: Any, source: Opened, sample_rate: int) -> Iterator[np.ndarray]:
    import av

    name = source.path or source.name
    track = container.streams.audio[0]
    announced = announced_seconds(source.file, container, track)
    decoded = 0.0

    def frames() -> Iterator[Any]:
        nonlocal decoded
        try:
            for frame in _with_pauses(_frames(container, track), _covered(container)):
                decoded += frame.samples / frame.sample_rate
                yield frame
        except av.error.FFmpegError:
            # What follows the announced end, such as a padding byte, need not be audio.
            if not announced or announced - decoded > TRUNCATED_SECONDS:
                raise

    yield from resampled(frames(), sample_rate, name)
    if not decoded:
        raise AudioError(f"{name}: its sound track is empty; give a file with sound")
    if announced - decoded > TRUNCATED_SECONDS:
        raise AudioError(
            f"{name}: cut off, its header announces {announced:.1f} s and only "
            f"{decoded:.1f} s are there; get the whole file or save what is left as wav"
        )


def _frames(container: Any, track: Any) -> Iterator[Any]:
    """Decode all packets; tags and zeros between and behind MP3 frames are passed over."""
    import av

    decoder = special_decoder(track)
    tag_end = 0
    for packet in container.demux(track):
        if packet.pos is not None and packet.pos < tag_end:
            continue  # a picture in the tag may hold what looks like sound
        try:
            frames = decoder.decode(packet) if decoder else packet.decode()
        except av.error.InvalidDataError:
            content = bytes(packet)
            end = (packet.pos or 0) + id3_bytes(content)
            is_tag = content.startswith(b"ID3") and end <= container.size
            if container.format.name != "mp3" or (any(content) and not is_tag):
                raise
            tag_end = end
            continue
        yield from frames


def _covered(container: Any) -> float:
    """Tell how many seconds the container announces; 0 where it keeps no times."""
    import av

    timed = TIMED & set(container.format.name.split(","))
    return float((container.duration or 0) / av.time_base) if timed else 0.0


def _with_pauses(frames: Iterable[Any], covered: float) -> Iterator[Any]:
    """Put silence where a frame comes later than the one before it has ended.

    All in all not beyond ``covered`` seconds, or a wild time would mean hours of silence.
    """
    if not covered:
        yield from frames
        return
    position = 0.0
    end: float | None = None
    for frame in frames:
        time = end if frame.time is None else frame.time
        pause = 0.0 if time is None or end is None else time - end
        if PAUSE_SECONDS < pause <= covered - position:
            yield from _silence(pause, frame.sample_rate)
            position += pause
        seconds = frame.samples / frame.sample_rate
        position += seconds
        end = None if time is None else time + seconds
        yield frame


def _silence(seconds: float, sample_rate: int) -> Iterator[Any]:
    import av

    for start in range(0, count := round(seconds * sample_rate), sample_rate):
        zeros = np.zeros((1, min(sample_rate, count - start)), np.float32)
        frame = av.AudioFrame.from_ndarray(zeros, format="flt", layout="mono")
        frame.sample_rate = sample_rate
        yield frame


def resampled(frames: Iterable[Any], sample_rate: int, name: str) -> Iterator[np.ndarray]:
    """Yield the samples of frames, float32 (n,), mono at ``sample_rate`` Hz.

    Their format may change midway. Where they break off, what came before is given first.
    """
    import av

    resampler: Any = None
    setup = None
    try:
        for frame in frames:
            present = (frame.format.name, frame.layout.name, frame.sample_rate)
            if present != setup:
                yield from _rest(resampler, name)
                # One frame a second out: fewer and larger arrays.
                resampler = av.AudioResampler("flt", "mono", sample_rate, frame_size=sample_rate)
                setup = present
            frame.pts = None
            for samples in resampler.resample(frame):
                yield _finite_samples(samples, name)
    except (av.error.FFmpegError, OSError):
        yield from _rest(resampler, name)
        raise
    yield from _rest(resampler, name)


def _rest(resampler: Any, name: str) -> Iterator[np.ndarray]:
    for samples in resampler.resample(None) if resampler else ():
        yield _finite_samples(samples, name)


def _finite_samples(frame: Any, name: str) -> np.ndarray:
    """Take the samples out of a frame, float32 (n,); `AudioError` when some are no numbers."""
    samples: np.ndarray = frame.to_ndarray().reshape(-1)
    if not np.isfinite(samples).all():
        raise AudioError(
            f"{name}: holds samples that are not finite numbers; export it again as 16-bit wav"
        )
    return samples


def special_decoder(stream: Any) -> Any:
    """Open the better decoder where there is one, else none."""
    import av

    if stream.codec_context is None:
        raise av.error.DecoderNotFoundError(-1, "the codec of its sound track is not known")
    wanted = DECODERS.get(stream.codec_context.name)
    if wanted is None or wanted not in av.codecs_available:
        return None
    context: Any = av.CodecContext.create(wanted, "r")
    context.sample_rate = stream.codec_context.sample_rate
    context.layout = stream.codec_context.layout
    return context
