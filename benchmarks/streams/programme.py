"""A radio station that plays excerpts of the bundled clips for weeks, faster than time goes."""

from __future__ import annotations

import http.server
import struct
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from samaf.audio import SAMPLE_RATE, load
from samaf.demo import CLIPS

MINUTE = 60  # s; each holds one excerpt
EXCERPT = (30, 36)  # where it lies in its minute, s
CLIP_START = 2.0  # where it begins in its clip, s
BREAK = 45  # s after the last whole minute of a connection, behind the excerpt
MINUTES = (20, 60)  # that a connection lasts
FAILURES = (404, 503)  # answers that may come before the next connection


@dataclass(frozen=True, slots=True)
class Session:
    """A connection that gives sound.

    Attributes
    ----------
    clips
        Position of the clip that each minute holds; the last minute is cut short.
    failures
        Answers before it.
    """

    clips: tuple[int, ...]
    failures: tuple[int, ...]

    @property
    def seconds(self) -> int:
        """Its length."""
        return MINUTE * (len(self.clips) - 1) + BREAK


def sessions(seconds: float, clips: int, seed: int) -> list[Session]:
    """Draw connections of at least ``seconds`` in all."""
    rng = np.random.default_rng(seed)
    drawn: list[Session] = []
    while sum(session.seconds for session in drawn) < seconds:
        minutes = int(rng.integers(*MINUTES, endpoint=True)) + 1
        failures = rng.choice(FAILURES, size=int(rng.integers(0, 3)))
        drawn.append(
            Session(tuple(rng.integers(0, clips, minutes).tolist()), tuple(failures.tolist()))
        )
    return drawn


def played(drawn: list[Session]) -> list[tuple[int, float]]:
    """Give the clip of each excerpt, and where it lies in all received sound, s."""
    excerpts, start = [], 0.0
    for session in drawn:
        for minute, clip in enumerate(session.clips):
            excerpts.append((clip, start + minute * MINUTE + EXCERPT[0]))
        start += session.seconds
    return excerpts


def minutes_of(names: list[str]) -> list[bytes]:
    """Make a minute for each clip: other speech, with 6 s of the clip in it; 16-bit samples."""
    other = load(CLIPS / "lena-stranger.ogg")
    made = []
    for number, name in enumerate(names):
        talk = np.resize(np.roll(other, number * 7919), MINUTE * SAMPLE_RATE).copy()
        clip = load(CLIPS / name)[round(CLIP_START * SAMPLE_RATE) :]
        first, last = (second * SAMPLE_RATE for second in EXCERPT)
        talk[first:last] = clip[: last - first]
        made.append((talk * 30_000).astype("<i2").tobytes())
    return made


def serve(pipe: Connection, names: list[str], drawn: list[Session]) -> None:
    """Run the station in a process of its own; tell its port through the pipe."""
    made = minutes_of(names)
    acts: list[int | Session] = []
    for session in drawn:
        acts += [*session.failures, session]
    header = b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack(
        "<IHHIIHH4sI", 16, 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16, b"data", 0xFFFF_FFFF
    )

    class Station(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:  # noqa: N802  # the name that the base class calls
            """Do the next act."""
            act = acts.pop(0) if acts else 503
            if isinstance(act, int):
                self.send_error(act)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(header)
            for clip in act.clips[:-1]:
                self.wfile.write(made[clip])
            self.wfile.write(made[act.clips[-1]][: 2 * BREAK * SAMPLE_RATE])

    with http.server.HTTPServer(("127.0.0.1", 0), Station) as server:
        pipe.send(server.server_port)
        server.serve_forever()
