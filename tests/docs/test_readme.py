"""README.md is true: its generated parts are what the script makes, its commands and its table are the program's."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from storcert.conformance import cli
from storcert.harness.record.codec import read_file
from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return script_of("make_picture")


def test_the_generated_part_is_up_to_date(script: ModuleType) -> None:
    assert script.readme(README, read_file(script.RECORD)) == README, "run: python docs/make_picture.py"


def test_the_two_commands_stand_as_they_are() -> None:
    assert "\npip install . && storcert certify s3\n" in README
    assert "\npip install tox && tox\n" in README


def test_the_table_of_exit_codes_is_the_program_s() -> None:
    codes = dict(re.findall(r"^\| (\d) \| ([^|]+) \|$", README, re.MULTILINE))
    words = {
        cli.CONFORMANT: "conformant",
        cli.NOT_CONFORMANT: "not conformant",
        cli.INTERRUPTED: "interrupted",
        cli.INTERNAL_ERROR: "internal error",
        cli.USAGE: "usage",
        cli.NOTHING_DECIDED: "nothing decided",
    }
    assert {int(code) for code in codes} == set(words)
    for code, word in words.items():
        assert codes[str(code)].startswith(word)


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_the_rooms_of_the_architecture_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for folder in re.findall(r"^\| `([a-z/]+/)`", text, re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder


@pytest.mark.slow
def test_the_picture_is_what_the_program_says_now(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.run([*script.COMMAND, "--json", str(tmp_path / "run.json")]) == cli.NOT_CONFORMANT
    now = script.shortened(read_file(tmp_path / "run.json"))
    assert script.picture(now) == script.picture(read_file(script.RECORD)), "run: python docs/make_picture.py"
