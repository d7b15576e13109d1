"""Streams of a real server that fails in every way: nothing outside the gaps is lost."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from audio.media import encode
from audio.media import wav as two_channels
from engine.radio import Act, announces, leads_to, refuses, sends, stalls, station

import samaf
from samaf.audio import SAMPLE_RATE, incoming, load
from samaf.demo import CLIPS, wav
from samaf.engine import monitor
from samaf.errors import AudioError
from samaf.events import StreamGap, StreamMatch, StreamStatus

STRANGER = load(CLIPS / "lena-stranger.ogg")
NAMES = ("bruno-garden.ogg", "greta-weather.ogg", "amelia-harbour.ogg", "bruno-garden.ogg")
SECONDS = 5.0  # of each clip that is played
PIECE = 2 + SECONDS + 2  # with a stranger around it, s


def played(name: str) -> np.ndarray:
    """Two seconds of a stranger, 2 to 7 s of a clip, two seconds of the stranger."""
    clip = load(CLIPS / name)[2 * SAMPLE_RATE : round((2 + SECONDS) * SAMPLE_RATE)]
    around = STRANGER[: 2 * SAMPLE_RATE]
    return np.concatenate([around, clip, around])


WAVS = [wav(played(name)) for name in NAMES]


@pytest.fixture
def engine(clips_store: Path, tmp_path: Path) -> Iterator[samaf.Engine]:
    with samaf.open(shutil.copy(clips_store, tmp_path), cache_folder=tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a tenth as long as for real stations."""
    monkeypatch.setattr(monitor, "FIRST_WAIT_SECONDS", 0.1)
    monkeypatch.setattr(incoming, "ANSWER_SECONDS", 3.0)


def split(events: list[StreamMatch | StreamGap]) -> tuple[list[StreamMatch], list[StreamGap]]:
    return (
        [event for event in events if isinstance(event, StreamMatch)],
        [event for event in events if isinstance(event, StreamGap)],
    )


def check_places(matches: list[StreamMatch], at: list[float]) -> None:
    """Each match is where its clip was played: from 2 s to 7 s."""
    for event, start in zip(matches, at, strict=True):
        match = event.match
        assert (match.query_start, match.query_stop) == pytest.approx(
            (start + 2, start + 2 + SECONDS), abs=0.5
        )
        assert match.reference_start == pytest.approx(2, abs=0.5)


@pytest.mark.slow
def test_a_station_that_fails_in_every_way(engine: samaf.Engine) -> None:
    mp3 = encode(played(NAMES[1]), "libmp3lame", "mp3")
    programme: dict[str, list[Act]] = {
        "/live": [
            sends(WAVS[0]),  # and breaks off
            refuses(404),
            refuses(503),
            sends(b"<html>this is no sound</html>" * 100),
            leads_to("/mp3"),
            stalls(WAVS[2], seconds=30),
            announces(len(WAVS[3]), WAVS[3]),  # a file: the stream has ended
        ],
        "/mp3": [sends(mp3)],  # another codec, at another address
    }
    statuses: list[StreamStatus] = []
    with station(programme) as address:
        events = list(engine.monitor({"one": f"{address}/live"}, on_status=statuses.append))
    matches, gaps = split(events)
    assert [event.match.recording.name for event in matches] == list(NAMES)
    check_places(matches, [number * PIECE for number in range(4)])
    assert [gap.tries for gap in gaps] == [4, 1, 1]
    assert [gap.at for gap in gaps] == pytest.approx([PIECE, 2 * PIECE, 3 * PIECE], abs=0.2)
    assert gaps[0].reason == "the stream ended"
    assert gaps[2].reason == "nothing came for 3 s"
    assert all(gap.over for gap in gaps)
    # This station sends faster than it plays, so how long a gap is depends on the machine.
    for gap in gaps:
        apart = (gap.stop_time - gap.start_time).total_seconds()
        assert apart == pytest.approx(gap.seconds, abs=1e-3)
        assert apart >= 0
    assert [type(event) for event in events] == [StreamMatch, StreamGap] * 3 + [StreamMatch]
    starts = [gap.start_time for gap in gaps]
    assert starts == sorted(starts)
    last = statuses[-1]
    assert (last.stream, last.connected, last.matches, last.gaps) == ("one", False, 4, 3)
    assert last.seconds == pytest.approx(4 * PIECE, abs=0.5)
    assert last.gap_seconds == pytest.approx(sum(gap.seconds for gap in gaps))


def test_tries_count_until_there_is_sound(engine: samaf.Engine) -> None:
    """Two in a row end it, however many there were before."""
    programme = {
        "/live": [
            *(refuses(404), sends(WAVS[0]), refuses(404), sends(WAVS[1])),
            refuses(503),
        ]
    }
    events: list[StreamMatch | StreamGap] = []
    with station(programme) as address, pytest.raises(AudioError, match="answers 503") as caught:
        for event in engine.monitor(f"{address}/live", retries=2):
            events.append(event)
    matches, gaps = split(events)
    assert [event.match.recording.name for event in matches] == list(NAMES[:2])
    assert [gap.over for gap in gaps] == [True, True, False]
    assert "\n" not in str(caught.value)


def test_zero_tries_end_with_the_first_connection(engine: samaf.Engine) -> None:
    with station({"/live": [sends(WAVS[0])], "/none": [refuses(404)]}) as address:
        (match,) = engine.monitor(f"{address}/live", retries=0)
        assert isinstance(match, StreamMatch)
        with pytest.raises(AudioError, match="404"):
            list(engine.monitor(f"{address}/none", retries=0))


def test_several_streams_go_on_without_each_other(engine: samaf.Engine, tmp_path: Path) -> None:
    file = tmp_path / "show.wav"
    file.write_bytes(WAVS[0])
    programme = {"/a": [announces(len(WAVS[1]), WAVS[1])], "/gone": [refuses(404)]}
    events = []
    with station(programme) as address, pytest.raises(AudioError, match="/gone"):
        sources = {"gone": f"{address}/gone", "show": file, "a": f"{address}/a"}
        for event in engine.monitor(sources, retries=1):
            events.append(event)
    matches, gaps = split(events)
    assert {event.stream: event.match.recording.name for event in matches} == {
        "show": NAMES[0],
        "a": NAMES[1],
    }
    assert [(gap.stream, gap.tries, gap.over) for gap in gaps] == [("gone", 1, False)]
    assert [event.start_time is None for event in matches] == [
        event.stream == "show" for event in matches
    ]


@pytest.mark.slow
def test_titles_of_a_radio_server(engine: samaf.Engine) -> None:
    def text(title: str) -> bytes:
        content = f"StreamTitle='{title}';StreamUrl='';".encode()
        units = -(-len(content) // 16)
        return bytes([units]) + content.ljust(16 * units, b"\0")

    sound = wav(np.concatenate([played(name) for name in NAMES[:2]]))
    interval = 2 * SAMPLE_RATE  # one second
    data = b""
    for start in range(0, len(sound), interval):
        part = sound[start : start + interval]
        data += part
        if len(part) == interval:
            second = start // interval + 1
            data += (
                text("O'Neil - Weather")
                if second == round(PIECE)
                else (text("Bruno - Garden") if second == 1 else b"\0")
            )
    with station({"/icy": [sends(data, icy_metaint=str(interval))]}) as address:
        events = list(engine.monitor(f"{address}/icy", retries=0))
    matches, _ = split(events)
    assert [event.match.recording.name for event in matches] == list(NAMES[:2])
    check_places(matches, [0, PIECE])
    assert matches[1].title == "O'Neil - Weather"


def test_stopping_gives_what_is_open(engine: samaf.Engine) -> None:
    stop = threading.Event()
    with station({"/live": [stalls(wav(played(NAMES[0])[: 6 * SAMPLE_RATE]), seconds=30)]}) as at:
        begun = datetime.now(timezone.utc)

        def soon(status: StreamStatus) -> None:
            if status.seconds > 5:
                stop.set()

        (event,) = engine.monitor(f"{at}/live", on_status=soon, until=stop)
    assert isinstance(event, StreamMatch)
    assert event.match.recording.name == NAMES[0]
    assert event.stream == f"{at}/live"
    assert event.start_time
    # All came at once, so its last second was received just now.
    assert abs(event.start_time - begun) < timedelta(seconds=30)


def test_a_stop_while_nothing_is_connected(engine: samaf.Engine) -> None:
    stop = threading.Event()
    with station({"/live": [refuses(404)]}) as address:
        threading.Timer(0.5, stop.set).start()
        (gap,) = engine.monitor(f"{address}/live", until=stop)
    assert isinstance(gap, StreamGap)
    assert not gap.over


def test_a_silent_stream_is_no_gap_and_no_match(engine: samaf.Engine) -> None:
    silence = wav(np.zeros(60 * SAMPLE_RATE, np.float32))
    with station({"/live": [announces(len(silence), silence)]}) as address:
        assert list(engine.monitor(f"{address}/live")) == []


def test_a_wrong_address_ends_all_before_anything_is_read(engine: samaf.Engine) -> None:
    with pytest.raises(AudioError, match="names no server"):
        list(engine.monitor({"a": CLIPS / NAMES[0], "b": "http:///x"}))


@pytest.mark.slow
def test_threads_and_files_of_ended_connections_go(engine: samaf.Engine) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    counts = []

    def count(_status: StreamStatus) -> None:
        counts.append((threading.active_count(), open_files()))

    short = wav(STRANGER[:SAMPLE_RATE])
    acts: list[Act] = [stalls(short, seconds=0), refuses(404)] * 5
    with station({"/live": [*acts, announces(len(short), short)]}) as address:
        list(engine.monitor(f"{address}/live", on_status=count))
        for _ in range(100):
            if threading.active_count() <= counts[0][0]:
                break
            time.sleep(0.05)
    threads, files = zip(*counts, strict=True)
    assert len(counts) > 3
    assert max(threads) <= threads[0] + 6
    assert max(files) <= files[0] + 20


def test_both_sides_of_a_call_are_found_in_a_file_and_in_a_stream(
    engine: samaf.Engine, tmp_path: Path
) -> None:
    """Two clips at once, one 10 dB weaker on the second channel; the mix holds only one."""
    seconds = slice(SAMPLE_RATE, 10 * SAMPLE_RATE)
    one, other = load(CLIPS / NAMES[0])[seconds], 0.3 * load(CLIPS / NAMES[1])[seconds]
    call = two_channels(np.stack([one, other], axis=1))
    file = tmp_path / "call.wav"
    file.write_bytes(call)
    with station({"/live": [announces(len(call), call)]}) as address:
        for source in (file, f"{address}/live"):
            matches, _ = split(list(engine.monitor(source)))
            found = {(event.match.recording.name, event.match.channel) for event in matches}
            assert found == {(NAMES[0], "1"), (NAMES[1], "2")}
            for match in (event.match for event in matches):
                assert match.reference_start - match.query_start == pytest.approx(1, abs=0.1)
                assert match.query_stop - match.query_start > 8
                assert match.ber < 0.1
