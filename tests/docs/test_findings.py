"""docs/findings is true: its scripts print what the pages say, its tables are what the stored records say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[2]
FINDINGS = ROOT / "docs" / "findings"
LINES_MAX = 20  # a docstring and a few blank lines included
BOOK: Any = script_of("make_findings")
CHAPTERS: dict[str, Any] = {one.name: one for one in BOOK.chapters()}
each_chapter = pytest.mark.parametrize("name", sorted(CHAPTERS))


def text_of(name: str) -> str:
    return (FINDINGS / f"{name}.md").read_text(encoding="utf-8")


def printed(name: str) -> dict[str, str]:
    """What the page says each script prints."""
    found = re.findall(r"\]\((\w+/\w+\.py)\)\s+prints:\n\n```text\n(.*?)```", text_of(name), re.DOTALL)
    assert len(dict(found)) == len(found), "a script stands twice on the page"
    return dict(found)


@each_chapter
def test_every_script_stands_on_the_page_and_belongs_to_a_finding(name: str) -> None:
    files = sorted(f"{name}/{path.name}" for path in (FINDINGS / name).glob("*.py"))
    assert sorted(printed(name)) == files
    assert sorted(f"{name}/{one}" for finding in CHAPTERS[name].library.findings for one in finding.scripts) == files


def scripts() -> list[Any]:
    return [
        pytest.param(f"{chapter.name}/{script}", finding.needs, id=f"{chapter.name}/{script}")
        for chapter in CHAPTERS.values()
        for finding in chapter.library.findings
        for script in finding.scripts
    ]


@pytest.mark.parametrize(("name", "needs"), scripts())
def test_a_finding_is_reproduced_by_its_script_alone(name: str, needs: tuple[str, ...], tmp_path: Path) -> None:
    need(needs)
    source = (FINDINGS / name).read_text(encoding="utf-8")
    assert "storcert" not in source
    assert len(source.splitlines()) <= LINES_MAX
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    for variable in [one for one in environment if one.startswith(("FSSPEC", "AWS_"))]:
        del environment[variable]
    done = subprocess.run(
        [sys.executable, str(FINDINGS / name)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = printed(name.partition("/")[0])[name]
    assert done.stdout == said, "the installed library behaves differently from what the page says"


def need(distributions: tuple[str, ...]) -> None:
    """Skip where one is not installed. s3fs pins its fsspec: one of another release is no subject of the page."""
    found = {}
    for one in distributions:
        try:
            found[one] = version(one)
        except PackageNotFoundError:
            pytest.skip(f"{one} is not installed")
    if "s3fs" in found and found["s3fs"] != version("fsspec"):
        pytest.skip(f"s3fs {found['s3fs']} is not of the release of fsspec {version('fsspec')}")


def test_the_tables_are_what_the_records_say() -> None:
    for path, text in BOOK.pages():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run python docs/make_findings.py"


@each_chapter
def test_every_failing_check_belongs_to_a_finding_and_every_check_of_a_finding_fails(name: str) -> None:
    chapter = CHAPTERS[name]
    failing = {(back_end, BOOK.case_of(check)) for back_end in chapter.records for check in chapter.failing(back_end)}
    told = {(back_end, check) for one in chapter.violations for back_end in one.back_ends for check in one.checks}
    assert told == failing


@each_chapter
def test_every_finding_has_its_heading_and_says_who_can_be_hurt(name: str) -> None:
    text = text_of(name)
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    for finding in CHAPTERS[name].library.findings:
        mine = [one for one in sections if one.startswith(finding.title + "\n")]
        assert len(mine) == 1, finding.title
        assert "**Who can be hurt:**" in mine[0], finding.title
        for script in finding.scripts:
            assert f"{name}/{script}" in mine[0], script


@pytest.mark.parametrize("path", sorted(FINDINGS.glob("*.md")), ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (FINDINGS / target).exists(), target


def test_a_record_is_stored_without_what_names_a_run() -> None:
    for chapter in CHAPTERS.values():
        for record in chapter.records.values():
            assert record.digest == "" and "configuration" not in record.options
            assert not any(re.search(r"[0-9a-f]{12}-\d", step) for check in record.checks for step in check.steps)
