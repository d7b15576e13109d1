"""samaf monitor on real pipes and a real server."""

from __future__ import annotations

import http.server
import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from shell import STRANGER, Run

from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS, wav

Start = Callable[..., subprocess.Popen[bytes]]

PLAYED = ("bruno-garden.ogg", "greta-weather.ogg")


def programme() -> np.ndarray:
    """A stranger's 5 s, 8 s of Bruno, another 5 s, 6 s of Greta, 8 s of silence."""
    stranger = load(STRANGER)[: 5 * SAMPLE_RATE]
    bruno, greta = (load(CLIPS / name) for name in PLAYED)
    parts = [stranger, bruno[SAMPLE_RATE : 9 * SAMPLE_RATE], stranger]
    parts += [greta[2 * SAMPLE_RATE : 8 * SAMPLE_RATE], np.zeros(8 * SAMPLE_RATE, np.float32)]
    return np.concatenate(parts)


PROGRAMME = wav(programme())
TRUTH = ((5, 13, 1, 9), (18, 24, 2, 8))


def check(lines: list[str]) -> None:
    matches = [json.loads(line) for line in lines]
    assert [match["event"] for match in matches] == ["match"] * 2
    assert [match["reference"] for match in matches] == list(PLAYED)
    for match, times in zip(matches, TRUTH, strict=True):
        names = ("query_start", "query_stop", "reference_start", "reference_stop")
        assert [match[name] for name in names] == pytest.approx(times, abs=0.5)


@pytest.fixture
def server() -> Iterator[str]:
    class Radio(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:  # noqa: N802  # the name that the base class calls
            """Send the programme, or announce more than comes."""
            whole = len(PROGRAMME) if self.path == "/whole" else 2 * len(PROGRAMME)
            self.send_response(200)
            self.send_header("Content-Length", str(whole))
            self.end_headers()
            self.wfile.write(PROGRAMME)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Radio) as radio:
        threading.Thread(target=radio.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{radio.server_port}"
        radio.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_a_file_and_a_url_give_the_same(run: Run, server: str, tmp_path: Path) -> None:
    (tmp_path / "programme.wav").write_bytes(PROGRAMME)
    for source in ("programme.wav", f"{server}/whole"):
        result = run("monitor", source, "--json")
        assert result.exit_code == 0
        check(result.stdout.splitlines())


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_a_stream_that_breaks_off_keeps_what_was_found(run: Run, server: str) -> None:
    result = run("monitor", f"{server}/half", "--json", "--retries", "0")
    assert result.exit_code == 1
    check(result.stdout.splitlines())
    (line,) = result.stderr.splitlines()
    assert re.match(r"samaf: http://\S+: broke off after 3\d\.\d s .*found until then stands", line)


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_several_streams_into_files_and_programs(
    run: Run, server: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "programme.wav").write_bytes(PROGRAMME)
    (tmp_path / "keep").write_text('#!/bin/sh\ncat >> "$1"\n')
    (tmp_path / "keep").chmod(0o755)
    (tmp_path / "streams.txt").write_text(
        f"# stations\n\n{server}/whole Radio One\nprogramme.wav\n", encoding="utf-8-sig"
    )
    result = run(
        *("monitor", "--streams", "streams.txt", "--out", "log/days"),
        *("--exec", f"'{tmp_path}/keep' 'kept matches'", "--metrics", "0"),
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    (day,) = (tmp_path / "log" / "days").iterdir()
    lines = day.read_text().splitlines()
    by_stream = {
        name: [line for line in lines if json.loads(line)["stream"] == name]
        for name in ("Radio One", "programme.wav")
    }
    for each in by_stream.values():
        check(each)
    assert sorted((tmp_path / "kept matches").read_text().splitlines()) == sorted(lines)
    radio, file = (json.loads(each[0]) for each in by_stream.values())
    assert radio["start_time"] < radio["stop_time"]
    assert radio["start_time"].endswith("+00:00")
    assert file["start_time"] is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no stream"),
        (b"http://a/x One\nhttp://b/x One\n", "has two streams One"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (None, "No such file"),
    ],
)
@pytest.mark.usefixtures("store")
def test_bad_files_of_streams(run: Run, tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "streams.txt").write_bytes(content)
    result = run("monitor", "--streams", "streams.txt")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("samaf: streams.txt: ")
    assert reason in line


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "give streams"),
        (["-", "--exec", "'"], "--exec"),
        (["-", "--exec", ""], "--exec"),
        (["-", "--webhook", "ftp://x"], "--webhook"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], reason: str) -> None:
    result = run("monitor", *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr


@pytest.mark.usefixtures("store")
def test_a_folder_that_cannot_be_made(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("monitor", STRANGER, "--out", "file/log")
    assert result.exit_code == 1
    assert "give a folder that can be written" in result.stderr


@pytest.mark.process
@pytest.mark.usefixtures("store")
def test_sigterm_is_a_clean_end(start: Start) -> None:
    process = start("monitor", "-", "--json")
    assert process.stdin
    assert process.stdout
    process.stdin.write(wav(programme()[: 23 * SAMPLE_RATE]))
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert [json.loads(line)["reference"] for line in out.splitlines()] == [PLAYED[1]]


@pytest.mark.process
@pytest.mark.usefixtures("store")
def test_matches_come_while_the_pipe_is_open_and_ctrl_c_ends_it(start: Start) -> None:
    process = start("monitor", "-", "--json")
    assert process.stdin
    assert process.stdout
    # Endless, as from a pipe: up to the middle of the second excerpt.
    process.stdin.write(wav(programme()[: 23 * SAMPLE_RATE]))
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["reference"] == PLAYED[0]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"samaf: stopped\n")
    (line,) = out.splitlines()
    last = json.loads(line)
    assert last["reference"] == PLAYED[1]
    assert last["query_stop"] == pytest.approx(23, abs=1)


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_a_table_for_people(run: Run, tmp_path: Path) -> None:
    (tmp_path / "programme.wav").write_bytes(PROGRAMME)
    head, *lines = run("monitor", "programme.wav").stdout.splitlines()
    assert head.split()[:3] == ["from", "to", "recording"]
    assert [line.split()[2] for line in lines] == list(PLAYED)
    (tmp_path / "silence.wav").write_bytes(wav(np.zeros(5 * SAMPLE_RATE, np.float32)))
    tone = np.sin(np.arange(5 * SAMPLE_RATE) / 5).astype(np.float32)
    (tmp_path / "tone.wav").write_bytes(wav(tone))
    (tmp_path / "short.wav").write_bytes(wav(tone[:8_000]))
    for name in ("silence.wav", "tone.wav", "short.wav"):
        result = run("monitor", name)
        assert (result.exit_code, result.stdout) == (0, "nothing of the store was found\n")


def test_no_store_an_empty_one_and_bad_addresses(run: Run) -> None:
    result = run("monitor", STRANGER)
    assert result.exit_code == 1
    assert "no such store" in result.stderr
    assert run("add", STRANGER).exit_code == 0
    for url, reason in (("http://", "names no server"), ("nowhere.wav", "no such file")):
        result = run("monitor", url)
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert reason in line
    result = run("monitor", "-")
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    result = run("monitor", "-", stdin=b"this is no sound" * 100)
    assert result.stderr.startswith("samaf: stdin: cannot be decoded")
    assert run("delete", "1").exit_code == 0
    result = run("monitor", STRANGER)
    assert result.exit_code == 1
    assert "the store is empty; add recordings first" in result.stderr
