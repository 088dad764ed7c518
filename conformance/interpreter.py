"""Runs a program on a bench and judges what came of it: history against the reference model, then the census.

Reads give the set of contents whose bytes they are; bytes that no write of the program made are a violation at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storcert.conformance.bench import SSVM, Attempt, Bench
from storcert.conformance.blocks import Blocks, expanded, is_of_volumes, pieces
from storcert.conformance.client import READ_BYTES, drain, transfer
from storcert.conformance.content import content
from storcert.conformance.handle import overwrite, peek
from storcert.conformance.observe import clear
from storcert.conformance.program import Program, Step, key_of
from storcert.conformance.violation import NoOrder, Undecided, require
from storcert.harness.checkers.linearizability import Linearization, linearize
from storcert.harness.checkers.reference_model import DERIVING, ZERO, Stored, observes
from storcert.harness.checkers.smallest import smallest
from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectKind, StorageError
from storcert.harness.record.history import Operation, Status

RULE_OF_MAKER = {"snapshot": "C-SNAP", "clone": "C-CLONE", "revert": "C-REVERT"}
RULE_OF_VERB = {
    "snapshot": "C-SNAP",
    "clone": "C-CLONE",
    "revert": "C-REVERT",
    "revert-block": "C-REVERT",
    "pwrite": "C-VOLUME",
    "pwrite-block": "C-VOLUME",
    "pread": "C-VOLUME",
    "create": "C-CREATE",
    "write": "C-COMMIT",
    "copy": "C-COPY",
    "delete": "C-DELETE",
    "read": "C-READ",
    "describe": "C-DESCRIBE",
    "member": "C-LIST",
}
MILLISECOND_NS = 1_000_000
WHOLE: tuple[int, int | None] = (0, None)


class Run:
    """One execution of a program."""

    def __init__(self, bench: Bench, program: Program) -> None:
        self.bench = bench
        self.program = program
        self.uris = [
            bench.uri(name, account, ObjectKind(kind)) for kind, account, name in program.names
        ]
        self.history: list[Operation] = []
        self.written: dict[str, set[Stored]] = {str(uri): set() for uri in self.uris}
        self.refused: set[str] = set()
        self._said: dict[str, str] = {}  # by step: the message of its error
        self.blocks = Blocks(program) if is_of_volumes(program) else None

    def execute(self) -> None:
        """Run all tasks, then look at everything from another location, judge, delete all and look at the census."""
        bench = self.bench
        clients = {location: bench.client(location) for location, _ in self.program.tasks}
        observer = bench.client(SSVM)
        self._note_contents()
        if self.program.faults:
            bench.arm(*self.program.faults)
        started = [
            bench.begin(location, f"task {number}", self._task(number, clients[location], steps), quiet=True)
            for number, (location, steps) in enumerate(self.program.tasks)
        ]
        self._join(started)
        if bench.facts.mode == "simulated":
            bench.heal()
        else:
            # Where calls take no virtual time, what is looked at now must not seem to be at the same instant.
            bench.world.advance(1)
        self._observe(observer)
        self._judge()
        clear(observer, [uri for uri in self.uris if str(uri) not in self.refused])
        bench.require_clean("after everything was deleted")

    def _join(self, attempts: list[Attempt]) -> None:
        if len(attempts) == 1 or self.bench.facts.mode == "simulated":
            self.bench.join(*attempts)
        else:
            for attempt in attempts:
                self.bench.join(attempt)
        for attempt in attempts:
            if attempt.error is not None:
                raise attempt.error

    def _note_contents(self) -> None:
        for task, (_, steps) in enumerate(self.program.tasks):
            for number, step in enumerate(steps):
                if step.verb == "write" and step.end in ("commit", "with"):
                    self.written[str(self.uris[step.uri])].add(Stored(step.size, key_of(task, number)))
                elif step.verb == "create":
                    self.written[str(self.uris[step.uri])].add(Stored(step.size, ZERO))

    # Running

    def _task(self, number: int, client: Any, steps: tuple[Step, ...]) -> Callable[[], None]:
        kernel = self.bench.world.kernel

        def body() -> None:
            for at, step in enumerate(steps):
                if step.pause_ms and self.bench.facts.mode == "simulated":
                    kernel.sleep_ns(step.pause_ms * MILLISECOND_NS)
                self._step(number, at, client, step)

        return body

    def _step(self, task: int, at: int, client: Any, step: Step) -> None:
        kernel, uri = self.bench.world.kernel, self.uris[step.uri]
        place = len(self.history)
        shown = f"task {task} at {client.location}: {self._label(step, uri)}"
        self.bench.steps.append(shown)
        line = len(self.bench.steps) - 1
        invoke_ns = kernel.now_ns
        # Stands for the operation while it runs, and for ever where the location dies under it.
        self.history.append(self._entry(task, at, step, invoke_ns, None, Status.UNKNOWN, shown=shown))
        error, value = "", None
        status = Status.OK
        try:
            value = self._call(client, task, at, step, uri)
        except StorageError as caught:
            error = type(caught).__name__
            status = Status.UNKNOWN if str(caught.outcome) == "unknown" else Status.FAILED
            self.bench.steps[line] += f" -> {error} ({caught.outcome})"
            self._said[shown] = caught.message
            if isinstance(caught, InvalidRequest) and step.verb not in ("revert", "clone"):
                self.refused.add(str(uri))
        else:
            self.bench.steps[line] += " -> ok"
        self.history[place] = self._entry(task, at, step, invoke_ns, kernel.now_ns, status, error, value, shown)

    def _label(self, step: Step, uri: DataObjectUri) -> str:
        if step.verb in (*DERIVING, "revert"):
            first, second = (uri, self.uris[step.source]) if step.verb == "revert" else (self.uris[step.source], uri)
            return f"{step.verb} {first} to {second}"
        if step.verb == "list":
            return "list"
        if step.verb in ("create", "write"):
            ending = "" if step.verb == "create" or step.end == "commit" else f", {step.end}"
            pieces = f" in pieces of {','.join(map(str, step.pieces))}" if step.pieces else ""
            return f"{step.verb} {uri} {step.size} bytes{pieces}{ending}"
        ranged = f" offset={step.offset} length={step.length}" if (step.offset, step.length) != WHOLE else ""
        return f"{step.verb} {uri}{ranged}"

    def _call(self, client: Any, task: int, at: int, step: Step, uri: DataObjectUri) -> Any:
        driver = client.driver
        if step.verb == "create":
            return driver.create(uri, step.size)
        if step.verb == "delete":
            return driver.delete(uri)
        if step.verb == "copy":
            return driver.copy(self.uris[step.source], uri)
        if step.verb == "describe":
            return driver.describe(uri).size_bytes
        if step.verb == "list":
            return list(driver.list_objects())
        if step.verb == "snapshot":
            return driver.take_snapshot(self.uris[step.source], uri)
        if step.verb == "clone":
            return driver.clone(self.uris[step.source], uri)
        if step.verb == "revert":
            return driver.revert(uri, self.uris[step.source])
        if step.verb == "pwrite":
            return overwrite(driver, uri, pieces(key_of(task, at), step), True)
        if step.verb == "pread":
            return peek(driver, uri, step.offset, step.length or 0)
        if step.verb == "write":
            announced = step.size if step.announced else None
            data = content(key_of(task, at), step.size)
            return transfer(driver, uri, data, step.pieces, announced, step.end, lambda _: None)
        whole = (step.offset, step.length) == WHOLE
        stream = driver.open_input(uri) if whole else driver.open_input(uri, step.offset, step.length)
        try:
            return drain(stream, step.pieces or (READ_BYTES,))
        finally:
            stream.close()

    # Judging

    def _entry(
        self,
        task: int,
        at: int,
        step: Step,
        invoke_ns: int,
        return_ns: int | None,
        status: Status,
        error: str = "",
        value: Any = None,
        shown: str = "",
    ) -> Operation:
        uri = str(self.uris[step.uri])
        verb, source = step.verb, ""
        asked: Any = None
        result: Any = None
        if verb == "create":
            asked = step.size
        elif verb == "write":
            asked = (key_of(task, at), step.size)
            if step.end not in ("commit", "with"):
                verb = "nothing"
        elif verb in (*DERIVING, "revert"):
            source = str(self.uris[step.source])
        elif verb == "pwrite":
            asked = (key_of(task, at), step.offset, step.length or 0)
        elif verb in ("read", "pread") and status is Status.OK:
            asked = step.offset
            result = value if self.blocks is not None else self._contents_of(uri, value, step)
        elif verb == "describe":
            result = value
        elif verb == "list":
            result = None if value is None else tuple(str(one) for one in value)
        return Operation(f"task {task}", verb, uri, invoke_ns, return_ns, status, asked, source, error, result, shown)

    def _contents_of(self, uri: str, found: bytes, step: Step) -> frozenset[Stored]:
        """Every content of the program whose bytes in the asked range are ``found`` (a copy may have any of them)."""
        matching = set()
        for stored in sorted({one for group in self.written.values() for one in group}):
            data = bytes(stored.size_bytes) if stored.content == ZERO else content(stored.content, stored.size_bytes)
            end = None if step.length is None else step.offset + step.length
            if data[step.offset : end] == found:
                matching.add(stored)
        require(bool(matching), f"{len(found)} bytes read from {uri} belong to nothing that was ever written", "C-READ")
        return frozenset(matching)

    def _observe(self, observer: Any) -> None:
        number = len(self.program.tasks)
        steps = [Step(verb, place) for place in range(len(self.uris)) for verb in ("describe", "read")]
        if self.bench.facts.capabilities.enumerate:
            steps.append(Step("list"))
        looking = self.bench.begin(SSVM, "look at everything", self._task(number, observer, tuple(steps)), quiet=True)
        self._join([looking])

    def _judge(self) -> None:
        history = [one for operation in self.history for one in self._members(operation)]
        for operation in history:
            self._require_cause(operation)
        answer = linearize(history, deletes_repeat=bool(self.program.faults))
        if answer.legal is None:
            raise Undecided(f"no order of {len(history)} operations was found within the search budget")
        if not answer.legal:
            stuck = answer.stuck
            rule = self._blamed(history, answer)
            what = _explain(stuck) if stuck is not None else "the history"
            raise NoOrder(f"no order of the operations explains: {what}", rule, answer, bool(self.program.faults))

    def _blamed(self, history: list[Operation], answer: Linearization) -> str:
        """Whose promise is broken: that of the operation whose answer fits in nowhere. But where a look fits in nowhere, and
        there is no order without all looks of its kind either, the looks agree, and what made it so is to blame: a delete
        where the object is gone, else the last that changed it."""
        stuck, repeat = answer.stuck, bool(self.program.faults)
        if stuck is None:
            return "C-RETRY"
        if stuck.verb == "write" and self.program.concurrent:
            return "C-ONCE"
        if not observes(stuck) or not self.program.concurrent or self.blocks is not None:
            return self._rule_of(stuck)
        others = [one for one in history if one.verb != stuck.verb or not observes(one)]
        again = linearize(others, deletes_repeat=repeat)
        if again.legal is not False or again.stuck is None or not observes(again.stuck):
            return self._rule_of(stuck)
        gone = again.stuck.error == "ObjectNotFound" or again.stuck.result is False
        deletes = [one for one in again.part if one.verb == "delete" and not observes(one) and one.uri == again.stuck.uri]
        if gone and deletes:
            return self._rule_of(deletes[-1])
        made = [one for one in smallest(again, deletes_repeat=repeat).operations if not observes(one)]
        return self._rule_of(made[-1] if made else stuck)

    def _rule_of(self, stuck: Operation) -> str:
        """Whose promise the operation is that no order explains; a read speaks for what made the object."""
        made_by = [
            step.verb for _, steps in self.program.tasks for step in steps if str(self.uris[step.uri]) == stuck.uri
        ]
        if stuck.verb == "peek":
            return next((rule for verb, rule in RULE_OF_MAKER.items() if verb in made_by), "C-VOLUME")
        if stuck.verb == "delete" and self._has_dependants(stuck.uri):
            return "C-DEPEND"
        return RULE_OF_VERB.get(stuck.verb, "C-RETRY")

    def _has_dependants(self, uri: str) -> bool:
        """Whether anything was ever made from it, or reverted to it."""
        return any(one.source == uri for one in self.history if one.verb != "copy")

    def _members(self, operation: Operation) -> list[Operation]:
        """A listing is one look at each name: the contract asks no more of it while others are at work."""
        if self.blocks is not None and operation.verb in ("read", "pread") and operation.status is Status.OK:
            torn = self.program.concurrent or bool(self.program.faults)
            return list(self.blocks.look(operation, operation.result, operation.value, torn))
        if self.blocks is not None and operation.verb in ("pwrite", "revert"):
            return list(expanded(operation, self.blocks.size))
        if operation.verb != "list":
            return [operation]
        if operation.status is not Status.OK or operation.result is None:
            return []
        known = {str(uri) for uri in self.uris}
        strange = [uri for uri in operation.result if uri not in known]
        require(not strange or self.bench.facts.mode != "simulated", f"list shows {strange[:3]}, never published", "C-LIST")
        require(len(set(operation.result)) == len(operation.result), "list shows a name twice", "C-LIST")
        return [
            Operation(
                operation.process, "member", uri, operation.invoke_ns, operation.return_ns, Status.OK, None, "", "",
                uri in operation.result, operation.step,
            )
            for uri in sorted(known)
        ]

    def _require_cause(self, operation: Operation) -> None:
        """A failure that says the device could not is true only where it had a cause: a fault, or a delete beside it."""
        if operation.error in ("", "ObjectExists", "ObjectNotFound") or self.program.faults:
            return
        if operation.error == "InvalidRequest" and not self._plain(operation.uri):
            return
        beside = {
            other.verb
            for other in self.history
            if other is not operation
            and other.uri in (operation.uri, operation.source)
            and other.invoke_ns <= (operation.return_ns or 0)
            and operation.invoke_ns <= (other.return_ns or 0)
        }
        # Somebody at work on the same object may be in the way; only a delete may take the object away from under one.
        in_use = operation.error == "ObjectInUse" and (bool(beside) or self._may_be_in_use(operation))
        foreign = operation.error == "InvalidRequest" and self._may_be_foreign(operation)
        if foreign:
            return
        legal = in_use or (operation.error == "DeviceUnavailable" and "delete" in beside)
        require(legal, f"{operation.step} failed without a cause; it said: {self._said.get(operation.step)}", "C-ERRORS")

    def _may_be_in_use(self, operation: Operation) -> bool:
        """What others were made from may be kept; a revert may be refused where the volume has another snapshot."""
        if operation.verb == "delete":
            return self._has_dependants(operation.uri)
        others = {one.uri for one in self.history if one.verb == "snapshot" and one.source == operation.uri}
        return operation.verb == "revert" and len(others) > 1

    def _may_be_foreign(self, operation: Operation) -> bool:
        """Whether the snapshot could be of another volume, of an earlier one of that name, or no real one."""
        if operation.verb not in ("revert", "clone"):
            return False
        if operation.verb == "clone":
            return not self._taken_of(operation.source, None)
        deleted = any(one.verb == "delete" and one.uri == operation.uri for one in self.history)
        return deleted or not self._taken_of(operation.source, operation.uri)

    def _taken_of(self, snapshot: str, volume: str | None) -> bool:
        """Whether all that ever made the snapshot was ``take_snapshot`` (of that volume)."""
        makers = [one for one in self.history if one.uri == snapshot and one.verb in (*DERIVING, "write", "create")]
        return all(one.verb == "snapshot" and volume in (None, one.source) for one in makers)

    @staticmethod
    def _plain(uri: str) -> bool:
        parsed = DataObjectUri.parse(uri)
        allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
        return all(set(text) <= allowed and len(text) <= 64 for text in (parsed.account, parsed.object_id))


def _explain(operation: Operation) -> str:
    if operation.verb == "member":
        return f"list shows {operation.uri}" if operation.result else f"list does not show {operation.uri}"
    if operation.verb == "peek":
        return f"{operation.step} gave, in block {operation.value}, the bytes of {' or '.join(sorted(operation.result))}"
    if operation.status is Status.OK and operation.verb == "read":
        held = " or ".join(sorted(f"{one.content}/{one.size_bytes}" for one in operation.result))
        return f"{operation.step} gave the bytes of {held}"
    if operation.status is Status.OK and operation.verb == "describe":
        return f"{operation.step} gave {operation.result} bytes"
    return f"{operation.step} -> {operation.error or 'ok'}"
