"""The tree is tidy, and each tidy rule complains about a file made to break it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from tests.tidy import rules

ROOT = Path(__file__).resolve().parents[2]
Rule = Callable[[PurePosixPath, str], Iterator[str]]

#: Files that may be longer, each with the reason.
LONG_FILES = {
    "conformance/rules_driver.py": "data: one entry per rule of the contract",
}
#: This folder holds the patterns and the bad examples.
OWN = ("tests/tidy/",)
PYTHON_RULES: list[Rule] = [rules.size, rules.docstring, rules.name, rules.relative_import]
#: What is installed. Tests play hostile drivers, which swallow errors and read what is none of their business.
SHIPPED = ("harness/", "simulators/", "conformance/", "scenarios/", "reports/")


def tracked(*suffixes: str) -> list[PurePosixPath]:
    """Files git knows, or is about to: what others would see."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [PurePosixPath(name) for name in done.stdout.split("\0") if name]
    return [path for path in sorted(set(paths)) if path.suffix in suffixes and (ROOT / path).is_file()]


def complaints(rule: Rule, paths: list[PurePosixPath]) -> list[str]:
    found: list[str] = []
    for path in paths:
        if str(path).startswith(OWN) or (ROOT / path).is_symlink():
            continue
        found += rule(path, (ROOT / path).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_python_files(rule: Rule) -> None:
    found = complaints(rule, tracked(".py"))
    if rule is rules.size:
        found = [line for line in found if line.partition(":")[0] not in LONG_FILES]
    assert found == []


def test_shipped_code_swallows_nothing() -> None:
    paths = [path for path in tracked(".py") if str(path).startswith(SHIPPED)]
    assert complaints(rules.swallowed, paths) == []


def test_no_path_of_one_machine_anywhere() -> None:
    paths = tracked(".py", ".md", ".toml", ".ini", ".yaml", ".json", ".cfg", ".txt", "")
    assert complaints(rules.machine_path, [path for path in paths if path.parts[0] != "tests"]) == []
    if len(ROOT.parts) > 2:
        here = [path for path in paths if f"{ROOT}/" in (ROOT / path).read_text(encoding="utf-8")]
        assert here == [], "the folder of this clone is named"


def test_exceptions_are_needed_and_reasoned() -> None:
    for name, reason in LONG_FILES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        assert list(rules.size(PurePosixPath(name), text)), f"{name} fits now: take it off the list"
        assert len(reason.split()) >= 3


@pytest.mark.parametrize(
    ("rule", "path", "text", "number"),
    [
        (rules.size, "a.py", "\n" * 401, 1),
        (rules.size, "a.py", "\n" * 400, 0),
        (rules.docstring, "a.py", "x = 1\n", 1),
        (rules.docstring, "a.py", '""" """\n', 1),
        (rules.docstring, "a.py", '"""Says something."""\n', 0),
        (rules.machine_path, "a.md", "see /home/someone/x and /root/x\nand /Users/someone\n", 2),
        (rules.machine_path, "a.md", "see /etc/ceph/ceph.conf, tests/work/x, http://x/home/y, /volume/1/a\n", 0),
        (rules.name, "harness/utils.py", "", 1),
        (rules.name, "harness/file_helpers/a.py", "", 1),
        (rules.name, "a.py", "class JobManager: ...\n", 1),
        (rules.name, "harness/utilisation.py", "class Managed: ...\n", 0),
        (rules.relative_import, "a.py", "from . import b\nfrom ..c import d\n", 2),
        (rules.relative_import, "a.py", "import harness.kernel\nfrom reports import text\n", 2),
        (rules.relative_import, "a.py", "from storcert.reports import text\nimport reportlab\n", 0),
        (rules.swallowed, "a.py", "try:\n    x()\nexcept Exception:\n    pass\n", 1),
        (rules.swallowed, "a.py", "try:\n    x()\nexcept:\n    ...\n", 1),
        (rules.swallowed, "a.py", "try:\n    x()\nexcept Exception:\n    raise\n", 0),
        (rules.swallowed, "a.py", "try:\n    x()\nexcept OSError:\n    pass\n", 0),
    ],
)
def test_each_rule_complains(rule: Rule, path: str, text: str, number: int) -> None:
    assert len(list(rule(PurePosixPath(path), text))) == number
