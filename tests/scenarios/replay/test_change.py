"""What if: what is left out is neutralised and nothing else changes; what is changed is checked; two runs are compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storcert.scenarios.format.read import loads
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.format.steps import Wait
from storcert.scenarios.replay import again
from storcert.scenarios.replay_change import NEVER, NoSuchChange, changed, choices, patient, without
from storcert.scenarios.replay_compare import Change, compare
from storcert.scenarios.runner.resolve import resolve
from tests.scenarios.format.files import SMALL
from tests.scenarios.replay.cases import BUSY, busy, on_defect


def small() -> Scenario:
    return loads(SMALL, name="small")


class TestWithout:
    def test_without_the_fault_the_rule_holds_and_the_first_difference_is_its_strike(self) -> None:
        case = on_defect()
        recorded = again(case)
        other = again(replace(case, scenario=without(case.scenario, case.seed, ["fault-1"])))
        found = compare(recorded, other)
        assert recorded.shown.events[: found.common] == other.shown.events[: found.common]
        assert found.recorded is not None and found.recorded.text.endswith("NFS3ERR_DQUOT")
        assert found.changed is not None and found.changed.text.endswith(" ok")
        assert Change("L-CLEAN", "broken", "holds") in found.changes
        assert any(one.what.startswith("fault quota") and one.changed == "never struck" for one in found.changes)

    def test_without_a_step_the_first_difference_is_that_step(self) -> None:
        case = on_defect()
        recorded = again(case)
        other = again(replace(case, scenario=without(case.scenario, case.seed, ["afterwards-1-create-from"])))
        found = compare(recorded, other)
        assert found.recorded is not None and '"afterwards-1-create-from"' in found.recorded.text
        assert Change("L-CLEAN", "broken", "holds") not in found.changes

    @pytest.mark.parametrize("name", ["gremlin", "gremlin-2", "fault-1"])
    def test_of_what_the_seed_decided_nothing_else_changes(self, name: str) -> None:
        case = busy()
        one, other = resolve(case.scenario, case.seed), without(case.scenario, case.seed, [name])
        assert other == resolve(other, case.seed), "it is decided"
        assert len(one.step) == len(other.step) and len(one.fault) == len(other.fault)
        steps = [(old, new) for old, new in zip(one.step, other.step, strict=True) if old != new]
        faults = [(old, new) for old, new in zip(one.fault, other.fault, strict=True) if old != new]
        if name == "fault-1":
            assert not steps and [new.nth for _, new in faults] == [(NEVER, NEVER)]
        else:
            assert not faults and len(steps) == (1 if name == "gremlin-2" else len(one.step))
            assert all(isinstance(new, Wait) and (new.name, new.at_ns) == (old.name, old.at_ns) for old, new in steps)

    def test_a_run_of_the_decided_scenario_is_the_run(self) -> None:
        case = busy()
        found = compare(again(case), again(replace(case, scenario=resolve(case.scenario, case.seed))))
        assert found.same and not found.changes and found.common > 100

    def test_names(self) -> None:
        scenario = loads(BUSY, name="busy")
        names = list(choices(scenario))
        assert names[:3] == ["fault-1 (answer_lost@old)", "fault-2 (slow@catalogue)", "gremlin"]
        for name in ("slow", "slow@catalogue", "fault-2"):
            assert without(scenario, 5, [name]).fault[-1].nth == (NEVER, NEVER)
        assert without(scenario, 5, []) is scenario

    @pytest.mark.parametrize(("name", "words"), [
        ("fault-9", "nothing in it is called 'fault-9', did you mean fault-"),
        ("gremlins", "did you mean gremlin?"),
        ("qqq", "there are fault-1 (answer_lost@old), fault-2 (slow@catalogue), gremlin, prepare-1-register"),
    ])
    def test_a_name_that_there_is_not(self, name: str, words: str) -> None:
        with pytest.raises(NoSuchChange) as caught:
            without(loads(BUSY, name="busy"), 5, [name])
        assert words in str(caught.value)

    def test_a_kind_that_is_there_twice(self) -> None:
        text = SMALL + """fault = [
  { place = "old", fault = "answer_lost", phase = "after" }, { place = "new", fault = "answer_lost", phase = "after" },
]
"""
        with pytest.raises(NoSuchChange, match="'answer_lost' is fault-1 or fault-2; say which"):
            without(loads(text, name="two"), 1, ["answer_lost"])
        assert without(loads(text, name="two"), 1, ["answer_lost@new"]).fault[1].nth == (NEVER, NEVER)

    def test_in_a_changed_run_faults_need_not_strike(self) -> None:
        text = SMALL.replace('"crash", name', '"crash", name') + 'fault = [{ place = "old", fault = "quota" }]\n'
        scenario = patient(loads(text, name="patient"))
        assert not any(fault.must_strike for fault in scenario.fault)


class TestChanged:
    @pytest.mark.parametrize(("change", "path", "value"), [
        ("step.move.object=volume/b", lambda one: one.step[0].object, "/volume/1/b"),
        ("step.2.delay=5 ms", lambda one: one.step[1].delay_ns, 5_000_000),
        ("step.2.delay='5 ms'", lambda one: one.step[1].delay_ns, 5_000_000),
        ("step.step-2-crash.place=z1-h1", lambda one: one.step[1].place, "z1-h1"),
        ("step.2.delay=", lambda one: one.step[1].delay_ns, 0),
        ("device.new.kind=nfs", lambda one: one.device[2].kind, "nfs"),
        ("region.restart_after=never", lambda one: one.region.restart_after_ns, None),
        ("region.management_servers=3", lambda one: one.region.management_servers, 3),
        ("phases.faulty=1 min", lambda one: one.phases.faulty_ns, 60 * 10**9),
        ("step.2=", lambda one: len(one.step), 1),
        ('expect.rules=["L-ONCE"]', lambda one: one.expect.rules, ("L-ONCE",)),
    ])
    def test_one_thing_is_other_than_it_was(self, change: str, path: object, value: object) -> None:
        assert callable(path)
        assert path(small()) != value
        other = changed(small(), [change])
        assert path(other) == value
        assert changed(other, []) is other

    def test_several(self) -> None:
        other = changed(small(), ["step.move.object=volume/b", "prepare.1.object=volume/b"])
        assert other.prepare[0].object == other.step[0].object == "/volume/1/b"  # type: ignore[union-attr]

    @pytest.mark.parametrize(("change", "words"), [
        ("nothing", "'nothing' changes nothing: write KEY=VALUE"),
        ("=3", "changes nothing"),
        ("step.9.delay=1 s", "step has no '9'; it has 1 to 2: move"),
        ("step.move.objekt=volume/b", "has no key 'objekt', did you mean 'object'?"),
        ("step.move.device=nowhere", "nowhere"),
        ("regoin.restart_after=1 s", "did you mean 'region'?"),
        ("title.short=x", "title has no parts"),
        ("step.2.delay=soon", "'soon' is not a duration"),
        ("device.new.kind=floppy", "floppy"),
    ])
    def test_what_cannot_be(self, change: str, words: str) -> None:
        with pytest.raises(NoSuchChange) as caught:
            changed(small(), [change])
        assert words in str(caught.value) and "\n" not in str(caught.value)


def test_runs_of_two_seeds_differ_from_the_first_event_that_does() -> None:
    one, other = again(busy(5)), again(busy(6))
    found = compare(one, other)
    assert not found.same and 0 < found.common < 100
    assert one.shown.events[found.common] == found.recorded != found.changed == other.shown.events[found.common]
    assert compare(one, one).same and not compare(one, one).changes
