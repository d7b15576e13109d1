"""The command ``samaf decode``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from samaf.cli.options import output_format_option
from samaf.cli.render import Lines, View, shown_path, write
from samaf.json_records import Record

if TYPE_CHECKING:  # records import NumPy
    from samaf.records import Reconstruction


@click.command()
@click.argument("clip")
@click.option(
    "--out",
    metavar="WAV",
    required=True,
    type=click.Path(dir_okay=False),
    help="The reconstructed audio.",
)
@click.option(
    "--clean",
    metavar="FILE",
    help="The clip without its noise, as the reference.  [default: the clip]",
)
@click.option("--model", metavar="NAME|FILE", help="A U-Net with its decoder.  [default: UNET320]")
@output_format_option
def decode(
    clip: str, out: str, clean: str | None, model: str | None, output_format: str | None
) -> None:
    """Reconstruct the first 4 s of a clip with the decoder of a U-Net.

    Prints the error of the reconstructed spectrogram: the mean square error, and the peak
    signal-to-noise ratio with a peak of 255, as in the U-Net paper, and with the spectrogram's
    own peak. No store is needed.

    \b
    Example:
      samaf decode noisy.wav --clean clean.wav --out rebuilt.wav
    """
    import samaf

    write(RECONSTRUCTION, [samaf.decode(clip, out, clean=clean, model=model)], output_format)


def _record(made: Reconstruction) -> Record:
    return {
        "clip": made.path,
        "out": made.out,
        "model": made.model,
        "duration": round(made.duration, 3),
        "padded": made.padded,
        "mse": round(made.error, 5),
        "peak": round(made.peak, 3),
        "psnr": round(made.psnr, 2),
        "psnr_255": round(made.psnr_255, 2),
    }


def _lines(made: Reconstruction) -> Lines:
    yield "clip", shown_path(made.path) + " (padded with silence)" * made.padded
    yield "written", f"{shown_path(made.out)}, {made.duration:.2f} s by {made.model}"
    yield "mean square error", f"{made.error:.4f}"
    yield "PSNR", f"{made.psnr:.2f} dB for the spectrogram's peak, {made.peak:.2f}"
    yield "", f"{made.psnr_255:.2f} dB for a peak of 255"


RECONSTRUCTION: View[Reconstruction] = View(
    (),
    _lines,
    _record,
    ("clip", "out", "model", "duration", "padded", "mse", "peak", "psnr", "psnr_255"),
)
