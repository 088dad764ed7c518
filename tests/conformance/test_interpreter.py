"""Programs on a correct driver pass; each planted bug is found and named by a rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from storcert.conformance import interpreter
from storcert.conformance.bench import HOST, SSVM
from storcert.conformance.generated import run_program
from storcert.conformance.program import Program, Step
from storcert.conformance.violation import Undecided, Violation
from storcert.harness.checkers.linearizability import linearize
from storcert.harness.contract import DataObjectDescription, DataObjectUri, DeviceUnavailable, ObjectNotFound
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.record.fault import Fault, Phase
from tests.conformance.drivers import MemoryDriver, MemoryInput, MemoryOutput
from tests.conformance.kit import bench_of, facts_of

NAMES = (("volume", "1", "a"), ("volume", "1", "b"))
A, B = 0, 1
S3_FACTS, MEMORY_FACTS = facts_of(), facts_of(MemoryDriver)


def alone(*steps: Step, faults: tuple[Fault, ...] = ()) -> Program:
    return Program(NAMES, ((HOST, steps),), faults)


def together(*tasks: tuple[Step, ...]) -> Program:
    return Program(NAMES, tuple(((HOST, SSVM)[number % 2], steps) for number, steps in enumerate(tasks)))


def write(uri: int, size: int, **more: Any) -> Step:
    return Step("write", uri, size=size, **more)


EVERYTHING = alone(
    Step("list"), Step("read", A), Step("create", A, size=10), Step("create", A, size=10), Step("create", A, size=11),
    write(A, 5), write(B, 5000, pieces=(7, 4096), announced=True), Step("read", B, offset=4000, length=99),
    Step("read", B, offset=9000), Step("describe", B), Step("delete", A), Step("copy", A, source=B), Step("list"),
    Step("copy", A, source=B), Step("delete", B), Step("copy", B, source=B), Step("read", A, pieces=(1000,)),
    write(B, 9, end="with"), Step("delete", B), *(write(B, 9, end=end) for end in ("abort", "close", "raise", "drop")),
    Step("delete", A), Step("delete", A), Step("describe", A),
)  # fmt: skip


@pytest.mark.parametrize("driver", [MemoryDriver, S3Driver])
class TestACorrectDriver:
    def test_every_verb_and_every_end(self, driver: type) -> None:
        with bench_of(driver) as bench:
            run_program(bench, EVERYTHING)
            assert len(bench.steps) == len(EVERYTHING.tasks[0][1]) + 3 * len(NAMES) + 1, "looked at, listed, deleted"
            assert not any("DeviceUnavailable" in step for step in bench.steps)


class TestACorrectDriverOnASimulatedDevice:
    def test_tasks_at_once(self) -> None:
        program = together(
            (write(A, 100), Step("read", A), Step("delete", A), write(A, 300, pause_ms=3)),
            (write(A, 200), Step("copy", B, source=A), Step("list"), Step("describe", A)),
            (Step("create", A, size=100, pause_ms=1), Step("read", A), Step("read", B)),
        )
        for seed in range(5):
            with bench_of(seed=seed) as bench:
                run_program(bench, program)

    @pytest.mark.parametrize("kind", ["answer_lost", "throttle", "request_lost", "internal_error"])
    def test_under_faults(self, kind: str) -> None:
        phase = Phase(S3_FACTS.fault_phases[kind][0])
        for nth in range(1, 6):
            program = alone(
                write(A, 100), Step("create", B, size=7), Step("delete", A), faults=(Fault(kind, "*", nth, phase, 3),)
            )
            with bench_of() as bench:
                run_program(bench, program)

    def test_a_location_that_dies_leaves_its_operation_open(self) -> None:
        with bench_of() as bench:
            run_program(bench, alone(write(A, 100), write(B, 50), faults=(Fault("crash", "PutObject", phase=Phase.AFTER),)))
            assert bench.steps[1].endswith("write /volume/1/a 100 bytes")
            assert f"{SSVM}: read /volume/1/a -> ok" in " ".join(bench.steps)

    def test_the_world_of_a_program_depends_on_nothing_else(self) -> None:
        digests = []
        for before in (EVERYTHING, alone(Step("list"))):
            with bench_of() as bench:
                run_program(bench, before)
                run_program(bench, EVERYTHING)
                bench.close()
                digests.append(bench.digests[-1])
        assert digests[0] == digests[1]


# Planted bugs


class ForgetsDelete(MemoryDriver):
    def delete(self, uri: DataObjectUri) -> None:
        pass


class CopiesHalf(MemoryDriver):
    def copy(self, source: DataObjectUri, destination: DataObjectUri) -> None:
        super().copy(source, destination)
        self.objects[destination] = self.objects[destination][: len(self.objects[destination]) // 2]


class SaysSizeWrong(MemoryDriver):
    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        return DataObjectDescription(uri, len(self.held(uri)) + 1)


class ListsTwice(MemoryDriver):
    def list_objects(self) -> Iterator[DataObjectUri]:
        return iter([*self.objects, *self.objects])


class ListsNothing(MemoryDriver):
    def list_objects(self) -> Iterator[DataObjectUri]:
        return iter(())


class _PublishesOnAbort(MemoryOutput):
    def abort(self) -> None:
        if not self.ended:
            self.commit()

    close = abort


class PublishesOnAbort(MemoryDriver):
    def open_output(self, uri: DataObjectUri, size: int | None = None) -> MemoryOutput:
        return _PublishesOnAbort(self.objects, uri, size)


class Overwrites(MemoryDriver):
    def open_output(self, uri: DataObjectUri, size: int | None = None) -> MemoryOutput:
        self.objects.pop(uri, None)
        return super().open_output(uri, size)


class ResizesOnCreate(MemoryDriver):
    def create(self, uri: DataObjectUri, size: int) -> None:
        self.objects[uri] = bytes(size)


class GivesUpForNothing(MemoryDriver):
    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        raise DeviceUnavailable("busy", uri, "not_done")


class SwapsBytes(MemoryDriver):
    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> MemoryInput:
        return MemoryInput(super().open_input(uri, offset, length).data[::-1])


class IgnoresOffset(MemoryDriver):
    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> MemoryInput:
        return super().open_input(uri, 0, length)


class RaisesForeign(MemoryDriver):
    def held(self, uri: DataObjectUri) -> bytes:
        return self.objects[uri]


class NotThereYet(MemoryDriver):
    """Tells of a new object only from the second look on: stale by one answer, at the same instant."""

    looked: ClassVar[set[DataObjectUri]] = set()

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        if uri in self.objects and uri not in self.looked:
            self.looked.add(uri)
            raise ObjectNotFound("not there", uri)
        return super().describe(uri)


PLANTED: list[tuple[type, Program, set[str], str]] = [
    (ForgetsDelete, alone(write(A, 5), Step("delete", A), Step("read", A)), {"C-READ"}, "gave the bytes of t0s0/5"),
    (ForgetsDelete, alone(write(A, 5), Step("delete", A)), {"C-DESCRIBE"}, "gave 5 bytes"),
    (CopiesHalf, alone(write(A, 50), Step("copy", B, source=A), Step("read", B)), {"C-READ"}, "nothing that was ever written"),
    (SaysSizeWrong, alone(write(A, 50), Step("describe", A)), {"C-DESCRIBE"}, "gave 51 bytes"),
    (ListsTwice, alone(write(A, 50), Step("list")), {"C-LIST"}, "a name twice"),
    (ListsNothing, alone(write(A, 50), Step("list")), {"C-LIST"}, "list does not show"),
    (PublishesOnAbort, alone(write(A, 50, end="abort"), Step("read", A)), {"C-READ"}, "nothing that was ever written"),
    (PublishesOnAbort, alone(write(A, 50, end="raise")), {"C-READ"}, "nothing that was ever written"),
    (Overwrites, alone(write(A, 5), write(A, 6)), {"C-COMMIT"}, "write /volume"),
    (ResizesOnCreate, alone(Step("create", A, size=5), Step("create", A, size=6)), {"C-CREATE"}, "create /volume"),
    (GivesUpForNothing, alone(write(A, 5), Step("describe", A)), {"C-ERRORS"}, "failed without a cause"),
    (SwapsBytes, alone(write(A, 5), Step("read", A)), {"C-READ"}, "nothing that was ever written"),
    (IgnoresOffset, alone(write(A, 99), Step("read", A, offset=50)), {"C-READ"}, "nothing that was ever written"),
    (RaisesForeign, alone(Step("read", A)), {"C-ERRORS"}, "let a foreign error out: KeyError"),
    (NotThereYet, alone(write(A, 5)), {"C-DESCRIBE"}, "ObjectNotFound"),
]


@pytest.mark.parametrize(("driver", "program", "rules", "words"), PLANTED)
def test_planted_bugs_of_one_task(driver: type, program: Program, rules: set[str], words: str) -> None:
    with bench_of(driver, facts=MEMORY_FACTS) as bench:
        with pytest.raises(Violation) as raised:
            run_program(bench, program)
        assert words in raised.value.message
        assert raised.value.rule in rules


class StaleHead(S3Driver):
    """An object that was deleted is described for one more look."""

    known: ClassVar[dict[DataObjectUri, DataObjectDescription]] = {}

    def describe(self, uri: DataObjectUri) -> DataObjectDescription:
        try:
            found = self.known[uri] = super().describe(uri)
        except ObjectNotFound:
            if uri not in self.known:
                raise
            return self.known.pop(uri)
        return found


class LeavesAnUpload(S3Driver):
    """``delete`` removes the object and leaves something else in its place."""

    def delete(self, uri: DataObjectUri) -> None:
        super().delete(uri)
        self._bucket._client.create_multipart_upload(Bucket=self._bucket.name, Key=self._bucket.key(uri))


class LastOneWins(S3Driver):
    """Publishes without asking whether the name is taken."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        client = self._bucket._client
        real = client.put_object
        client.put_object = lambda IfNoneMatch=None, **more: real(**more)


PLANTED_ON_A_DEVICE: list[tuple[type, Program, set[str | None]]] = [
    (StaleHead, alone(write(A, 5), Step("describe", A), Step("delete", A), Step("describe", A)), {"C-DESCRIBE"}),
    (LeavesAnUpload, alone(write(A, 5)), {None}),
    (LastOneWins, together((write(A, 5),), (write(A, 6),)), {"C-ONCE"}),
]


@pytest.mark.parametrize(("driver", "program", "rules"), PLANTED_ON_A_DEVICE)
def test_planted_bugs_on_a_device(driver: type, program: Program, rules: set[str | None]) -> None:
    with bench_of(driver, facts=S3_FACTS) as bench:
        with pytest.raises(Violation) as raised:
            run_program(bench, program)
        assert raised.value.rule in rules, raised.value.message
        assert rules != {None} or "left behind on the device: upload" in raised.value.message


def test_a_search_without_an_end_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "linearize", lambda history, **_: linearize(history, tries_max=3))
    with bench_of(MemoryDriver) as bench, pytest.raises(Undecided, match="within the search budget"):
        run_program(bench, EVERYTHING)


def test_a_refusal_of_a_name_that_is_not_plain_is_no_trouble_without_a_cause() -> None:
    odd = Program((("volume", "1", "x" * 200),), ((HOST, (Step("create", A, size=3), Step("describe", A))),))
    with bench_of() as bench:
        run_program(bench, odd)
        assert bench.steps[0].endswith("InvalidRequest (not_done)")


def test_a_busy_answer_beside_a_delete_has_a_cause() -> None:
    class Busy(MemoryDriver):
        deleting = False

        def delete(self, uri: DataObjectUri) -> None:
            type(self).deleting = True
            super().delete(uri)

        def describe(self, uri: DataObjectUri) -> DataObjectDescription:
            if self.deleting:
                type(self).deleting = False
                raise DeviceUnavailable("going", uri, "not_done")
            return super().describe(uri)

    with bench_of(Busy, facts=MEMORY_FACTS) as bench:
        run_program(bench, alone(Step("delete", A), Step("describe", A)))


def test_the_bench_says_what_is_left() -> None:
    with bench_of() as bench:
        bench.client().write(bench.uri(), b"abc")
        before = bench.census()
        with pytest.raises(Violation, match=r"later: left behind on the device: object storcert/volume/1/a .*\(3 bytes\)"):
            bench.require_clean("later")
        bench.require_same_census(before, "later")
        bench.client().delete(bench.uri())
        with pytest.raises(Violation, match="later: gone from the device: object"):
            bench.require_same_census(before, "later")
