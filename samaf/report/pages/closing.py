"""Validity, limits, signatures, and the annex."""

from __future__ import annotations

from collections.abc import Iterator

from samaf.report.drawn import HITS, TIPPETT
from samaf.report.pages.document import (
    Block,
    Code,
    Facts,
    Heading,
    Items,
    Paragraph,
    Picture,
    Signatures,
    Table,
)
from samaf.report.pages.words import NOT_AVAILABLE
from samaf.report.record import Examination, Validation
from samaf.report.validation import is_inside

LIMITS = (
    "Who speaks, what is said, and whether a recording is authentic were not examined.",
    "A clip that is not found may still come from a stored recording: not found is no proof of "
    "absence.",
    "A match says that the same recorded sound is in both. It does not say which is the original, "
    "nor how the clip came to be.",
    "Recordings that are not in the store were not searched. A copy of the recording elsewhere "
    "would match as well.",
    "No alteration found is no proof that there is none: cuts shorter than the blocks compared, "
    "and changes of level or colour, are not examined.",
    "Scores and ratios assume that clips of other origin resemble those of the calibration.",
)
GLOSSARY = (
    ("BER", "bit error rate: the share of bits in which two hashes differ"),
    ("block", "one second of sound, of which a hash is computed"),
    ("clip", "the item that is searched for"),
    ("Cllr", "cost of the log likelihood ratios: 0 is perfect, 1 is no information"),
    ("hash", "some hundred bits that describe a block, alike for copies of the same sound"),
    ("likelihood ratio", "how many times as probable a result is under H1 as under H2"),
    ("recording", "a file that was added to the store"),
    ("score", "−log10 of the false matches expected in such a search"),
    ("SHA-256", "a checksum: two files with the same one are the same, bit for bit"),
    ("store", "the database of recordings and their hashes"),
)


def validity(record: Examination) -> Iterator[Block]:
    """Write how the decision was validated, and whether the clips lie inside that."""
    yield Heading("Validity")
    validation = record.model.validation
    if validation is None:
        yield Paragraph(
            f"Validation of the decision at the clip's length and kind of damage: {NOT_AVAILABLE}. "
            "The model card holds no such figures. What scores and ratios were fitted to stands "
            "under Method and under Question and propositions.",
            "warning",
        )
        yield Paragraph(
            "How often clips of this length would be found is therefore not stated. The published "
            "error rates of the program are in its documentation (docs/confidence.md)."
        )
        return
    yield Facts(_validated(validation))
    if validation.simulated:
        yield Paragraph(
            "The validation rests on simulated damage to clips: real cases may behave otherwise."
        )
    for clip in record.clips:
        if clip.item is not None and len(record.clips) == 1:
            inside = is_inside(validation, clip.item.duration)
            yield Paragraph(
                f"Is the clip, {clip.item.duration:.1f} s long, inside the validated range of "
                f"lengths: {'yes' if inside else 'no'}. Whether its damage is like that of the "
                "validation was not measured.",
                "" if inside else "warning",
            )
    if validation.lengths:
        yield Table(
            (">length", ">true", ">false", ">found", ">Cllr"),
            tuple(
                (
                    f"{length.seconds:g} s",
                    f"{length.true:,}",
                    f"{length.false:,}",
                    _share(length.hit_rate),
                    _figure(length.cllr),
                )
                for length in validation.lengths
            ),
        )
    if any(length.hit_rate is not None for length in validation.lengths):
        yield Picture(
            HITS,
            "Is it valid here? How often validation queries were found, by length.",
            "Share of validation queries found, by the length of the clip.",
        )
    if validation.true_lrs or validation.false_lrs:
        yield Picture(
            TIPPETT,
            "Tippett plot: share of validation queries whose ratio is at least so large.",
            "Two falling curves, of true and of false validation queries.",
        )


def _validated(validation: Validation) -> tuple[tuple[str, str], ...]:
    return (
        ("Validated on", validation.population),
        ("Kinds of damage", ", ".join(validation.conditions) or NOT_AVAILABLE),
        ("Voices", f"{validation.voices:,}" if validation.voices else NOT_AVAILABLE),
        ("Queries whose recording is stored", f"{validation.true:,}"),
        ("Queries whose recording is not stored", f"{validation.false:,}"),
        ("Cllr", _figure(validation.cllr)),
        ("Least Cllr with the same scores", _figure(validation.cllr_min)),
    )


def _figure(value: float | None) -> str:
    return NOT_AVAILABLE if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return NOT_AVAILABLE if value is None else f"{100 * value:.1f} %"


def limits() -> Iterator[Block]:
    """Write what the examination does not say."""
    yield Heading("Limits")
    yield Items(LIMITS)


def review(record: Examination) -> Iterator[Block]:
    """Leave room for deviations, notes and signatures."""
    case = record.case
    yield Heading("Deviations, notes and review")
    yield Facts((("Deviations from the method", case.deviations), ("Notes", case.notes)))
    yield Signatures((("Examiner", case.examiner), ("Reviewer", case.reviewer)))


def annex(record: Examination) -> Iterator[Block]:
    """Write how to repeat it, the audit entries, the glossary and the licences."""
    yield Heading("Annex")
    yield Heading("How to repeat the examination", 2)
    yield Code(record.command)
    yield Paragraph(
        "report.json holds this report as data, with all digits. This command hashes the items "
        "again, asks the store again and says what differs:"
    )
    yield Code("samaf report verify report.json")
    if record.entries:
        yield Heading("Audit entries about the recordings", 2)
        yield Table(
            (">entry", "time", "act", "program", "hash of the entry"),
            tuple(
                (f"{e.entry_id}", e.happened_at, e.act, e.program, e.hash) for e in record.entries
            ),
        )
    yield Heading("Glossary", 2)
    yield Facts(GLOSSARY)
    yield Heading("Licences", 2)
    yield Paragraph(
        "samaf: Apache-2.0. Fonts of the PDF and of the pictures: DejaVu (Bitstream Vera licence). "
        "Data and licences of the model's training: samaf models --json."
    )
