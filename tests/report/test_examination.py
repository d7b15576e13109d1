"""What an examination records: matches, unknown clips, files that cannot be used."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from vectormodel import write_vector_model

import samaf
from samaf.audio import load
from samaf.demo import CLIPS, wav
from samaf.engine.decisions import Decision, decide
from samaf.engine.options import QueryOptions
from samaf.errors import QueryError, ReportError
from samaf.fingerprinters import ScoreCalibration
from samaf.report import Examination, ReportOptions, examine, write_html
from samaf.report.differences import differences
from samaf.report.provenance import EPOCH


@pytest.mark.slow
def test_a_match_is_recorded_with_its_course(phone: tuple[Examination, dict[str, bytes]]) -> None:
    record, pictures = phone
    (clip,) = record.clips
    (found,) = clip.matches
    assert (clip.outcome, found.recording.name) == ("found", "greta-weather.ogg")
    assert found.reference_start - found.query_start == pytest.approx(2.0, abs=0.05)
    course = found.course
    inside = [b for t, b in zip(course.times, course.ber, strict=True) if t <= found.query_stop]
    assert np.mean(inside) == pytest.approx(found.ber, abs=0.02)
    assert found.hashes == found.agreeing > 15
    known = [lag for lag in course.lags if lag is not None]
    assert np.abs(known).max() < 0.05  # s; the clip runs at the recording's speed
    assert found.pictures == tuple(pictures) == ("clip-0001-match-01-spectra",)
    assert (found.audio, record.made_at) == ("read", "2026-09-21T14:13:20Z")


def test_the_item_is_the_file_byte_for_byte(
    phone: tuple[Examination, dict[str, bytes]], made_clips: Path
) -> None:
    item = phone[0].clips[0].item
    content = (made_clips / "phone.wav").read_bytes()
    assert item
    assert (item.bytes, item.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (item.codec, item.sample_rate, item.duration) == ("pcm_s16le", 16_000, 6.0)
    assert 3000 < item.quality.bandwidth_hz < 3800  # a telephone's


def test_unknown_clips_and_unusable_files_are_recorded_with_reasons(batch: Examination) -> None:
    assert [clip.outcome for clip in batch.clips] == [
        *("found", "found", "unknown", "failed", "unknown")
    ]
    assert batch.clips[2].reason == "shorter than 1 s"
    assert "cannot be decoded as audio" in batch.clips[3].reason
    assert batch.clips[4].candidates[0].recording.name == "greta-weather.ogg"
    assert batch.expected_false == pytest.approx(3 * 0.001)


def test_five_recordings_in_a_clip_are_all_found(batch: Examination) -> None:
    names = {found.recording.name for found in batch.clips[1].matches}
    assert len(names) == 5
    course = batch.clips[1].matches[0].course
    assert course.times == tuple(sorted(course.times))


@pytest.mark.slow
def test_the_course_of_a_long_match_has_no_seams(tmp_path: Path) -> None:
    sounds = [load(path) for path in sorted(CLIPS.iterdir())]
    long = np.concatenate(sounds)  # some two minutes: three sections of the clip
    (tmp_path / "long.wav").write_bytes(wav(long))
    (tmp_path / "clip.wav").write_bytes(wav(long[8000:]))  # begins half a second later
    with samaf.open(str(tmp_path / "s.db"), cache_folder=tmp_path / "index") as engine:
        assert len(list(engine.add(tmp_path / "long.wav"))) == 1
        record = examine(engine, [tmp_path / "clip.wav"], ReportOptions(pictures=False))
    (found,) = record.clips[0].matches
    times = np.array(found.course.times)
    assert 200 < len(times) <= 400  # two blocks make a point, since there are more than 400
    assert np.allclose(np.diff(times)[:-1], 0.5, atol=0.002)
    assert np.array(found.course.reference_times) - times == pytest.approx(0.5, abs=0.1)
    assert max(found.course.ber) < 0.3


def test_the_store_is_recorded_as_the_last_change_left_it(
    own_engine: samaf.Engine, made_clips: Path
) -> None:
    before = examine(own_engine, [made_clips / "short.wav"]).store
    own_engine.store.log("query", "0" * 64)
    own_engine.store.log("report", "0" * 64)
    assert examine(own_engine, [made_clips / "short.wav"]).store == before
    own_engine.label("bruno-garden.ogg", {"case": "8"})
    after = examine(own_engine, [made_clips / "short.wav"]).store
    assert (before.audit_act, after.audit_act) == ("add", "relabel")


@pytest.mark.slow
def test_decisions_of_people_are_recorded_with_their_match(
    own_engine: samaf.Engine, made_clips: Path
) -> None:
    options = ReportOptions(pictures=False)
    before = examine(own_engine, [made_clips / "five.wav"], options)
    clip = before.clips[0]
    assert clip.item
    first, second, *_ = clip.matches
    for name, match in (("A. <b>", first), ("B", first), ("C", second)):
        decide(
            own_engine.store,
            Decision(
                "five.wav",
                clip.item.sha256,
                match.recording.name,
                match.recording.sha256,
                match.query_start,
                match.query_stop,
                match.reference_start,
                match.reference_stop,
                "accepted" if name == "B" else "to check",
                "comment",
                name,
            ),
        )
    after = examine(own_engine, [made_clips / "five.wav"], options)
    judged = [[(j.decision, j.name) for j in f.judgements] for f in after.clips[0].matches]
    assert judged[:3] == [[("accepted", "B"), ("to check", "A. <b>")], [("to check", "C")], []]
    assert after.store == before.store  # no recording was changed
    assert differences(before, after) == ()
    page = write_html(after, {})
    assert "A. &lt;b&gt;" in page


@pytest.mark.slow
def test_a_deep_search_records_the_alteration(
    report_engine: samaf.Engine, made_clips: Path
) -> None:
    options = ReportOptions(QueryOptions(search="deep"), pictures=False)
    record = examine(report_engine, [made_clips / "fast.wav"], options)
    (found,) = record.clips[0].matches
    assert found.alteration.examined
    assert 1 / found.alteration.tau == pytest.approx(1.2, rel=0.01)
    assert found.agreeing == found.hashes > 10
    name = record.store.name
    assert record.command == (
        f"samaf report {made_clips / 'fast.wav'} --out FOLDER --db {name} --deep"
    )


@pytest.mark.slow
def test_audio_that_is_gone_or_changed_is_not_at_hand(tmp_path: Path, made_clips: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("greta-weather.ogg", "hugo-kitchen.ogg"):
        shutil.copy(CLIPS / name, folder)
    with samaf.open(str(tmp_path / "s.db"), cache_folder=tmp_path / "index") as engine:
        assert len(list(engine.add(folder))) == 2
        path = folder / "greta-weather.ogg"
        shutil.copy(CLIPS / "hugo-kitchen.ogg", path)
        (found,) = examine(engine, [made_clips / "phone.wav"]).clips[0].matches
        assert "is not the file that was added" in found.audio
        path.unlink()
        (found,) = examine(engine, [made_clips / "phone.wav"]).clips[0].matches
        assert found.audio.startswith("audio not at hand: greta-weather.ogg")
        assert found.pictures == ()
        assert found.course.times  # hashes are in the store


def test_what_no_report_can_be_made_from_is_refused(
    report_engine: samaf.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ReportError, match="save the clip first"):
        examine(report_engine, ["-"])
    vectors = samaf.open(str(tmp_path / "v.db"), model=str(write_vector_model(tmp_path)))
    with pytest.raises(QueryError, match="ranks recordings and decides nothing"):
        examine(vectors, [CLIPS / "bruno-garden.ogg"])
    monkeypatch.setenv(EPOCH, "yesterday")
    with pytest.raises(ReportError, match="is no number of seconds"):
        examine(report_engine, [])


@pytest.mark.slow
def test_a_model_that_is_not_calibrated_gives_no_ratio(
    own_engine: samaf.Engine, made_clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprinter = own_engine.fingerprinter  # which other tests share
    card = replace(fingerprinter.card, calibration=ScoreCalibration())
    monkeypatch.setattr(fingerprinter, "card", card)
    options = ReportOptions(QueryOptions(max_false_matches=1), pictures=False)
    record = examine(own_engine, [made_clips / "five.wav"], options)
    assert not any(each.calibrated for each in record.model.alternatives)
    assert record.clips[0].matches
    assert all(e.log10_lr is None for f in record.clips[0].matches for e in f.evidence)
