"""docs/findings is true: its scripts print what the pages say, its tables are what the stored records say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.options import certify_options
from storcert.harness.record.verdict import Verdict
from tests.docs.scripts import script_of

ROOT = Path(__file__).resolve().parents[2]
FINDINGS = ROOT / "docs" / "findings"
LINES_MAX = 20  # a docstring and a few blank lines included
BOOK: Any = script_of("make_findings")
STATE: Any = script_of("renew_findings")
CHAPTERS: dict[str, Any] = {one.name: one for one in BOOK.chapters()}
each_chapter = pytest.mark.parametrize("name", sorted(CHAPTERS))
each_record = pytest.mark.parametrize(
    ("name", "back_end"), [(name, back_end) for name, chapter in sorted(CHAPTERS.items()) for back_end in chapter.records]
)


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
    assert failing <= told, "a failing check belongs to no finding"
    for one in chapter.violations:
        for check in one.checks:
            assert any((back_end, check) in failing for back_end in one.back_ends), f"{check} of {one.title} fails nowhere"
        for back_end in one.back_ends:
            assert any((back_end, check) in failing for check in one.checks), f"{one.title} does not show on {back_end}"


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


@each_record
def test_a_record_is_of_the_present_checks(name: str, back_end: str) -> None:
    assert STATE.of_other_checks(CHAPTERS[name], back_end) == "", "the record is stale, and the command that renews it is above"


@each_record
def test_a_record_was_made_as_its_library_says_and_names_every_version(name: str, back_end: str, tmp_path: Path) -> None:
    chapter = CHAPTERS[name]
    record, said = chapter.records[back_end], certify_arguments(STATE.arguments(chapter, back_end, tmp_path))
    driver = BOOK.DRIVERS.get(record.driver.reference, record.driver.reference).partition(" ")[0]
    assert (record.profile, record.device.name, driver) == said
    assert not [verdict for verdict in (rule.verdict for rule in record.rules) if verdict is Verdict.DISABLED]
    assert chapter.beside[back_end]["versions"].keys() == set(chapter.library.back_ends[back_end].packages)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", record.driver.digest) and record.kit.digest


def certify_arguments(words: list[str]) -> tuple[str, str, str]:
    """Profile, device and driver as ``storcert certify`` understands them."""
    given = dict(zip(words[2::2], words[3::2], strict=True))
    config = Path(given["--config"]) if "--config" in given else None
    options = certify_options(words[1], device=given.get("--device"), config=config, profile=given["--profile"])
    return str(options.profile), options.device, words[1]


def test_a_stale_record_is_told_with_what_makes_it_anew() -> None:
    chapter = CHAPTERS["minio"]
    record = chapter.records["live"]
    kit, driver = replace(record.kit, requirements_digest="sha256:0"), replace(record.driver, digest="sha256:0")
    old = replace(record, kit=kit, driver=driver)
    other = replace(chapter, records={"live": old}, beside={"live": {"versions": {"minio": "0.1", "no-such-library": "1"}}})
    said = STATE.of_other_checks(other, "live")
    assert re.fullmatch(r"requirements sha256:0, now sha256:\w+: python docs/renew_findings.py minio live", said)
    assert list(STATE.changed_since(other, "live")) == [
        "the adapter has changed", f"minio was 0.1, is {version('minio')} here", "no-such-library was 1, is not there here",
    ]  # fmt: skip


def test_a_page_says_where_the_adapter_has_changed_since() -> None:
    chapter = CHAPTERS["minio"]
    old = {name: replace(one, driver=replace(one.driver, digest="sha256:0")) for name, one in chapter.records.items()}
    assert BOOK.page(text_of("minio"), replace(chapter, records=old)).count("`0`, since changed") == len(old)


def test_a_record_is_stored_without_what_names_a_run() -> None:
    for chapter in CHAPTERS.values():
        for record in chapter.records.values():
            assert record.digest == "" and "configuration" not in record.options
            assert not any(re.search(r"[0-9a-f]{12}-\d", step) for check in record.checks for step in check.steps)
