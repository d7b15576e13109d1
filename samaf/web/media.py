"""The API: sound to play, by ranges, and its pictures, in tiles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from samaf.web.context import context, number, recording_of
from samaf.web.openapi import Handler, Operation, Schema, ref
from samaf.web.pictures import (
    COLUMN,
    COLUMNS,
    HIGHEST_LEVEL,
    SAMPLE_RATE,
    open_pcm,
    peak_tile,
    spectrogram_tile,
)
from samaf.web.problems import Problem
from samaf.web.schemas import ID, RECORDING_ID
from samaf.web.sounds import Clip, Sound
from samaf.web.uploads import is_set

FOREVER = "private, max-age=31536000, immutable"
HIGHEST_TILE = 1 << 24


@dataclass(frozen=True, slots=True)
class Wanted:
    """The sound that a request is about.

    Attributes
    ----------
    key
        Its name in the cache.
    duration
        Seconds, as they were measured by the query or when it was added.
    decoded
        Gives it, decoded if need be.
    """

    key: str
    duration: float
    decoded: Callable[[], Awaitable[Sound]]


async def wanted(request: Request) -> Wanted:
    """Tell which sound the path means: that of a query's clip, or of a recording."""
    here = context(request)
    if request.url.path.startswith("/api/queries/"):
        job = here.jobs.get(request.path_params["id"])
        if job.result is None:
            raise Problem(409, "this query is not done; its clip can be played then")
        clip = Clip(
            here.jobs.clip(job),
            job.clip,
            job.result["sha256"],
            job.selection,
            is_set(request.query_params, "backwards"),
        )
        return Wanted(clip.key, job.result["duration"], lambda: here.sounds.clip(clip))
    recording = await recording_of(request)
    return Wanted(recording.sha256, recording.duration, lambda: here.sounds.recording(recording))


async def get_sound(request: Request) -> Response:
    """Tell how long a sound is, how much of it is decoded, and how its tiles are cut."""
    about = await wanted(request)
    if is_set(request.query_params, "draft"):
        sound = context(request).sounds.so_far(about.key)
        duration, decoded = about.duration, 0.0
        with suppress(FileNotFoundError):  # the whole sound has just taken its place
            decoded = sound.duration if sound else 0.0
    else:
        duration = decoded = (await about.decoded()).duration
    return JSONResponse(
        {
            "duration": round(duration, 3),
            "decoded": round(decoded, 3),
            "sample_rate": SAMPLE_RATE,
            "column_s": COLUMN / SAMPLE_RATE,
            "columns": COLUMNS,
        }
    )


async def get_audio(request: Request) -> Response:
    """Give the sound as WAV, or the range of it that is requested."""
    if "," in request.headers.get("range", ""):
        raise Problem(416, "give one range at a time")
    sound = await (await wanted(request)).decoded()
    return FileResponse(
        sound.path, media_type="audio/wav", headers={"cache-control": "private, max-age=3600"}
    )


async def get_peaks(request: Request) -> Response:
    """Give a tile of the waveform: least and largest sample of each column, int8."""

    def work(sound: Sound, level: int, tile: int) -> np.ndarray:
        return peak_tile(open_pcm(sound.path), sound.peaks, level, tile)

    return await _tile(request, work)


async def get_spectrogram(request: Request) -> Response:
    """Give a tile of the spectrogram: 128 bands of 62.5 Hz a column, uint8."""

    def work(sound: Sound, level: int, tile: int) -> np.ndarray:
        return spectrogram_tile(open_pcm(sound.path), level, tile)

    return await _tile(request, work)


async def _tile(request: Request, work: Callable[[Sound, int, int], np.ndarray]) -> Response:
    level = number(request, "level", 0, 0, HIGHEST_LEVEL) or 0
    tile = number(request, "tile", 0, 0, HIGHEST_TILE) or 0
    about = await wanted(request)
    content, kept = b"", FOREVER
    if is_set(request.query_params, "draft"):
        kept = "no-store"
        sound = context(request).sounds.so_far(about.key)
        with suppress(FileNotFoundError):  # the whole sound has just taken its place
            if sound:
                content = (await asyncio.to_thread(work, sound, level, tile)).tobytes()
    else:
        content = (await asyncio.to_thread(work, await about.decoded(), level, tile)).tobytes()
    headers = {"cache-control": kept}
    return Response(content, media_type="application/octet-stream", headers=headers)


_TILE = {
    "level": {
        "type": "integer",
        "minimum": 0,
        "maximum": HIGHEST_LEVEL,
        "description": "A column is 10 ms x 2 to this power.",
    },
    "tile": {
        "type": "integer",
        "minimum": 0,
        "maximum": HIGHEST_TILE,
        "description": "Number of the tile, from 0: 512 columns each.",
    },
}
_DRAFT = {
    "draft": {
        "type": "boolean",
        "description": "What is decoded so far, at its level in the file, without waiting.",
        "default": False,
    }
}
_BINARY = {"type": "string", "format": "binary"}
_BACKWARDS = {
    "backwards": {"type": "boolean", "description": "From the end to the start.", "default": False}
}


_OCTETS = "application/octet-stream"
_KINDS: list[tuple[str, Handler, str, str, Schema, dict[str, Schema]]] = [
    ("sound", get_sound, "Tell how long the sound is.", "application/json", ref("Sound"), _DRAFT),
    ("audio", get_audio, "Give the sound as WAV, by ranges.", "audio/wav", _BINARY, {}),
    (
        "peaks",
        get_peaks,
        "Give a tile of the waveform: int8 pairs.",
        _OCTETS,
        _BINARY,
        {**_TILE, **_DRAFT},
    ),
    (
        "spectrogram",
        get_spectrogram,
        "Give a tile of the spectrogram: uint8.",
        _OCTETS,
        _BINARY,
        {**_TILE, **_DRAFT},
    ),
]

OPERATIONS = [
    Operation(
        "GET",
        f"/api/{whose}/{{id}}/{name}",
        handler,
        summary,
        (200, media_type, schema),
        {"id": id_schema},
        {**query, **more},
        errors=(*errors, 422, 416) if name == "audio" else (*errors, 422),
        operation_id=f"get_{one}_{name}",
    )
    for whose, one, id_schema, more, errors in (
        ("queries", "query", ID, _BACKWARDS, (404, 409)),
        ("recordings", "recording", RECORDING_ID, {}, (404,)),
    )
    for name, handler, summary, media_type, schema, query in _KINDS
]
