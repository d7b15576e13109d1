"""Reports: the record of an examination, its pages as HTML and PDF, pictures, and exports.

>>> import samaf
>>> from samaf.report import report
>>> with samaf.open("evidence.db") as engine:  # doctest: +SKIP
...     report(engine, ["clip.wav"], "report")

`examine` gives the record alone; `write_html` and `write_pdf` make pages of a record and of the
pictures that were drawn with it. ``samaf.report.exports`` turns matches into label tracks.
"""

from samaf.report.examination import ReportOptions, examine
from samaf.report.record import Case, Examination
from samaf.report.writing import WrittenReport, report, write_html, write_pdf

__all__ = [
    "Case",
    "Examination",
    "ReportOptions",
    "WrittenReport",
    "examine",
    "report",
    "write_html",
    "write_pdf",
]
