"""The file of expectations: what may stand in it, every complaint one line with file and line, changes that leave the rest."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from storcert.conformance import expectations
from storcert.conformance.expectations import Expectation, add_entries, read_expectations, remove_entries
from storcert.conformance.usage import InvalidUsage

FILE = """\
# Known failures of acme.
schema_version = 1

[[expected]]
id = "C-COMMIT/size-mismatch[1]"
reason = "the pool rounds up"
owner = "storage team"
expires = 2027-03-31
link = "https://example.org/issues/12"
driver_version = ">=2,<3"

# About both cases of it.
[[expected]]
id = "C-ONCE/programs-hold[*]"  # a family
reason = "no conditional put"
owner = "ana"
expires = "2027-01-01"
verdict = "unknown"
"""


def test_everything_is_read_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(FILE)
    found = read_expectations(path)
    first, second = found.entries
    assert first.expires == date(2027, 3, 31)
    assert (first.link, first.driver_version) == ("https://example.org/issues/12", ">=2,<3")
    assert (second.verdict, second.expires) == ("unknown", date(2027, 1, 1))
    assert [found.line_of(entry) for entry in found.entries] == [4, 13]


@pytest.mark.parametrize(
    ("entry", "check", "means"),
    [
        ("C-READ/x", "C-READ/x", True),
        ("C-READ/x", "C-READ/x[1]", False),
        ("C-READ/x[*]", "C-READ/x[1]", True),
        ("C-READ/x[*]", "C-READ/xy[1]", False),
        ("C-READ/x[*]", "C-READ/x", False),
        ("C-READ/x[1]", "C-READ/x[10]", False),
    ],
)
def test_an_entry_means_one_check_or_its_cases(entry: str, check: str, means: bool) -> None:
    assert _entry(entry).means(check) is means


@pytest.mark.parametrize(
    ("ranges", "driver", "kit", "device", "why"),
    [
        ({}, "", "0.1.0", "nfs", ""),
        ({"driver_version": ">=2,<3"}, "2.1", "0.1.0", "nfs", ""),
        ({"driver_version": ">=2,<3"}, "3.0", "0.1.0", "nfs", "it is for driver versions >=2,<3, this is 3.0"),
        ({"driver_version": ">=2,<3"}, "", "0.1.0", "nfs", "it is for driver versions >=2,<3, this is one without a version"),
        ({"driver_version": ">=2"}, "2.1rc1", "0.1.0", "nfs", ""),
        ({"kit_version": "<0.1"}, "2", "0.1.0", "nfs", "it is for kit versions <0.1, this is 0.1.0"),
        ({"device": "rbd"}, "2", "0.1.0", "nfs", "it is for device rbd"),
    ],
)
def test_where_an_entry_applies(ranges: dict[str, str], driver: str, kit: str, device: str, why: str) -> None:
    assert _entry("C-READ/x", **ranges).why_not(driver, kit, device) == why


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[expected]\n", "{path}: not valid TOML: "),
        ("x = 1\n", "{path}: no such key 'x'; there are schema_version and [[expected]]"),
        ("schema_version = 2\n", "{path}: schema_version: Input should be 1"),
        ("[[expected]]\nid = 'C-READ/x'\n", "{path}:1: the entry has no reason (and 2 more)"),
        (FILE.replace("storage team", " "), "{path}:4: owner: String should match pattern '\\S'"),
        (FILE.replace("2027-03-31", '"soon"'), "{path}:4: expires: Input should be a valid date"),
        (FILE.replace(">=2,<3", "2 or so"), "{path}:4: driver_version: '2 or so' is no range of versions; write it as"),
        (FILE.replace("verdict =", "verdikt ="), "{path}:13: no such key 'verdikt'; an entry has id, reason, owner"),
        (FILE.replace('"unknown"', '"error"'), "{path}:13: verdict: Input should be 'fail' or 'unknown'"),
        (FILE + FILE.replace("schema_version = 1", ""), "{path}:22: C-COMMIT/size-mismatch[1] is there twice, first in line 4"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(InvalidUsage) as caught:
        read_expectations(path)
    assert str(caught.value).startswith(complaint.format(path=path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InvalidUsage, match="cannot be read"):
        read_expectations(tmp_path / "none.toml")
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidUsage, match="not UTF-8"):
        read_expectations(tmp_path / "x.toml")


def test_an_entry_that_is_written_is_read_back_whatever_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    entries = [
        _entry('C-NAMES/x["\\\x7f\u202e]', reason='say "no"\nand \t \x01 \U0001f4be'),
        _entry("C-READ/x", link="https://example.org", device="nfs", verdict="unknown"),
    ]
    add_entries(path, entries[:1])
    add_entries(path, entries[1:])
    assert list(read_expectations(path).entries) == entries


def test_adding_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(FILE.rstrip("\n"))
    add_entries(path, [_entry("C-READ/x")])
    assert path.read_text().startswith(FILE)
    assert [entry.id for entry in read_expectations(path).entries][-1] == "C-READ/x"


@pytest.mark.parametrize(
    ("number", "left", "gone"),
    [(0, ["# Known failures", "# About both cases"], "size-mismatch"), (1, ["# Known failures"], "About both")],
)
def test_taking_away_takes_an_entry_and_its_comment(tmp_path: Path, number: int, left: list[str], gone: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(FILE)
    found = read_expectations(path)
    remove_entries(path, found, [found.entries[number]])
    text = path.read_text()
    assert all(words in text for words in left)
    assert gone not in text
    assert read_expectations(path).entries == (found.entries[1 - number],)


def test_inline_entries_are_read_but_not_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text('expected = [{id = "C-READ/x", reason = "r", owner = "o", expires = 2027-01-01}]\n')
    found = read_expectations(path)
    assert found.line_of(found.entries[0]) == 0
    with pytest.raises(InvalidUsage, match="written as an"):
        remove_entries(path, found, found.entries)


def test_the_published_schema_is_up_to_date_and_says_what_is_read() -> None:
    path = Path(expectations.__file__).parents[1] / "reports" / "schemas" / "expectations-1.json"
    schema = json.loads(path.read_text())
    assert schema == expectations.json_schema(), "run: python -m storcert.conformance.expectations > the file"
    good = {"expected": [json.loads(_entry("C-READ/x").model_dump_json())]}
    jsonschema.validate(good, schema, jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"expected": [{"id": "x"}]}, schema, jsonschema.Draft202012Validator)


def _entry(identity: str, **more: object) -> Expectation:
    return Expectation.model_validate({
        "id": identity, "reason": "known", "owner": "ana", "expires": date(2027, 1, 1), **more})
