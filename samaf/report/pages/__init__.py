"""The pages of a report: a record becomes a document of blocks, which HTML and PDF render."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from samaf.report.glyphs import shortened
from samaf.report.pages import batch, closing, front, items, results, weighing
from samaf.report.pages.document import Block, Document, Paragraph
from samaf.report.pages.words import date_of, number_of
from samaf.report.record import Examination

__all__ = ["Document", "document"]

RUNNING = 60  # characters of the title at the head of each page


def document(record: Examination, attachments: Sequence[tuple[str, str]] = ()) -> Document:
    """Write the pages of a record.

    Parameters
    ----------
    attachments
        Name and SHA-256 of the files that belong to the report.
    """
    title = front.title(record)
    head = (shortened(title, RUNNING), shortened(number_of(record.case), RUNNING))
    running = " - ".join(part for part in (*head, record.case.state) if part)
    blocks = _one(record) if len(record.clips) == 1 else _many(record)
    return Document(
        title=title,
        subtitle="Report of a search by audio fingerprints",
        running=running,
        language=record.language,
        date=date_of(record),
        facts=front.cover(record, attachments),
        blocks=tuple(blocks),
    )


def _one(record: Examination) -> Iterator[Block]:
    (clip,) = record.clips
    yield Paragraph(results.outcome(record, clip), "lead")
    yield from front.administrative(record)
    yield from front.question(record)
    yield from items.items(record)
    yield from front.method(record)
    if clip.item is not None:
        yield from results.results(record, clip)
        yield from weighing.evaluation(record, clip)
        yield from weighing.alteration(record, clip)
        yield from weighing.alternatives(record, clip)
    yield from _end(record)


def _many(record: Examination) -> Iterator[Block]:
    yield from front.administrative(record)
    yield from batch.overview(record)
    yield from front.question(record)
    yield from front.method(record)
    yield from batch.clips(record)
    yield from batch.words(record)
    yield from _end(record)


def _end(record: Examination) -> Iterator[Block]:
    yield from closing.validity(record)
    yield from closing.limits()
    yield from closing.review(record)
    yield from closing.annex(record)
