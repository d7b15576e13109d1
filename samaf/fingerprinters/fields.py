"""Records read from JSON: each field must be of its kind before anything is computed with it."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from math import isfinite
from typing import Any, TypeVar

Record = TypeVar("Record")

LARGEST = 1_000_000  # no parameter comes near; larger ones would only fill the memory


def checked(record: Record) -> Record:
    """Return a record whose fields are of the kinds of their defaults.

    Raises
    ------
    TypeError, ValueError
        A field is of another kind, not finite, or out of all proportion.
    """
    for each in fields(record):  # type: ignore[arg-type]
        default = _default(each)
        value = getattr(record, each.name)
        if isinstance(default, float):
            number(each.name, value)
        elif isinstance(default, tuple):
            numbers(each.name, value)
        elif default is not MISSING and type(value) is not type(default):
            raise TypeError(f"{each.name} is {value!a:.40}")
        elif isinstance(value, int) and not 0 <= value <= LARGEST:
            raise ValueError(f"{each.name} is {value!a:.40}")
    return record


def number(name: str, value: object) -> None:
    """Refuse what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise TypeError(f"{name} is {value!a:.40}")


def numbers(name: str, values: tuple[Any, ...]) -> None:
    """Refuse what is no series of finite numbers."""
    for value in values:
        number(name, value)


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default
