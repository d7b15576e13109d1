"""From a file to its hashes, without any store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from samaf.audio import Audio, Source, read
from samaf.audio.source import Identity
from samaf.engine.blas import one_blas_thread
from samaf.engine.notices import notice
from samaf.fingerprinters import DEFAULT_MODEL, AnyFingerprinter, load_fingerprinter
from samaf.matching.query_hashes import salt_of
from samaf.media import DEFAULT, MediaInfo, Selection, joined
from samaf.records import Codes, Fingerprint


def fingerprint(
    source: Source,
    *,
    model: str | None = None,
    track: int | None = None,
    channel: int | None = None,
) -> Fingerprint:
    """Hash a file, without any store.

    Parameters
    ----------
    track, channel
        Number of the sound track, and of its only channel to hash, from 1; see `samaf.add`.

    Raises
    ------
    AudioError, FingerprinterError
        The file cannot be decoded, has no such track or channel, or there is no such model.
    """
    fingerprinter = load_fingerprinter(model or DEFAULT_MODEL)
    made = hash_file(source, fingerprinter, Selection(track, channel))
    notice(made.path, made.media)
    return made


def hash_file(
    source: Source,
    fingerprinter: AnyFingerprinter,
    selection: Selection = DEFAULT,
    identity: Identity | None = None,
) -> Fingerprint:
    """Hash a file with a model that is loaded; `AudioError` when it cannot be decoded.

    ``identity`` is that of its bytes where it is known.
    """
    opened = read(
        source,
        fingerprinter.sample_rate,
        track=selection.track,
        channel=selection.channel,
        identity=identity,
    )
    with one_blas_thread(), opened as audio:
        hashes = hash_audio(audio, fingerprinter)
        return Fingerprint(
            audio.path or audio.name,
            audio.sha256,
            audio.duration,
            fingerprinter.name,
            fingerprinter.digest,
            fingerprinter.hop,
            hashes,
            with_share(audio.media, hashes.informative.reshape(hashes.streams, -1)),
        )


def hash_audio(audio: Audio, fingerprinter: AnyFingerprinter) -> Codes:
    """Hash the mix of all channels and, where the model does that, each side besides."""
    streams = [fingerprinter.hashes(audio.chunks(), audio.sha256)]
    for side in audio.sides if fingerprinter.hashes_sides else ():
        salt = salt_of(audio.sha256, joined(side.media.used_channels))
        streams.append(fingerprinter.hashes(side.chunks(), salt))
    return joined_codes(streams)


def joined_codes(streams: Sequence[Codes]) -> Codes:
    """Put the codes of the mix, and of sides that are as long, one behind the other."""
    if len(streams) == 1:
        return streams[0]
    return Codes(
        np.concatenate([each.packed for each in streams]),
        np.concatenate([each.informative for each in streams]),
        streams=len(streams),
    )


def with_share(media: MediaInfo, informative: np.ndarray) -> MediaInfo:
    """Add the share of blocks that hold something to recognise, in one stream at least.

    ``informative`` is bool (streams, blocks).
    """
    if not informative.size:
        return media
    return replace(media, informative=round(float(informative.any(axis=0).mean()), 4))
