"""What was decoded of a file: which sound, and what became of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Selection:
    """Which sound of a file is decoded, where somebody chose.

    Attributes
    ----------
    track
        Number of the sound track, from 1; None for the one that the file marks as default, or
        else the first, that holds sound.
    channel
        Number of the only channel, from 1; None for all of them.
    """

    track: int | None = None
    channel: int | None = None


DEFAULT = Selection()


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """How the samples that are hashed came out of a file.

    Attributes
    ----------
    container, codec
        FFmpeg's names of the file's format and of the sound track's codec.
    sample_rate
        Of the track, in Hz, before it is resampled.
    channels, layout
        Of the track, by its header; the layout is FFmpeg's name, such as "stereo".
    mixing
        What became of the channels: "mono" (there is one), "mixed" (averaged), "inverted"
        (averaged after those in ``inverted_channels`` were turned round, since they cancel the
        others), "chosen" (only ``used_channels``), or "apart" (mixed, and each side besides).
    used_channels
        Those in the samples, from 1; all of them unless some were chosen.
    inverted_channels
        Those that were turned round, from 1.
    sides
        Of a recording whose channels differ: the channels of each side, from 1.
    chosen_because
        Why not all channels were averaged: "requested", "cancelling", or empty.
    track, tracks
        Which sound track it is, from 1, and how many there are.
    start_s
        Seconds of silence put before the sound, which starts later than the file.
    pauses_s
        Seconds of silence put into gaps of the timestamps.
    high_passed
        Whether what lies below speech was taken out: an offset or rumble.
    samples
        Samples decoded, at the rate that is hashed.
    samples_sha256
        SHA-256 of these samples as they are mixed, before their level is set: mono,
        little-endian float32, full scale 1, at the rate that is hashed (16 kHz, or 48 kHz for
        a U-Net). Two decoders agree to the bit where these agree.
    bytes_behind_end
        Bytes other than zero and padding behind the end that a WAV header states.
    skipped_packets
        Packets between and behind the sound that could not be decoded.
    informative
        Share of the blocks that hold something to recognise, 0 to 1; None where the samples
        were not hashed.
    """

    container: str
    codec: str
    sample_rate: int
    channels: int
    layout: str
    mixing: str
    used_channels: tuple[int, ...]
    inverted_channels: tuple[int, ...] = ()
    sides: tuple[tuple[int, ...], ...] = ()
    chosen_because: str = ""
    track: int = 1
    tracks: int = 1
    start_s: float = 0.0
    pauses_s: float = 0.0
    high_passed: bool = False
    samples: int = 0
    samples_sha256: str = ""
    bytes_behind_end: int = 0
    skipped_packets: int = 0
    informative: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the fields for JSON, tuples as lists."""
        return {
            name: _listed(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> MediaInfo:
        """Read the fields that `to_dict` gave; those of a later version are left out."""
        known = cls.__dataclass_fields__
        return cls(**{name: _tupled(value) for name, value in fields.items() if name in known})

    @property
    def selection(self) -> Selection:
        """What must be chosen to decode the same of the file again."""
        is_chosen = self.mixing == "chosen" and self.chosen_because == "requested"
        return Selection(self.track, self.used_channels[0] if is_chosen else None)

    def channel(self, side: int) -> str:
        """Write the channels of a side, counted from 1, as in "1" or "1+3"; "" for the mix."""
        return joined(self.sides[side - 1]) if side else ""

    def warnings(self) -> tuple[str, ...]:
        """Say what somebody who relies on the sound must know: mostly nothing."""
        behind = f"{self.bytes_behind_end} bytes behind the end that its header states"
        return _said(
            (self.tracks > 1, f"sound track {self.track} of {self.tracks} is taken"),
            (self.mixing != "chosen" or self.chosen_because == "cancelling", self._mixing_note()),
            (self.bytes_behind_end, f"{behind} are not decoded"),
            (self.skipped_packets, f"{self.skipped_packets} packets could not be decoded"),
        )

    def notes(self) -> tuple[str, ...]:
        """Say all that became of the sound: the warnings, and what was done to the samples."""
        return self.warnings() + _said(
            (self.mixing == "chosen" and self.chosen_because == "requested", self._mixing_note()),
            (self.start_s, f"its sound starts at {self.start_s:.1f} s"),
            (self.pauses_s, f"{self.pauses_s:.1f} s of pauses in its timestamps are silence"),
            (self.high_passed, "what lies below speech was taken out"),
        )

    def _mixing_note(self) -> str:
        used = ", ".join(map(str, self.used_channels))
        if self.mixing == "inverted":
            inverted = ", ".join(map(str, self.inverted_channels))
            return f"its channels cancel each other; mixed with channel {inverted} inverted"
        if self.mixing == "chosen" and self.chosen_because == "cancelling":
            return f"its channels cancel each other; only channel {used} is taken"
        if self.mixing == "chosen":
            return f"only channel {used} of {self.channels} is taken"
        if self.mixing == "apart":
            sides = " and ".join(map(joined, self.sides))
            return f"its channels differ: channels {sides}"
        return ""


def joined(channels: tuple[int, ...]) -> str:
    """Write channels as one name: "1+3"."""
    return "+".join(map(str, channels))


def _said(*lines: tuple[object, str]) -> tuple[str, ...]:
    return tuple(line for condition, line in lines if condition and line)


def _listed(value: tuple[Any, ...]) -> list[Any]:
    return [list(each) if isinstance(each, tuple) else each for each in value]


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list | tuple) else value
