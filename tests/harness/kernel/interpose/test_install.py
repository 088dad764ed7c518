"""Replacing and restoring."""

from __future__ import annotations

import builtins
import datetime
import os
import random
import sys
import threading
import time
from typing import Any

import pytest

from storcert.harness.kernel import context
from storcert.harness.kernel.interpose import installed, register, rescan
from storcert.harness.kernel.interpose.install import Interposition


def everything() -> dict[tuple[str, str], int]:
    """The identity of every name of every module, and of every attribute of a few classes."""
    seen = {}
    for module_name, module in list(sys.modules.items()):
        # Hypothesis' stopwatch changes whenever the garbage collector comes by.
        if type(getattr(module, "__dict__", None)) is dict and not module_name.startswith("hypothesis."):
            for name, value in list(vars(module).items()):
                seen[module_name, name] = id(value)
    for cls in (datetime.datetime, datetime.date, random.Random, __import__("subprocess").Popen, type(os.environ)):
        for name, value in vars(cls).items():
            seen[cls.__qualname__, name] = id(value)
    seen["os.environ", "class"] = id(os.environ.__class__)
    for name in ("supports_dir_fd", "supports_fd", "supports_follow_symlinks"):
        seen["os", f"{name} members"] = hash(frozenset(map(id, getattr(os, name))))
    return seen


def test_everything_is_put_back_exactly() -> None:
    with installed():
        pass  # first use may import modules
    before = everything()
    with installed():
        during = everything()
        assert during["time", "time"] != before["time", "time"]
        assert during["builtins", "open"] != before["builtins", "open"]
        assert during["datetime", "now"] != before["datetime", "now"]
    assert everything() == before


def test_nested_uses_install_once_and_the_last_one_removes() -> None:
    original = time.time
    with installed():
        replaced = time.time
        with installed():
            assert time.time is replaced
        assert time.time is replaced
    assert time.time is original


def test_an_error_inside_still_removes_everything() -> None:
    original = builtins.open
    with pytest.raises(ZeroDivisionError), installed():
        raise ZeroDivisionError
    assert builtins.open is original


def test_a_group_that_fails_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    from storcert.harness.kernel.interpose import install as module

    def broken(interposition: Interposition) -> None:
        raise LookupError("broken group")

    monkeypatch.setattr(module, "_groups", {**module._groups, "broken": broken})
    original = time.sleep
    with pytest.raises(LookupError), installed():
        pass
    assert time.sleep is original
    assert module._depth == [0]


def test_a_face_may_register_late_and_replace_a_replacement(bare_world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from storcert.harness.kernel.interpose import install as module

    monkeypatch.setattr(module, "_groups", dict(module._groups))
    captured = bare_world.module("from time import sleep", "captured_sleep")
    original = time.sleep
    calls: list[float] = []

    def face(interposition: Interposition) -> None:
        interposition.replace(time, "sleep", lambda before: lambda seconds: calls.append(seconds))

    with installed():
        register("face", face)
        time.sleep(3)
        captured.sleep(4)
    assert calls == [3, 4]
    assert time.sleep is original
    assert captured.sleep is original


def test_captured_names_class_attributes_and_defaults(bare_world: Any) -> None:
    module = bare_world.module(
        """
        import time
        from time import time as clock

        class Driver:
            _clock = time.time

            def read(self, clock=time.time, *, other=time.time):
                return clock(), other(), self._clock()
        """
    )
    real = time.time
    with installed():
        assert bare_world.run(module.clock) == 1_700_000_000
        assert bare_world.run(module.Driver().read) == (1_700_000_000,) * 3
    assert module.clock is real
    assert vars(module.Driver)["_clock"] is real
    assert module.Driver.read.__defaults__ == (real,)
    assert module.Driver.read.__kwdefaults__ == {"other": real}


def test_names_captured_while_installed_are_originals_afterwards(bare_world: Any) -> None:
    with installed():
        module = bare_world.module("import os\nfrom os import rename\n\nclass Driver:\n    stat = os.stat")
        assert module.rename is os.rename
        assert bare_world.run(lambda: module.Driver().stat("/")).st_size == 0  # not bound: no self is passed
    assert module.rename is os.rename
    assert vars(module.Driver)["stat"] is os.stat


def test_rescan_finds_what_slipped_past(bare_world: Any) -> None:
    module = bare_world.module("")
    real = time.time
    with installed():
        module.late = real
        rescan()
        assert bare_world.run(module.late) == 1_700_000_000
    assert module.late is real


def test_other_threads_are_never_at_a_location(world: Any) -> None:
    answers: list[Any] = []
    go = threading.Event()

    def look() -> None:
        go.wait(5)
        answers.append((time.time() > 1_750_000_000, os.getpid()))

    real = os.getpid()
    thread = threading.Thread(target=look)
    thread.start()

    def at_location() -> int:
        # Let the other thread go, as the kit; then stay at the location until it has looked.
        with context.outside():
            go.set()
        for _ in range(10_000_000):
            if answers:
                return os.getpid()
        raise AssertionError("the other thread never ran")

    assert world.run(at_location) != real
    thread.join(5)
    assert answers == [(True, real)]
