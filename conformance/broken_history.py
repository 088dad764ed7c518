"""From a history without an order to what the record tells of it: the operations that conflict, and those beside them."""

from __future__ import annotations

from collections.abc import Sequence

from storcert.conformance.violation import NoOrder
from storcert.harness.checkers.smallest import Core, smallest
from storcert.harness.record.broken_history import BrokenHistory, HistoryLine
from storcert.harness.record.history import Operation, Status

#: More operations beside those that conflict are not told.
BESIDE_MAX = 30


def broken_history(violation: NoOrder) -> BrokenHistory:
    """What the record tells of this violation."""
    core = smallest(violation.found, deletes_repeat=violation.deletes_repeat)
    calls = _calls(violation.found.part)
    told = [call for call in calls if _holds(core.operations, call)]
    beside = [call for call in calls if not _holds(core.operations, call) and _in_time(call, core)]
    told += beside[-BESIDE_MAX:]
    told.sort(key=lambda call: (call[0].invoke_ns, call[0].process))
    places = [next((at for at, one in enumerate(core.order, 1) if _holds([one], call)), 0) for call in told]
    ranks = {place: rank for rank, place in enumerate(sorted(set(places) - {0}), 1)}
    lines = tuple(_line(call, core, ranks.get(place, 0)) for call, place in zip(told, places, strict=True))
    return BrokenHistory(lines, len(calls) - len(told), core.minimal)


def _calls(part: Sequence[Operation]) -> list[list[Operation]]:
    """What was one call of the driver together: the blocks of a write, the looks of a listing."""
    calls: dict[tuple[str, int, int | None, str], list[Operation]] = {}
    for number, one in enumerate(part):
        calls.setdefault((one.process, one.invoke_ns, one.return_ns, one.step or str(number)), []).append(one)
    return list(calls.values())


def _holds(operations: Sequence[Operation], call: Sequence[Operation]) -> bool:
    return any(one is piece for one in operations for piece in call)


def _in_time(call: Sequence[Operation], core: Core) -> bool:
    return core.stuck.return_ns is None or call[0].invoke_ns <= core.stuck.return_ns


def _line(call: Sequence[Operation], core: Core, place: int) -> HistoryLine:
    conflicting = [one for one in call if _holds(core.operations, [one])]
    first, shown = call[0], conflicting or call
    process, asked = first.process, first.verb
    if first.step:
        process, _, asked = first.step.partition(": ")
    made = {"write": lambda one: one.value[0], "pwrite-block": lambda one: one.value[1]}.get(first.verb)
    if made is not None and first.status is not Status.FAILED:
        asked += f", as {made(first)}"
    pieces = [answer(one) for one in shown]
    return HistoryLine(
        process,
        asked,
        "; ".join(pieces[:3]) + (f"; and {len(pieces) - 3} more" if len(pieces) > 3 else ""),
        first.invoke_ns,
        first.return_ns,
        first.status,
        bool(conflicting),
        place if conflicting else 0,
        any(one is core.stuck for one in call),
    )


def answer(operation: Operation) -> str:
    """What came of the operation, in words."""
    if operation.status is Status.UNKNOWN:
        return f"unknown ({operation.error})" if operation.error else "no answer"
    if operation.status is Status.FAILED:
        return operation.error
    if operation.verb == "member":
        return f"{operation.uri} {'is' if operation.result else 'is not'} in it"
    if operation.verb == "peek":
        return f"block {operation.value}: bytes of {' or '.join(sorted(operation.result))}"
    if operation.verb == "read":
        return "bytes of " + " or ".join(sorted(f"{one.content} ({one.size_bytes})" for one in operation.result))
    if operation.verb == "describe":
        return f"{operation.result} bytes"
    if operation.verb in ("pwrite-block", "revert-block"):
        block = operation.value if operation.verb == "revert-block" else operation.value[0]
        return f"block {block} ok"
    return "ok"
