"""Reports: report, report verify, validate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from samaf.cli.exporting import cut_options, format_option, write_cuts
from samaf.cli.options import (
    audio_option,
    database,
    db_option,
    granularity_option,
    index_option,
    matches_option,
    max_false_matches_option,
    model_option,
    output_format_option,
    population_option,
    search_options,
    sound_options,
    verify_option,
)
from samaf.cli.render import Lines, Record, View, shown_path, write
from samaf.cli.text import complain
from samaf.engine.options import MATCHES, MAX_FALSE_MATCHES
from samaf.text import escaped

if TYPE_CHECKING:
    from samaf.records import Population
    from samaf.report.differences import Difference
    from samaf.report.record import Examination
    from samaf.report.repeating import RepeatResult
    from samaf.report.validate import ValidationResult
    from samaf.report.writing import WrittenReport

PATH = click.Path(path_type=Path)
LANGUAGES = ("en",)


@click.command()
@click.argument("clips", nargs=-1, required=True, metavar="CLIP...")
@click.option("--out", metavar="DIR", required=True, type=PATH, help="A new folder for the report.")
@click.option(
    "--case",
    "case_file",
    metavar="TOML",
    type=PATH,
    help="Laboratory, customer, examiner, dates and notes; what is not given stays empty.",
)
@granularity_option
@matches_option(MATCHES, "clip")
@max_false_matches_option(MAX_FALSE_MATCHES, "Maximum expected false matches per clip.")
@index_option
@search_options("Compensate for changes of speed, tempo and pitch, and reversal; much slower.")
@population_option
@verify_option
@audio_option
@sound_options
@format_option("Also write label tracks of clips and recordings.")
@cut_options
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default=LANGUAGES[0],
    show_default=True,
    help="Of the pages.",
)
@model_option
@db_option
@output_format_option
def report(
    clips: tuple[str, ...],
    out: Path,
    case_file: Path | None,
    granularity_s: int,
    k: int,
    max_false_matches: float,
    index: str,
    search: str,
    population: Population,
    verify: bool,
    audio: str | None,
    track: int | None,
    channel: int | None,
    label_format: str | None,
    cut_folder: Path | None,
    cut_format: str,
    padding_s: float,
    language: str,
    model: str | None,
    output_format: str | None,
) -> None:
    """Examine clips and write a report: HTML, PDF/A, the record as JSON, CSV, CASE/UCO.

    One clip is described in full, many get an overview and half a page each. The PDF needs
    typst: pip install 'samaf[report]'. The store's audit log gets an entry with the SHA-256 of
    each file. Exit status 1 if a clip cannot be read; it stands in the report with its reason.

    \b
    Example:
      samaf report clip.wav --case case.toml --out report/
    """
    import samaf
    from samaf.cli.progress import counting
    from samaf.engine.options import QueryOptions
    from samaf.report.case import read_case
    from samaf.report.examination import ReportOptions
    from samaf.report.exports.annotations import of_record
    from samaf.report.exports.cut import segments_of_record
    from samaf.report.exports.formats import label_files
    from samaf.report.pages.items import found_recordings as found
    from samaf.report.pdf import INSTALL, is_available
    from samaf.report.record import Case
    from samaf.report.writing import report as write_report

    def labels(record: Examination) -> Mapping[str, str]:
        return label_files(of_record(record), label_format) if label_format else {}

    case = read_case(case_file) if case_file else Case()
    query = QueryOptions(
        granularity_s, k, max_false_matches, search, population, verify, track, channel
    )
    options = ReportOptions(query, audio, pictures=len(clips) == 1, language=language)
    with (
        samaf.open(database(), model=model, index=index, create=False) as opened,
        counting("clips") as on_progress,
    ):
        written = write_report(
            opened, clips, out, options, case=case, more_files=labels, on_progress=on_progress
        )
        recordings = {
            r.recording_id: opened.store.get(r.recording_id) for r in found(written.record)
        }
    write(WRITTEN, [written], output_format)
    if cut_folder:
        segments = segments_of_record(written.record, recordings)
        write_cuts(segments, cut_folder, cut_format, padding_s)
    if not is_available():
        complain(f"no PDF was written, since typst is not installed; {INSTALL}")
    failed = [clip for clip in written.record.clips if clip.outcome == "failed"]
    for clip in failed:
        complain(escaped(f"{clip.given}: {clip.reason}"))
    if failed:
        click.get_current_context().exit(1)


@click.command("report verify")
@click.argument("file", type=PATH)
@click.option(
    "--clips",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False),
    help="Where the clips are.  [default: where they were, or beside FILE]",
)
@audio_option
@index_option
@db_option
@output_format_option
def report_verify(
    file: Path, clips: str | None, audio: str | None, index: str, output_format: str | None
) -> None:
    """Repeat the examination of a report and say what differs.

    FILE is the report.json of a report. Its clips are hashed again and the store is queried
    again. Results are identical to the last bit, the same to 4 digits, or different. Exit
    status 1 if they are different.

    \b
    Example:
      samaf report verify report/report.json
    """
    import samaf
    from samaf.cli.progress import counting
    from samaf.report.repeating import repeat

    with (
        samaf.open(database(), index=index, create=False) as opened,
        counting("clips") as on_progress,
    ):
        result = repeat(opened, file, clips=clips, audio=audio, on_progress=on_progress)
    write(REPEATED, [result], output_format)
    if result.verdict == "different":
        click.get_current_context().exit(1)


@click.command()
@click.option("--out", metavar="DIR", type=PATH, help="A new folder for a page to sign.")
@output_format_option
def validate(out: Path | None, output_format: str | None) -> None:
    """Check an installation: bundled clips must give the results that are shipped with it.

    Compares files, decoded samples, hashes, matches, scores and likelihood ratios. Run it after
    an installation or update. No store is needed. Exit status 1 if results differ.

    \b
    Example:
      samaf validate --out validation/
    """
    from samaf.report.validate import validate as run

    result = run(out)
    write(VALIDATED, [result], output_format)
    if not result.passed:
        click.get_current_context().exit(1)


def _written_lines(written: WrittenReport) -> Lines:
    yield "report", shown_path(str(written.folder))
    yield from written.files


def _written_record(written: WrittenReport) -> Record:
    files = [{"file": name, "sha256": digest} for name, digest in written.files]
    return {"folder": str(written.folder), "files": files}


WRITTEN: View[WrittenReport] = View(
    (), _written_lines, _written_record, ("folder", "file", "sha256")
)


def _difference_lines(some: tuple[Difference, ...]) -> Lines:
    for each in some:
        yield each.kind, f"{each.where}: {each.recorded} -> {each.now}"


def _difference_records(some: tuple[Difference, ...]) -> list[Record]:
    return [
        {"kind": each.kind, "where": each.where, "recorded": each.recorded, "now": each.now}
        for each in some
    ]


DIFFERENCE_FIELDS = ("kind", "where", "recorded", "now")


def _repeated_lines(result: RepeatResult) -> Lines:
    yield "report", shown_path(result.path)
    yield "clips", f"{result.clips:,}"
    yield "results", result.verdict
    yield from _difference_lines(result.differences)


REPEATED: View[RepeatResult] = View(
    (),
    _repeated_lines,
    lambda result: {
        "report": result.path,
        "clips": result.clips,
        "results": result.verdict,
        "differences": _difference_records(result.differences),
    },
    ("report", "clips", "results", *DIFFERENCE_FIELDS),
)


def _validated_lines(result: ValidationResult) -> Lines:
    yield "clips", f"{result.clips:,}"
    yield "matches", f"{result.matches:,}"
    yield "results", result.verdict
    yield from _difference_lines(
        tuple(
            each
            for each in result.differences
            if each.kind != "surroundings" or each.where.startswith("program.")
        )
    )


VALIDATED: View[ValidationResult] = View(
    (),
    _validated_lines,
    lambda result: {
        "clips": result.clips,
        "matches": result.matches,
        "results": result.verdict,
        "differences": _difference_records(result.differences),
    },
    ("clips", "matches", "results", *DIFFERENCE_FIELDS),
)
