"""C-RETRY where the operator of the device changes a setting while objects are there. Which settings: the device says so."""

from __future__ import annotations

from collections.abc import Iterator

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.coverage import Schedule, Tried
from storcert.conformance.fault_space import crash_points, each_once
from storcert.conformance.operations import judge, on_a_healthy_device, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.scenario import Scenario
from storcert.conformance.setting_scenarios import setting_names
from storcert.conformance.trials import try_each
from storcert.conformance.violation import NotApplicable, require
from storcert.harness.contract import DeviceUnavailable, Outcome

RULE = "C-RETRY"


@check(
    RULE,
    standard=lambda f: [name for name in setting_names(f) if name.startswith("delete")],
    deep=lambda f: list(setting_names(f)),
    simulation=True,
)
def after_a_setting_changed(b: Bench, name: str) -> None:
    """The operator changes a setting of the device: with any fault once and any crash the answer is true, and all converges."""
    one = scenario(b.facts, name)
    requests, refusal = requests_after_a_change(b, one)
    if refusal:
        raise NotApplicable(f"the driver refuses a device with that setting: {refusal}")
    for _ in b.examples(["no fault"], **b.options_for(one.page_size, one.setting)):
        prepare(b, one)
        before = b.census()
        judge(b, one, b.attempt(lambda: one.call(b, b.client(HOST).later)), before)
    try_each(b, name, list(_schedules(b, requests)), Tried(name, tuple(requests)))


def requests_after_a_change(b: Bench, one: Scenario) -> tuple[list[str], str]:
    """The names of the requests that the operation makes where nothing fails, in order; and the driver's words, where it will
    have nothing to do with a device of that setting, which is for it to say: ``DeviceUnavailable``, not done, not retryable."""
    attempt, requests = on_a_healthy_device(b, one)
    error = attempt.error
    if isinstance(error, DeviceUnavailable) and error.outcome is Outcome.NOT_DONE and not error.retryable:
        return requests, error.message
    require(error is None, f"on a healthy device {attempt.call.label} said {attempt}", one.rule)
    return requests, ""


def _schedules(b: Bench, requests: list[str]) -> Iterator[Schedule]:
    for fault in (*each_once(requests, b.world.device.legal_faults), *crash_points(requests, HOST)):
        yield (fault,)
