"""A clip verified in one recording, without any store."""

from __future__ import annotations

import os
from pathlib import Path

from samaf.audio import Source
from samaf.engine.compare import prepare_compared, reason_of, search_in, verified_in
from samaf.engine.options import MATCHES, QueryOptions
from samaf.engine.verification import best_first, is_verified
from samaf.errors import QueryError
from samaf.fingerprinters import DEFAULT_MODEL, load_hash_model
from samaf.matching.merging import keep_best, match_place
from samaf.records import VerificationResult
from samaf.verification.picture import save_picture


def verify(
    clip: Source, recording: Source, *, k: int = MATCHES, model: str | None = None
) -> VerificationResult:
    """Tell whether a clip holds sound of a recording, by their signals.

    The hashes give the places, those of a deep query whatever their score; at each the signals
    are compared. Both files are held in memory.

    Parameters
    ----------
    k
        Places to verify at most for one segment of the clip.

    Returns
    -------
    The places that are verified, best first; the likeliest place where none is.

    Raises
    ------
    AudioError, FingerprinterError, QueryError
        A file cannot be decoded, there is no such model, or ``k`` is below 1.
    """
    options = QueryOptions(k=k, search="deep", verify=True)
    fingerprinter = load_hash_model(model or DEFAULT_MODEL)
    one = prepare_compared(clip, fingerprinter)
    other = prepare_compared(recording, fingerprinter)
    about = (one.path, one.recording.sha256, other.path, other.recording.sha256)
    if reason := reason_of(one, other):
        return VerificationResult(*about, reason=reason)
    found = search_in(one, other, fingerprinter, options)
    matches = best_first(verified_in(found, one, other))
    verified = [match for match in matches if is_verified(match)]
    kept = keep_best(verified, options.k, match_place) or matches[:1]
    reason = "" if kept else "no place of the recording resembles the clip"
    return VerificationResult(*about, tuple(kept), reason)


def draw_verification(result: VerificationResult, path: str | os.PathLike[str]) -> None:
    """Draw correlation and lag of the best place; the file's ending says PNG, SVG or PDF.

    Raises
    ------
    QueryError
        Nothing was compared, or the file cannot be written.
    """
    best = result.matches[0].verification if result.matches else None
    if best is None or best.curves is None:
        reason = result.reason or (best.reason if best else "")
        raise QueryError(f"{path}: nothing to draw, {reason}")
    title = f"{Path(result.clip).name} in {Path(result.recording).name}"
    try:
        save_picture(best, title, Path(path))
    except (OSError, ValueError) as error:
        raise QueryError(f"{path}: cannot be written ({error}); name a PNG, SVG or PDF") from None
