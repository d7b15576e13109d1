"""A report as a list of blocks: what HTML and PDF have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is a section, 2 a part of it."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text; ``kind`` is "" for plain text, "lead" for the outcome, "warning" for a marked note."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values; an empty value stands as an empty line to write on."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; a title with ">" in front stands over numbers."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture by its name; ``alt`` says what it shows to those who do not see it."""

    name: str
    caption: str
    alt: str


@dataclass(frozen=True, slots=True)
class Code:
    """Text to copy, such as a command."""

    text: str


@dataclass(frozen=True, slots=True)
class Signatures:
    """Lines to sign on: whose they are, and the name where it is known."""

    rows: tuple[tuple[str, str], ...]


Block: TypeAlias = Heading | Paragraph | Facts | Table | Items | Picture | Code | Signatures


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes
    ----------
    running
        What stands at the head of each page.
    date
        ISO 8601, for the document's properties; empty where there is none.
    facts
        Of the cover.
    """

    title: str
    subtitle: str
    running: str
    language: str
    date: str
    facts: Facts
    blocks: tuple[Block, ...]
