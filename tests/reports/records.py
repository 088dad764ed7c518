"""Run records made by hand, one of each ending, for the tests of everything that reads records."""

from __future__ import annotations

from dataclasses import replace

from storcert.harness.record.depth import SearchDepth
from storcert.harness.record.exploration import Discovery, Exploration, MatrixCell
from storcert.harness.record.finding import Finding
from storcert.harness.record.run_record import (
    SCHEMA_VERSION,
    Audit,
    CapabilityResult,
    CheckFailure,
    CheckResult,
    Counts,
    DeviceIdentity,
    DriverIdentity,
    Environment,
    KitIdentity,
    NotScored,
    RunRecord,
    SourceLine,
    summarise_rules,
)
from storcert.harness.record.scenario_run import ScenarioRun, StepRun
from storcert.harness.record.verdict import Blame, RunVerdict, Verdict, conclude


def record_of(
    checks: tuple[CheckResult, ...], failures: tuple[CheckFailure, ...] = (), findings: tuple[Finding, ...] = ()
) -> RunRecord:
    """A record whose rules, counts and verdict follow from its checks."""
    rules = summarise_rules(checks, failures)
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        kind="certification",
        verdict=conclude(rule.verdict for rule in rules),
        kit=KitIdentity("0.1.0", 1, "sha256:" + "a" * 64),
        driver=DriverIdentity("acme", "2.1", "sha256:" + "b" * 64, "acme"),
        device=DeviceIdentity("object-store"),
        profile="standard",
        seed=7,
        digest="sha256:" + "c" * 64,
        capabilities=(
            CapabilityResult("kinds", ["iso", "volume"], Audit.CONFIRMED),
            CapabilityResult("max_object_size_bytes", 5_497_558_138_880, Audit.NOT_PROBED, "larger than the device"),
            CapabilityResult("range_read", False, Audit.UNDER_DECLARED, "open_input(uri, 10, 5) gave the bytes"),
            CapabilityResult("snapshots", False, Audit.REFUSED_AS_DOCUMENTED),
        ),
        rules=rules,
        counts=Counts.of(check.verdict for check in checks),
        checks=checks,
        findings=findings,
        options={"profile": "standard", "seed": 7},
        environment=Environment(
            python="3.11.2",
            platform="Linux",
            started="2026-01-02T03:04:05+00:00",
            wall_time_s=42.25,
            workers=2,
            rule_times_s={rule.id: 1.5 for rule in rules},
        ),
    )


def conformant() -> RunRecord:
    """Three rules; everything that applies passes."""
    return record_of(
        (
            CheckResult("C-CREATE/zero-bytes[0]", "C-CREATE", "0", Verdict.PASS, examples=1),
            CheckResult("C-CREATE/zero-bytes[4096]", "C-CREATE", "4096", Verdict.PASS, examples=1_200),
            CheckResult("C-LIST/pages", "C-LIST", "", Verdict.PASS, examples=12),
            CheckResult("C-LIST/order", "C-LIST", "", Verdict.SKIPPED, "capability enumerate is not declared"),
            CheckResult("C-SNAP/moment", "C-SNAP", "", Verdict.SKIPPED, "capability snapshots is not declared"),
        )
    )


def broken() -> RunRecord:
    """One of everything: each verdict, failures with and without a source and a token, a finding."""
    checks = (
        CheckResult("C-CREATE/zero-bytes[0]", "C-CREATE", "0", Verdict.PASS, examples=3),
        CheckResult("C-COMMIT/size-mismatch[1]", "C-COMMIT", "1", Verdict.FAIL, "no error", 2, ("write 1", "commit")),
        CheckResult("C-COMMIT/size-mismatch[2]", "C-COMMIT", "2", Verdict.FAIL, "no error", 2),
        CheckResult("C-COMMIT/size-mismatch[3]", "C-COMMIT", "3", Verdict.FAIL, "no error", 2),
        CheckResult("C-COMMIT/whole", "C-COMMIT", "", Verdict.PASS, examples=9),
        CheckResult("C-NOFS/paths", "C-NOFS", "", Verdict.FAIL, "opens a file", 1),
        CheckResult("C-RETRY/lost-answer", "C-RETRY", "", Verdict.ERROR, "SelectObjectContent is not modelled", 1),
        CheckResult("C-ONCE/race", "C-ONCE", "", Verdict.UNKNOWN, "the budget was used up"),
        CheckResult("C-SNAP/moment", "C-SNAP", "", Verdict.SKIPPED, "capability snapshots is not declared"),
        CheckResult("C-LIST/pages", "C-LIST", "", Verdict.DISABLED, "switched off by the operator"),
    )
    failures = (
        CheckFailure(
            "C-COMMIT/size-mismatch[1]",
            "commit published 1 byte where 2 were announced",
            ("open_output /volume/1/a size=2", "write 1 byte", "commit -> no error, size 1"),
            "sc1.abc.01234567",
            SourceLine("acme/driver.py", 88),
        ),
        CheckFailure("C-COMMIT/size-mismatch[2]", "commit published 2 bytes where 3 were announced"),
        CheckFailure("C-COMMIT/size-mismatch[3]", "commit published 3 bytes where 4 were announced"),
        CheckFailure("C-NOFS/paths", "read outside the device: /etc/acme.conf", ("create /volume/1/a size=0",),
                     file="out/failure-4.json"),
    )  # fmt: skip
    return record_of(checks, failures, (Finding("file-system", "open('/etc/acme.conf')", "acme/driver.py", 12),))


def undecided() -> RunRecord:
    """Nothing was decided."""
    return record_of(
        (
            CheckResult("C-CREATE/zero-bytes[0]", "C-CREATE", "0", Verdict.UNKNOWN, "the budget was used up"),
            CheckResult("C-SNAP/moment", "C-SNAP", "", Verdict.SKIPPED, "capability snapshots is not declared"),
        )
    )


def kit_error() -> RunRecord:
    """The kit failed, the driver did not."""
    return record_of((CheckResult("C-CREATE/zero-bytes[0]", "C-CREATE", "0", Verdict.ERROR, "KeyError: 'x'", 1),))


def interrupted() -> RunRecord:
    """Stopped by Ctrl-C with something decided."""
    return replace(conformant(), verdict=RunVerdict.UNDECIDED, interrupted=True, reason="interrupted")


def hostile() -> RunRecord:
    """Texts from a driver that would like to draw on the screen, break XML, Markdown and workflow commands."""
    nasty = "\x1b[31mred\x07 ]]> </failure> <b> & \ud800 \x00 ::error::x | `x` ``` %0A\nsecond line\u202e [bold]"
    base = record_of(
        (CheckResult("C-ERRORS/typed[\x1b]", "C-ERRORS", nasty, Verdict.FAIL, nasty, 1, (nasty,)),),
        (CheckFailure("C-ERRORS/typed[\x1b]", nasty, (nasty,), "sc1.x.y", SourceLine("a,b:c%.py", 3)),),
        (Finding("socket", nasty, nasty, 1),),
    )
    return replace(base, driver=DriverIdentity(nasty, nasty, "", nasty), reason=nasty)


def scenarios() -> RunRecord:
    """Two scenarios, one of them with two seeds, one of which went wrong; an expectation that the kit could not judge."""
    checks = (
        CheckResult("L-ONCE/copy", "L-ONCE", "copy", Verdict.FAIL, "", 2),
        CheckResult("L-CLEAN/copy", "L-CLEAN", "copy", Verdict.PASS, "", 2),
        CheckResult("AS-EXPECTED/copy", "AS-EXPECTED", "copy", Verdict.PASS, "", 2),
        CheckResult("L-ONCE/move[*=rbd]", "L-ONCE", "move[*=rbd]", Verdict.SKIPPED, "nothing to look at", 1),
        CheckResult("AS-EXPECTED/move[*=rbd]", "AS-EXPECTED", "move[*=rbd]", Verdict.ERROR, "seed 1: KeyError: 'x'", 1),
    )
    failures = (CheckFailure("L-ONCE/copy", "seed 2: job 3 completed twice", ("2.0 s copy", "3.0 s crash"), "sc1.a.b"),)
    steps = (StepRun("copy", "copy /volume/1/a to img", 0, 2_000_000_000, "done"),)
    runs = tuple(
        ScenarioRun("copy", "A copy", "smoke", seed, verdict, f"sha256:{seed}", "sha256:s", 5, {"img": "nfs"}, steps=steps)
        for seed, verdict in ((1, Verdict.PASS), (2, Verdict.FAIL))
    )
    moved = ScenarioRun("move", "A move", "smoke", 1, Verdict.ERROR, "", "sha256:m", 0, {"img": "rbd"}, variant="*=rbd")
    return replace(
        record_of(checks, failures), kind="scenario", profile="scenario", capabilities=(), scenarios=(*runs, moved),
        driver=DriverIdentity("control plane", "0.1.0", ""), device=DeviceIdentity("nfs+rbd"),
    )  # fmt: skip


ALL = {
    "conformant": conformant,
    "broken": broken,
    "undecided": undecided,
    "kit_error": kit_error,
    "interrupted": interrupted,
    "hostile": hostile,
}
def exploration() -> RunRecord:
    """A search that found one thing."""
    checks = (
        CheckResult("L-ONCE/copy", "L-ONCE", "copy", Verdict.FAIL, "", 40),
        CheckResult("L-CLEAN/copy", "L-CLEAN", "copy", Verdict.PASS, "", 40),
        CheckResult("KIT/copy", "KIT", "copy", Verdict.ERROR, "2 runs could not be finished", 2),
    )
    said = "job 3 completed twice"
    found = Discovery("L-ONCE", said, "job completed twice", 7, 3, 9, "name = 'finding-1'\n", token="sc1.a.b")
    cell = MatrixCell("img", "put", "lost answer", "after", 4, 40, 12, 11, 1)
    told = Exploration("copy", "sha256:s", "random", 40, 40, 900, 4, 1, 1, False, 0, 0, (cell,), (found,))
    failure = CheckFailure("L-ONCE/copy", "job 3 completed twice", ("name = 'finding-1'",), "sc1.a.b")
    return replace(
        record_of(checks, (failure,)), kind="exploration", profile="exploration", capabilities=(), exploration=told,
        driver=DriverIdentity("control plane", "0.1.0", ""), device=DeviceIdentity("nfs"),
    )  # fmt: skip


def blamed() -> RunRecord:
    """A failure and an undecided check that are somebody's, a search, and checks that are not scored: one passes, one fails."""
    checks = (
        CheckResult("C-COPY/whole", "C-COPY", "", Verdict.FAIL, "other bytes", 4, blame=Blame.DRIVER),
        CheckResult("C-ONCE/race", "C-ONCE", "", Verdict.UNKNOWN, "two answers", 2, blame=Blame.INCONCLUSIVE),
        CheckResult("C-RETRY/lost-answer", "C-RETRY", "", Verdict.ERROR, "select is not modelled", 1, blame=Blame.DEVICE),
    )
    said = ("it fails again under its own token",)
    failure = CheckFailure("C-COPY/whole", "other bytes", ("copy a b",), "sc1.a.b", blame=Blame.DRIVER, evidence=said)
    later = CheckResult("C-LIST/later", "C-LIST", "", Verdict.FAIL, "a name twice", 3, blame=Blame.DRIVER, scored=False)
    apart = NotScored(
        (later, CheckResult("C-READ/later", "C-READ", "", Verdict.PASS, examples=1, scored=False)),
        (CheckFailure("C-LIST/later", "a name is listed twice", ("list",), "sc1.c.d", blame=Blame.DRIVER),),
    )
    depth = SearchDepth(programs=1_204, operations=5_612, longest=31, searched=900, swarms=225, lines=410, guided=True)
    return replace(record_of(checks, (failure,)), not_scored=apart, depth=depth)


EVERY = {**ALL, "scenarios": scenarios, "exploration": exploration, "blamed": blamed}
"""Of every kind of run."""
