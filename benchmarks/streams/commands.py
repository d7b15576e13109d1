"""``python -m benchmarks streams``: weeks of a station in hours, and what a monitor loses."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import Event

import click

import samaf
from benchmarks.streams.programme import EXCERPT, played, serve, sessions
from benchmarks.tables import Table, markdown, of_lines
from samaf.demo import CLIPS
from samaf.events import StreamGap, StreamMatch, StreamStatus
from samaf.records import Match

TOLERANCE = 1.0  # s that a match may be off
SAMPLES = 8  # lines of the table over time
WEEK = 168.0  # hours
PAGE = resource.getpagesize()


@dataclass(frozen=True, slots=True)
class Sample:
    """What the monitor holds after some hours of sound; memory in MB."""

    hours: float
    memory: float
    decoder: float
    files: int
    threads: int
    processor_s: float


def sample(seconds: float) -> Sample:
    """Look at this process, and at those that decode for it."""
    children = [int(each) for each in _children(os.getpid())]
    children += [int(each) for child in children for each in _children(child)]
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Sample(
        seconds / 3600,
        _resident(os.getpid()),
        sum(map(_resident, children)),
        len(os.listdir("/proc/self/fd")),
        len(os.listdir("/proc/self/task")),
        used.ru_utime + used.ru_stime,
    )


def _children(process: int) -> list[str]:
    try:
        tasks = Path(f"/proc/{process}/task").iterdir()
        return [each for task in tasks for each in (task / "children").read_text().split()]
    except OSError:  # it has ended
        return []


def _resident(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE / 2**20
    except OSError:
        return 0.0


def judged(
    truth: list[tuple[str, float]], matches: list[Match]
) -> tuple[list[tuple[str, float]], list[Match]]:
    """Give the excerpts that no match reports, and the matches that report none."""
    left = list(matches)
    lost = []
    for name, start in truth:
        found = next(
            (
                match
                for match in left
                if match.recording.name == name
                and abs(match.query_start - start) <= TOLERANCE
                and abs(match.query_stop - start - (EXCERPT[1] - EXCERPT[0])) <= TOLERANCE
            ),
            None,
        )
        if found is None:
            lost.append((name, start))
        else:
            left.remove(found)
    return lost, left


@click.command()
@click.option("--hours", default=WEEK, show_default=True, help="Of the stream.")
@click.option("--seed", default=1, show_default=True)
def command(hours: float, seed: int) -> None:
    """Follow a station of this machine, which breaks off each 20 to 60 minutes of its sound.

    Each minute holds 6 s of a stored clip. The station sends as fast as it is listened to, so
    waits between two connections are longer, against the sound, than those of a real one.
    """
    names = sorted(path.name for path in CLIPS.iterdir())[:-1]
    drawn = sessions(3600 * hours, len(names), seed)
    total = sum(session.seconds for session in drawn)
    mine, theirs = get_context("spawn").Pipe()
    station = get_context("spawn").Process(target=serve, args=(theirs, names, drawn), daemon=True)
    station.start()
    stop = Event()
    taken: list[Sample] = []

    def look(status: StreamStatus) -> None:
        if status.seconds >= len(taken) * total / SAMPLES + 60:
            taken.append(sample(status.seconds))
        if status.seconds >= total - 1 and not status.connected:
            stop.set()

    matches: list[Match] = []
    gaps: list[StreamGap] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = os.path.join(folder, "store.db")
            with samaf.open(url, cache_folder=Path(folder)) as engine:
                for _ in engine.add([CLIPS / name for name in names]):
                    pass
                began = time.process_time()
                address = f"http://127.0.0.1:{mine.recv()}/live"
                for event in engine.monitor(address, on_status=look, until=stop):
                    if isinstance(event, StreamMatch):
                        matches.append(event.match)
                    else:
                        gaps.append(event)
                spent = time.process_time() - began
                taken.append(sample(total))
    finally:
        station.terminate()
    truth = [(names[clip], start) for clip, start in played(drawn)]
    lost, wrong = judged(truth, matches)
    click.echo(
        markdown(
            of_lines(
                "streams",
                f"{total / 3600:.0f} hours of a station that breaks off",
                [
                    ("connections", f"{len(drawn):,}"),
                    ("gaps, those with failed tries", f"{len(gaps):,}, {_failed(gaps):,}"),
                    ("excerpts of 6 s played", f"{len(truth):,}"),
                    ("not found", f"{len(lost):,}"),
                    ("other matches", f"{len(wrong):,}"),
                    ("speed of the search, in processor time", f"{total / spent:.0f} x real time"),
                ],
            )
        )
    )
    click.echo(markdown(over_time(taken)))


def _failed(gaps: list[StreamGap]) -> int:
    return sum(gap.tries > 1 for gap in gaps)


def over_time(taken: list[Sample]) -> Table:
    """Make the table of what the monitor holds as time goes on."""
    return Table(
        "streams_memory",
        "Memory over time",
        "Resident memory in MB, of the monitor and of the processes that decode for it.",
        ("hours", "monitor", "decoder", "open files", "threads"),
        tuple(
            (f"{each.hours:.1f}", each.memory, each.decoder, each.files, each.threads)
            for each in taken
        ),
    )
