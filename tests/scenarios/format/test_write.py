"""What is written is read as it was, and is the same text each time."""

from __future__ import annotations

import json
import tomllib

import pytest

from storcert.scenarios.catalogue import paths, scenario
from storcert.scenarios.format.read import from_json, loads
from storcert.scenarios.format.write import dumps
from tests.scenarios.format.files import EVERYTHING, SMALL

TEXTS = {"small": SMALL, "everything": EVERYTHING}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_come_back(name: str) -> None:
    found = loads(TEXTS[name], name="n")
    text = dumps(found)
    assert loads(text) == found and dumps(loads(text)) == text
    assert tomllib.loads(text) == json.loads(json.dumps(found.to_json()))
    assert from_json(found.to_json()) == found


def test_the_catalogue_comes_back() -> None:
    for name in paths():
        assert loads(dumps(scenario(name))) == scenario(name), name


def test_long_texts_stand_on_several_lines() -> None:
    story = "word " * 60 + "end"
    text = dumps(loads(SMALL, name="n").model_copy(update={"story": story}))
    assert max(len(line) for line in text.splitlines()) <= 128
    assert loads(text).story == story


ODD = ['a "quote"', "two\nlines", "back\\slash", " spaces  inside ", "\x7f\x00\u2028é\U0001f600", "x" * 200]


@pytest.mark.parametrize("story", ODD)
def test_any_text_comes_back(story: str) -> None:
    found = loads(SMALL, name="n").model_copy(update={"story": story})
    assert loads(dumps(found)) == found
