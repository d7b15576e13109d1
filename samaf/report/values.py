"""Frozen records as JSON and back, and the JSON schema that they follow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from samaf.errors import ReportError

R = TypeVar("R")

SCHEMA = "https://json-schema.org/draft/2020-12/schema"
SCALARS: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    NoneType: "null",
}
# A list of scalars takes one line; a string cannot hold a line break in JSON.
_SCALAR_LIST = re.compile(r"\[\n\s+((?:[-\w.+]+,\s+)*[-\w.+]+)\n\s+\]")


def to_json(record: Any) -> str:
    """Write a record as JSON text, the same for the same record; it has no NaN."""
    text = json.dumps(asdict(record), indent=1, allow_nan=False)
    return _SCALAR_LIST.sub(lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text) + "\n"


def from_json(cls: type[R], text: str | bytes, name: str) -> R:
    """Read a record that `to_json` wrote.

    Raises
    ------
    ReportError
        It is no such record; the message names the field.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportError(
            f"{name}: is no JSON ({error}); give the report.json of a report"
        ) from None
    return read(cls, value, name)


def read(cls: type[R], value: Any, name: str, path: str = "") -> R:
    """Make a record from JSON values; `ReportError` names an unknown, missing or wrong field."""
    if not isinstance(value, dict):
        raise ReportError(f"{name}: {path or 'the whole'} is no table of values")
    hints = get_type_hints(cls)
    if unknown := sorted(set(value) - set(hints)):
        known = ", ".join(hints)
        raise ReportError(
            f"{name}: no such key {unknown[0]!a:.80} in {path or 'it'}; there are {known}"
        )
    made = {}
    for field in fields(cls):  # type: ignore[arg-type]
        at = f"{path}.{field.name}" if path else field.name
        if field.name in value:
            made[field.name] = _value(hints[field.name], value[field.name], name, at)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ReportError(f"{name}: {at} is missing")
    return cls(**made)


def _value(kind: Any, value: Any, name: str, path: str) -> Any:
    if is_dataclass(kind):
        return read(kind, value, name, path)  # type: ignore[arg-type]
    if get_origin(kind) is UnionType:
        options = get_args(kind)
        if value is None and NoneType in options:
            return None
        (kind,) = (option for option in options if option is not NoneType)
        return _value(kind, value, name, path)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ReportError(f"{name}: {path} is no list")
        kinds = get_args(kind)
        if kinds[-1] is Ellipsis:
            kinds = (kinds[0],) * len(value)
        if len(kinds) != len(value):
            raise ReportError(f"{name}: {path} does not hold {len(kinds)} values")
        return tuple(
            _value(k, v, name, f"{path}[{i}]")
            for i, (k, v) in enumerate(zip(kinds, value, strict=True))
        )
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ReportError(f"{name}: {path} is {value!a:.40}, which is no {SCALARS[kind]}")
    return value


def schema(cls: type, title: str) -> dict[str, Any]:
    """Give the JSON schema of a record and of all records in it."""
    definitions: dict[str, Any] = {}
    _define(cls, definitions)
    root = definitions.pop(cls.__name__)
    return {"$schema": SCHEMA, "title": title, **root, "$defs": dict(sorted(definitions.items()))}


def _define(cls: type, definitions: dict[str, Any]) -> dict[str, str]:
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}  # holds its place while its fields are read
        definitions[cls.__name__] = {
            "type": "object",
            "description": (cls.__doc__ or "").partition("\n")[0],
            "additionalProperties": False,
            "required": [field.name for field in fields(cls)],
            "properties": {
                field.name: _described(get_type_hints(cls)[field.name], definitions)
                for field in fields(cls)
            },
        }
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _described(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if is_dataclass(kind):
        return _define(kind, definitions)  # type: ignore[arg-type]
    if get_origin(kind) is UnionType:
        return {"anyOf": [_described(option, definitions) for option in get_args(kind)]}
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        if kinds[-1] is Ellipsis:
            return {"type": "array", "items": _described(kinds[0], definitions)}
        items = [_described(k, definitions) for k in kinds]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}
    return {"type": SCALARS[kind]}
