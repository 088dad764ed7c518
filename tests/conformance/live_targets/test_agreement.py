"""The same failing program on the simulator and on a real S3 server: both have it, or it is said why that cannot be told."""

from __future__ import annotations

import pytest

from storcert.conformance.cli import run
from storcert.conformance.live_agreement import Failing, LiveTarget, live_target
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.fault import Fault, Phase
from storcert.harness.record.live_answer import Agreement
from storcert.harness.record.verdict import Verdict
from tests.conformance.kit import certify, facts_of, options, run_id
from tests.conformance.live_targets.mutants import LastOneWins, LeavesAnUpload, OneByteMore, TakesLostForDone

MUTANTS = "tests.conformance.live_targets.mutants"
MOTO = "live:moto"


@pytest.mark.slow
@pytest.mark.parametrize(
    "driver, case",
    [
        (TakesLostForDone, "C-RETRY/one-fault[create-small request_lost]"),
        (LeavesAnUpload, "C-DELETE/all-comes-back[create]"),
        (OneByteMore, "C-DESCRIBE/exact-size[4096]"),
    ],
)
def test_a_real_server_has_the_failure_too(driver: type, case: str) -> None:
    outcome = run_id(case, driver, seed=0)
    assert outcome.result.verdict is Verdict.FAIL, outcome.message
    with live_target(MOTO, options(f"{MUTANTS}:{driver.__name__}"), facts_of(driver)) as target:
        answer = target.answer(Failing.of(outcome))
        assert (answer.target, answer.answer) == (MOTO, Agreement.REPRODUCED), answer
        held = target.answer(Failing("C-DESCRIBE/missing", outcome.result.rule))
        assert (held.answer, held.reason) == (Agreement.NOT_REPRODUCED, "it holds there")
        unknown = target.answer(Failing(case, outcome.result.rule, "throttle before PutObject #99"))
        if outcome.example:
            assert unknown.answer is Agreement.NOT_SHOWN and "does not come up" in unknown.reason


@pytest.mark.slow
def test_a_race_cannot_be_shown_there() -> None:
    outcome = run_id("C-ONCE/race-of-commits[small]", LastOneWins, seed=0)
    assert outcome.result.verdict is Verdict.FAIL, outcome.message
    with live_target(MOTO, options(f"{MUTANTS}:LastOneWins"), facts_of(LastOneWins)) as target:
        answer = target.answer(Failing.of(outcome))
    assert (answer.answer, answer.reason) == (Agreement.NOT_SHOWN, "a live device cannot show this")


@pytest.mark.slow
def test_the_command_line_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    record = certify(f"{MUTANTS}:LeavesAnUpload", "C-DELETE", agree_with=MOTO)
    asked = [failure for failure in record.failures if failure.live is not None]
    assert 1 <= len(asked) <= 3
    assert {failure.live.answer for failure in asked if failure.live is not None} == {Agreement.REPRODUCED}
    assert run(["replay", asked[0].token, "--on", MOTO]) == 1
    assert f"on {MOTO}: reproduced" in capsys.readouterr().out


class TestCannotBeShown:
    @staticmethod
    def _reason(failing: Failing) -> str:
        # Decided from what was recorded alone: nothing has to run for it.
        answer = LiveTarget(MOTO, None).answer(failing)  # type: ignore[arg-type]
        assert answer.answer is Agreement.NOT_SHOWN
        return answer.reason

    def test_a_crash(self) -> None:
        crash = Fault("crash", "PutObject", 1, Phase.AFTER, location="host-1")
        told = self._reason(Failing("C-RETRY/crash-at-every-step[write-small]", "C-RETRY", str(crash)))
        assert told == "crash: the driver runs in this process: it cannot die alone"

    def test_a_power_cut(self) -> None:
        assert self._reason(Failing("C-RETRY/one-fault[write-small power_loss]", "C-RETRY")).startswith("power_loss: nobody")

    def test_tasks_at_the_same_time(self) -> None:
        tasks = [["host-1", [{"verb": "list"}]], ["ssvm-1", [{"verb": "list"}]]]
        program = {"names": [], "tasks": tasks, "faults": []}
        assert "one after the other" in self._reason(Failing("C-ONCE/programs-hold[races-0]", "C-ONCE", None, program))

    def test_a_long_wait(self) -> None:
        slow = Fault("slow", "PutObject", 1, Phase.BEFORE, 1, 120 * 10**9)
        assert "120 s of real time" in self._reason(Failing("C-RETRY/one-fault[write-small slow]", "C-RETRY", str(slow)))

    def test_files(self) -> None:
        assert "nothing watches" in self._reason(Failing("C-WRITE/x", "C-NOFS"))


def test_another_kind_of_device_is_refused() -> None:
    with pytest.raises(InvalidUsage, match="live:directory stands for device nfs; this is about device object-store"):
        with live_target("live:directory", options(), facts_of()):
            pass


def test_a_target_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["certify", "s3", "--agree-with", "live:motto"]) == 4
    assert "did you mean live:moto" in capsys.readouterr().err
    assert run(["certify", "s3", "--device", "live:motto"]) == 4
