"""The figures that the SAMAF paper prints, and where it contradicts itself.

Baez-Suarez et al., "SAMAF: Sequence-to-sequence Autoencoder Model for Audio
Fingerprinting", ACM TOMM 16(2), 2020: Tables 3, 5 and 6. The text gives no more of
Table 4 and Figure 7 than the best figures of each system.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping

from benchmarks.accuracy.transformations import DATA

SYSTEMS = ("Panako", "RAFS", "Dejavu", "SAMAF")
AVERAGE = "Average"
WINDOWS_A_SECOND = 4  # that a clip loses with each further second of window
# Best accuracy of each system: as the introduction has it, as the conclusion has it.
BEST = {
    "SAMAF": (66.56, 59.32),
    "Dejavu": (47.32, 42.66),
    "Panako": (23.28, 20.49),
    "RAFS": (19.82, 17.61),
}
SPLITS = {"training": 2_799, "validation": 1_812, "test": 1_184}  # originals, as printed
ORIGINALS = 6_425
TEST_TRANSFORMED = 38_094  # 21 a test original

CONTRADICTIONS = (
    "The splits are printed as 2,799 + 1,812 + 1,184 originals, which is 5,795 and not 6,425. "
    "The test split has 38,094 transformed clips of 21 kinds, so 1,814 originals; with these "
    "the sum is right.",
    "The splits are called 60, 20 and 20 %, but 2,799, 1,812 and 1,814 of 6,425 are 44, 28 and "
    "28 %.",
    "All originals are said to be in the reference database. Table 3 loses 18,452 hashes with "
    "each further second, 4 a clip, so it held 4,613 originals: those of training and test.",
    "The best figures are 66.56, 47.32, 23.28 and 19.82 % (SAMAF, Dejavu, Panako, RAFS) in the "
    "introduction, 59.32, 42.66, 20.49 and 17.61 % in the conclusion.",
    "Table 5 has 2LST256M-Acc at 39.07, 54.39 and 61.19 % on average for 1, 2 and 3 s; Table 6 "
    "has the same model at 35.76, 50.75 and 56.48 % for the test split.",
    "Hashes are said to be 25 ms or 25 frames apart; frames are 10 ms apart, so it is 250 ms, as "
    "Table 3 confirms.",
    "Panako is said to tolerate changes of tempo and pitch. Window and step can be set for its "
    "strategy NFFT only, which does not; so that one was measured.",
)


def table3() -> dict[int, tuple[int, int]]:
    """Give reference hashes and query hashes by length in seconds."""
    return {
        int(line["seconds"]): (int(line["reference_hashes"]), int(line["query_hashes"]))
        for line in _lines("samaf_table3.csv")
    }


def table5() -> dict[tuple[str, int, str], float]:
    """Give accuracy in % by transformation, seconds and system; ``Average`` is one too."""
    return {
        (line["transformation"], int(line["seconds"]), line["recognizer"]): float(
            line["accuracy_percent"]
        )
        for line in _lines("samaf_table5.csv")
    }


def table6() -> dict[tuple[str, str, int], tuple[float, float]]:
    """Give % known and unknown by model (2LST256M), selection (Acc, Loss) and seconds."""
    return {
        (line["model"] + line["loss_terms"], line["selection"], int(line["seconds"])): (
            float(line["known_percent"]),
            float(line["unknown_percent"]),
        )
        for line in _lines("samaf_table6.csv")
    }


def originals_of(hashes: Mapping[int, int]) -> float:
    """Tell from hashes by seconds how many clips there are.

    A window one second longer fits into a clip four times less, if clips are long enough.

    >>> originals_of({1: 176_717, 6: 84_457})
    4613.0
    """
    first, last = min(hashes), max(hashes)
    return (hashes[first] - hashes[last]) / (last - first) / WINDOWS_A_SECOND


def _lines(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)
