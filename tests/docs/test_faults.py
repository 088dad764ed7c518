"""docs/faults is what the code says of itself now, and says what is not modelled of every place."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from storcert.simulators.registry import SIMULATED
from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return script_of("make_faults")


def test_the_pages_are_of_the_code_as_it_is(script: ModuleType) -> None:
    pages = {page.path: page.whole for page in script.pages()}
    assert set(pages) == set(script.FOLDER.iterdir()), "run: python docs/make_faults.py"
    for path, text in pages.items():
        assert path.read_text(encoding="utf-8") == text, "run: python docs/make_faults.py"


def test_every_place_has_a_page_that_says_what_is_not_modelled(script: ModuleType) -> None:
    pages = {page.name: page.text for page in script.pages()}
    contents = pages.pop("README")
    assert set(pages) == {*SIMULATED, "http-source", "network", "catalogue", "locations"}
    for name, text in pages.items():
        assert f"({name}.md)" in contents
        assert "Fault model." in text
        assert "## Not modelled, and why\n\n- " in text
        assert "``" not in text


def test_every_fault_of_a_device_is_on_its_page(script: ModuleType) -> None:
    pages = {page.name: page.text for page in script.pages()}
    for kind in SIMULATED.values():
        faults = importlib.import_module(f"{kind.package}.legal_faults").LEGAL_FAULTS
        for fault in faults:
            assert f"`{fault.name}`" in pages[kind.name], (kind.name, fault.name)


def test_tables_of_docstrings_are_tables(script: ModuleType) -> None:
    text = "Before.\n\n=====  =====\n``a``  one\n       two\n``b``  three\n=====  =====\n\nAfter, see :class:`~x.Y`."
    assert script._markdown(text) == (
        "Before.\n\n| fault | what happens |\n| --- | --- |\n| `a` | one two |\n| `b` | three |\n\nAfter, see `x.Y`.\n")
