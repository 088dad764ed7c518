"""The journal and the digest of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storcert.harness.kernel import Kernel
from storcert.harness.record.event import Event, as_bytes


def test_it_keeps_events_in_order_with_their_time(kernel: Kernel) -> None:
    kernel.journal.record("first", "host", "a")
    kernel.run_for(5)
    kernel.journal.record("second", "", "b")
    assert kernel.journal.events == (Event(0, "host", "first", "a"), Event(5, "", "second", "b"))
    assert len(kernel.journal) == 2
    assert all(Event.from_json(event.to_json()) == event for event in kernel.journal.events)


def test_no_two_sequences_of_events_share_their_bytes() -> None:
    events = [(1, "a", "b", "c"), (1, "ab", "", "c"), (1, "a", "bc", ""), (2, "a", "b", "c"), (1, "a", "b", "\ud800")]
    sequences = [[], *([one] for one in events), *([one, other] for one in events for other in events)]
    assert len({as_bytes(one) for one in sequences}) == len(sequences) == 31


def digest_of(act: Callable[[Kernel], None], seed: int = 1) -> str:
    with Kernel(seed) as kernel:
        act(kernel)
        return kernel.digest()


def nothing(_: Kernel) -> None: ...


def spawn(kernel: Kernel) -> None:
    kernel.run_until_done(kernel.spawn(kernel.sleep_ns, 10))


CHANGES: dict[str, Callable[[Kernel], None]] = {
    "a task": spawn,
    "a longer sleep": lambda kernel: (kernel.run_until_done(kernel.spawn(kernel.sleep_ns, 11)), None)[1],
    "a callback": lambda kernel: (kernel.after(10, lambda: None), kernel.run())[1],
    "a journal entry": lambda kernel: kernel.journal.record("a", "b", "c"),
    "another text": lambda kernel: kernel.journal.record("a", "b", "d"),
    "a crash": lambda kernel: kernel.location("host").crash(),
}


def test_the_digest_sees_every_change() -> None:
    digests = {digest_of(act) for act in [nothing, *CHANGES.values()]}
    assert len(digests) == 1 + len(CHANGES)
    assert all(digest.startswith("sha256:") and len(digest) == 71 for digest in digests)


@pytest.mark.parametrize("act", CHANGES.values(), ids=CHANGES)
def test_the_digest_is_the_same_again(act: Callable[[Kernel], None]) -> None:
    assert digest_of(act) == digest_of(act)


def test_asking_and_pausing_the_run_do_not_change_it() -> None:
    def in_one_go(kernel: Kernel) -> None:
        for number in range(3_000):
            kernel.after(number, lambda: None)
        kernel.run_for(4_000)

    def in_pieces(kernel: Kernel) -> None:
        for number in range(3_000):
            kernel.after(number, lambda: None)
        for _ in range(40):
            kernel.run_for(100)
            kernel.digest()

    assert digest_of(in_one_go) == digest_of(in_pieces)


def test_seeds_differ_where_there_are_ties() -> None:
    assert digest_of(spawn, 1) != digest_of(spawn, 2)


KEPT = (None, 0, 3, 5_000)


def test_what_is_not_kept_is_hashed_all_the_same() -> None:
    def run(keep: int | None) -> tuple[str, int, list[str]]:
        with Kernel(1, keep_events=keep) as kernel:
            for number in range(1_500):
                kernel.journal.record("a", "host", str(number))
                if number % 700 == 0:
                    kernel.digest()
            return kernel.digest(), len(kernel.journal), [event.text for event in kernel.journal.events]

    told = {keep: run(keep) for keep in KEPT}
    everything = [str(number) for number in range(1_500)]
    assert {digest for digest, _, _ in told.values()} == {told[None][0]}
    assert {count for _, count, _ in told.values()} == {1_500}
    assert {keep: last for keep, (_, _, last) in told.items()} == {
        None: everything, 0: [], 3: everything[-3:], 5_000: everything}


def test_a_journal_cannot_keep_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="not -1"):
        Kernel(1, keep_events=-1)


def test_listeners_hear_what_they_asked_for_with_the_value_in_hand_until_the_world_is_over() -> None:
    heard: list[tuple[Any, ...]] = []
    with Kernel(1, keep_events=0, start_ns=5) as kernel:
        kernel.journal.listen(("a", "crash"), lambda *event: heard.append(event))
        kernel.journal.listen(("a",), lambda *event: heard.append(("second", *event)))
        value = {"one": 1}
        kernel.journal.record("a", "", '{"one":1}', value)
        kernel.journal.record("b", "", "nobody asked")
        kernel.location("host").crash()
    kernel.journal.record("a", "", "over")
    told = (5, "", "a", '{"one":1}', value)
    assert heard == [told, ("second", *told), (5, "host", "crash", "", None)]
    assert heard[0][4] is value
