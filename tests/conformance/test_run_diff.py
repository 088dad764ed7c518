"""``storcert diff``: nothing where nothing differs, every kind of difference told, the shortest program first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from storcert.conformance import cli
from storcert.conformance.run_diff import diff, words
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.codec import encode
from storcert.harness.record.finding import Finding
from storcert.harness.record.run_record import CheckFailure, CheckResult, RunRecord
from storcert.harness.record.scenario_run import FaultRun, OperationRun, StepRun
from storcert.harness.record.verdict import Verdict
from storcert.reports import run_diff_text
from tests.reports import records


@pytest.mark.parametrize("name", records.EVERY)
def test_a_run_does_not_differ_from_itself(name: str) -> None:
    record = records.EVERY[name]()
    found = diff(record, replace(record, environment=replace(record.environment, wall_time_s=1.0), seed=record.seed))
    assert found.same
    assert found.shortest is None
    assert run_diff_text.render(found).startswith("SAME\n")


def test_what_differs_is_told_and_nothing_else() -> None:
    found = diff(records.conformant(), records.broken())
    assert not found.same
    assert ("C-NOFS", "absent", "fail") in [(pair.what, pair.a, pair.b) for pair in found.rules]
    changed = {pair.id: (pair.a, pair.b) for pair in found.checks}
    assert changed["C-COMMIT/size-mismatch[1]"] == ("absent", "fail")
    assert changed["C-LIST/pages"] == ("pass", "disabled")
    assert "C-CREATE/zero-bytes[0]" not in changed
    assert [pair.what for pair in found.coverage] == ["C-CREATE", "C-LIST"]
    assert found.capabilities == ()
    assert [pair.what for pair in found.findings] == ["file-system acme/driver.py: open('/etc/acme.conf')"]


def _fails(check: str, message: str, *steps: str) -> RunRecord:
    return _with((check, message, steps))


def _with(*failing: tuple[str, str, tuple[str, ...]]) -> RunRecord:
    checks = tuple(CheckResult(check, check.partition("/")[0], "", Verdict.FAIL) for check, _, _ in failing)
    return records.record_of(checks, tuple(CheckFailure(check, said, steps, "sc1.t") for check, said, steps in failing))


def test_the_shortest_program_is_the_one_that_fails_on_one_side_alone() -> None:
    both, a_long, a_short = "C-READ/a", "C-LIST/long", "C-ONCE/short"
    a = _with((both, "wrong", ("x",)), (a_long, "w", ("1", "2", "3")), (a_short, "twice", ("1", "2")), ("C-COPY/n", "", ()))
    b = _with((both, "otherwise", ("y",)))
    program = diff(a, b).shortest
    assert program is not None
    assert (program.check, program.side, program.steps, program.message) == (a_short, "A", ("1", "2"), "twice")
    program = diff(b, a).shortest
    assert program is not None and program.side == "B"
    text = run_diff_text.render(diff(b, a))
    assert "C-ONCE/short fails in B (A differs)\n    1  1\n    2  2\n  in B: twice\n  storcert replay sc1.t\n" in text
    only_otherwise = diff(_fails(both, "wrong", "x"), _fails(both, "otherwise", "y", "z")).shortest
    assert only_otherwise is not None and only_otherwise.steps == ("x",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("host-1: read(1819) from /volume/96b6877b2172-1/a -> ok", "ssvm-1: read(7) from /volume/c1-1/b -> ok", False),
        ("read(1819) from /volume/96b6877b2172-1/a -> ok", "read(7) from /volume/c1-1/b -> ok", True),
        ("took 5 bytes of 0x7f00aa", "took 6,000 bytes of 0x1", False),
        ("digest deadbeefcafe differs", "digest 0123456789ab differs", True),
        ("ObjectExists was due", "ObjectNotFound was due", False),
        ("/volume/1/a", "/snapshot/1/a", False),
    ],
)
def test_failures_are_the_same_when_their_words_are(one: str, other: str, same: bool) -> None:
    assert (words(one) == words(other)) is same
    assert diff(_fails("C-READ/a", one), _fails("C-READ/a", other)).same is same


def test_scenarios_are_compared_run_by_run_and_step_by_step() -> None:
    record = records.scenarios()
    first = record.scenarios[0]
    other = replace(
        first, digest="sha256:else", steps=(StepRun("copy", "copy /volume/1/a to img", 0, 9, "DeviceUnavailable"),),
        operations=(OperationRun("w", "read", "ok", 4),), faults=(FaultRun("img", "lost answer", 0, 1),))
    changed = replace(record, scenarios=(other, *record.scenarios[1:-1]))
    found = diff(record, changed)
    assert [(pair.scenario, pair.seed, pair.what, pair.a, pair.b) for pair in found.scenarios] == [
        ("copy", 1, "step copy", "done", "DeviceUnavailable"),
        ("copy", 1, "workload w: read ok", "absent", "4"),
        ("copy", 1, "fault lost answer at img", "absent", "struck 1"),
        ("move", 1, "the run", "error", "absent"),
    ]
    assert found.notes == ("1 scenario runs are not the same event for event",)
    assert diff(record, replace(record, scenarios=(replace(first, lasted_ns=99), *record.scenarios[1:]))).same


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"capabilities": ()}, "capabilities"),
        ({"findings": (Finding("socket", "connect", "a.py", 1),)}, "findings"),
    ],
)
def test_each_part_alone_is_a_difference(change: dict[str, Any], what: str) -> None:
    found = diff(records.conformant(), replace(records.conformant(), **change))
    assert getattr(found, what)
    assert not found.same


def test_kinds_that_have_nothing_in_common_are_refused() -> None:
    with pytest.raises(InvalidUsage, match="a certification and a scenario cannot be compared"):
        diff(records.conformant(), records.scenarios())


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, out = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "diff.json"
    a.write_text(encode(records.conformant()))
    b.write_text(encode(records.broken()))
    assert cli.run(["diff", str(a), str(a), "--json", str(out)]) == 0
    assert capsys.readouterr().out.startswith("SAME")
    assert cli.run(["diff", str(a), str(b), "--json", str(out)]) == 1
    assert capsys.readouterr().out.startswith("DIFFERENT: 5 rules, 10 checks, 2 rules' coverage, 1 finding\n")
    schema = json.loads(run_diff_text.SCHEMA_PATH.read_text())
    assert schema == run_diff_text.json_schema(), "run: python -m storcert.reports.run_diff_text > the file"
    value = json.loads(out.read_text())
    jsonschema.validate(value, schema, jsonschema.Draft202012Validator)
    assert value["same"] is False
    assert cli.run(["diff", str(a), str(tmp_path / "none.json")]) == 4
    assert cli.run(["diff", str(a), str(b), "--json", str(tmp_path)]) == 4


def test_odd_text_does_no_harm() -> None:
    text = run_diff_text.render(diff(records.conformant(), records.hostile()))
    assert "\x1b" not in text
    assert "\ud800" not in text
