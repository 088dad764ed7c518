"""A program that fails once and not again: in a simulation the driver keeps state; on a real device nothing is decided."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import strategies

from storcert.conformance import generated
from storcert.conformance.violation import Undecided, Violation


def hold_what_fails_once(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = iter(range(1_000_000))

    def run_program(bench: Any, program: Any) -> None:
        if next(runs) == 0:
            raise Violation("something was left", "C-ABORT")

    monkeypatch.setattr(generated, "run_program", run_program)
    bench: Any = SimpleNamespace(facts=SimpleNamespace(mode=mode), steps=[], proof=None)
    program: Any = SimpleNamespace(operations=lambda: 1)
    generated.hold(bench, "C-ABORT", strategies.just(program), random.Random(0), 5)


def test_on_a_real_device_nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Undecided, match="once, and not again on a real device: something was left"):
        hold_what_fails_once("live", monkeypatch)


def test_in_a_simulation_it_is_state_that_the_driver_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(generated.FoundByGeneration) as caught:
        hold_what_fails_once("simulated", monkeypatch)
    assert caught.value.rule == "C-STATELESS"
