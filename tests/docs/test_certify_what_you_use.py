"""docs/certify-what-you-use.md: each command is executed, with the rule beside it added, and gives the verdict that is told."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "certify-what-you-use.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
DRIVERS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]["storcert.drivers"]
EXIT_CODES = {"conformant": 0, "not_conformant": 1}
LIBRARIES = {"libcloud": "libcloud", "minio": "minio", "obstore": "obstore", "opendal": "opendal", "pyarrow": "pyarrow",
             "smart_open": "smart_open", "s3fs": "s3fs", "moto[server]": "flask"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    """One library: what is installed, what is typed, which files are there, what is told."""

    title: str
    installed: tuple[str, ...]
    typed: tuple[str, ...]
    files: dict[str, str]
    verdict: str
    rule: str


def read(text: str) -> Section:
    commands = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)[0].splitlines()
    verdict, rule = re.findall(r"<!-- verdict: (\w+); rule: (C-\w+) -->", text)[0]
    install = shlex.split(commands[0])
    assert install[:2] == ["pip", "install"]
    extras = [extra for name in install[2:] for extra in re.findall(r"^storcert\[(.*)\]$", name) or [name]]
    files = dict(re.findall(r"```toml\n# (\S+)\n(.*?)```", text, re.DOTALL))
    return Section(text.splitlines()[0], tuple(extras), tuple(commands[1:]), files, verdict, rule)


PAGE = [read(section) for section in SECTIONS]


def test_the_table_has_each_library_and_tells_the_same_verdict() -> None:
    rows = re.findall(r"^\| \[.*?\]\(#([\w-]+)\).*?\| (conformant|not conformant) \|", TEXT, re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", one.title.lower()).replace(" ", "-") for one in PAGE]
    assert rows == [(anchor, one.verdict.replace("_", " ")) for anchor, one in zip(anchors, PAGE, strict=True)]


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / "docs" / target).exists(), target


def test_every_bundled_library_is_there() -> None:
    asked = {shlex.split(line)[2] for one in PAGE for line in one.typed if line.startswith("storcert")}
    assert asked == DRIVERS.keys() - {"nfs", "rbd", "sheepdog", "smart_open_file"}


@pytest.mark.slow
@pytest.mark.parametrize("section", PAGE, ids=lambda one: one.title)
def test_the_commands_of(section: Section, tmp_path: Path) -> None:
    for name in section.installed:
        module = LIBRARIES.get(name, "storcert")
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{name} is not installed")
    for name, text in section.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for line in section.typed:
        words = shlex.split(line)
        if words[0] == "mkdir":
            (tmp_path / words[-1]).mkdir(parents=True)
        else:
            certify(words, section, tmp_path)


def certify(words: list[str], section: Section, folder: Path) -> None:
    """By import path, so that it is this code that is asked, whatever is installed."""
    assert words[:2] == ["storcert", "certify"]
    driver = DRIVERS[words[2]].partition(" ")[0]
    command = ["certify", driver, *words[3:], "--rule", section.rule, "--workers", "1", "--json", "run.json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-m", "storcert.conformance.cli", *command],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == EXIT_CODES[section.verdict], done.stdout + done.stderr
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["verdict"] == section.verdict
