"""After an installation or update: does the program answer as it must on this machine?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from samaf.report.differences import Difference, differences, verdict
from samaf.report.html import html
from samaf.report.pages.document import (
    Block,
    Document,
    Facts,
    Heading,
    Paragraph,
    Signatures,
    Table,
)
from samaf.report.pdf import is_available, pdf
from samaf.report.provenance import made_at
from samaf.report.record import Examination
from samaf.report.validation_set import pinned, run
from samaf.report.whole_folder import check_new, new_folder

TITLE = "Validation of an installation"


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What came out of the pinned queries.

    Attributes
    ----------
    clips, matches
        Clips examined, and matches that had to be found.
    verdict
        "identical", "the same to 4 digits" or "different".
    now
        The record of this run.
    """

    verdict: str
    clips: int
    matches: int
    differences: tuple[Difference, ...]
    now: Examination
    made_at: str

    @property
    def passed(self) -> bool:
        """Whether no result differs by more than rounding."""
        return self.verdict != "different"


def validate(out: str | os.PathLike[str] | None = None) -> ValidationResult:
    """Examine the bundled clips and compare all results with the pinned ones.

    Files, decoded samples, hashes, matches, scores and likelihood ratios are compared, to the
    last bit; no store is needed, and none is changed.

    Parameters
    ----------
    out
        A new folder for a page to sign, as HTML and, with typst, PDF.

    Raises
    ------
    ReportError
        The folder holds something already, or cannot be written.
    """
    if out is not None:
        check_new(Path(out))
    expected, now = pinned(), run()
    found = differences(expected, now)
    result = ValidationResult(
        verdict(found),
        len(expected.clips),
        sum(len(clip.matches) for clip in expected.clips),
        found,
        now,
        made_at(),
    )
    if out is not None:
        with new_folder(Path(out)) as folder:
            pages = page(result)
            (folder / "validation.html").write_text("".join(html(pages, {})), encoding="utf-8")
            if is_available():
                (folder / "validation.pdf").write_bytes(pdf(pages, {}))
    return result


def page(result: ValidationResult) -> Document:
    """Write the page that a laboratory signs."""
    program, model = result.now.program, result.now.model
    results = [each for each in result.differences if each.kind != "surroundings"]
    versions = [each for each in result.differences if each.where.startswith("program.")]
    blocks: list[Block] = [
        Paragraph(_sentence(result), "lead"),
        Facts(
            (
                ("Clips examined", f"{result.clips}"),
                ("Matches that must be found", f"{result.matches}"),
                ("Results that differ", f"{len(results)}"),
                ("samaf", program.samaf),
                ("Model", f"{model.name}, digest {model.digest[:16]}"),
                ("Python, NumPy", f"{program.python}, {program.numpy}"),
                ("Decoder", f"FFmpeg {program.ffmpeg} (PyAV {program.av})"),
                ("Inference", f"ONNX Runtime {program.onnxruntime}"),
                ("System", program.system),
            )
        ),
        Paragraph(
            "Compared with the results that are shipped with the program: SHA-256 of files, of "
            "decoded samples and of hashes; matches with places, bit error rates, scores, "
            "likelihood ratios and the comparison of signals. Numbers count as identical only to "
            "the last bit."
        ),
    ]
    for title, some in (("Results that differ", results), ("Versions that differ", versions)):
        if some:
            blocks += [Heading(title, 2), _table(some)]
    blocks.append(Signatures((("Done by", ""), ("Reviewed by", ""))))
    return Document(
        title=TITLE,
        subtitle=f"samaf {program.samaf}",
        running=TITLE,
        language="en",
        date=result.made_at,
        facts=Facts((("Date", result.made_at), ("Laboratory", ""), ("Machine", ""))),
        blocks=tuple(blocks),
    )


def _sentence(result: ValidationResult) -> str:
    if result.verdict == "identical":
        return "Passed: all results are identical."
    if result.passed:
        return f"Passed: all results are {result.verdict}; the numbers that differ are listed."
    return "Not passed: results differ. Do not use this installation before the cause is known."


def _table(some: list[Difference]) -> Table:
    return Table(
        ("where", "expected", "here"),
        tuple((each.where, each.recorded, each.now) for each in some),
    )
