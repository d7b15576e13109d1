"""The command ``samaf verify``."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

import click

from samaf.cli.options import matches_option, model_option, output_format_option
from samaf.cli.render import Lines, View, shown_path, write
from samaf.cli.text import clock, complain
from samaf.engine.options import MATCHES
from samaf.json_records import STRETCH_FIELDS, Record, stretch_record
from samaf.text import escaped

if TYPE_CHECKING:  # records import NumPy
    from samaf.records import VerificationResult


@click.command()
@click.argument("clip")
@click.argument("recording")
@matches_option(MATCHES, "clip")
@click.option(
    "--picture",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Draw correlation and lag of the best place: PNG, SVG or PDF.",
)
@model_option
@output_format_option
def verify(
    clip: str,
    recording: str,
    k: int,
    picture: str | None,
    model: str | None,
    output_format: str | None,
) -> None:
    """Compare the signals of a clip and a recording.

    Says whether the clip holds the recording's very sound: where, at which lag to the sample, in
    which bands. What is not verified may still be the same recording, made worse beyond this
    proof. No store is needed. Exit status 1 if the clip is not verified.

    \b
    Example:
      samaf verify clip.wav recording.wav --picture lag.png
    """
    import samaf

    result = samaf.verify(clip, recording, k=k, model=model)
    if output_format and result.reason:
        complain(escaped(f"not compared: {result.reason}"))
    write(VERIFIED, [result], output_format)
    if picture:
        samaf.draw_verification(result, picture)
    if not result.verified:
        click.get_current_context().exit(1)


def _record(result: VerificationResult) -> Record:
    return {
        "clip": result.clip,
        "clip_sha256": result.clip_sha256,
        "recording": result.recording,
        "recording_sha256": result.recording_sha256,
        "verified": result.verified,
        "reason": result.reason,
        "matches": [stretch_record(match) for match in result.matches],
    }


def _lines(result: VerificationResult) -> Lines:
    from samaf.cli.verification_views import bands_text

    yield "clip", shown_path(result.clip)
    yield "recording", shown_path(result.recording)
    if result.reason:
        yield "answer", f"not compared: {result.reason}"
    for match in result.matches:
        verification = match.verification
        assert verification is not None
        if verification.reason:
            yield "answer", f"not compared: {verification.reason}"
            continue
        yield (
            "answer",
            "verified" if verification.verified else "not verified, which is no evidence against",
        )
        yield "in the clip", f"{clock(verification.query_start)}-{clock(verification.query_stop)}"
        yield (
            "in the recording",
            f"{clock(verification.reference_start)}-{clock(verification.reference_stop)}",
        )
        yield "altered", str(verification.manipulation) or "no"
        yield "waveform z", _shown(verification.z_waveform)
        yield "windows z", _shown(verification.z_windows)
        yield "score", f"{verification.score:.1f} (4 or more is verified)"
        yield "log10 LR", f"{verification.log10_lr:.1f}"
        if verification.bands:
            yield "lag", f"{verification.lag_samples:.1f} samples at 16 kHz"
            yield (
                "time factor",
                f"{verification.manipulation.tau:.6f} ({verification.drift_ppm:+.0f} ppm)",
            )
            yield "polarity", "inverted" if verification.inverted else "the same"
            yield "bands that agree", f"{bands_text(verification.bands) or 'none alone'} Hz"
        if verification.repeats:
            yield "also at", ", ".join(map(clock, verification.repeats))


def _shown(z: float) -> str:
    return "does not apply: tempo and pitch differ" if isnan(z) else f"{z:.1f}"


VERIFIED: View[VerificationResult] = View(
    (),
    _lines,
    _record,
    (
        *("clip", "clip_sha256", "recording", "recording_sha256", "verified", "reason"),
        *STRETCH_FIELDS,
        "verification",
    ),
)
