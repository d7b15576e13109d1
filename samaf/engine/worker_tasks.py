"""What a process does with each file, and how it sends the result.

An answer is a line of JSON and the bytes of some arrays, whose shapes the line gives.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

import numpy as np

from samaf.audio.source import Identity
from samaf.engine.fingerprint import hash_file
from samaf.engine.prepare import prepare
from samaf.engine.stopwatch import Stopwatch
from samaf.errors import AudioError
from samaf.matching import PLAIN, PreparedQuery
from samaf.media import DEFAULT, MediaInfo, Selection
from samaf.records import Codes, Fingerprint, Hashes, QueryResult

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Request:
    """A file, which sound of it is meant, and the identity of its bytes where it is known."""

    path: Path
    selection: Selection = DEFAULT
    identity: Identity | None = None

    def to_line(self, task: Task[Any]) -> bytes:
        """Write it as a line of JSON; a path may hold any bytes."""
        fields = {
            "task": task.name,
            "path": os.fsencode(self.path).hex(),
            "selection": [self.selection.track, self.selection.channel],
            "identity": self.identity and [self.identity.sha256, self.identity.status],
        }
        return json.dumps(fields).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> tuple[str, Request]:
        """Read the name of the task and the request."""
        fields = json.loads(line)
        identity = fields["identity"]
        path = Path(os.fsdecode(bytes.fromhex(fields["path"])))
        return fields["task"], cls(
            path,
            Selection(*fields["selection"]),
            Identity(identity[0], tuple(identity[1])) if identity else None,
        )


@dataclass(frozen=True, slots=True)
class Task(Generic[Result]):
    """Something done with a file in a process.

    Attributes
    ----------
    run
        Is given the request and the model.
    fields, arrays
        Parts of a result to send: JSON values, and uint8 arrays.
    restore
        Makes the result from both.
    """

    name: str
    run: Callable[[Request, Any], Result]
    fields: Callable[[Result], dict[str, Any]]
    arrays: Callable[[Result], list[np.ndarray]]
    restore: Callable[[dict[str, Any], list[np.ndarray]], Result]


def send(file: BinaryIO, task: Task[Any], result: Any) -> None:
    """Write a result."""
    arrays = task.arrays(result)
    header = {"fields": task.fields(result), "shapes": [array.shape for array in arrays]}
    file.write(json.dumps(header).encode() + b"\n")
    for array in arrays:
        file.write(array.tobytes())


def send_error(file: BinaryIO, message: str) -> None:
    """Write why there is no result."""
    file.write(json.dumps({"error": message}).encode() + b"\n")


def receive(file: Any, task: Task[Result]) -> Result:
    """Read a result.

    Raises
    ------
    AudioError
        There is an error in its place.
    EOFError
        The process ended before the result was complete.
    """
    line = file.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    header = json.loads(line)
    if "error" in header:
        raise AudioError(header["error"])
    return task.restore(header["fields"], [_array(file, shape) for shape in header["shapes"]])


def _array(file: Any, shape: Sequence[int]) -> np.ndarray:
    size = math.prod(shape)
    content = file.read(size)
    if len(content) < size:
        raise EOFError
    return np.frombuffer(content, np.uint8).reshape(shape)


def _hashed(request: Request, fingerprinter: Any) -> Fingerprint:
    return hash_file(str(request.path), fingerprinter, request.selection, request.identity)


def _fingerprint_fields(made: Fingerprint) -> dict[str, Any]:
    plain = {f.name: getattr(made, f.name) for f in fields(made) if f.name != "hashes"}
    media = made.media and made.media.to_dict()
    return {**plain, "media": media, "streams": made.hashes.streams}


def _fingerprint(fields: dict[str, Any], arrays: list[np.ndarray]) -> Fingerprint:
    hashes = Codes(arrays[0], arrays[1].view(bool), streams=fields.pop("streams"))
    return Fingerprint(**_with_media(fields), hashes=hashes)


def _with_media(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "media": fields["media"] and MediaInfo.from_dict(fields["media"])}


FINGERPRINT: Task[Fingerprint] = Task(
    "fingerprint",
    _hashed,
    _fingerprint_fields,
    lambda made: [made.hashes.packed, made.hashes.informative],
    _fingerprint,
)


def _prepare(request: Request, fingerprinter: Any) -> PreparedQuery:
    return prepare(str(request.path), fingerprinter, Stopwatch(), request.selection)


def _prepared_fields(prepared: PreparedQuery) -> dict[str, Any]:
    result = prepared.result
    return {
        "result": {
            "query": result.query,
            "sha256": result.sha256,
            "duration": result.duration,
            "reason": result.reason,
            "media": result.media and result.media.to_dict(),
        },
        "streams": [
            {
                "channel": stream.channel,
                "grids": [[hypothesis.prior, hypothesis.origin] for hypothesis, _ in stream.grids],
            }
            for stream in prepared.streams
        ],
    }


def _prepared_arrays(prepared: PreparedQuery) -> list[np.ndarray]:
    arrays = []
    for stream in prepared.streams:
        for _, hashes in stream.grids:
            # Only hashes read from a store have none.
            assert hashes.reliability is not None and hashes.activity is not None
            arrays += [hashes.packed, hashes.informative, hashes.reliability, hashes.activity]
    return arrays


def _prepared(fields: dict[str, Any], arrays: list[np.ndarray]) -> PreparedQuery:
    result = QueryResult(**_with_media(fields["result"]))
    waiting = iter(arrays)
    whole, *sides = (
        PreparedQuery(
            result,
            tuple(
                (
                    replace(PLAIN, prior=prior, origin=origin),
                    Hashes(next(waiting), next(waiting).view(bool), next(waiting), next(waiting)),
                )
                for prior, origin in stream["grids"]
            ),
            channel=stream["channel"],
        )
        for stream in fields["streams"]
    )
    return replace(whole, sides=tuple(sides))


PREPARE: Task[PreparedQuery] = Task(
    "prepare", _prepare, _prepared_fields, _prepared_arrays, _prepared
)

TASKS: dict[str, Task[Any]] = {task.name: task for task in (FINGERPRINT, PREPARE)}
