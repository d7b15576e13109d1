"""A file, bytes or a stream becomes mono float32 samples."""

from samaf.audio.decode import SAMPLE_RATE
from samaf.audio.files import AUDIO_SUFFIXES, LeftOut, audio_files
from samaf.audio.recording import Audio, load, read
from samaf.audio.source import Source

__all__ = [
    "AUDIO_SUFFIXES",
    "SAMPLE_RATE",
    "Audio",
    "LeftOut",
    "Source",
    "audio_files",
    "load",
    "read",
]
