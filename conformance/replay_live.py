"""A recorded failure of a certification, first in simulation and then on a live target: does the real system have it too?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storcert.conformance.live_agreement import Failing, check, live_target
from storcert.conformance.replay import recorded_run
from storcert.harness.record.live_answer import Agreement
from storcert.harness.record.verdict import Verdict

HAPPENED, DID_NOT, NOTHING_DECIDED = 1, 0, 5


def replay_live(said: Mapping[str, Any], name: str) -> tuple[int, str]:
    """Exit code and text: 1 where it happens on the target, 0 where it does not, 5 where that cannot be told.

    Raises :class:`InvalidUsage`, also for a target that cannot be started or is another kind of device."""
    check(name, str(said.get("device")))
    run = recorded_run(said)
    outcome = run.outcome
    lines = [f"case      {outcome.result.id}", f"recorded  {said.get('message', '')}", ""]
    if outcome.result.verdict is not Verdict.FAIL:
        lines.append("It did not happen again in simulation, so no real system was asked.")
        return NOTHING_DECIDED, "\n".join(lines)
    lines.append(f"in simulation: {outcome.result.rule} breaks ({outcome.message})")
    with live_target(name, run.job.options, run.facts) as target:
        answer = target.answer(Failing.of(outcome))
    lines.append(str(answer))
    code = {Agreement.REPRODUCED: HAPPENED, Agreement.NOT_REPRODUCED: DID_NOT}.get(answer.answer, NOTHING_DECIDED)
    return code, "\n".join(lines)
