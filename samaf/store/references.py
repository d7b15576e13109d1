"""How people refer to a recording: by id, by name or by SHA-256."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from samaf.errors import StoreError
from samaf.records import Recording
from samaf.store import statements as sql

SHORTEST_PREFIX = 6  # digits of a SHA-256
SHOWN = 5  # recordings listed in an error
ID = r"[0-9]{1,18}"
SHA256 = rf"[0-9a-fA-F]{{{SHORTEST_PREFIX},64}}"

Select = Callable[[Any], Sequence[Recording]]


def find(text: str, url: str, select: Select) -> Recording:
    """Give the one recording that a text refers to.

    Parameters
    ----------
    text
        An id, an exact name, or the first 6 or more digits of a SHA-256. ``id:``, ``name:`` or
        ``sha256:`` in front says which.
    select
        Runs a statement and gives its recordings.

    Raises
    ------
    StoreError
        There is none, or there are several.
    """
    matching: dict[int, tuple[str, Recording]] = {}
    for kind, value in _readings(text):
        for recording in _of_kind(kind, value, select):
            matching.setdefault(recording.recording_id, (f"{kind}:{value}", recording))
    if not matching:
        raise StoreError(
            f"{url}: no recording {text!a}; give an id, {SHORTEST_PREFIX} or more digits "
            "of its SHA-256 or its exact name (`samaf list` shows them)"
        )
    if len(matching) > 1:
        raise StoreError(f"{url}: {_ambiguous(text, matching)}")
    ((_, recording),) = matching.values()
    return recording


def _readings(text: str) -> list[tuple[str, str]]:
    """List what a text may mean, as kind and value."""
    kind, _, value = text.partition(":")
    if (kind, bool(re.fullmatch(ID, value))) == ("id", True):
        return [("id", value)]
    if (kind, bool(re.fullmatch(SHA256, value))) == ("sha256", True):
        return [("sha256", value)]
    if kind == "name" and value:
        return [("name", value)]
    readings = [("id", text)] if re.fullmatch(ID, text) else []
    readings += [("sha256", text)] if re.fullmatch(SHA256, text) else []
    return [*readings, ("name", text)]


def _of_kind(kind: str, value: str, select: Select) -> list[Recording]:
    """Find recordings by one reading of a text."""
    if kind == "id":
        return list(select(sql.with_ids([int(value)])))
    if kind == "sha256":
        return list(select(sql.with_sha256(value.ljust(64, "0"), value.ljust(64, "f"))))
    # A name is the same however its accents are coded; systems differ in that.
    wanted = unicodedata.normalize("NFC", value)
    forms = dict.fromkeys([value, wanted, unicodedata.normalize("NFD", value)])
    found = {r.recording_id: r for form in forms for r in select(sql.with_name(form))}
    # Servers find names that differ in trailing spaces only, too.
    return [r for r in found.values() if unicodedata.normalize("NFC", r.name) == wanted]


def _ambiguous(text: str, matching: dict[int, tuple[str, Recording]]) -> str:
    """Say which recordings a text refers to, and how each is meant without a doubt."""
    readings = {reading for reading, _ in matching.values()}
    ids = sorted(matching)
    if len(readings) > 1:
        meant = ", ".join(
            f"{reading} is {matching[i][1].name!a} with id {i}"
            for i in ids[:SHOWN]
            for reading in [matching[i][0]]
        )
        return f"{text!a} has {len(matching)} meanings ({meant}); write one of them"
    some = ", ".join(map(str, ids[:SHOWN])) + ", ..." * (len(ids) > SHOWN)
    return f"{text!a} refers to {len(ids)} recordings ({some}); give an id"
