"""What a process of the pool does: the other side of `samaf.web.workers`."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from math import isnan
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

from samaf.audio import read
from samaf.engine.course import AGREEING_BER, whole_course
from samaf.engine.engine import Engine
from samaf.engine.engine import open as open_engine
from samaf.engine.options import QueryOptions
from samaf.engine.playback import Draft, write_playable
from samaf.engine.references import References
from samaf.errors import AudioError, SamafError, StoreError
from samaf.json_records import duplicate_record, query_record, ranking_record
from samaf.records import QueryResult
from samaf.text import printable
from samaf.web.answers import match_of

Answer = dict[str, Any]


class Worker:
    """Holds the engine open from one request to the next.

    Parameters
    ----------
    store
        How messages name the store, which ours do not: it may lie anywhere.
    """

    def __init__(self, url: str | None, index: str, audio: str | None, store: str) -> None:
        self._url, self._index, self._audio, self._store = url, index, audio, store

    @cached_property
    def engine(self) -> Engine:
        """The engine, opened at its first use and again after it failed."""
        return open_engine(self._url, index=self._index, create=False)

    def shown(self, error: SamafError) -> str:
        """Give the line of an error without the place of the store, which is opened again."""
        if isinstance(error, StoreError) and "engine" in self.__dict__:
            self.engine.close()
            del self.engine
        return " ".join(str(error).replace(self._store, "the store").split())

    def warm_up(self) -> Answer:
        """Load model and index, and search once for noise, which compiles the search."""
        import numpy as np

        if not self.engine.index.table.total:
            return {}
        noise = np.random.default_rng(0).integers(-9000, 9000, 48_000).astype("<i2").tobytes()
        self.engine.query(_wav(noise))
        return {}

    def query(self, path: str, name: str, options: dict[str, Any], audit: bool) -> Answer:
        """Ask about a file; the record is that of ``samaf query --json``."""
        try:
            result = self.engine.query(Path(path), audio=self._audio, audit=audit, **options)
        except AudioError as error:
            raise AudioError(str(error).replace(printable(path), name)) from error
        result = replace(result, query=name)
        if isinstance(result, QueryResult):
            return {"kind": "matches", "record": query_record(result), "reason": result.reason}
        return {"kind": "ranking", "record": ranking_record(result), "reason": result.reason}

    def clip_sound(
        self, path: str, name: str, selection: dict[str, Any], out: str, backwards: bool
    ) -> Answer:
        """Decode a clip for playing."""
        try:
            with Draft(Path(out)) as draft:
                on_samples = (lambda _samples: None) if backwards else draft.add
                with read(Path(path), **selection, on_samples=on_samples) as audio:
                    write_playable(audio, Path(out), backwards=backwards)
        except AudioError as error:
            raise AudioError(str(error).replace(printable(path), name)) from error
        return {}

    def recording_sound(self, recording_id: int, out: str) -> Answer:
        """Decode a recording for playing, from the file that was added."""
        recording = self.engine.show(recording_id)
        try:
            with Draft(Path(out)) as draft, References(self._audio) as references:
                write_playable(references.audio(recording, on_samples=draft.add), Path(out))
        except AudioError as error:
            folder = printable(Path(recording.path).parent)
            raise AudioError(str(error).replace(f"{folder}/", "")) from error
        return {}

    def course(
        self, path: str, name: str, selection: dict[str, Any], match: dict[str, Any]
    ) -> Answer:
        """Compare a clip with a recording block by block, along the line of a match."""
        if "manipulation" not in match:  # vectors have no bits
            return {"course": [], "threshold": None}
        found = match_of(match, self.engine.show(match["reference_id"]))
        try:
            with read(Path(path), **selection) as audio:
                blocks = whole_course(audio, found, self.engine)
        except AudioError as error:
            raise AudioError(str(error).replace(printable(path), name)) from error
        points = zip(blocks.reference_times.tolist(), blocks.ber.tolist(), strict=True)
        return {
            "course": [[round(time, 3), None if isnan(rate) else rate] for time, rate in points],
            "threshold": AGREEING_BER,
        }

    def report(
        self, clips: list[str], out: str, options: dict[str, Any], case: dict[str, str], log: bool
    ) -> Answer:
        """Write the report on clips into a new folder."""
        from samaf.report import Case, ReportOptions, report

        chosen = ReportOptions(QueryOptions(**options), self._audio)
        made = report(self.engine, clips, out, chosen, case=Case(**case), log=log)
        return {"files": dict(made.files)}

    def export(
        self, clips: list[dict[str, Any]], out: str, export_format: str, padding_s: float
    ) -> Answer:
        """Write label tracks or cut sound of answers into a ZIP file."""
        from samaf.report.exports.formats import FORMATS
        from samaf.web.export_files import Answered, write_cuts, write_labels

        answered = [Answered(**clip) for clip in clips]
        if export_format in FORMATS:
            write_labels(self.engine, answered, Path(out), export_format)
        else:
            write_cuts(self.engine, answered, Path(out), export_format, padding_s, self._audio)
        return {}

    def duplicates(self) -> Answer:
        """Find all pairs of recordings that share audio."""
        return {
            "revision": self.engine.store.revision,
            "pairs": [duplicate_record(pair) for pair in self.engine.duplicates()],
        }


def serve() -> None:
    """Do what standard input asks for, line by line."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Keep what libraries print out of the answers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    worker = Worker(**json.loads(sys.stdin.buffer.readline()))
    tasks: dict[str, Callable[..., Answer]] = {
        name: getattr(worker, name)
        for name in (
            "warm_up",
            "query",
            "clip_sound",
            "recording_sound",
            "course",
            "report",
            "export",
            "duplicates",
        )
    }
    for line in _lines():
        request = json.loads(line)
        try:
            answer = tasks[request.pop("task")](**request)
        except SamafError as error:
            answer = {"error": worker.shown(error)}
        except Exception:
            traceback.print_exc()
            answer = {"error": "internal error; the log of the server says more"}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _lines() -> Iterator[bytes]:
    """Yield the lines of standard input; end the process at once when the server has ended."""
    lines: Queue[bytes] = Queue()

    def read_lines() -> None:
        for line in sys.stdin.buffer:
            lines.put(line)
        os._exit(0)  # also in the middle of a long search

    Thread(target=read_lines, daemon=True).start()
    while True:
        yield lines.get()


def _wav(pcm: bytes) -> bytes:
    import io
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(pcm)
    return file.getvalue()
