"""Start `samaf serve` over a store of many recordings, and measure what people wait for.

python -m benchmarks serve [--recordings 1000] [--hours 3] [--clients 8] [--queries 120]

The store holds the bundled clips, one recording of so many hours made of them, and recordings of
a minute whose hashes are drawn at random.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np

import samaf
from benchmarks.errors import BenchmarkError
from benchmarks.tables import Table, markdown
from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS
from samaf.records import Hashes, Recording

TOKEN = "a token of the benchmark"
MINUTE_HASHES = 237  # of a recording of 60 s
REPEATS = 5  # of each single measurement; the median counts
PATIENCE_S = 300.0
TILES = (("peaks", 0, 0), ("peaks", 11, 0), ("spectrogram", 0, 0))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--recordings", default=1000, show_default=True, help="In the store.")
@click.option("--hours", default=3.0, show_default=True, help="Of the long recording.")
@click.option("--clients", default=8, show_default=True, help="That ask at once.")
@click.option("--queries", default=120, show_default=True, help="Of 3 s clips, in all.")
def command(recordings: int, hours: float, clients: int, queries: int) -> None:
    """Measure the page and the API: first page, answers, the view of a long recording."""
    with tempfile.TemporaryDirectory(prefix="samaf-serve-") as folder:
        place = Path(folder)
        _fill(place, recordings, hours)
        with _server(place) as (client, process):
            lines = list(_measured(client, process, place, recordings, hours, clients, queries))
    head = ("what", "s", "processor time of the server, s")
    cores = len(os.sched_getaffinity(0))
    note = (
        f"{recordings:,} recordings, {cores} processors, "
        f"{os.getloadavg()[1]:.1f} programs ready to run in the last 5 minutes"
    )
    body = tuple((name, f"{taken:.3f}", f"{used:.3f}") for name, taken, used in lines)
    click.echo(markdown(Table("serve", "The page and the API", note, head, body)))


def _measured(
    client: Any,
    process: int,
    place: Path,
    recordings: int,
    hours: float,
    clients: int,
    queries: int,
) -> Iterator[tuple[str, float, float]]:
    """Yield what was measured, its seconds and those of processor time."""

    def once(work: Callable[[], object]) -> tuple[float, float]:
        start, before = time.perf_counter(), _processor_seconds(process)
        work()
        return time.perf_counter() - start, _processor_seconds(process) - before

    def median(work: Callable[[], object]) -> tuple[float, float]:
        pairs = np.array([once(work) for _ in range(REPEATS)])
        taken, used = np.median(pairs, axis=0)
        return float(taken), float(used)

    ten, three = place / "10.wav", place / "3.wav"
    for _ in range(2 * clients):
        _answered(client, three)  # all workers have the index now
    yield "first page", *median(lambda: client.get("/").raise_for_status())
    yield "answer to a clip of 10 s", *median(lambda: _answered(client, ten))
    found = client.get("/api/recordings?name=long").json()["recordings"]
    long = found[0]["recording_id"]
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(once, lambda: _view(client, long))
        yield f"view of {hours:g} h, first time: its beginning", *once(lambda: _seen(client, long))
        yield f"view of {hours:g} h, first time: all of it", *whole.result()
    yield f"view of {hours:g} h, cached", *median(lambda: _view(client, long))

    def ask_all() -> None:
        with ThreadPoolExecutor(clients) as pool:
            states = set(pool.map(lambda _: _answered(client, three), range(queries)))
        if states != {"done"}:
            raise BenchmarkError("a query was not answered; look at the server's messages")

    taken, used = once(ask_all)
    yield f"query of 3 s, mean of {queries} by {clients} clients", taken / queries, used / queries
    last = f"/recordings?after={recordings - 50}"
    yield "last page of recordings", *median(lambda: client.get(last).raise_for_status())


def _processor_seconds(process: int) -> float:
    """Give the processor time of a process, of those below it, and of those that ended there."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        below = [
            child
            for thread in Path(f"/proc/{process}/task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    except OSError:  # it has just ended
        return 0.0
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(_processor_seconds(int(child)) for child in below)


def _fill(place: Path, recordings: int, hours: float) -> None:
    bundled = sorted(CLIPS.glob("*.ogg"))
    sounds = np.concatenate([load(path) for path in bundled])
    count = round(hours * 3600 * SAMPLE_RATE)
    _write_wav(place / "long.wav", (sounds[np.arange(count) % len(sounds)]))
    first = load(bundled[0])
    for seconds in (10, 3):
        _write_wav(place / f"{seconds}.wav", first[: seconds * SAMPLE_RATE])
    random = np.random.default_rng(7)
    with samaf.open(str(place / "store.db"), cache_folder=place / "cache") as engine:
        for result in engine.add([*bundled, place / "long.wav"]):
            if result.status != "added":
                raise BenchmarkError(result.message)
        rest = recordings - len(bundled) - 1
        engine.store.add_many(
            (
                Recording(random.bytes(32).hex(), f"{i}.wav", f"/none/{i}.wav", 60.0),
                Hashes(
                    random.integers(
                        0, 256, (MINUTE_HASHES, engine.fingerprinter.card.bits // 8), "u1"
                    ),
                    np.ones(MINUTE_HASHES, bool),
                ),
            )
            for i in range(rest)
        )


def _write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        for begin in range(0, len(samples), SAMPLE_RATE * 60):
            part = samples[begin : begin + SAMPLE_RATE * 60]
            out.writeframes(np.rint(part * 30_000).astype("<i2").tobytes())


@contextmanager
def _server(place: Path) -> Iterator[tuple[Any, int]]:
    import httpx

    environment = os.environ | {
        "SAMAF_TOKEN": TOKEN,
        "XDG_DATA_HOME": str(place / "data"),
        "XDG_CACHE_HOME": str(place / "cache"),
    }
    command_line = [sys.executable, "-m", "samaf", "serve", "--db", str(place / "store.db")]
    process = subprocess.Popen(
        [*command_line, "--port", "0"], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout
        link = re.search(r"(http://\S+)/\?token=", process.stdout.readline())
        if link is None:
            raise BenchmarkError("samaf serve did not start; its message stands above")
        transport = httpx.HTTPTransport(retries=20)
        with httpx.Client(
            base_url=link[1],
            headers={"authorization": f"Bearer {TOKEN}"},
            transport=transport,
            timeout=PATIENCE_S,
        ) as client:
            yield client, process.pid
    finally:
        process.terminate()
        process.wait()


def _answered(client: Any, clip: Path) -> str:
    """Ask about a clip and wait for the answer, as the page does; give the state."""
    with clip.open("rb") as file:
        job = client.post("/api/queries", files={"clip": file}).raise_for_status().json()
    state = job["state"]
    with client.stream("GET", f"/api/queries/{job['id']}/events") as events:
        for line in events.iter_lines():
            if found := re.search(r'"state": "(\w+)"', line):
                state = found[1]
    return str(state)


def _seen(client: Any, recording_id: int) -> None:
    """Wait for the first picture of what is decoded so far."""
    address = f"/api/recordings/{recording_id}/spectrogram?level=0&tile=0&draft=1"
    while not client.get(address).raise_for_status().content:
        time.sleep(0.05)


def _view(client: Any, recording_id: int) -> None:
    """Fetch what the page needs to show and play a recording."""
    address = f"/api/recordings/{recording_id}"
    client.get(f"{address}/sound").raise_for_status()
    for kind, level, tile in TILES:
        client.get(f"{address}/{kind}?level={level}&tile={tile}").raise_for_status()
    audio = client.get(f"{address}/audio", headers={"range": "bytes=100000000-100100000"})
    if audio.status_code not in (206, 416):
        raise BenchmarkError("the audio is not given by ranges")
