"""What was found, as label tracks and cut sound: the options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
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


def one_output(output_format: str | None, label_format: str | None) -> None:
    """Raise `click.UsageError` where two forms of output are given."""
    if output_format and label_format:
        raise click.UsageError(f"--format and --{output_format}: choose one of them")


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


@dataclass(frozen=True, slots=True)
class Export:
    """Where what was found goes as label tracks and cut sound, as `export_options` ask for it."""

    label_format: str | None
    out: Path | None
    cut_folder: Path | None = None
    cut_format: str = CUT_FORMATS[0]
    padding_s: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.label_format or self.cut_folder)

    def check(self, output_format: str | None, *, several: bool = False) -> None:
        """Raise `click.UsageError` where options of the output contradict each other.

        ``several`` says that there will be labels of several files.
        """
        from samaf.report.exports.formats import FORMATS

        one_output(output_format, self.label_format)
        if self.out and not self.label_format:
            raise click.UsageError("--out: needs --format")
        if several and self.label_format and not (self.out or FORMATS[self.label_format].joined):
            raise click.UsageError(
                "several recordings make several files of labels; give --out DIR"
            )

    def write_labels(
        self, clips: Sequence[Annotated], recordings: Sequence[Annotated] = ()
    ) -> None:
        """Write label tracks, see `write_labels`; nothing without ``--format``."""
        if self.label_format:
            write_labels(clips, recordings, self.label_format, self.out)

    def write_cuts(self, segments: Iterable[tuple[int, CutSegment]]) -> int:
        """Cut segments, see `write_cuts`; nothing without ``--cut``."""
        if not self.cut_folder:
            return 0
        return write_cuts(segments, self.cut_folder, self.cut_format, self.padding_s)


def export_options(meaning: str, *, cuts: bool = True) -> Callable[[Command], Command]:
    """Make ``--format`` and ``--out``, and the options of ``--cut``; the command gets ``export``.

    Parameters
    ----------
    meaning
        What ``--format`` does, as its help says it.
    """

    def add(command: Command) -> Command:
        @wraps(command)
        def with_export(
            *args: Any, label_format: str | None, out: Path | None, **given: Any
        ) -> Any:
            names = ("cut_folder", "cut_format", "padding_s") if cuts else ()
            own = {name: given.pop(name) for name in names}
            return command(*args, export=Export(label_format, out, **own), **given)

        added: Any = cut_options(with_export) if cuts else with_export
        out_option = click.option(
            "--out",
            metavar="DIR",
            type=click.Path(path_type=Path),
            help="Folder for the files of --format, one for each clip and recording.",
        )
        made: Command = format_option(meaning)(out_option(added))
        return made

    return add
