"""Run records survive text, tolerate what a later kit adds, and refuse everything else with one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storcert.harness.record.codec import RecordError, behaviour, canonical, decode, digest_of, encode, read_file
from tests.reports import records


@pytest.mark.parametrize("name", records.ALL)
def test_a_record_survives_text(name: str) -> None:
    record = records.ALL[name]()
    assert decode(encode(record)) == record


def test_schema_version_comes_first_and_counts_have_their_public_names() -> None:
    value = json.loads(encode(records.broken()))
    assert next(iter(value)) == "schema_version"
    assert value["counts"] == {"pass": 2, "fail": 4, "unknown": 1, "skipped": 1, "disabled": 1, "error": 1}


def test_unknown_fields_are_tolerated_at_every_depth() -> None:
    value = json.loads(encode(records.broken()))
    value["later"] = {"x": 1}
    value["driver"]["later"] = True
    value["rules"][1]["failures"][0]["later"] = None
    assert decode(json.dumps(value)) == records.broken()


def test_optional_fields_may_be_absent() -> None:
    value = json.loads(encode(records.broken()))
    for name in ("checks", "findings", "options", "environment", "reason", "interrupted"):
        del value[name]
    assert decode(json.dumps(value)).checks == ()


def _change(path: tuple[str | int, ...], new: Any) -> str:
    value = json.loads(encode(records.broken()))
    place = value
    for step in path[:-1]:
        place = place[step]
    if new is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return json.dumps(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "run.json: not JSON"),
        ("{", "run.json: not JSON"),
        ("[]", "run.json: not a run record: no schema_version"),
        ("{}", "run.json: not a run record: no schema_version"),
        ("[" * 100_000, "run.json: not"),
        ('{"schema_version": 2}', "run.json: schema_version 2; this kit reads 1"),
        ('{"schema_version": 1}', "run.json: kind is missing"),
        (_change(("seed",), "seven"), "run.json: seed must be a whole number, not 'seven'"),
        (_change(("seed",), True), "run.json: seed must be a whole number, not True"),
        (_change(("verdict",), "passed"), "run.json: verdict: 'passed' is none of conformant"),
        (_change(("rules", 1, "failures", 0, "steps"), "x"), "run.json: rules[1].failures[0].steps must be a list"),
        (_change(("rules", 0, "id"), KeyError), "run.json: rules[0].id is missing"),
        (_change(("counts", "pass"), 1.5), "run.json: counts.pass must be a whole number"),
        (_change(("options",), []), "run.json: options must be an object"),
        (_change(("kit",), None), "run.json: kit must be an object"),
    ],
)
def test_a_bad_record_is_one_clear_line(text: str, words: str) -> None:
    with pytest.raises(RecordError) as caught:
        decode(text, "run.json")
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_the_same_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read"):
        read_file(tmp_path / "absent.json")
    with pytest.raises(RecordError, match="cannot be read"):
        read_file(tmp_path)
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(RecordError, match="not UTF-8"):
        read_file(tmp_path / "binary.json")


def test_canonical_json_does_not_depend_on_order_and_takes_any_text() -> None:
    assert canonical({"b": 1, "a": "\ud800"}) == canonical({"a": "\ud800", "b": 1})
    assert digest_of({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    with pytest.raises(ValueError):
        canonical(float("nan"))


def test_behaviour_leaves_out_what_differs_between_machines() -> None:
    text = json.dumps(behaviour(records.broken()))
    assert "wall_time_s" not in text
    assert "sc1.abc" not in text and "failure-4.json" not in text
    assert "size-mismatch" in text
