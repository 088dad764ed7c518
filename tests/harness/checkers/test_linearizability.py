"""Hand-made histories: what is legal, what is not, and which operation is named as the one that fits nowhere."""

from __future__ import annotations

from typing import Any

from storcert.harness.checkers.linearizability import linearize
from storcert.harness.checkers.reference_model import ZERO, Stored, init, put
from storcert.harness.record.history import Operation, Status

OK, FAILED, UNKNOWN = Status.OK, Status.FAILED, Status.UNKNOWN


def op(process: str, verb: str, times: tuple[int, int | None], status: Status = OK, uri: str = "a", **more: Any) -> Operation:
    return Operation(process, verb, uri, times[0], times[1], status, **more)


def write(process: str, times: tuple[int, int | None], key: str, status: Status = OK, **more: Any) -> Operation:
    return op(process, "write", times, status, value=(key, 3), **more)


def read(process: str, times: tuple[int, int], *keys: str, uri: str = "a") -> Operation:
    if not keys:
        return op(process, "read", times, FAILED, uri, error="ObjectNotFound")
    return op(process, "read", times, uri=uri, result=frozenset(Stored(3, key) for key in keys))


def copy(process: str, times: tuple[int, int | None], status: Status = OK, **more: Any) -> Operation:
    return op(process, "copy", times, status, "b", source="a", **more)


def legal(*history: Operation) -> bool | None:
    answer = linearize(history)
    assert (answer.stuck is None) is (answer.legal is not False)
    return answer.legal


def stuck(*history: Operation) -> Operation | None:
    answer = linearize(history)
    assert answer.legal is False
    return answer.stuck


def test_nothing_is_legal() -> None:
    assert linearize([]).legal is True


def test_it_starts_where_it_is_told() -> None:
    start = put(init(), "a", Stored(3, "x"))
    assert linearize([read("p", (0, 1), "x")], start).legal is True
    assert linearize([read("p", (0, 1))], start).legal is False


class TestRealTime:
    def test_a_write_is_seen_by_whoever_asks_later(self) -> None:
        assert legal(write("p", (0, 1), "x"), read("q", (2, 3), "x")) is True
        late = read("q", (2, 3))
        assert stuck(write("p", (0, 1), "x"), late) == late

    def test_at_the_same_time_both_answers_are_true(self) -> None:
        assert legal(write("p", (0, 5), "x"), read("q", (1, 2))) is True
        assert legal(write("p", (0, 5), "x"), read("q", (1, 2), "x")) is True

    def test_what_one_reader_saw_the_next_one_cannot_unsee(self) -> None:
        assert legal(write("p", (0, 9), "x"), read("q", (1, 2), "x"), read("r", (3, 4))) is False
        assert legal(write("p", (0, 9), "x"), read("q", (1, 2)), read("r", (3, 4), "x")) is True

    def test_processes_that_meet_at_an_instant_are_at_work_together(self) -> None:
        assert legal(write("p", (0, 1), "x"), read("q", (1, 2))) is True

    def test_one_process_asks_one_thing_after_the_other_even_when_no_time_passes(self) -> None:
        assert legal(write("p", (0, 1), "x"), read("p", (1, 2))) is False
        assert legal(write("p", (0, 0), "x"), read("p", (0, 0))) is False
        assert legal(write("p", (0, 0), "x"), op("p", "delete", (0, 0)), read("p", (0, 0), "x")) is False
        assert legal(write("p", (0, 0), "x"), op("p", "delete", (0, 0)), read("p", (0, 0))) is True

    def test_looks_of_one_listing_have_no_order(self) -> None:
        seen, unseen = op("q", "member", (0, 9), uri="b", result=True), op("q", "member", (0, 9), result=False)
        writes = [write("p", (1, 2), "x"), write("p", (3, 4), "y", uri="b")]
        assert legal(*writes, unseen, seen) is True
        assert legal(*writes, seen, unseen) is True


class TestEachVerb:
    def test_create(self) -> None:
        made = op("p", "create", (0, 1), value=3)
        assert legal(made, op("q", "create", (2, 3), value=3), read("q", (4, 5), ZERO)) is True
        assert legal(made, op("q", "create", (2, 3), value=4)) is False
        assert legal(made, op("q", "create", (2, 3), FAILED, value=4, error="ObjectExists")) is True
        assert legal(made, op("q", "create", (2, 3), FAILED, value=3, error="ObjectExists")) is False

    def test_write_once(self) -> None:
        first, second = write("p", (0, 5), "x"), write("q", (0, 5), "y")
        assert stuck(first, second) in (first, second)
        lost = write("q", (0, 5), "y", FAILED, error="ObjectExists")
        assert legal(first, lost, read("r", (6, 7), "x")) is True
        assert legal(first, lost, read("r", (6, 7), "y")) is False
        assert legal(write("q", (0, 1), "y", FAILED, error="ObjectExists"), write("p", (2, 3), "x")) is False

    def test_delete(self) -> None:
        made = write("p", (0, 1), "x")
        assert legal(made, op("p", "delete", (2, 3)), op("p", "delete", (4, 5)), read("q", (6, 7))) is True
        assert legal(made, op("p", "delete", (2, 3)), read("q", (6, 7), "x")) is False
        assert legal(made, op("p", "delete", (2, 3)), write("q", (4, 5), "y"), read("q", (6, 7), "y")) is True

    def test_describe(self) -> None:
        assert legal(write("p", (0, 1), "x"), op("q", "describe", (2, 3), result=3)) is True
        assert legal(write("p", (0, 1), "x"), op("q", "describe", (2, 3), result=4)) is False
        assert legal(op("q", "describe", (2, 3), FAILED, error="ObjectNotFound"), write("p", (0, 9), "x")) is True

    def test_a_read_may_be_one_of_several_contents(self) -> None:
        assert legal(write("p", (0, 1), "x"), read("q", (2, 3), "y", "x")) is True
        assert legal(write("p", (0, 1), "x"), read("q", (2, 3), "y", "z")) is False

    def test_trouble_is_legal_anywhere(self) -> None:
        assert legal(write("p", (0, 1), "x", FAILED, error="DeviceUnavailable"), read("q", (2, 3))) is True
        assert legal(write("p", (0, 1), "x", FAILED, error="DeviceUnavailable"), read("q", (2, 3), "x")) is False


class TestCopy:
    """Its source is looked at in one moment, its destination made in another."""

    def test_after_the_source_was_deleted_it_may_still_appear(self) -> None:
        made, gone = write("p", (0, 1), "x"), op("p", "delete", (3, 4))
        assert legal(made, copy("q", (2, 9)), gone, read("r", (5, 6), uri="b"), read("r", (10, 11), "x", uri="b")) is True

    def test_it_holds_what_the_source_was_at_one_moment_between_call_and_return(self) -> None:
        history = [write("p", (0, 1), "x"), op("p", "delete", (2, 3)), write("p", (4, 5), "y")]
        assert legal(*history, copy("q", (0, 9)), read("r", (10, 11), "x", uri="b")) is True
        assert legal(*history, copy("q", (0, 9)), read("r", (10, 11), "y", uri="b")) is True
        assert legal(*history, copy("q", (6, 9)), read("r", (10, 11), "x", uri="b")) is False

    def test_the_destination_does_not_appear_before_the_source_was_there(self) -> None:
        early = [copy("q", (0, 9)), read("r", (1, 2), "x", uri="b"), write("p", (3, 4), "x")]
        assert legal(*early) is False

    def test_no_source_no_copy(self) -> None:
        assert legal(copy("q", (0, 1))) is False
        assert legal(copy("q", (0, 1), FAILED, error="ObjectNotFound")) is True

    def test_a_taken_destination_wins(self) -> None:
        both = [write("p", (0, 1), "x"), write("p", (0, 1), "y", uri="b")]
        assert legal(*both, copy("q", (2, 3))) is False
        assert legal(*both, copy("q", (2, 3), FAILED, error="ObjectExists")) is True
        assert legal(both[0], copy("q", (2, 3), FAILED, error="ObjectExists")) is False

    def test_one_process_that_copies_and_then_reads(self) -> None:
        assert legal(write("p", (0, 0), "x"), copy("p", (0, 0)), read("p", (0, 0), "x", uri="b")) is True
        assert legal(write("p", (0, 0), "x"), copy("p", (0, 0)), read("p", (0, 0), uri="b")) is False


class TestUnknown:
    def test_it_may_have_happened_or_not_or_happen_late(self) -> None:
        lost = write("p", (0, 1), "x", UNKNOWN)
        assert legal(lost) is True
        assert legal(lost, read("q", (2, 3))) is True
        assert legal(lost, read("q", (2, 3), "x")) is True
        assert legal(lost, read("q", (2, 3)), read("q", (4, 5), "x")) is True
        assert legal(lost, read("q", (2, 3), "x"), read("q", (4, 5))) is False

    def test_its_own_process_may_see_it_late_too(self) -> None:
        lost = write("p", (0, 1), "x", UNKNOWN)
        assert legal(lost, read("p", (1, 2)), read("p", (3, 4), "x")) is True

    def test_it_happens_once_at_most_and_not_before_it_was_asked(self) -> None:
        lost, gone = write("p", (2, 3), "x", UNKNOWN), op("q", "delete", (6, 7))
        assert legal(read("q", (0, 1), "x"), lost) is False
        assert legal(lost, read("q", (4, 5), "x"), gone, read("q", (8, 9), "x")) is False

    def test_the_loser_of_a_race_against_it_is_right(self) -> None:
        refused = write("q", (2, 3), "y", FAILED, error="ObjectExists")
        assert legal(write("p", (0, 1), "x", UNKNOWN), refused, read("q", (4, 5), "x")) is True
        assert legal(write("p", (0, 1), "x", UNKNOWN), refused, read("q", (4, 5))) is False

    def test_a_call_that_never_returned(self) -> None:
        dead = write("p", (0, None), "x", UNKNOWN)
        assert legal(dead, read("q", (5, 6)), read("q", (7, 8), "x")) is True

    def test_an_unknown_copy(self) -> None:
        made = write("p", (0, 1), "x")
        lost = copy("q", (2, 3), UNKNOWN)
        assert legal(made, lost, read("r", (4, 5), uri="b"), read("r", (6, 7), "x", uri="b")) is True
        assert legal(made, lost, read("r", (4, 5), "y", uri="b")) is False


class TestTheSearch:
    def test_past_its_budget_it_says_neither_yes_nor_no(self) -> None:
        history = [write(f"p{number}", (0, 9), f"x{number}", UNKNOWN) for number in range(10)]
        history += [op(f"d{number}", "delete", (0, 9), UNKNOWN) for number in range(4)]
        history.append(read("q", (20, 21), "other"))
        answer = linearize(history, tries_max=50)
        assert answer.legal is None and answer.stuck is None
        assert 50 < answer.tries < 200
        assert linearize(history).legal is False

    def test_states_reached_twice_are_looked_at_once(self) -> None:
        many = [op(f"p{number}", "delete", (0, 9), uri="gone") for number in range(12)]
        answer = linearize([*many, read("q", (20, 21), "x")])
        assert answer.legal is False
        assert answer.tries <= 12 << 12


def test_a_delete_sent_again_after_a_lost_answer_may_strike_twice() -> None:
    first = Operation("a", "write", "x", 0, 1, Status.OK, ("one", 3))
    deleted = Operation("b", "delete", "x", 2, 9, Status.OK)
    second = Operation("a", "write", "x", 4, 5, Status.OK, ("two", 3))
    gone = Operation("a", "read", "x", 10, 11, Status.FAILED, error="ObjectNotFound")
    assert linearize([first, deleted, second, gone]).legal is False
    assert linearize([first, deleted, second, gone], deletes_repeat=True).legal is True


def test_a_delete_that_may_strike_twice_strikes_not_after_its_return() -> None:
    deleted = Operation("b", "delete", "x", 2, 3, Status.OK)
    written = Operation("a", "write", "x", 4, 5, Status.OK, ("two", 3))
    gone = Operation("a", "read", "x", 10, 11, Status.FAILED, error="ObjectNotFound")
    assert linearize([deleted, written, gone], deletes_repeat=True).legal is False


class TestParts:
    """What nothing ties together is judged apart; what processes ask at one instant ties."""

    def test_a_part_without_an_order_is_told_alone(self) -> None:
        other = [write("p", (0, 1), "y", uri="b"), read("q", (2, 3), "y", uri="b")]
        lost = read("q", (4, 5))
        answer = linearize([*other, write("p", (2, 3), "x"), lost])
        assert answer.stuck == lost
        assert {one.uri for one in answer.part} == {"a"}
        assert [one.verb for one in answer.order] == ["write"]

    def test_a_copy_ties_its_objects(self) -> None:
        answer = linearize([write("p", (0, 1), "x"), copy("p", (2, 3)), read("q", (4, 5), uri="b")])
        assert answer.legal is False and {one.uri for one in answer.part} == {"a", "b"}

    def test_two_processes_that_ask_on_at_one_instant_are_judged_together(self) -> None:
        crossed = [
            write("p", (5, 5), "x"), read("p", (5, 5), uri="b"), write("q", (5, 5), "y", uri="b"), read("q", (5, 5)),
        ]  # fmt: skip
        assert legal(*crossed) is False
        assert legal(*crossed[:3], read("q", (5, 5), "x")) is True

    def test_where_one_part_is_undecided_and_another_has_no_order_there_is_none(self) -> None:
        hard = [write(f"p{number}", (0, 9), f"x{number}", UNKNOWN) for number in range(10)]
        hard += [op(f"d{number}", "delete", (0, 9), UNKNOWN) for number in range(4)]
        hard.append(read("q", (20, 21), "other"))
        assert linearize(hard, tries_max=50).legal is None
        assert linearize([*hard, read("q", (20, 21), "x", uri="b")], tries_max=50).legal is False


class TestVolumesOfBlocks:
    """A volume that is made first, and then only has blocks written and read, is judged as registers, without a search."""

    MADE = write("p", (0, 1), "base")

    @staticmethod
    def wrote(process: str, times: tuple[int, int | None], key: str, status: Status = OK, block: int = 0) -> Operation:
        return op(process, "pwrite-block", times, status, value=(block, key))

    @staticmethod
    def saw(process: str, times: tuple[int, int], key: str, block: int = 0) -> Operation:
        return op(process, "peek", times, value=block, result=frozenset({key}))

    def test_a_stale_read(self) -> None:
        late = self.saw("q", (4, 5), "base")
        history = [self.MADE, self.wrote("p", (2, 3), "one"), late]
        answer = linearize(history)
        assert answer.legal is False and answer.stuck == late
        assert legal(self.MADE, self.wrote("p", (2, 4), "one"), late) is True

    def test_readers_may_not_disagree_about_the_order_of_writes(self) -> None:
        writes = [self.MADE, self.wrote("p", (2, 9), "one"), self.wrote("q", (2, 9), "two")]
        first = [self.saw("r", (10, 11), "one"), self.saw("r", (12, 13), "two")]
        assert legal(*writes, first[0]) is True
        assert legal(*writes, *first) is False

    def test_an_unknown_write_may_surface_late_and_then_stays(self) -> None:
        lost = self.wrote("p", (2, None), "one", UNKNOWN)
        history = [self.MADE, lost, self.saw("q", (4, 5), "base"), self.saw("q", (6, 7), "one")]
        assert legal(*history) is True
        assert legal(*history, self.saw("q", (8, 9), "base")) is False

    def test_what_is_no_register_is_searched(self) -> None:
        gone = op("q", "delete", (4, 5))
        assert legal(self.MADE, self.wrote("p", (2, 3), "one"), gone, read("r", (6, 7))) is True
        assert legal(self.MADE, self.wrote("p", (2, 3), "one"), gone, read("r", (6, 7), "base")) is False
        twice = [self.wrote("p", (2, 3), "one"), self.wrote("q", (4, 5), "two"), self.wrote("p", (6, 7), "one")]
        assert legal(self.MADE, *twice, self.saw("r", (8, 9), "one")) is True
        assert legal(self.MADE, *twice, self.saw("r", (8, 9), "two")) is False

    def test_no_tries_are_needed(self) -> None:
        history = [self.MADE]
        for turn in range(200):
            history += [self.wrote(f"w{turn % 4}", (10 * turn + 2, 10 * turn + 40), f"k{turn}", block=turn % 2)]
        assert linearize(history).tries == len(history)
