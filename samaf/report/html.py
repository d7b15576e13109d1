"""A document as one HTML file: no scripts, nothing fetched, whatever the names of files hold."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from samaf.report.pages.document import (
    Block,
    Code,
    Document,
    Facts,
    Heading,
    Items,
    Paragraph,
    Picture,
    Signatures,
    Table,
)
from samaf.text import escaped

STYLE = Path(__file__).with_name("report.css")
DIGEST = re.compile(r"[0-9a-f]{64}")
END = "End of the report"
EMPTY = '<span class="empty"></span>'  # a line to write on


def html(document: Document, pictures: Mapping[str, bytes]) -> Iterator[str]:
    """Write a document piece by piece; a picture is read when its turn comes.

    Parameters
    ----------
    pictures
        SVG by name.
    """
    title = _text(document.title)
    yield (
        f'<!DOCTYPE html>\n<html lang="{_text(document.language)}">\n<head>\n'
        '<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n"
        f"</head>\n<body>\n<header>\n<h1>{title}</h1>\n<p>{_text(document.subtitle)}</p>\n"
    )
    yield _facts(document.facts)
    yield "</header>\n<main>\n"
    for block in document.blocks:
        yield from _block(block, pictures)
    yield f'</main>\n<footer><p>{_text(document.running)}</p><p class="end">{END}</p></footer>\n'
    yield "</body>\n</html>\n"


def _block(block: Block, pictures: Mapping[str, bytes]) -> Iterator[str]:
    if isinstance(block, Heading):
        level = block.level + 1
        yield f"<h{level}>{_text(block.text)}</h{level}>\n"
    elif isinstance(block, Paragraph):
        kind = f' class="{block.kind}"' if block.kind else ""
        yield f"<p{kind}>{_text(block.text)}</p>\n"
    elif isinstance(block, Facts):
        yield _facts(block)
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Items):
        yield "<ul>\n" + "".join(f"<li>{_text(text)}</li>\n" for text in block.texts) + "</ul>\n"
    elif isinstance(block, Picture):
        data = base64.b64encode(pictures[block.name]).decode()
        yield (
            f'<figure><img alt="{_text(block.alt)}" src="data:image/svg+xml;base64,{data}">'
            f"<figcaption>{_text(block.caption)}</figcaption></figure>\n"
        )
    elif isinstance(block, Code):
        yield f"<pre>{_text(block.text)}</pre>\n"
    else:
        yield from _signatures(block)


def _facts(facts: Facts) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_text(name)}</th><td>{_value(value) or EMPTY}</td></tr>\n'
        for name, value in facts.rows
    )
    return f'<table class="facts">\n{rows}</table>\n'


def _table(table: Table) -> Iterator[str]:
    kinds = [' class="number"' if title.startswith(">") else "" for title in table.titles]
    heads = "".join(
        f'<th scope="col"{kind}>{_text(title.lstrip(">"))}</th>'
        for title, kind in zip(table.titles, kinds, strict=True)
    )
    yield f'<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n'
    for row in table.rows:
        cells = zip(row, kinds, strict=True)
        yield "<tr>" + "".join(f"<td{kind}>{_value(cell)}</td>" for cell, kind in cells) + "</tr>\n"
    yield "</tbody></table></div>\n"


def _signatures(block: Signatures) -> Iterator[str]:
    for role, name in block.rows:
        yield (
            f'<p class="signature"><span>{_text(role)}{": " if name else ""}{_text(name)}</span>'
            "<span>Date</span><span>Signature</span></p>\n"
        )


def _value(text: str) -> str:
    shown = _text(text)
    return f"<code>{shown}</code>" if DIGEST.fullmatch(text) else shown


def _text(text: str) -> str:
    """Make any text harmless: what cannot be printed is escaped, then what HTML would read.

    Its own direction is kept apart from the text around it by the style (`unicode-bidi`).
    """
    return escape(escaped(text))
