"""What became of files that were added, moved, hashed with another model or rebuilt."""

from __future__ import annotations

from dataclasses import dataclass

from samaf.records.recordings import Recording


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of one file given to ``add``.

    ``status`` is "added", "present" (the same bytes were stored before) or "failed"
    with the reason in ``message``. There it also says of a recording that was added why no
    query will find it. While a folder is watched, the status may also be "moved" (the path of the
    recording follows), "replaced" (other bytes lie at the path of a recording, which stays) or
    "removed" (the file is gone; the recording stays).
    """

    path: str
    status: str
    recording: Recording | None = None
    hashes: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Relocation:
    """What became of a recording whose file was not at its path any more.

    Attributes
    ----------
    recording
        As the store has it now.
    before
        The path that it had.
    found
        Whether its file was found, and its path follows.
    """

    recording: Recording
    before: str
    found: bool


@dataclass(frozen=True, slots=True)
class RehashResult:
    """What became of a store that was to be rehashed with another model.

    Attributes
    ----------
    name, digest
        The model.
    recordings
        Recordings there were.
    missing
        Those whose audio could not be found or hashed again.
    forgotten
        Whether those were deleted.
    """

    url: str
    name: str
    digest: str
    recordings: int
    missing: tuple[Recording, ...]
    forgotten: bool

    @property
    def done(self) -> bool:
        """Whether the store belongs to the model now."""
        return self.forgotten or not self.missing


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """What a U-Net's decoder made of the first segment of a clip.

    Attributes
    ----------
    path, out
        The clip, and the WAV file that was written.
    duration
        Seconds of it.
    padded
        Whether the clip was shorter than a segment and zeros filled it up.
    error
        Mean square error of the rebuilt spectrogram against the clean one.
    peak
        Largest magnitude of the clean spectrogram.
    psnr, psnr_255
        Peak signal-to-noise ratio in dB, for that peak and for one of 255.
    """

    path: str
    out: str
    model: str
    duration: float
    padded: bool
    error: float
    peak: float
    psnr: float
    psnr_255: float
