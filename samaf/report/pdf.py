"""A document as PDF/A-2b, typeset by typst.

PDF/A, since there a character that no font can show is an error, where it is silently left out of
a plain PDF. Such characters are written as escapes before (`samaf.report.glyphs.drawable`).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from samaf.errors import ReportError
from samaf.report.glyphs import breakable, drawable, font_folder
from samaf.report.html import DIGEST, END
from samaf.report.pages.document import Block, Document, Facts, Picture, Signatures, Table

TEMPLATE = Path(__file__).with_name("report.typ")
STANDARD: Final = "a-2b"
WIDEST = 40  # characters that a column gets room for, in proportion to the others
SHORT = 16  # characters: a column of such cells is never folded
INSTALL = "install it with `pip install 'samaf[report]'`"


def is_available() -> bool:
    """Whether typst is installed."""
    try:
        import typst  # noqa: F401
    except ImportError:
        return False
    return True


def pdf(document: Document, pictures: Mapping[str, bytes]) -> bytes:
    """Typeset a document.

    Parameters
    ----------
    pictures
        SVG by name.

    Raises
    ------
    ReportError
        typst is not installed, or refuses to make PDF/A of it.
    """
    try:
        import typst
    except ImportError:
        raise ReportError(f"a PDF needs typst; {INSTALL}") from None
    with tempfile.TemporaryDirectory(prefix="samaf-report-") as temporary:
        folder = Path(temporary)
        (folder / "pictures").mkdir()
        for block in document.blocks:
            if isinstance(block, Picture):
                (folder / "pictures" / f"{block.name}.svg").write_bytes(pictures[block.name])
        (folder / "document.json").write_text(json.dumps(_values(document)), encoding="utf-8")
        shutil.copy(TEMPLATE, folder / "report.typ")
        fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(font_folder())],
        )
        try:
            compiler = typst.Compiler(
                str(folder / "report.typ"), root=str(folder), font_paths=fonts
            )
            made = compiler.compile(
                format="pdf", pdf_standards=[STANDARD], timestamp=_timestamp(document.date)
            )
        except typst.TypstError as error:
            raise ReportError(
                f"typst refuses to make PDF/A of the report ({drawable(str(error))}); the HTML "
                "holds the same"
            ) from None
    assert isinstance(made, bytes)
    return made


def _timestamp(date: str) -> int:
    """Give a date as seconds since 1970; PDF/A needs one."""
    if not date:
        return 0
    moment = datetime.fromisoformat(date.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0, int(moment.timestamp()))


def _values(document: Document) -> dict[str, Any]:
    """Give a document as the template reads it."""
    values: dict[str, Any] = _shown(
        {name: getattr(document, name) for name in ("title", "subtitle", "running", "language")}
    )
    values["facts"] = _facts(document.facts)
    values["blocks"] = [_block(block) for block in document.blocks]
    values["end"] = END
    return values


def _block(block: Block) -> dict[str, Any]:
    values: dict[str, Any] = {"type": type(block).__name__}
    if isinstance(block, Facts):
        return {**values, "rows": _facts(block)}
    if isinstance(block, Table):
        columns = list(zip(*block.rows, strict=True)) or [()] * len(block.titles)
        return {
            **values,
            "columns": [
                {
                    "title": _shown(title.lstrip(">")),
                    "number": title.startswith(">"),
                    "short": max(map(len, (title, *cells))) <= SHORT,
                    "weight": min(max(map(len, (title, *cells))), WIDEST),
                }
                for title, cells in zip(block.titles, columns, strict=True)
            ],
            "rows": [[{**_cell(text), "kind": _kind(text)} for text in row] for row in block.rows],
        }
    if isinstance(block, Picture):
        return {**values, **_shown(asdict(block)), "name": block.name}
    if isinstance(block, Signatures):
        rows = [_shown(f"{role}: {name}" if name else role) for role, name in block.rows]
        return {**values, "rows": rows}
    return {**values, **_shown(asdict(block))}


def _facts(facts: Facts) -> list[dict[str, Any]]:
    return [{"name": _shown(name), "value": _cell(value)} for name, value in facts.rows]


def _cell(text: str) -> dict[str, str]:
    """Give a value; an empty one is a line to write on."""
    return {"kind": _kind(text) if text else "empty", "text": _shown(text)}


def _kind(text: str) -> str:
    return "digest" if DIGEST.fullmatch(text) else ""


def _shown(value: Any) -> Any:
    """Make all texts of JSON values fit for the page."""
    if isinstance(value, str):
        return breakable(drawable(value))
    if isinstance(value, dict):
        return {name: _shown(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return value
