"""The published schema is of the format as it is, and accepts and refuses what the reader does."""

from __future__ import annotations

import tomllib

import jsonschema
import pytest

from storcert.scenarios.catalogue import paths
from storcert.scenarios.format.schema import SCHEMA_PATH, json_schema, text
from tests.scenarios.format.files import EVERYTHING, SMALL
from tests.scenarios.format.test_read import WRONG

#: What only the reader sees: names of things that are not there, and what devices allow.
NOT_IN_THE_SCHEMA = frozenset((
    "device", "place", "link", "two-devices", "taken-name", "scope", "circle", "class", "both", "fault", "phase", "option",
    "endless", "nemesis", "object", "no-object", "toml", "date", "clock-both", "clock-neither",
))


def test_the_schema_is_of_the_format_as_it_is() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == text(), "run: python -m storcert.scenarios.format.schema"


def test_it_accepts_what_the_reader_accepts() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    for said in (SMALL, EVERYTHING, *(path.read_text(encoding="utf-8") for path in paths().values())):
        validator.validate(tomllib.loads(said))


@pytest.mark.parametrize("case", sorted(set(WRONG) - NOT_IN_THE_SCHEMA))
def test_it_refuses_what_the_reader_refuses(case: str) -> None:
    old, new, _ = WRONG[case]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json_schema()).validate(tomllib.loads(SMALL.replace(old, new, 1)))
