"""One certification inside a pytest run: which cases are items, how they end, and the record of them all.

The outcome of each item travels in its report, so that the process which prints the summary makes the record, whether the
items ran there or in workers of pytest-xdist. The record, and its digest, are those of ``storcert certify``.
"""

from __future__ import annotations

import datetime
import platform
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.certify import failure_of, record_of, rule_times, touch, wanted_cases
from storcert.conformance.commands import write_outputs
from storcert.conformance.confirm import decide
from storcert.conformance.devices import is_live
from storcert.conformance.live_targets.session import started as live_target
from storcert.conformance.options import CertifyOptions, Outputs, certify_options
from storcert.conformance.pytest_filters import refuse_filters
from storcert.conformance.registry import Case
from storcert.conformance.rules import RULES
from storcert.conformance.runner import CaseOutcome
from storcert.conformance.schedule import Job, fence
from storcert.conformance.suite import KIT_FAILED, CaseItem, Ended, Suite, ended_as
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.run_record import Environment, RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from storcert.reports.failure_text import failure_lines
from storcert.reports.summary import headline, reason, subject

HERE = Path(__file__).parent
SUITE_FILE = HERE / "suite.py"
RUN = "storcert-run"
ATTRIBUTE = "storcert_outcome"


class SuiteRun:
    """Registered as a plugin for the time of the run; its hooks are pytest's."""

    def __init__(self, config: pytest.Config, said: Mapping[str, Any], options: CertifyOptions, outputs: Outputs) -> None:
        self.config = config
        self.said = said
        self.options = options
        self.outputs = outputs
        self.certify = bool(said["certify"])
        self.targets = ExitStack()
        config.add_cleanup(self.targets.close)
        self.job = Job.of(options, self.targets.enter_context(live_target(options.device)))
        self.facts = self.job.calibrate()
        self.subject = self.job.subject()
        self.wanted: Sequence[Case] = wanted_cases(options, self.facts)
        self.outcomes: dict[str, CaseOutcome] = {}
        self.record: RunRecord | None = None
        self.started = datetime.datetime.now(datetime.UTC)
        self.begun = time.perf_counter()

    @classmethod
    def of(cls, config: pytest.Config, said: Mapping[str, Any]) -> SuiteRun:
        """The run that was asked for. Raises :class:`InvalidUsage`, also where driver or device cannot be reached."""
        if not said["driver"]:
            raise InvalidUsage("say which driver: --storcert-driver=NAME, package.module:Class or path/to/file.py:Class")
        if said["certify"]:
            refuse_filters(config, said)
        try:
            seed = int(said["seed"] or 0)
        except ValueError:
            raise InvalidUsage(f"--seed {said['seed']}: a whole number") from None
        outputs = Outputs(
            out=Path(said["out"]) if said["out"] else None, json=Path(said["json"]) if said["json"] else None
        )
        options = certify_options(
            said["driver"],
            device=said["device"],
            config=Path(said["config"]) if said["config"] else None,
            profile=said["profile"] or "standard",
            rules=said["rule"] or (),
            seed=seed,
            workers=1,
            out=outputs.out,
            known_rules=RULES,
            allow_remote=bool(said["allow_remote"]),
        )
        if is_live(options.device) and getattr(config.option, "numprocesses", None):
            raise InvalidUsage("a live device is tested by one process: leave -n away")
        outputs.check()
        return cls(config, said, options, outputs)

    # What the items ask of it

    def fence(self) -> AbstractContextManager[object]:
        """What driver code runs in."""
        return fence(self.job.mode)

    def decide(self, case: Case) -> Ended:
        """Run one case."""
        outcome = decide(case, self.subject, self.facts, self.options.seed)
        touched = ""
        if not self.options.rules or "C-NOFS" in self.options.rules:
            touched = next((touch(finding) for finding in outcome.findings if finding.kind == "file-system"), "")
        quiet = not touched and outcome.result.verdict in (Verdict.PASS, Verdict.SKIPPED, Verdict.DISABLED)
        text = "" if quiet else self._told(case, outcome, touched)
        return ended_as(outcome, touched, text, allow_unknown=bool(self.said["allow_unknown"]))

    def _told(self, case: Case, outcome: CaseOutcome, touched: str) -> str:
        failure, rule = failure_of(self.options, outcome), case.check.rule
        if touched and outcome.result.verdict not in (Verdict.FAIL, Verdict.ERROR):
            failure, rule = replace(failure, message=touched), "C-NOFS"
        elif outcome.result.verdict is Verdict.ERROR:
            failure = replace(failure, message=f"{KIT_FAILED}: {failure.message}")
        elif outcome.result.verdict is Verdict.UNKNOWN:
            failure = replace(failure, message=f"not decided: {failure.message}", token="", file="")
        return "\n".join([*failure_lines(failure, rule), *outcome.trace.splitlines()])

    # Hooks

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker of pytest-xdist is told what was understood here."""
        node.workerinput[RUN] = dict(self.said)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Of the kit's own modules only the suite is one of tests, whatever ``python_files`` says."""
        if collection_path.parent == HERE and collection_path.is_file():
            return collection_path != SUITE_FILE
        return None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """The suite."""
        if file_path == SUITE_FILE or (file_path.name == SUITE_FILE.name and file_path.resolve() == SUITE_FILE.resolve()):
            return Suite.under(parent, file_path, self)
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """What was not decided, or broke in the kit, is an error and no failure; and the outcome goes along."""
        report = yield
        if isinstance(item, CaseItem) and call.when == "call" and item.ended is not None:
            if item.ended.kind == "error" and report.failed:
                report.when = "setup"
            setattr(report, ATTRIBUTE, item.ended.outcome.to_json())
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome, where the record is made."""
        told = getattr(report, ATTRIBUTE, None)
        if told is not None:
            outcome = CaseOutcome.from_json(told)
            self.outcomes[outcome.result.id] = outcome

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
        """Make the record. Nothing decided is no success, nor is a certificate with a hole in it."""
        if not hasattr(self.config, "workerinput") and not self.config.option.collectonly:
            self.record = self._record(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
            write_outputs(self.record, self.outputs)
            if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                session.exitstatus = self._exit(self.record, exitstatus)
        yield

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The verdict, as ``storcert certify`` says it."""
        record = self.record
        if record is None:
            return
        terminalreporter.section("storcert")
        terminalreporter.line(f"{headline(record)}  {subject(record)}: {reason(record)}")
        if record.partial:
            terminalreporter.line(f"no certificate: {record.partial}")
        terminalreporter.line(f"profile {record.profile}, seed {record.seed}, digest {record.digest}")

    # The record

    def _record(self, interrupted: bool) -> RunRecord:
        outcomes = [self.outcomes[case.id] for case in self.wanted if case.id in self.outcomes]
        environment = Environment(
            python=platform.python_version(),
            platform=platform.platform(),
            started=self.started.isoformat(timespec="seconds"),
            wall_time_s=round(time.perf_counter() - self.begun, 3),
            workers=int(getattr(self.config.option, "numprocesses", None) or 1),
            rule_times_s=rule_times(outcomes),
        )
        left_out = "not among the items that ran"
        return record_of(self.options, self.facts, outcomes, environment, interrupted=interrupted, left_out=left_out)

    def _exit(self, record: RunRecord, exitstatus: int) -> int:
        if self.certify and record.partial:
            return pytest.ExitCode.TESTS_FAILED
        if record.verdict is RunVerdict.CONFORMANT:
            return exitstatus
        if record.verdict is RunVerdict.UNDECIDED and record.counts.decided and self.said["allow_unknown"]:
            return exitstatus
        if record.verdict is RunVerdict.UNDECIDED:
            return pytest.ExitCode.NO_TESTS_COLLECTED
        return pytest.ExitCode.TESTS_FAILED
