"""Decoding: any file that FFmpeg knows becomes mono float32 samples.

One decision says what is used of a file: a `Plan` of the track, of the channels, and of whether
what lies below speech is taken out. Decoding starts with the plan that suits most files and
gathers what shows whether it suits this one. Where it does not, the file is decoded once more
with a better plan, so that ordinary files are decoded once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from samaf.audio.announced import announced_seconds, stated_part
from samaf.audio.channels import ALL, Mix
from samaf.audio.formats import open_bytes
from samaf.audio.highpass import LowPower
from samaf.audio.resampling import Mixer
from samaf.audio.source import Opened
from samaf.audio.tracks import (
    Packets,
    Pause,
    candidates,
    length_of,
    start_of,
    with_pauses,
    with_start,
)
from samaf.errors import AudioError
from samaf.media import MediaInfo

SAMPLE_RATE = 16_000  # Hz
TRUNCATED_SECONDS = 1.0  # audio that may lack against the header before a file counts as cut
SILENT_PEAK = 1e-4  # 80 dB below full scale: a track that stays below holds no sound
# Formats without a header, which FFmpeg guesses from bytes such as plain text.
GUESSED = frozenset({"amrnb", "amrwb"})
APART = "apart"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is used of a file.

    Attributes
    ----------
    track
        Position among its sound tracks, from 0.
    mixes
        Of the samples, and of each side besides where there are any.
    mixing, reason
        What `MediaInfo` says of it.
    high_pass
        Whether what lies below speech is taken out.
    """

    track: int
    mixes: tuple[Mix, ...] = (ALL,)
    mixing: str = "mixed"
    reason: str = ""
    high_pass: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Some samples of a stream: 0 for the recording, from 1 on for its sides."""

    stream: int
    samples: np.ndarray


@dataclass(frozen=True, slots=True)
class Restart:
    """What came so far does not count: the file is decoded again with ``streams`` streams."""

    streams: int


Event = Samples | Restart | MediaInfo


def decode(
    source: Opened,
    sample_rate: int = SAMPLE_RATE,
    *,
    track: int | None = None,
    channel: int | str | None = None,
) -> Iterator[Event]:
    """Yield what comes of a file: `Restart`, samples, and at last `MediaInfo` without a digest.

    Samples are float32 (n,), mono at ``sample_rate`` Hz. Levels stay as they are in the file. A
    pause in the timestamps is silence, where the length that the file announces covers it.

    Parameters
    ----------
    track
        Number of the sound track, from 1; by default the one that the file marks as default,
        or else the first, that holds sound.
    channel
        Number of the only channel to decode, from 1; "apart" to give each as a side; by default
        all are averaged, with sides where they differ.

    Raises
    ------
    AudioError
        The bytes are no audio, there is no such track or channel, the file is cut off, or it
        holds samples that are no numbers.
    """
    import av

    name = source.path or source.name
    decoded_s = 0.0
    try:
        plan: Plan | None = None
        tracks: list[int] = []
        untried: list[int] = []
        while True:
            source.file.seek(0)
            stated, behind = stated_part(source.file)
            with open_bytes(stated, name) as container:
                _refuse_guessed(container, name)
                if plan is None:
                    tracks = candidates(container, track, name)
                    untried = tracks[1:]
                    plan = _first_plan(container, tracks[0], channel, name)
                attempt = _Attempt(container, source, plan, sample_rate)
                yield Restart(len(plan.mixes))
                for each in attempt.samples():
                    decoded_s += len(each.samples) / sample_rate if not each.stream else 0
                    yield each
                better = attempt.better(channel is None)
                if better is None and attempt.is_silent:
                    if untried:
                        better = _first_plan(container, untried.pop(0), channel, name)
                    elif plan.track != tracks[0]:  # all are silent
                        better = _first_plan(container, tracks[0], channel, name)
                if better is None:
                    yield replace(attempt.info(), bytes_behind_end=behind)
                    return
            plan, decoded_s = better, 0.0
    except av.error.FFmpegError as error:
        reason = error.strerror or type(error).__name__
        if decoded_s:
            raise AudioError(
                f"{name}: damaged or cut off after {decoded_s:.1f} s ({reason}); "
                "get the whole file or save what is left as wav"
            ) from None
        raise AudioError(
            f"{name}: cannot be decoded as audio ({reason}); convert it to wav or flac"
        ) from None


def header_seconds(source: Opened) -> float:
    """Give the length that the header tells, in s; 0 where it tells none or is no sound's."""
    import av

    try:
        stated, _ = stated_part(source.file)
        with open_bytes(stated, source.name) as container:
            return float((container.duration or 0) / av.time_base)
    except (av.error.FFmpegError, AudioError, ValueError):
        return 0.0


def _refuse_guessed(container: Any, name: str) -> None:
    if container.format.name in GUESSED:
        raise AudioError(
            f"{name}: cannot be decoded as audio (no known header); convert it to wav or flac"
        )


def _first_plan(container: Any, index: int, channel: int | str | None, name: str) -> Plan:
    context = container.streams.audio[index].codec_context
    count = context.channels if context else 0
    if channel is None:
        return Plan(index)
    if channel == APART:
        sides = tuple(Mix((c,)) for c in range(count)) if count > 1 else ()
        return Plan(index, (ALL, *sides), APART if sides else "mixed", "requested" if sides else "")
    if not isinstance(channel, int) or not 1 <= channel <= max(1, count):
        raise AudioError(f"{name}: has no channel {channel}; choose 1 to {count}, or apart")
    return Plan(index, (Mix((channel - 1,)),), "chosen" if count > 1 else "mixed", "requested")


class _Attempt:
    """One run through a file by one plan."""

    def __init__(self, container: Any, source: Opened, plan: Plan, sample_rate: int) -> None:
        self._container = container
        self._source = source
        self._plan = plan
        self._name = source.path or source.name
        self._track = container.streams.audio[plan.track]
        self._packets = Packets(container, self._track)
        self._mixer = Mixer(sample_rate, self._name, plan.mixes, plan.high_pass)
        self._low = [LowPower(sample_rate) for _ in plan.mixes]
        self._peak = 0.0
        self._count = 0
        self._decoded = 0.0  # s
        self._start = 0.0
        self._pauses = 0.0

    def samples(self) -> Iterator[Samples]:
        """Decode; `AudioError` where the file falls short of its header."""
        announced = announced_seconds(self._source.file, self._container, self._track)
        for stream, samples in self._mixer.mixed(self._frames(announced)):
            self._low[stream].add(samples)
            if stream == 0:
                self._count += len(samples)
                self._peak = max(self._peak, float(np.abs(samples).max(initial=0)))
            yield Samples(stream, samples)
        if not self._decoded:
            raise AudioError(f"{self._name}: its sound track is empty; give a file with sound")
        if announced - self._decoded > TRUNCATED_SECONDS:
            raise AudioError(
                f"{self._name}: cut off, its header announces {announced:.1f} s and only "
                f"{self._decoded:.1f} s are there; get the whole file or save what is left as wav"
            )

    def _frames(self, announced: float) -> Iterator[Any]:
        import av

        length = length_of(self._container)
        frames = with_start(self._packets.frames(), start_of(self._container), length)
        try:
            for frame in with_pauses(frames, length):
                if not isinstance(frame, Pause):
                    self._decoded += frame.samples / frame.sample_rate
                elif frame.leading:
                    self._start += frame.seconds
                else:
                    self._pauses += frame.seconds
                    self._decoded += frame.seconds  # the length that a header tells holds them
                yield frame
        except av.error.FFmpegError:
            # What follows the announced end, such as a padding byte, need not be audio.
            if not announced or announced - self._decoded > TRUNCATED_SECONDS:
                raise

    @property
    def is_silent(self) -> bool:
        """Whether the track holds no sound."""
        return self._peak < SILENT_PEAK

    def better(self, free: bool) -> Plan | None:
        """Give a plan that suits the track better; none where this one does.

        The channels are left as they were requested unless ``free``.
        """
        plan = self._plan
        statistics = self._mixer.statistics
        if free and statistics and plan.mixing == "mixed" and (sides := statistics.sides()):
            return replace(plan, mixes=(ALL, *sides), mixing=APART)
        if free and statistics and plan.mixing in ("mixed", "inverted") and statistics.cancels:
            mix = statistics.uncancelled(plan.mixes[0])
            mixing = "inverted" if mix.inverted else "chosen"
            return replace(plan, mixes=(mix,), mixing=mixing, reason="cancelling")
        if not plan.high_pass and any(low.is_significant for low in self._low):
            return replace(plan, high_pass=True)
        return None

    def info(self) -> MediaInfo:
        """Tell what was decoded."""
        plan, context = self._plan, self._track.codec_context
        mix, count = plan.mixes[0], context.channels
        return MediaInfo(
            container=self._container.format.name,
            codec=context.name,
            sample_rate=context.sample_rate,
            channels=count,
            layout=context.layout.name,
            mixing=plan.mixing if count > 1 else "mono",
            used_channels=_from_one(mix.channels or range(count)),
            inverted_channels=_from_one(mix.inverted),
            sides=tuple(_from_one(side.channels) for side in plan.mixes[1:]),
            chosen_because=plan.reason,
            track=plan.track + 1,
            tracks=len(self._container.streams.audio),
            start_s=self._start,
            pauses_s=self._pauses,
            high_passed=plan.high_pass,
            samples=self._count,
            skipped_packets=self._packets.skipped,
        )


def _from_one(channels: Any) -> tuple[int, ...]:
    return tuple(channel + 1 for channel in channels)
