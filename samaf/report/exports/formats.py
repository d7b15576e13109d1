"""Label tracks for Audacity, Praat, ELAN, diarisation tools and players.

Each function makes the whole text of a file; names appear harmless in it, whatever they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count
from xml.etree import ElementTree

from samaf.report.exports.annotations import Annotated, Label, safe_name
from samaf.text import escaped

ELAN_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
UNDATED = "1970-01-01T00:00:00+00:00"  # ELAN needs a date; the same labels give the same bytes


def audacity(file: Annotated) -> str:
    """Write a label track of Audacity: start, stop and text, between tabs."""
    return "".join(f"{x.start:.6f}\t{x.stop:.6f}\t{escaped(x.text)}\n" for x in file.labels)


def textgrid(file: Annotated) -> str:
    """Write a TextGrid of Praat, in the long form, with one interval tier a recording."""
    tiers = list(_tiers(file.labels)) or [("labels", [])]
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {file.duration:.6f}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, (name, labels) in enumerate(tiers, 1):
        intervals = list(_without_gaps(labels, file.duration))
        lines += [
            f"    item [{number}]:",
            '        class = "IntervalTier"',
            f"        name = {_praat(name)}",
            "        xmin = 0",
            f"        xmax = {file.duration:.6f}",
            f"        intervals: size = {len(intervals)}",
        ]
        for place, (start, stop, text) in enumerate(intervals, 1):
            lines += [
                f"        intervals [{place}]:",
                f"            xmin = {start:.6f}",
                f"            xmax = {stop:.6f}",
                f"            text = {_praat(text)}",
            ]
    return "\n".join(lines) + "\n"


def _praat(text: str) -> str:
    return '"' + escaped(text).replace('"', '""') + '"'


def _without_gaps(labels: Sequence[Label], end: float) -> Iterator[tuple[float, float, str]]:
    """Fill the time between labels with empty intervals, as Praat has them."""
    time = 0.0
    for label in labels:
        if round(label.start, 6) > round(time, 6):
            yield time, label.start, ""
        yield max(time, label.start), label.stop, label.text
        time = label.stop
    if round(end, 6) > round(time, 6):
        yield time, end, ""


def _tiers(labels: Sequence[Label]) -> Iterator[tuple[str, list[Label]]]:
    """Group labels by tier; labels that overlap within one get tiers of their own."""
    names = dict.fromkeys(label.tier for label in labels)
    for name in names:
        rest = [label for label in labels if label.tier == name]
        for number in count(1):
            if not rest:
                break
            taken: list[Label] = []
            later: list[Label] = []
            for label in rest:
                is_free = not taken or label.start >= taken[-1].stop
                (taken if is_free else later).append(label)
            rest = later
            yield (f"{name} ({number})" if number > 1 else name), taken


def eaf(file: Annotated) -> str:
    """Write an annotation document of ELAN, with one tier a recording."""
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "samaf",
            "DATE": UNDATED,
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": ELAN_SCHEMA,
        },
    )
    header = ElementTree.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    ElementTree.SubElement(
        header,
        "MEDIA_DESCRIPTOR",
        MEDIA_URL=escaped(file.name),
        RELATIVE_MEDIA_URL=f"./{escaped(file.name)}",
        MIME_TYPE="audio/*",
    )
    order = ElementTree.SubElement(root, "TIME_ORDER")
    slots = count(1)
    numbers = count(1)
    for name, labels in _tiers(file.labels) if file.labels else [("labels", [])]:
        tier = ElementTree.SubElement(
            root, "TIER", LINGUISTIC_TYPE_REF="default-lt", TIER_ID=escaped(name)
        )
        for label in labels:
            ends = []
            for time in (label.start, label.stop):
                ends.append(f"ts{next(slots)}")
                ElementTree.SubElement(
                    order, "TIME_SLOT", TIME_SLOT_ID=ends[-1], TIME_VALUE=str(round(1000 * time))
                )
            holder = ElementTree.SubElement(
                ElementTree.SubElement(tier, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                ANNOTATION_ID=f"a{next(numbers)}",
                TIME_SLOT_REF1=ends[0],
                TIME_SLOT_REF2=ends[1],
            )
            ElementTree.SubElement(holder, "ANNOTATION_VALUE").text = escaped(label.text)
    ElementTree.SubElement(
        root,
        "LINGUISTIC_TYPE",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID="default-lt",
        TIME_ALIGNABLE="true",
    )
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def rttm(file: Annotated) -> str:
    """Write RTTM of NIST: one line a label, the recording as its speaker."""
    uri = _word(file.name)
    return "".join(
        f"SPEAKER {uri} 1 {x.start:.3f} {x.stop - x.start:.3f} <NA> <NA> {_word(x.tier)} "
        "<NA> <NA>\n"
        for x in file.labels
    )


def _word(text: str) -> str:
    """Make one word of a name, since fields of RTTM end at spaces."""
    return escaped(text).replace(" ", "_") or "_"


def vtt(file: Annotated) -> str:
    """Write WebVTT, subtitles for browsers and players."""
    cues = "".join(
        f"\n{_clock(x.start, '.')} --> {_clock(x.stop, '.')}\n{escape(escaped(x.text), False)}\n"
        for x in file.labels
    )
    return f"WEBVTT\n{cues}"


def srt(file: Annotated) -> str:
    """Write SubRip, subtitles for players; it has no escapes, so an arrow is taken apart."""
    return "\n".join(
        f"{number}\n{_clock(x.start, ',')} --> {_clock(x.stop, ',')}\n"
        f"{escaped(x.text).replace('-->', '-- >')}\n"
        for number, x in enumerate(file.labels, 1)
    )


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{mark}{rest % 1000:03d}"


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """A format of labels.

    Attributes
    ----------
    suffix
        Of its files.
    joined
        Whether the texts of several files make one.
    """

    suffix: str
    write: Callable[[Annotated], str]
    joined: bool = False


FORMATS: Mapping[str, LabelFormat] = {
    "audacity": LabelFormat(".txt", audacity),
    "textgrid": LabelFormat(".TextGrid", textgrid),
    "eaf": LabelFormat(".eaf", eaf),
    "rttm": LabelFormat(".rttm", rttm, joined=True),
    "vtt": LabelFormat(".vtt", vtt),
    "srt": LabelFormat(".srt", srt),
}


def label_files(files: Iterable[Annotated], label_format: str) -> dict[str, str]:
    """Give the text of each file of labels by its name; names that occur again get a number."""
    chosen = FORMATS[label_format]
    texts: dict[str, str] = {}
    for file in files:
        name, number = safe_name(file.name), 1
        while f"{name}{chosen.suffix}" in texts:
            number += 1
            name = f"{safe_name(file.name)}-{number}"
        texts[f"{name}{chosen.suffix}"] = chosen.write(file)
    return texts
