"""What was found, as label tracks and cut sound: the options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from samaf.text import escaped, printable

if TYPE_CHECKING:
    from samaf.report.exports.annotations import Annotated
    from samaf.report.exports.cut import CutSegment

Command = TypeVar("Command", bound=Callable[..., Any])

LABEL_FORMATS = ("audacity", "textgrid", "eaf", "rttm", "vtt", "srt")
CUT_FORMATS = ("wav", "flac")


def format_option(meaning: str) -> Callable[[Command], Command]:
    """Make ``--format``; the command gets ``label_format``."""
    return click.option(
        "--format",
        "label_format",
        type=click.Choice(LABEL_FORMATS),
        help=f"{meaning} For Audacity, Praat, ELAN, diarisation tools, players.",
    )


out_option = click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the files of --format, one for each clip and recording.",
)


def cut_options(command: Command) -> Command:
    """Add ``--cut``, ``--cut-format`` and ``--padding``."""
    for option in (
        click.option(
            "--padding",
            "padding_s",
            metavar="SECONDS",
            type=click.FloatRange(0),
            default=0.0,
            show_default=True,
            help="Kept on either side of what --cut writes.",
        ),
        click.option(
            "--cut-format",
            type=click.Choice(CUT_FORMATS),
            default=CUT_FORMATS[0],
            show_default=True,
            help="Of what --cut writes.",
        ),
        click.option(
            "--cut",
            "cut_folder",
            metavar="DIR",
            type=click.Path(path_type=Path),
            help="Write the matched segments of clip and recording as sound files.",
        ),
    ):
        command = option(command)
    return command


def one_output(output_format: str | None, label_format: str | None, out: Path | None) -> None:
    """Raise `click.UsageError` where options of the output contradict each other."""
    if output_format and label_format:
        raise click.UsageError(f"--format and --{output_format}: choose one of them")
    if out and not label_format:
        raise click.UsageError("--out: needs --format")


def write_labels(
    clips: Sequence[Annotated], recordings: Sequence[Annotated], label_format: str, out: Path | None
) -> None:
    """Write label tracks into a folder, or that of the only clip to standard output.

    Raises
    ------
    click.UsageError
        There are several clips, and nowhere to write their files.
    ReportError
        The folder cannot be written.
    """
    from samaf.errors import ReportError
    from samaf.files import atomic
    from samaf.report.exports.formats import FORMATS, label_files

    chosen = FORMATS[label_format]
    if out is None:
        if len(clips) > 1 and not chosen.joined:
            raise click.UsageError(
                f"{len(clips)} clips make {len(clips)} files of labels; give --out DIR"
            )
        for clip in clips:
            click.echo(chosen.write(clip), nl=False)
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in label_files([*clips, *recordings], label_format).items():
            with atomic(out / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
            click.echo(escaped(str(out / name)), err=True)
    except OSError as error:
        raise ReportError(
            f"{printable(out)}: cannot be written ({error.strerror}); make room for it or give "
            "another folder"
        ) from None


def write_cuts(
    segments: Iterable[tuple[int, CutSegment]], folder: Path, cut_format: str, padding_s: float
) -> int:
    """Cut segments into a folder, file by file; give how many could not be cut."""
    from itertools import groupby

    from samaf.cli.text import complain
    from samaf.errors import AudioError
    from samaf.report.exports.cut import cut

    failed = 0
    ordered = sorted(segments, key=lambda pair: (pair[1].path, pair[0]))
    for _, some in groupby(ordered, key=lambda pair: pair[1].path):
        try:
            for path in cut(some, folder, cut_format=cut_format, padding_s=padding_s):
                click.echo(escaped(str(path)), err=True)
        except AudioError as error:
            complain(escaped(str(error)))
            failed += 1
    return failed
