"""Records as JSON and back, and the schema in docs/."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from samaf.errors import ReportError
from samaf.report.examined import Item
from samaf.report.record import Examination
from samaf.report.schema import record_schema
from samaf.report.values import from_json, to_json

SCHEMA = Path(__file__).parents[2] / "docs" / "report-schema.json"


def test_records_are_read_back_as_they_were(
    phone: tuple[Examination, dict[str, bytes]], batch: Examination
) -> None:
    for record in (phone[0], batch):
        assert from_json(Examination, to_json(record), "x") == record


@pytest.mark.slow
def test_records_follow_the_schema_in_the_docs(
    phone: tuple[Examination, dict[str, bytes]], batch: Examination, unknown: Examination
) -> None:
    assert SCHEMA.read_text() == record_schema()
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for record in (phone[0], batch, unknown):
        jsonschema.validate(json.loads(to_json(record)), schema)
    broken = {**json.loads(to_json(unknown)), "clips": [{}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda item: item.pop("bytes"), "quality.json: bytes is missing"),
        (lambda item: item.update(more=1), "no such key 'more'"),
        (lambda item: item.update(bytes="7"), "bytes is '7', which is no integer"),
        (lambda item: item.update(bytes=True), "bytes is True, which is no integer"),
        (lambda item: item.update(notes="x"), "notes is no list"),
        (lambda item: item["quality"].update(near_peak=None), "quality.near_peak is None"),
    ],
)
def test_what_is_no_record_is_refused_by_field(
    batch: Examination, change: object, message: str
) -> None:
    item = batch.clips[0].item
    assert item
    value = json.loads(to_json(item))
    change(value)  # type: ignore[operator]
    with pytest.raises(ReportError, match=message):
        from_json(Item, json.dumps(value), "quality.json")


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(ReportError, match="is no JSON"):
        from_json(Item, "{", "x.json")
    with pytest.raises(ReportError, match="is no table of values"):
        from_json(Item, "[]", "x.json")
