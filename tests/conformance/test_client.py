"""The form of every answer: what a driver may return and what it may not, call by call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storcert.conformance import client
from storcert.conformance.bench import Bench
from storcert.conformance.client import drain, read_once, transfer, write_all, write_count, write_pieces
from storcert.conformance.violation import Violation
from storcert.harness.contract import DataObjectDescription, DataObjectUri, DeviceUnavailable, ObjectKind
from storcert.harness.record.verdict import Verdict
from tests.conformance.drivers import MemoryDriver, MemoryInput, MemoryOutput
from tests.conformance.kit import bench_of, facts_of, run_check

A = DataObjectUri(ObjectKind.VOLUME, "1", "a")
FACTS = facts_of(MemoryDriver)


class Answers:
    """A stream or driver whose calls give what was prepared; the last answer again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def __call__(self, *arguments: Any) -> Any:
        self.asked.append(arguments[0] if arguments else None)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    read = write = commit = __call__

    def close(self) -> None:
        self.asked.append("close")

    abort = close


class TestRead:
    @pytest.mark.parametrize("answer", [None, "text", bytearray(b"ab"), memoryview(b"ab"), 2])
    def test_bytes_and_nothing_else(self, answer: Any) -> None:
        with pytest.raises(Violation, match=r"read\(5\) returned \w+, not bytes") as raised:
            read_once(Answers(answer), 5)
        assert raised.value.rule == "C-READ"

    def test_never_more_than_asked_for(self) -> None:
        with pytest.raises(Violation, match=r"read\(2\) returned 3 bytes"):
            read_once(Answers(b"abc"), 2)
        with pytest.raises(Violation, match=r"read\(0\) returned 1 bytes"):
            read_once(Answers(b"a"), 0)
        assert read_once(Answers(b"abc"), 3) == read_once(Answers(b"abc"), -1) == b"abc"

    def test_drain_takes_short_reads_to_the_end_and_asks_once_more(self) -> None:
        stream = Answers(b"a", b"bc", b"", b"")
        assert drain(stream, (2, 3)) == b"abc"
        assert stream.asked == [2, 3, 2, client.READ_BYTES]

    def test_a_read_of_nothing_says_nothing_about_the_end(self) -> None:
        assert drain(Answers(b"", b"ab", b"", b"c", b"", b"", b""), (0, 2)) == b"abc"

    def test_an_end_that_is_no_end(self) -> None:
        with pytest.raises(Violation, match="gave more bytes"):
            drain(Answers(b"ab", b"", b"c", b""), (5,))

    def test_a_stream_without_an_end_does_not_eat_the_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "DRAINED_BYTES_MAX", 1000)
        with pytest.raises(Violation, match="no end after 1000 bytes") as raised:
            drain(Answers(b"x" * 100), (100,))
        assert raised.value.rule == "C-READ"


class TestWrite:
    @pytest.mark.parametrize("count", [None, True, "3", 3.0, 0, -1, 4])
    def test_a_count_from_1_to_the_length(self, count: Any) -> None:
        with pytest.raises(Violation, match="write of 3 bytes returned") as raised:
            write_count(Answers(count), b"abc")
        assert raised.value.rule == "C-WRITE"

    def test_short_counts_are_taken_and_the_rest_is_written(self) -> None:
        stream = Answers(1, 2, 1)
        write_all(stream, b"abcd")
        assert [bytes(piece) for piece in stream.asked] == [b"abcd", b"bcd", b"d"]

    def test_nothing_takes_nothing(self) -> None:
        write_all(Answers(0), b"")
        with pytest.raises(Violation, match="write of 0 bytes returned None"):
            write_count(Answers(None), b"")

    def test_bytes_are_counted_whatever_the_item_size(self) -> None:
        words = memoryview(bytearray(8)).cast("I")
        assert write_count(Answers(8), words) == 8
        with pytest.raises(Violation):
            write_count(Answers(9), words)

    @pytest.mark.parametrize(
        ("chunks", "asked"), [((), [7]), ((3,), [3, 3, 1]), ((1, 4), [1, 4, 1, 1]), ((100,), [7])]
    )
    def test_pieces_in_turn(self, chunks: tuple[int, ...], asked: list[int]) -> None:
        taken: list[int] = []

        class Stream:
            def write(self, data: Any) -> int:
                taken.append(len(data))
                return len(data)

        write_pieces(Stream(), b"0123456", chunks)
        assert taken == asked


class Spoilt(MemoryDriver):
    """Gives one prepared answer instead of the right one."""

    method = ""
    answer: Any = None

    def __getattribute__(self, name: str) -> Any:
        if name == object.__getattribute__(self, "method"):
            return lambda *_: object.__getattribute__(self, "answer")
        return object.__getattribute__(self, name)


def _client_of(bench: Bench, method: str, answer: Any) -> Any:
    found = bench.client()
    found.driver.target.method = method
    found.driver.target.answer = answer
    return found


class TestCalls:
    @pytest.mark.parametrize(
        ("method", "answer", "call", "words"),
        [
            ("describe", None, lambda c: c.describe(A), "the answer is NoneType"),
            ("describe", 5, lambda c: c.describe(A), "the answer is int"),
            ("list_objects", [A], lambda c: c.list(), "list_objects returned list, not an iterator"),
            ("list_objects", iter([str(A)]), lambda c: c.list(), "which is no DataObjectUri"),
            ("list_objects", None, lambda c: c.list(), "returned NoneType"),
            ("open_input", None, lambda c: c.read(A), "open_input /volume/1/a returned None"),
            ("open_output", None, lambda c: c.write(A, b""), "open_output /volume/1/a returned None"),
            ("open_output", None, lambda c: c.open_output(A), "returned None"),
            ("open_input", None, lambda c: c.open_input(A), "returned None"),
        ],
    )
    def test_wrong_returns(self, method: str, answer: Any, call: Callable[[Any], Any], words: str) -> None:
        with bench_of(Spoilt) as bench, pytest.raises(Violation, match=words):
            call(_client_of(bench, method, answer))

    def test_a_description_of_something_else(self) -> None:
        other = DataObjectUri(ObjectKind.VOLUME, "1", "b")
        for wrong in (DataObjectDescription(other, 0), DataObjectDescription(A, True), DataObjectDescription(A, 1.5)):  # type: ignore[arg-type]
            with bench_of(Spoilt) as bench, pytest.raises(Violation):
                _client_of(bench, "describe", wrong).describe(A)

    def test_commit_must_describe_what_it_published(self) -> None:
        class Silent(MemoryOutput):
            def commit(self) -> Any:
                super().commit()

        with bench_of(Spoilt) as bench, pytest.raises(Violation, match="a DataObjectDescription was due"):
            target = _client_of(bench, "open_output", Silent({}, A, None))
            target.write(A, b"abc")

    def test_steps_say_who_did_what_and_how_it_ended(self) -> None:
        with bench_of(MemoryDriver) as bench:
            uri = bench.uri()
            bench.client().write(uri, b"abc", size=3)
            bench.client("ssvm-1").read(uri, 1, 1)
            bench.client().write(bench.uri("b"), b"", end="abort")
            assert bench.steps == [
                f"host-1: write {uri} 3 bytes size=3 -> ok",
                f"ssvm-1: read {uri} offset=1 length=1 -> ok",
                f"host-1: write {bench.uri('b')} 0 bytes, abort -> ok",
            ]


class TestTransfer:
    def _transfer(self, output: Any, end: str, data: bytes = b"abcdef") -> Any:
        told: list[str] = []
        done = transfer(_Opens(output), A, data, (2,), None, end, told.append)
        return done, told

    @pytest.mark.parametrize(
        ("end", "published"),
        [("commit", True), ("with", True), ("abort", False), ("close", False), ("raise", False), ("drop", False)],
    )
    def test_every_end(self, end: str, published: bool) -> None:
        objects: dict[DataObjectUri, bytes] = {}
        _, told = self._transfer(MemoryOutput(objects, A, None), end)
        assert objects == ({A: b"abcdef"} if published else {})
        assert told == (["commit"] if published else [])

    def test_an_exception_swallowed_by_the_with_block(self) -> None:
        class Swallows(MemoryOutput):
            def __exit__(self, *error: Any) -> bool:  # type: ignore[override]
                return True

        with pytest.raises(Violation, match="was swallowed") as raised:
            self._transfer(Swallows({}, A, None), "raise")
        assert raised.value.rule == "C-ABORT"

    def test_after_a_failed_write_commit_must_raise(self) -> None:
        class Fails(MemoryOutput):
            def write(self, data: Any) -> int:
                raise DeviceUnavailable("gone", A, "not_done")

        with pytest.raises(Violation, match="commit succeeded although a write") as raised:
            self._transfer(Fails({}, A, None), "commit")
        assert raised.value.rule == "C-COMMIT"

        class FailsForGood(Fails):
            def commit(self) -> Any:
                raise DeviceUnavailable("gone", A, "not_done")

        output = FailsForGood({}, A, None)
        with pytest.raises(DeviceUnavailable):
            self._transfer(output, "commit")
        assert output.ended, "the stream was not closed"


class _Opens:
    def __init__(self, output: Any) -> None:
        self.output = output

    def open_output(self, uri: Any, size: Any = None) -> Any:
        return self.output


def test_steps_of_a_stream_are_judged_one_by_one() -> None:
    with bench_of(MemoryDriver) as bench:
        uri = bench.uri()
        writer = bench.client().open_output(uri)
        assert writer.write_once(b"abc") == 3
        writer.write(b"def")
        assert writer.commit().size_bytes == 6
        reader = bench.client().open_input(uri)
        assert (reader.read(2), reader.rest(1)) == (b"ab", b"cdef")
        reader.close()
        reader.stream.target.read = MemoryInput(b"").read
        assert bench.steps[-1] == f"host-1: close input {uri} -> ok"


def test_a_wrong_form_is_a_failure_of_the_driver() -> None:
    class ReadsNone(MemoryDriver):
        def open_input(self, *arguments: Any) -> Any:  # type: ignore[override]
            return Answers(None)

    outcome = run_check(lambda b: b.client().read(b.uri()), ReadsNone, "C-CREATE")
    assert (outcome.result.verdict, outcome.result.rule) == (Verdict.FAIL, "C-READ")
    assert outcome.message == f"read({client.READ_BYTES}) returned NoneType, not bytes"
