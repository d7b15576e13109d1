"""Pages as HTML and PDF: whole, harmless, the same twice, and never saying more than the record."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pikepdf
import pypdfium2
import pytest

from samaf.errors import ReportError
from samaf.report import Case, Examination, write_html, write_pdf
from samaf.report.evaluation import SCALE, support_sentence
from samaf.report.examined import Found
from samaf.report.glyphs import BREAK, breakable, drawable, shortened
from samaf.report.pages import document
from samaf.report.pages.document import Facts, Picture
from samaf.report.pages.words import span

Phone = tuple[Examination, dict[str, bytes]]

HOSTILE = [
    "<script>alert(1)</script>.wav",
    '"><img src=x onerror=alert(1)>',
    "&amp;&lt;",
    '#import "x": * \n #sys.exit() $x$ _a_ *b* `c` [d] \\ @e <f>',
    "\u202egnp.exe",
    "\x1b[2J\x00\x07",
    "\U0001d518\U0001f600\U00020bb7\u6f22\u5b57",
    "a" * 1000,
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "=1+1",
]


class Tags(HTMLParser):
    """The tags of a page, its attributes by name, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.sources: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def text_of(pdf: bytes) -> str:
    """Read the text of all pages, without line breaks and marks for them."""
    with pypdfium2.PdfDocument(pdf) as opened:
        pages = "".join(page.get_textpage().get_text_range() for page in opened)
    return re.sub(r"[\s\u200b\ufffe\xad]+", " ", pages)


def with_name(record: Examination, name: str) -> Examination:
    """Give the clip and the recording another name, and the case a title."""
    (clip,) = record.clips
    assert clip.item
    matches = tuple(
        replace(f, recording=replace(f.recording, name=name, labels=((name, name),)))
        for f in clip.matches
    )
    clip = replace(clip, given=name, item=replace(clip.item, name=name), matches=matches)
    return replace(record, clips=(clip,), case=Case(title=name, notes=name))


@pytest.mark.slow
def test_the_page_needs_nothing_and_runs_nothing(phone: Phone) -> None:
    page = Tags(write_html(*phone))
    assert not page.tags & {"script", "link", "iframe", "object", "form"}
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    assert len(page.sources) == 7


@pytest.mark.slow
def test_each_section_of_the_issue_is_there(phone: Phone) -> None:
    page = Tags(write_html(*phone, [("report.json", "0" * 64)])).text
    found = phone[0].clips[0].matches[0]
    for heading in (
        *("Administrative part", "Question and propositions", "Items", "Method", "Results"),
        *("Evaluation", "Alteration", "Alternatives considered", "Validity", "Limits"),
        *("Deviations, notes and review", "Annex", "Glossary", "Licences", "End of the report"),
    ):
        assert heading in page
    for words in (
        "greta-weather.ogg",
        phone[0].clips[0].item.sha256,  # type: ignore[union-attr]
        phone[0].model.digest,
        "not examined",
        "The validation rests on simulated damage",
        support_sentence(found.evidence[0].log10_lr, "H1", "H2a"),  # type: ignore[arg-type]
        span(found.query_start, found.query_stop),
        "draft",
    ):
        assert words in page
    for step in SCALE:
        assert step.words in page


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_appear_harmless_and_whole(phone: Phone, name: str) -> None:
    record, pictures = phone
    plain = Tags(write_html(*phone))
    page = Tags(write_html(with_name(record, name), pictures))
    assert (page.tags, page.attributes) == (plain.tags, plain.attributes)
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    assert shown in page.text


@pytest.mark.slow
def test_hostile_names_are_whole_in_the_pdf(phone: Phone) -> None:
    record, pictures = phone
    for name in ("".join(HOSTILE[:6]), *HOSTILE[6:8]):
        words = re.sub(r"\s", "", text_of(write_pdf(with_name(record, name), pictures)))
        assert re.sub(r"\s", "", drawable(name)) in words


@pytest.mark.slow
def test_the_same_record_gives_the_same_bytes(phone: Phone) -> None:
    record, pictures = phone
    assert write_html(record, pictures) == write_html(record, pictures)
    first, second = (hashlib.sha256(write_pdf(record, pictures)).hexdigest() for _ in "12")
    assert first == second


@pytest.mark.slow
def test_the_pdf_is_pdf_a_with_all_fonts_and_alternative_texts(phone: Phone) -> None:
    record, pictures = phone
    made = write_pdf(replace(record, case=Case(title="Title", issued="2026-11-29")), pictures)
    with pikepdf.open(io.BytesIO(made)) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "2B"
            assert metadata["dc:title"] == "Title"
        assert "/OutputIntents" in pdf.Root
        assert not pdf.is_encrypted
        fonts = [o for o in pdf.objects if _type(o) == "/FontDescriptor"]
        assert fonts
        assert all(any(f"/FontFile{n}" in font for n in ("", 2, 3)) for font in fonts)
        alternatives = [
            str(o.Alt) for o in pdf.objects if _type(o) == "/StructElem" and "/Alt" in o
        ]
        assert any("Bit error rate along the clip" in text for text in alternatives)
        assert not any(_type(o) == "/Action" or "/JS" in o for o in pdf.objects if _is_map(o))
        assert b"20261129" in bytes(pdf.docinfo["/CreationDate"])


def _is_map(value: object) -> bool:
    return isinstance(value, pikepdf.Dictionary | pikepdf.Stream)


def _type(value: object) -> str:
    return str(value.get("/Type", "")) if _is_map(value) else ""  # type: ignore[attr-defined]


@pytest.mark.slow
def test_pages_are_numbered_and_end_with_a_mark(phone: Phone) -> None:
    text = text_of(write_pdf(*phone))
    pages = [tuple(map(int, pair)) for pair in re.findall(r"page (\d+) of (\d+)", text)]
    assert pages == [(n, len(pages)) for n in range(1, len(pages) + 1)]
    assert text.rstrip().count("End of the report") == 1


@pytest.mark.slow
def test_a_report_of_unknown_is_whole(unknown: Examination) -> None:
    page = Tags(write_html(unknown, {})).text
    assert "Unknown: no recording of the store was found" in page
    assert "no proof of absence" in page
    assert "11 recordings" in page
    assert "Next candidates" in page
    assert text_of(write_pdf(unknown, {}))


@pytest.mark.slow
def test_a_batch_has_counts_a_line_a_clip_and_a_timeline(batch: Examination) -> None:
    pages = document(batch)
    facts = dict(row for block in pages.blocks if isinstance(block, Facts) for row in block.rows)
    assert [facts[key] for key in ("Clips", "Found", "Unknown", "Failed")] == ["5", "2", "2", "1"]
    assert facts["Expected false matches over the batch"].startswith("0.003 at most")
    names = {block.name for block in pages.blocks if isinstance(block, Picture)}
    recordings = {f.recording.recording_id for clip in batch.clips for f in clip.matches}
    assert names == {
        *("map", "hit-rates", "tippett"),
        *("clip-0001-match-01-course", "clip-0002-match-01-course"),
        *(f"recording-{number}" for number in recordings),
    }
    page = Tags(write_html(batch, {})).text
    assert "shorter than 1 s" in page
    assert page.count("text.wav") >= 2
    assert text_of(write_pdf(batch, {}))


@pytest.mark.slow
def test_without_calibration_there_is_no_ratio_and_the_page_says_so(phone: Phone) -> None:
    record, pictures = phone
    alternatives = tuple(
        replace(each, population="", scores="") for each in record.model.alternatives
    )
    model = replace(record.model, alternatives=alternatives)
    (clip,) = record.clips
    (found,) = clip.matches
    found = replace(found, evidence=tuple(replace(e, log10_lr=None) for e in found.evidence))
    record = replace(record, model=model, clips=(replace(clip, matches=(found,)),))
    page = Tags(write_html(record, pictures)).text
    assert "none: the model is not calibrated" in page
    assert "no likelihood ratio is given" in page
    assert not any(f"{step.words} for H1" in page for step in SCALE)


@pytest.mark.slow
def test_words_stay_below_the_cap_whatever_the_record_says(phone: Phone) -> None:
    record, pictures = phone
    (clip,) = record.clips
    (found,) = clip.matches
    found = replace(
        found, evidence=tuple(replace(e, score=28.2, log10_lr=9.0) for e in found.evidence)
    )
    page = Tags(
        write_html(replace(record, clips=(replace(clip, matches=(found,)),)), pictures)
    ).text
    cap = record.model.alternatives[0].highest
    assert page.count(support_sentence(cap, "H1", "H2a")) > 1  # on the cover, and in the table
    assert record.model.validation
    assert f"below 1 in {record.model.validation.false:,}" in page
    assert "10^28" not in page
    assert "extremely strong support for H1" not in page


@pytest.mark.slow
def test_a_doubtful_match_is_marked(phone: Phone) -> None:
    record, pictures = phone
    (clip,) = record.clips
    found: Found = replace(clip.matches[0], ber=0.27, same_text=True)
    page = Tags(
        write_html(replace(record, clips=(replace(clip, matches=(found,)),)), pictures)
    ).text
    assert "another voice that says the same text" in page


@pytest.mark.slow
def test_without_typst_the_reason_says_how_to_get_the_pdf(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "typst", None)
    with pytest.raises(ReportError, match=r"pip install 'samaf\[report\]'"):
        write_pdf(*phone)


def test_texts_fit_the_fonts_and_the_lines() -> None:
    assert drawable("caf\u00e9 \u6f22\u202e\x1b") == "caf\u00e9 \\u6f22\\u202e\\x1b"
    assert breakable("short words") == "short words"
    assert breakable("a" * 30) == BREAK.join(["a" * 12, "a" * 12, "a" * 6])
    assert shortened("a" * 50 + "b" * 50, 21) == "a" * 10 + "\u2026" + "b" * 10


def test_a_card_without_a_validation_says_so(phone: Phone) -> None:
    record, pictures = phone
    without = replace(record, model=replace(record.model, validation=None))
    assert "not available" in Tags(write_html(without, pictures)).text
