"""JUnit, read back with an XML parser: a case per check, and the counts of the record."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema

from storcert.harness.record.verdict import Verdict
from storcert.reports.junit import render
from tests.reports import records

JENKINS = xmlschema.XMLSchema(Path(__file__).parent / "schemas" / "junit-10.xsd")
CHILD = {
    Verdict.PASS: None,
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.UNKNOWN: "error",
    Verdict.SKIPPED: "skipped",
    Verdict.DISABLED: "skipped",
}


@pytest.mark.parametrize("name", records.EVERY)
def test_each_check_is_one_case_with_the_right_child(name: str) -> None:
    record = records.EVERY[name]()
    cases = list(ElementTree.fromstring(render(record)).iter("testcase"))
    assert len(cases) == len(record.checks)
    by_name = {case.get("name"): case for case in cases}
    for check in record.checks:
        case = by_name[check.id.replace("\x1b", "\\x1b")]
        assert [child.tag for child in case] == ([CHILD[check.verdict]] if CHILD[check.verdict] else [])


@pytest.mark.parametrize("name", records.EVERY)
def test_attributes_are_sums_of_what_is_inside(name: str) -> None:
    root = ElementTree.fromstring(render(records.EVERY[name]()))
    for element in (root, *root.iter("testsuite")):
        assert int(element.get("tests", "")) == len(list(element.iter("testcase")))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            if element is root and attribute == "skipped":
                assert attribute not in element.attrib, "the schema of Jenkins does not know it there"
                continue
            assert int(element.get(attribute, "")) == len(list(element.iter(tag)))


@pytest.mark.parametrize("name", records.EVERY)
def test_it_is_what_jenkins_reads(name: str) -> None:
    JENKINS.validate(render(records.EVERY[name]()))


def test_the_schema_refuses_what_jenkins_would_not_read() -> None:
    text = render(records.broken())
    assert JENKINS.is_valid(text)
    assert not JENKINS.is_valid(text.replace("<testsuites ", '<testsuites skipped="1" '))


def test_a_failure_carries_steps_and_the_two_commands() -> None:
    root = ElementTree.fromstring(render(records.broken()))
    text = root.find(".//testcase[@name='C-COMMIT/size-mismatch[1]']/failure").text or ""  # type: ignore[union-attr]
    assert "at acme/driver.py:88" in text
    assert "2. write 1 byte" in text
    assert text.endswith("storcert replay sc1.abc.01234567\nstorcert explain C-COMMIT")


def test_a_run_without_checks_is_still_a_document() -> None:
    root = ElementTree.fromstring(render(records.record_of(())))
    assert root.get("tests") == "0"
