"""How what was decoded of a file is printed."""

from __future__ import annotations

from samaf.cli.render import Lines
from samaf.media import MediaInfo

MIXING = {
    "mono": "one",
    "mixed": "mixed",
    "inverted": "mixed, some inverted",
    "chosen": "one taken",
    "apart": "mixed, and each side by itself",
}


def media_lines(media: MediaInfo) -> Lines:
    """Give names and values for a table."""
    layout = f" ({media.layout})" if media.layout and not media.layout.endswith("channels") else ""
    channels = f"{media.channels} channel{'s' * (media.channels != 1)}{layout}"
    yield "decoded", f"{media.container}, {media.codec}, {media.sample_rate:,} Hz, {channels}"
    yield "channels", MIXING.get(media.mixing, media.mixing)
    yield "track", f"{media.track} of {media.tracks}"
    yield "samples", f"{media.samples:,}"
    yield "samples sha256", media.samples_sha256
    if media.informative is not None:
        yield "informative", f"{media.informative:.0%} of the blocks"
    for note in media.notes():
        yield "note", note


def with_channel(name: str, channel: str) -> str:
    """Write a name with the side that is meant, where there are sides."""
    return f"{name} (channel {channel})" if channel else name
