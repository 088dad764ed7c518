"""C-RETRY where the operator of the device changes a setting while objects are there. Which settings: the device says so."""

from __future__ import annotations

from collections.abc import Iterator

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.coverage import Schedule, Tried
from storcert.conformance.fault_space import crash_points, each_once
from storcert.conformance.operations import healthy_requests, judge, prepare, scenario
from storcert.conformance.registry import check
from storcert.conformance.setting_scenarios import setting_names
from storcert.conformance.trials import try_each

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
    requests = healthy_requests(b, one)
    for _ in b.examples(["no fault"], **b.options_for(one.page_size, one.setting)):
        prepare(b, one)
        before = b.census()
        judge(b, one, b.attempt(lambda: one.call(b, b.client(HOST).later)), before)
    try_each(b, name, list(_schedules(b, requests)), Tried(name, tuple(requests)))


def _schedules(b: Bench, requests: list[str]) -> Iterator[Schedule]:
    for fault in (*each_once(requests, b.world.device.legal_faults), *crash_points(requests, HOST)):
        yield (fault,)
