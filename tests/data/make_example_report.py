"""Make docs/example-report/ from the bundled clips: ``make example-report``.

A clip of telephone quality with noise, 4 % faster, from a recording of a store of eleven.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, faster, noisy, telephone, wav
from samaf.engine.options import QueryOptions
from samaf.report import Case, ReportOptions, report
from samaf.report.validation_set import bundled_store

OUT = Path(__file__).parents[2] / "docs" / "example-report"
CASE = Case(
    title="Example: origin of a voice message",
    number="EXAMPLE-1",
    version="1",
    laboratory="Example laboratory",
    customer="Example court",
    case="1 A 2/26",
    examiner="A. Example",
    received="2026-11-02",
    done="2026-11-05",
    issued="2026-11-09",
    question="Is the message cut from one of the eleven recordings?",
    notes="The speakers are synthetic voices.",
)


def main() -> None:
    """Make the pages again."""
    with tempfile.TemporaryDirectory(prefix="samaf-example-") as temporary:
        folder = Path(temporary)
        samples = load(CLIPS / "greta-weather.ogg")[2 * SAMPLE_RATE : 8 * SAMPLE_RATE]
        damaged = telephone(noisy(faster(samples, 1.04), 12, np.random.default_rng(1)))
        os.chdir(folder)  # the report holds the clip's path as it is given
        clip = Path("message.wav")
        clip.write_bytes(wav(damaged))
        options = ReportOptions(QueryOptions(search="deep", verify=True))
        with bundled_store(folder) as engine:
            report(engine, [clip], folder / "report", options, case=CASE)
        OUT.mkdir(exist_ok=True)
        for name in ("report.html", "report.pdf"):
            shutil.copy(folder / "report" / name, OUT)


if __name__ == "__main__":
    main()
