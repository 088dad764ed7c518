"""docs/findings is true: its scripts print what the page says, its tables are what the stored records say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[2]
FINDINGS = ROOT / "docs" / "findings"
PAGE = (FINDINGS / "fsspec.md").read_text(encoding="utf-8")
PRINTED = dict(re.findall(r"\]\(fsspec/(\w+\.py)\) prints:\n\n```text\n(.*?)```", PAGE, re.DOTALL))
LINES_MAX = 20  # a docstring and a few blank lines included


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return script_of("make_findings")


def test_every_script_stands_on_the_page_and_every_line_of_the_page_has_its_script() -> None:
    assert sorted(PRINTED) == sorted(path.name for path in (FINDINGS / "fsspec").glob("*.py"))


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_a_finding_is_reproduced_by_its_script_alone(name: str, tmp_path: Path) -> None:
    if name.startswith("s3_"):
        _need_a_current_s3fs()
    source = (FINDINGS / "fsspec" / name).read_text(encoding="utf-8")
    assert "storcert" not in source
    assert len(source.splitlines()) <= LINES_MAX
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    for variable in [one for one in environment if one.startswith(("FSSPEC", "AWS_"))]:
        del environment[variable]
    done = subprocess.run(
        [sys.executable, str(FINDINGS / "fsspec" / name)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == PRINTED[name], "the installed library behaves differently from what the page says"


def _need_a_current_s3fs() -> None:
    """s3fs pins its fsspec: one of another version is no subject of the page."""
    try:
        if version("s3fs") != version("fsspec"):
            pytest.skip(f"s3fs {version('s3fs')} is not of the release of fsspec {version('fsspec')}")
    except PackageNotFoundError:
        pytest.skip("s3fs is not installed")
    pytest.importorskip("flask", reason="moto[server] is not installed")


def test_the_tables_are_what_the_records_say(script: ModuleType) -> None:
    assert script.page(PAGE, script.stored(), script.beside()) == PAGE, "run: python docs/make_findings.py"


def test_every_failing_check_is_explained_and_none_else(script: ModuleType) -> None:
    failing = {check.id.partition("[")[0] for record in script.stored().values() for check in record.checks}
    told = set(re.findall(r"^Check `([^`\[]+)", PAGE, re.MULTILINE))
    assert told == failing


def test_links_of_the_page_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE):
        assert (FINDINGS / target).exists(), target
