"""No entropy but the location's."""

from __future__ import annotations

import importlib
import os
import random
import secrets
import sys
import uuid
from typing import Any

from storcert.harness.kernel.interpose import installed
from storcert.harness.kernel.loop import Kernel


def draw() -> list[Any]:
    shuffled = list(range(9))
    random.shuffle(shuffled)
    answers: list[Any] = [
        random.random(), random.randint(1, 10**9), shuffled, random.Random().random(), random.SystemRandom().random(),
        secrets.token_hex(8), secrets.randbelow(10**9), uuid.uuid4(), uuid.uuid1(), os.urandom(8), os.getrandom(8),
        uuid.getnode(),
    ]
    for name in ("uuid6", "uuid7"):
        if hasattr(uuid, name):
            answers.append(getattr(uuid, name)())
    random.seed()
    answers.append(random.random())
    return answers


def drawn(seed: int, name: str) -> list[Any]:
    with Kernel(seed) as kernel, installed():
        task = kernel.spawn(draw, location=kernel.location(name))
        kernel.run_until_done(task)
        assert task.error is None
        return list(task.result)


def test_one_seed_one_sequence_and_another_at_each_location() -> None:
    first = drawn(1, "host1")
    random.random()
    assert drawn(1, "host1") == first
    for other in (drawn(2, "host1"), drawn(1, "host2")):
        assert not [mine for mine, yours in zip(first, other, strict=True) if mine == yours]


def test_the_process_own_generator_is_not_touched(world: Any) -> None:
    state = random.getstate()
    world.run(draw)
    assert random.getstate() == state


def test_seeding_at_a_location_is_seeding(world: Any) -> None:
    def seeded() -> tuple[float, float, float]:
        random.seed(5)
        state = random.getstate()
        first = random.random()
        random.setstate(state)
        return first, random.random(), random.Random(5).random()

    assert len(set(world.run(seeded))) == 1


def test_an_import_moves_no_stream_and_makes_the_same_module(bare_world: Any) -> None:
    source = "import random, os, uuid\nRNG = random.Random()\nTOKEN, NAME, ONE = os.urandom(8), uuid.uuid4(), random.random()"
    with installed():

        def load() -> tuple[Any, ...]:
            module = importlib.import_module("drawing_driver")
            return module.RNG.random(), module.TOKEN, module.NAME, random.random()

        by_kit = bare_world.module(source, "drawing_driver")
        outside = (by_kit.RNG.random(), by_kit.TOKEN, by_kit.NAME)
        del sys.modules["drawing_driver"]
        first = bare_world.run(load)
        assert first[:3] == outside
        with Kernel(7) as again:
            task = again.spawn(load, location=again.location("host1"))
            again.run_until_done(task)
            assert task.result[3] == first[3]  # now it was loaded already


def test_uuids_are_well_formed(world: Any) -> None:
    made = world.run(uuid.uuid1)
    assert (made.version, made.variant) == (1, uuid.RFC_4122)
    assert (made.time - 0x01B21DD213814000) // 10**7 == 1_700_000_000
    for version in (6, 7):
        make = getattr(uuid, f"uuid{version}", None)
        if make is not None:
            assert world.run(make).version == version
