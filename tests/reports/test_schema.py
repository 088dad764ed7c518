"""The published schema is the one the dataclasses make, and every record we write is valid by it."""

from __future__ import annotations

import json

import jsonschema
import pytest

from storcert.harness.record.codec import encode
from storcert.reports.schema import SCHEMA_PATH, json_schema, text
from tests.reports import records


def test_the_published_file_is_up_to_date() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == text(), "run: python -m storcert.reports.schema > the file"


@pytest.mark.parametrize("name", records.EVERY)
def test_every_record_is_valid(name: str) -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(encode(records.EVERY[name]())), schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("field", "value"),
    [("verdict", "passed"), ("schema_version", 2), ("seed", "7"), ("rules", {}), ("counts", []), ("driver", None)],
)
def test_a_wrong_record_is_not(field: str, value: object) -> None:
    record = json.loads(encode(records.broken()))
    record[field] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, json_schema(), jsonschema.Draft202012Validator)
    del record[field]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, json_schema(), jsonschema.Draft202012Validator)
