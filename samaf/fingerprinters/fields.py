"""Records read from JSON: the type of each field is checked before use."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from math import isfinite
from typing import Any, TypeVar

Record = TypeVar("Record")

LARGEST = 1_000_000  # far above any parameter; larger ones would only fill the memory


def checked(record: Record) -> Record:
    """Return a record whose fields have the types of their defaults.

    Raises
    ------
    TypeError, ValueError
        A field has another type, is not finite, or is out of range.
    """
    for field in fields(record):  # type: ignore[arg-type]
        default = _default(field)
        value = getattr(record, field.name)
        if isinstance(default, float):
            number(field.name, value)
        elif isinstance(default, tuple):
            numbers(field.name, value)
        elif default is not MISSING and type(value) is not type(default):
            raise TypeError(f"{field.name} is {value!a:.40}")
        elif isinstance(value, int) and not 0 <= value <= LARGEST:
            raise ValueError(f"{field.name} is {value!a:.40}")
    return record


def number(name: str, value: object) -> None:
    """Raise TypeError unless the value is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise TypeError(f"{name} is {value!a:.40}")


def numbers(name: str, values: tuple[Any, ...]) -> None:
    """Raise TypeError unless all values are finite numbers."""
    for value in values:
        number(name, value)


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default
