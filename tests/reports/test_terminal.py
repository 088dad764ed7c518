"""What a person reads: verdict first, everything that matters, nothing that draws on the screen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from storcert.harness.record.run_record import Audit, CheckFailure, CheckResult
from storcert.harness.record.verdict import Verdict
from storcert.reports.terminal import render
from tests.reports import records

BROKEN = """\
NOT CONFORMANT  acme 2.1 on object-store (simulated)
2 rules are broken: C-COMMIT, C-NOFS

   rule      verdict   checks  examples   time
✓  C-CREATE  pass           1         3  1.5 s
✗  C-COMMIT  fail           4        15  1.5 s  3 of 4 fail
✗  C-NOFS    fail           1         1  1.5 s  1 of 1 fail
!  C-RETRY   error          1         1  1.5 s  SelectObjectContent is not modelled
?  C-ONCE    unknown        1         0  1.5 s  the budget was used up
-  C-SNAP    skipped        1         0  1.5 s  capability snapshots is not declared
o  C-LIST    disabled       1         0  1.5 s  switched off by the operator
10 checks: 2 pass, 4 fail, 1 unknown, 1 error, 1 skipped, 1 disabled

Capabilities
capability             declared           audit
kinds                  iso, volume        confirmed
max_object_size_bytes  5,497,558,138,880  not probed
range_read             no                 works, not declared
snapshots              no                 refused, as documented
  max_object_size_bytes: larger than the device
  range_read: open_input(uri, 10, 5) gave the bytes

4 failures

C-COMMIT/size-mismatch[1]
  commit published 1 byte where 2 were announced
  at acme/driver.py:88
    1  open_output /volume/1/a size=2
    2  write 1 byte
    3  commit -> no error, size 1
  storcert replay sc1.abc.01234567
  storcert explain C-COMMIT

C-COMMIT/size-mismatch[2]
  commit published 2 bytes where 3 were announced
  storcert explain C-COMMIT

and 1 more failure of C-COMMIT; the JSON record has all

C-NOFS/paths
  read outside the device: /etc/acme.conf
    1  create /volume/1/a size=0
  storcert replay out/failure-4.json
  storcert explain C-NOFS

Not decided: 2 checks
  C-RETRY/lost-answer  error: SelectObjectContent is not modelled
  C-ONCE/race  unknown: the budget was used up

1 finding
  file-system  acme/driver.py:12  open('/etc/acme.conf')

profile standard, seed 7, storcert 0.1.0, 42 s
digest sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
"""


def test_the_whole_report_of_a_broken_driver() -> None:
    assert render(records.broken(), width=100) == BROKEN


@pytest.mark.parametrize("name", records.ALL)
@pytest.mark.parametrize("width", [1, 40, 80, 140])
def test_verdict_comes_first_and_lines_fit(name: str, width: int) -> None:
    record = records.ALL[name]()
    text = render(record, width=width)
    assert text.startswith(("CONFORMANT", "NOT CONFORMANT", "UNDECIDED", "ERROR"))
    commands = ("storcert replay", "storcert explain", "digest ")
    lines = [line for line in text.splitlines() if not line.strip().startswith(commands)]
    # A table is as wide as its names need; only a terminal narrower than that is overrun.
    assert all(len(line) <= max(width, 80) for line in lines)


def test_a_token_is_never_broken_over_lines() -> None:
    checks = (CheckResult("C-READ/x", "C-READ", "", Verdict.FAIL, examples=1),)
    token = "sc1." + "A" * 1_900 + ".01234567"
    text = render(records.record_of(checks, (CheckFailure("C-READ/x", "short", token=token),)), width=60)
    assert f"storcert replay {token}\n" in text


def test_colour_changes_nothing_but_colour() -> None:
    colored = render(records.broken(), color=True)
    assert "\x1b[" in colored
    bare = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in bare.splitlines()] == render(records.broken()).splitlines()


def test_plain_text_holds_no_escape_sequence_and_ascii_is_ascii() -> None:
    for make in records.ALL.values():
        assert "\x1b" not in render(make())
        assert render(make(), unicode=False).isascii()


def test_a_driver_cannot_draw_on_the_screen() -> None:
    text = render(records.hostile(), color=True)
    assert "\x1b[31mred" not in text
    assert "\x07" not in text and "\u202e" not in text
    text.encode("utf-8")


def test_long_failures_are_cut_and_say_so() -> None:
    steps = tuple(f"write {number}" for number in range(100))
    checks = tuple(CheckResult(f"C-READ/x[{n}]", "C-READ", "", Verdict.FAIL) for n in range(500))
    failures = tuple(CheckFailure(check.id, "short", steps) for check in checks)
    text = render(records.record_of(checks, failures))
    assert "and 60 more steps" in text
    assert "and 498 more failures of C-READ" in text
    assert len(text.splitlines()) < 150


def test_many_disabled_rules_are_one_line() -> None:
    off = [CheckResult(f"X-{n}/x", f"X-{n}", "", Verdict.DISABLED, "not asked for with --rule") for n in range(4)]
    on = CheckResult("C-READ/x", "C-READ", "", Verdict.PASS)
    text = render(records.record_of((on, *off)))
    assert "\n4 rules disabled: not asked for with --rule\n5 checks: 1 pass, 4 disabled\n" in text
    assert "X-0" not in text
    assert "X-0" in render(records.record_of((on, *off[:3])))


def test_capabilities_are_shown_where_one_was_probed() -> None:
    unprobed = tuple(replace(one, audit=Audit.NOT_PROBED) for one in records.broken().capabilities)
    assert "Capabilities" not in render(replace(records.broken(), capabilities=unprobed))


def test_an_interrupted_run_says_so() -> None:
    assert render(records.interrupted()).startswith("UNDECIDED (interrupted)")


def test_a_record_without_anything_is_rendered() -> None:
    bare = replace(records.conformant(), rules=(), checks=(), capabilities=(), findings=(), digest="")
    assert "profile standard" in render(bare)
