"""What a process does with each file, and how it sends the result.

An answer is a line of JSON and the bytes of some arrays, whose shapes the line gives.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, BinaryIO, Generic, TypeVar

import numpy as np

from samaf.engine.fingerprint import hash_file
from samaf.engine.prepare import prepare
from samaf.engine.stopwatch import Stopwatch
from samaf.errors import AudioError
from samaf.matching import PLAIN, PreparedQuery
from samaf.records import Codes, Fingerprint, Hashes, QueryResult

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Task(Generic[Result]):
    """Something done with a file in a process.

    Attributes
    ----------
    run
        Is given the file's path and the model.
    fields, arrays
        Parts of a result to send: JSON values, and uint8 arrays.
    restore
        Makes the result from both.
    """

    name: str
    run: Callable[[str, Any], Result]
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


def _fingerprint(fields: dict[str, Any], arrays: list[np.ndarray]) -> Fingerprint:
    return Fingerprint(**fields, hashes=Codes(arrays[0], arrays[1].view(bool)))


FINGERPRINT: Task[Fingerprint] = Task(
    "fingerprint",
    hash_file,
    lambda made: {f.name: getattr(made, f.name) for f in fields(made) if f.name != "hashes"},
    lambda made: [made.hashes.packed, made.hashes.informative],
    _fingerprint,
)


def _prepared_fields(prepared: PreparedQuery) -> dict[str, Any]:
    result = prepared.result
    common = {"query": result.query, "sha256": result.sha256, "duration": result.duration}
    return {
        "result": {**common, "reason": result.reason},
        "grids": [[hypothesis.prior, hypothesis.origin] for hypothesis, _ in prepared.grids],
    }


def _prepared_arrays(prepared: PreparedQuery) -> list[np.ndarray]:
    arrays = []
    for _, hashes in prepared.grids:
        # Only hashes read from a store have none.
        assert hashes.reliability is not None and hashes.activity is not None
        arrays += [hashes.packed, hashes.informative, hashes.reliability, hashes.activity]
    return arrays


def _prepared(fields: dict[str, Any], arrays: list[np.ndarray]) -> PreparedQuery:
    grids = tuple(
        (
            replace(PLAIN, prior=prior, origin=origin),
            Hashes(packed, informative.view(bool), reliability, activity),
        )
        for (prior, origin), packed, informative, reliability, activity in zip(
            fields["grids"], *(arrays[i::4] for i in range(4)), strict=True
        )
    )
    return PreparedQuery(QueryResult(**fields["result"]), grids)


PREPARE: Task[PreparedQuery] = Task(
    "prepare",
    lambda path, fingerprinter: prepare(path, fingerprinter, Stopwatch()),
    _prepared_fields,
    _prepared_arrays,
    _prepared,
)

TASKS: dict[str, Task[Any]] = {task.name: task for task in (FINGERPRINT, PREPARE)}
