"""The sound tracks of a container: which one, its frames, and when they play."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from samaf.audio.announced import id3_bytes
from samaf.errors import AudioError

# FFmpeg's own AMR-NB decoder refuses frames of discontinuous transmission.
DECODERS = {"amrnb": "libopencore_amrnb"}
# Formats that keep the time of each packet. Others count packets, damaged ones too.
TIMED = frozenset({"asf", "flv", "matroska", "mov", "mpegts", "ogg"})
PAUSE_SECONDS = 0.1  # a longer gap between two frames is a pause; less is rounding


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch without sound.

    Attributes
    ----------
    seconds
        Its length.
    sample_rate
        Of the frames around it, in Hz.
    leading
        Whether it comes before all sound.
    """

    seconds: float
    sample_rate: int
    leading: bool


def candidates(container: Any, wanted: int | None, name: str) -> list[int]:
    """Give positions of sound tracks in the order in which they are tried for sound.

    Those that the file marks as default come first, as in a player. ``wanted`` counts from 1.
    """
    from av.stream import Disposition

    tracks = container.streams.audio
    if not tracks:
        raise AudioError(f"{name}: there is no sound track in it; give a file with sound")
    if wanted is not None:
        if not 1 <= wanted <= len(tracks):
            raise AudioError(
                f"{name}: has no sound track {wanted}; choose 1 to {len(tracks)}"
                if len(tracks) > 1
                else f"{name}: has no sound track {wanted}, only one"
            )
        return [wanted - 1]
    default = [bool(track.disposition & Disposition.default) for track in tracks]
    return sorted(range(len(tracks)), key=lambda index: not default[index])


class Packets:
    """Decodes the packets of a track; tags and zeros among MP3 frames are passed over.

    Attributes
    ----------
    skipped
        How many packets were passed over.
    """

    def __init__(self, container: Any, track: Any, damaged: bool = False) -> None:
        self._container = container
        self._track = track
        self._damaged = damaged  # whether any damaged packet is passed over, as in a stream
        self._decoder = special_decoder(track)
        self._tag_end = 0
        self.skipped = 0

    def frames(self) -> Iterator[Any]:
        """Yield all frames of sound."""
        import av

        for packet in self._container.demux(self._track):
            if not self._damaged and packet.pos is not None and packet.pos < self._tag_end:
                continue  # a picture in the tag may hold what looks like sound
            try:
                frames = self._decoder.decode(packet) if self._decoder else packet.decode()
            except av.error.InvalidDataError:
                if not self._is_passed_over(packet):
                    raise
                continue
            yield from frames

    def _is_passed_over(self, packet: Any) -> bool:
        """Whether a packet that is no sound may stand here."""
        if self._damaged:
            self.skipped += 1
            return True
        content = bytes(packet)
        end = (packet.pos or 0) + id3_bytes(content)
        is_tag = content.startswith(b"ID3") and end <= self._container.size
        if self._container.format.name != "mp3" or (any(content) and not is_tag):
            return False
        self._tag_end = end
        return True


def special_decoder(track: Any) -> Any:
    """Open the better decoder where there is one, else none."""
    import av

    if track.codec_context is None:
        raise av.error.DecoderNotFoundError(-1, "the codec of its sound track is not known")
    wanted = DECODERS.get(track.codec_context.name)
    if wanted is None or wanted not in av.codecs_available:
        return None
    context: Any = av.CodecContext.create(wanted, "r")
    context.sample_rate = track.codec_context.sample_rate
    context.layout = track.codec_context.layout
    return context


def start_of(container: Any) -> float | None:
    """Give the time at which a player starts a file, in s; none where it keeps no times."""
    import av

    if not TIMED & set(container.format.name.split(",")) or container.start_time is None:
        return None
    return float(container.start_time / av.time_base)


def length_of(container: Any) -> float:
    """Give the length in s that a container announces; 0 where it keeps no times."""
    import av

    timed = TIMED & set(container.format.name.split(","))
    return float((container.duration or 0) / av.time_base) if timed else 0.0


def with_start(frames: Iterable[Any], start: float | None, length: float) -> Iterator[Any]:
    """Put a pause before the first frame where sound starts later than the file at ``start``.

    At most ``length`` seconds.
    """
    first = True
    for frame in frames:
        if first and start is not None and frame.time is not None:
            late = frame.time - start
            if PAUSE_SECONDS < late <= length:
                yield Pause(late, frame.sample_rate, True)
        first = False
        yield frame


def with_pauses(frames: Iterable[Any], length: float) -> Iterator[Any]:
    """Put a pause where a frame comes later than the one before it has ended.

    All in all not beyond ``length`` seconds, or a wild time would mean hours of silence.
    """
    if not length:
        yield from frames
        return
    position = 0.0
    end: float | None = None
    for frame in frames:
        if isinstance(frame, Pause):
            position += frame.seconds
            yield frame
            continue
        time = end if frame.time is None else frame.time
        pause = 0.0 if time is None or end is None else time - end
        if PAUSE_SECONDS < pause <= length - position:
            yield Pause(pause, frame.sample_rate, False)
            position += pause
        seconds = frame.samples / frame.sample_rate
        position += seconds
        end = None if time is None else time + seconds
        yield frame
