"""Label tracks, read back by the programs' own libraries, and cut sound, sample by sample."""

from __future__ import annotations

import subprocess
import sys
import wave
from dataclasses import replace
from io import StringIO
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import samaf
from samaf.errors import AudioError, ReportError
from samaf.records import (
    CopiesResult,
    Duplicate,
    Jump,
    Match,
    Recording,
    RepeatCluster,
    RepeatedSegment,
    RepeatPlace,
    SyncedRecording,
)
from samaf.report import Examination
from samaf.report.exports.annotations import (
    Annotated,
    Label,
    annotated,
    of_copies,
    of_duplicates,
    of_record,
    of_repeats,
    of_synced,
    on_clip,
    on_recordings,
)
from samaf.report.exports.case_uco import case_uco
from samaf.report.exports.cut import CutSegment, cut, cut_name, segments_of
from samaf.report.exports.formats import FORMATS, audacity, eaf, rttm, srt, textgrid, vtt

ONE = Recording("1" * 64, "one.wav", "/there/one.wav", 60.0)
TWO = Recording("2" * 64, 'two "<b>&\t\n.wav', "/there/two.wav", 30.0)
MATCHES = [
    Match(ONE, 0.0, 2.5, 10.0, 12.5, 0.1, 9.0),
    Match(TWO, 2.0, 4.0, 1.0, 3.0, 0.1, 8.0),
    Match(ONE, 2.25, 4.5, 30.0, 32.25, 0.1, 7.0),
]
CLIP = on_clip("/folder/clip.wav", 5.0, MATCHES)
SHOWN = 'two "<b>&\\t\\n.wav'

texts = st.text(st.characters(exclude_categories=[]), min_size=1, max_size=20)
labels = st.builds(
    lambda start, length, text, tier: Label(start / 1000, (start + length) / 1000, text, tier),
    st.integers(0, 100_000),
    st.integers(0, 50_000),
    texts,
    texts,
)
files = st.builds(lambda some: annotated("clip.wav", 10.0, some), st.lists(labels, max_size=6))


def test_a_clip_is_labelled_with_recordings_and_recordings_with_clips() -> None:
    assert [label.text for label in CLIP.labels] == [
        "one.wav at 0:10.000",
        f"{TWO.name} at 0:01.000",
        "one.wav at 0:30.000",
    ]
    one, two = on_recordings([("a/clip.wav", MATCHES), ("b.wav", MATCHES[:1])])
    assert (one.name, one.duration, len(one.labels), len(two.labels)) == ("one.wav", 60.0, 3, 1)
    assert [label.tier for label in one.labels] == ["b.wav", "clip.wav", "clip.wav"]


def test_audacity_has_three_columns() -> None:
    lines = [line.split("\t") for line in audacity(CLIP).splitlines()]
    assert lines[0] == ["0.000000", "2.500000", "one.wav at 0:10.000"]
    assert lines[1] == ["2.000000", "4.000000", f"{SHOWN} at 0:01.000"]


def test_praat_reads_the_textgrid(tmp_path: Path) -> None:
    textgrids = pytest.importorskip("praatio.textgrid")
    path = tmp_path / "clip.TextGrid"
    path.write_text(textgrid(CLIP), encoding="utf-8")
    read = textgrids.openTextgrid(str(path), includeEmptyIntervals=False)
    # Two stretches of one recording overlap, so the later one has a tier of its own.
    assert read.tierNames == ("one.wav", "one.wav (2)", SHOWN)
    assert [tuple(e) for e in read.getTier("one.wav").entries] == [(0, 2.5, "one.wav at 0:10.000")]
    assert [tuple(e)[:2] for e in read.getTier("one.wav (2)").entries] == [(2.25, 4.5)]
    assert read.maxTimestamp == 5.0


def test_elan_reads_the_annotations(tmp_path: Path) -> None:
    elan = pytest.importorskip("pympi.Elan")
    path = tmp_path / "clip.eaf"
    path.write_text(eaf(CLIP), encoding="utf-8")
    read = elan.Eaf(str(path))
    assert list(read.get_tier_names()) == ["one.wav", "one.wav (2)", SHOWN]
    assert read.get_annotation_data_for_tier("one.wav") == [(0, 2500, "one.wav at 0:10.000")]
    assert read.get_annotation_data_for_tier(SHOWN)[0][2] == f"{SHOWN} at 0:01.000"
    assert read.get_linked_files()[0]["RELATIVE_MEDIA_URL"] == "./clip.wav"


def test_pyannote_reads_rttm() -> None:
    core = pytest.importorskip("pyannote.core")
    annotation = core.Annotation(uri="clip.wav")
    for line in rttm(CLIP).splitlines():
        kind, uri, _, start, length, _, _, speaker, *_ = line.split(" ")
        assert (kind, uri, len(line.split(" "))) == ("SPEAKER", "clip.wav", 10)
        annotation[core.Segment(float(start), float(start) + float(length))] = speaker
    out = StringIO()
    annotation.write_rttm(out)
    assert out.getvalue() == rttm(CLIP)


def test_players_read_subtitles(tmp_path: Path) -> None:
    expected = [(0.0, 2.5), (2.0, 2.0), (2.25, 2.25)]
    for name, text in (("s.vtt", vtt(CLIP)), ("s.srt", srt(CLIP))):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with av.open(str(path)) as container:
            packets = [p for p in container.demux() if p.pts is not None]
            times = [(float(p.pts * p.time_base), float(p.duration * p.time_base)) for p in packets]
        assert times == expected
        assert bytes(packets[0]).decode() == "one.wav at 0:10.000"
    assert "two &quot;" not in vtt(CLIP)
    assert "&lt;b&gt;&amp;" in vtt(CLIP)


@settings(deadline=None, max_examples=50)
@given(files)
def test_hostile_labels_are_whole_in_every_format(file: Annotated) -> None:
    for name, label_format in FORMATS.items():
        text = label_format.write(file)
        assert text.isprintable() or set(text) - {"\n", "\t"} == {
            c for c in text if c.isprintable()
        }
        assert text == label_format.write(file)
        if name == "audacity":
            assert [len(line.split("\t")) for line in text.split("\n")[:-1]] == [3] * len(
                file.labels
            )
        if name == "rttm":
            assert all(len(line.split()) == 10 for line in text.split("\n")[:-1])
        if name in {"vtt", "srt"}:
            assert text.count("-->") == len(file.labels)


@settings(deadline=None, max_examples=50)
@given(files)
def test_praat_and_elan_read_any_labels(file: Annotated) -> None:
    textgrids, elan = pytest.importorskip("praatio.textgrid"), pytest.importorskip("pympi.Elan")
    from praatio.utilities.textgrid_io import parseTextgridStr

    parsed = parseTextgridStr(textgrid(file), includeEmptyIntervals=False)
    assert textgrids
    entries = [entry for tier in parsed["tiers"] for entry in tier["entries"]]
    # A label of spaces is an empty interval there.
    assert len(entries) == sum(bool(label.text.strip(" ")) for label in file.labels)
    assert elan
    from xml.etree import ElementTree

    root = ElementTree.fromstring(eaf(file).encode())
    assert len(root.findall(".//ALIGNABLE_ANNOTATION")) == len(file.labels)
    slots = {slot.get("TIME_SLOT_ID") for slot in root.iter("TIME_SLOT")}
    assert len(slots) == 2 * len(file.labels)


def test_reports_duplicates_and_copies_are_labelled(batch: Examination) -> None:
    names = [file.name for file in of_record(batch)]
    assert names[:4] == ["phone.wav", "five.wav", "short.wav", "unknown.wav"]
    assert len(names) == 4 + 6  # and six recordings
    one, two = of_duplicates([Duplicate(ONE, TWO, (MATCHES[1],))])
    assert (one.labels[0].start, two.labels[0].start) == (2.0, 1.0)
    copy = RepeatedSegment(1.0, 3.0, 7.0, 9.0, 0.1, 0.9, 8.0)
    file = of_copies(CopiesResult("a/x.wav", "0" * 64, 12.0, (copy,)))
    assert [label.text for label in file.labels] == [
        "copy 1, again at 0:07.000",
        "copy 1, before at 0:01.000",
    ]


def test_pieces_that_recur_are_labelled_in_each_recording() -> None:
    places = (RepeatPlace(ONE, 1.0, 4.0), RepeatPlace(ONE, 30.0, 33.0), RepeatPlace(TWO, 5.0, 8.0))
    one, two = of_repeats([RepeatCluster(1, 3.0, places)])
    assert [(x.start, x.text) for x in one.labels] == [
        (1.0, "piece 1, place 1 of 3"),
        (30.0, "piece 1, place 2 of 3"),
    ]
    assert (two.name, two.labels[0].stop, two.labels[0].tier) == (TWO.name, 8.0, "piece 1")
    copy = replace(ONE, path="/elsewhere/one.wav")  # of the same file
    places = (RepeatPlace(ONE, 1.0, 4.0), RepeatPlace(copy, 1.0, 4.0))
    assert [len(file.labels) for file in of_repeats([RepeatCluster(1, 3.0, places)])] == [1, 1]


def test_a_time_line_is_labelled_with_its_recordings() -> None:
    camera = SyncedRecording("/a/camera.mp4", "", 100.0, 1)
    lapel = SyncedRecording("/a/lapel.wav", "", 80.0, 1, 12.5, jumps=(Jump(30.0, 5.0),))
    alone = SyncedRecording("/a/other.wav", "", 80.0)
    (group,) = of_synced([lapel, alone, camera])
    assert group.name == "group-1"
    assert [(x.start, x.stop, x.text) for x in group.labels] == [
        (0.0, 100.0, "camera.mp4 from 0:00.000"),
        (12.5, 42.5, "lapel.wav from 0:00.000"),
        (47.5, 97.5, "lapel.wav from 0:30.000"),
    ]


def sixteen_bits(path: Path, rate: int, seconds: float) -> np.ndarray:
    """Write noise of 16 bits, mono; give its values."""
    rng = np.random.default_rng(3)
    values = rng.integers(-30_000, 30_000, int(rate * seconds)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(values.tobytes())
    return values


def read_back(path: Path) -> tuple[int, np.ndarray]:
    """Decode a piece: rate, and values of 24 bits."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    return rate, np.concatenate(frames, axis=1)[0].astype(np.int64) >> 8


@pytest.mark.parametrize("cut_format", ["wav", "flac"])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_cut_sound_is_exact_to_the_sample(tmp_path: Path, rate: int, cut_format: str) -> None:
    values = sixteen_bits(tmp_path / "clip.wav", rate, 3.0)
    stretch = CutSegment(str(tmp_path / "clip.wav"), "", 1.0, 1.5, "clip", "clip.wav")
    (path,) = cut([(7, stretch)], tmp_path / "out", cut_format=cut_format, padding_s=0.25)
    assert path.name == f"007-clip-clip.wav-1.000s.{cut_format}"
    got_rate, got = read_back(path)
    expected = values[round(0.75 * rate) : round(1.75 * rate)].astype(np.int64) << 8
    assert got_rate == rate
    assert np.array_equal(got, expected)


def test_padding_ends_at_the_file_and_names_are_safe(tmp_path: Path) -> None:
    values = sixteen_bits(tmp_path / "clip.wav", 16_000, 2.0)
    stretch = CutSegment(str(tmp_path / "clip.wav"), "", 0.5, 1.5, "clip", "../e vil\x1b.wav")
    (path,) = cut([(1, stretch)], tmp_path, padding_s=9.0)
    assert path.parent == tmp_path
    assert path.name == "001-clip-_e_vil_.wav-0.500s.wav"
    assert len(read_back(path)[1]) == len(values)
    long = CutSegment("", "", 0, 1, "recording", "\u6f22" * 500)
    assert len(cut_name(long, 1, "flac")) < 100


def test_a_file_that_changed_is_not_cut(tmp_path: Path) -> None:
    sixteen_bits(tmp_path / "clip.wav", 16_000, 2.0)
    recording = Recording("0" * 64, "clip.wav", str(tmp_path / "clip.wav"), 2.0)
    match = Match(recording, 0, 1, 0, 1, 0.1, 9.0)
    pairs = list(segments_of(str(tmp_path / "clip.wav"), "", None, [match]))
    assert [pair[1].role for pair in pairs] == ["clip", "recording"]
    with pytest.raises(AudioError, match="its SHA-256 differs"):
        cut(pairs[1:], tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        cut(pairs[:1], tmp_path / "file")


@pytest.mark.slow
def test_case_utils_validate_the_graph(batch: Examination, tmp_path: Path) -> None:
    pytest.importorskip("case_utils")
    path = tmp_path / "case-uco.jsonld"
    path.write_text(case_uco(batch), encoding="utf-8")
    # Beside the interpreter that has the package, wherever the environment is.
    program = "import sys; from case_utils.case_validate import main; sys.exit(main())"
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Conforms: True" in done.stdout
    assert samaf.__version__ in path.read_text()
