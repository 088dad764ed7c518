"""The tutorial is done as it stands, by somebody who types what it says: each piece of code into the project that
``storcert new-driver`` writes, each command when its turn comes, each verdict as it is told."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
PARTS = re.compile(r"```python\n(?P<code>.*?)```|<!-- (?P<told>.*?) -->", re.DOTALL)


def run(arguments: list[str], folder: Path, code: int) -> str:
    command = [sys.executable, "-m", "storcert.conformance.cli", *arguments]
    path = os.pathsep.join(filter(None, [str(folder / "src"), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def methods(source: str) -> dict[str, tuple[int, int]]:
    """First and last line of each method of the driver's class."""
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {node.name: (node.lineno, node.end_lineno or 0) for node in classes[0].body if isinstance(node, ast.FunctionDef)}


def typed_in(source: str, code: str) -> str:
    """The source with a method replaced, or added at the end of the class."""
    found = re.search(r"def (\w+)\(", code)
    assert found is not None
    lines, (first, last) = source.splitlines(), methods(source).get(found[1], (0, 0))
    if not first:
        return source.rstrip("\n") + "\n\n" + code
    return "\n".join([*lines[: first - 1], *code.rstrip("\n").splitlines(), *lines[last:]]) + "\n"


def imported(source: str, told: str) -> str:
    kind, _, names = told.partition(": ")
    if kind == "limit":
        return source.replace("NAME_BYTES_MAX =", f"{names}\nNAME_BYTES_MAX =", 1)
    for name in names.split(", "):
        if kind == "import":
            source = source.replace("    Capabilities,\n", f"    Capabilities,\n    {name},\n", 1)
        else:
            source = source.replace("from collections.abc", f"import {name}\nfrom collections.abc", 1)
    return source


def certified(folder: Path, told: str) -> None:
    """Certify the driver as it is now, and hold the verdict to what the page says."""
    verdict, _, remark = told.removeprefix("verdict: ").partition("; ")
    record = folder.parent / "run.json"
    code = 0 if verdict == "conformant" else 1
    driver = "acme_driver.driver:AcmeDriver"
    run(["certify", driver, "--profile", "core", "--workers", "1", "--json", str(record)], folder, code)
    value = json.loads(record.read_text(encoding="utf-8"))
    assert value["verdict"] == verdict
    messages = [failure["message"] for rule in value["rules"] for failure in rule["failures"]]
    gaps = ["left to fill in" in message for message in messages]
    if remark == "only gaps":
        assert gaps and all(gaps)
        broken = [rule["id"] for rule in value["rules"] if rule["verdict"] == "fail"]
        assert f"{len(broken)} rules are broken: {', '.join(sorted(broken))}" in TEXT
    elif remark == "no gaps":
        assert gaps and not any(gaps)


@pytest.mark.slow
def test_every_step_of_the_tutorial(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    run(["new-driver", "acme", "--into", str(folder)], folder, 0)
    driver = folder / "src" / "acme_driver" / "driver.py"
    verdicts = 0
    for part in PARTS.finditer(TEXT):
        if part["code"] is not None:
            driver.write_text(typed_in(driver.read_text(), part["code"]))
        elif part["told"].startswith(("import", "limit")):
            driver.write_text(imported(driver.read_text(), part["told"]))
        else:
            certified(folder, part["told"])
            verdicts += 1
    assert verdicts == 3
