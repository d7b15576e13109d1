"""From a file to its hashes, without any store."""

from __future__ import annotations

from samaf.audio import Source, read
from samaf.engine.blas import one_blas_thread
from samaf.fingerprinters import DEFAULT_MODEL, AnyFingerprinter, load_fingerprinter
from samaf.records import Fingerprint


def fingerprint(source: Source, *, model: str | None = None) -> Fingerprint:
    """Hash a file, without any store.

    Raises
    ------
    AudioError, FingerprinterError
        The file cannot be decoded, or there is no such model.
    """
    return hash_file(source, load_fingerprinter(model or DEFAULT_MODEL))


def hash_file(source: Source, fingerprinter: AnyFingerprinter) -> Fingerprint:
    """Hash a file with a model that is loaded; `AudioError` when it cannot be decoded."""
    with one_blas_thread(), read(source, fingerprinter.sample_rate) as audio:
        hashes = fingerprinter.hashes(audio.chunks(), audio.sha256)
        return Fingerprint(
            audio.path or audio.name,
            audio.sha256,
            audio.duration,
            fingerprinter.name,
            fingerprinter.digest,
            fingerprinter.hop,
            hashes,
        )
