"""Named random streams."""

from __future__ import annotations

from storcert.harness.kernel import Kernel


def draws(kernel: Kernel, name: str, count: int = 5) -> list[float]:
    return [kernel.stream(name).random() for _ in range(count)]


def test_a_name_is_one_stream(kernel: Kernel) -> None:
    assert kernel.stream("a") is kernel.stream("a")
    assert draws(Kernel(7), "a", 10) == draws(kernel, "a", 5) + draws(kernel, "a", 5)


def test_streams_do_not_move_each_other() -> None:
    alone = draws(Kernel(7), "a")
    kernel = Kernel(7)
    draws(kernel, "b", 100)
    assert draws(kernel, "a") == alone != draws(Kernel(7), "b")


def test_seeds_make_other_streams() -> None:
    assert len({tuple(draws(Kernel(seed), "a")) for seed in (0, 1, 2, -1, 2**70)}) == 5


def test_values_are_pinned() -> None:
    """What a seed means never changes, on any Python: replay files hold seeds only."""
    stream = Kernel(7).stream("a")
    assert [stream.randrange(10**9) for _ in PINNED] == PINNED
    assert Kernel(7).stream("\ud800").random() != Kernel(7).stream("?").random()


PINNED = [289852320, 905760471, 924805700]


def test_a_new_stream_begins_as_the_named_one_and_is_not_remembered(kernel: Kernel) -> None:
    assert kernel.new_stream("a").random() == kernel.new_stream("a").random() == kernel.stream("a").random()
    assert kernel.new_stream("a") is not kernel.new_stream("a")


def test_a_location_forgets_the_streams_of_its_former_lives(kernel: Kernel) -> None:
    host = kernel.location("host")
    before = host.stream("a")
    assert host.stream("a") is before
    drawn = before.random()
    host.restart()
    assert host.stream("a") is not before and host.stream("a").random() != drawn
    assert kernel.stream("location/host/0/a").random() == drawn
