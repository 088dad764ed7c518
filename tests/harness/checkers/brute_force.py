"""A second opinion on linearizability, written to be obviously right and nothing else: it tries every order there is.

It shares no code with the checker: states are dictionaries, orders are found by recursion without any memory. ``generate``
makes histories by letting operations really take effect at one moment between call and return, so that they are legal by
construction; ``spoil`` changes one answer, which may or may not make them illegal.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import Any

from storcert.harness.checkers.reference_model import ZERO, Stored
from storcert.harness.record.history import Operation, Status

URIS = ("a", "b")
FOREVER_NS = 10**18
Device = dict[str, Stored]


@dataclass(frozen=True)
class Moment:
    """One effect of one operation. A copy has two: ``part`` 0 looks at the source, ``part`` 1 makes the destination."""

    number: int
    part: int
    last: bool


def has_an_order(history: Sequence[Operation]) -> bool:
    """Whether any order of any choice of the uncertain operations explains every answer."""
    sure = [number for number, one in enumerate(history) if one.status is not Status.UNKNOWN]
    open_ones = [number for number, one in enumerate(history) if one.status is Status.UNKNOWN]
    choices = chain.from_iterable(combinations(open_ones, count) for count in range(len(open_ones) + 1))
    return any(_explained(history, sorted([*sure, *chosen])) for chosen in choices)


def _explained(history: Sequence[Operation], happened: Sequence[int]) -> bool:
    moments = []
    for number in happened:
        two = history[number].verb == "copy" and history[number].status is not Status.FAILED
        moments += [Moment(number, 0, not two)] + ([Moment(number, 1, True)] if two else [])
    return _try_all(history, moments, {}, {})


def _try_all(history: Sequence[Operation], left: list[Moment], device: Device, looked: Device) -> bool:
    if not left:
        return True
    for moment in left:
        if any(other is not moment and _before(history, other, moment) for other in left):
            continue
        following, seen = dict(device), dict(looked)
        rest = [one for one in left if one is not moment]
        if _take(history[moment.number], moment, following, seen) and _try_all(history, rest, following, seen):
            return True
    return False


def _before(history: Sequence[Operation], one: Moment, other: Moment) -> bool:
    """Whether ``one`` certainly comes first."""
    if one.number == other.number:
        return one.part < other.part
    first, second = history[one.number], history[other.number]
    if first.status is Status.UNKNOWN or first.return_ns is None:
        return False
    if first.return_ns < second.invoke_ns:
        return True
    own = first.process == second.process and one.number < other.number
    one_listing = first.verb == second.verb == "member" and first.invoke_ns == second.invoke_ns
    return own and not one_listing and first.return_ns <= second.invoke_ns


def _take(one: Operation, moment: Moment, device: Device, looked: Device) -> bool:
    """Let the moment happen on ``device``; ``False`` where the contract does not allow what was answered."""
    here = device.get(one.uri)
    if one.status is Status.FAILED:
        if one.error == "ObjectExists":
            return here is not None and (one.verb != "create" or here.size_bytes != one.value)
        if one.error == "ObjectNotFound":
            return {"copy": one.source not in device, "read": here is None, "describe": here is None}.get(one.verb, False)
        return True
    if one.verb == "copy":
        if not moment.last:
            if one.source not in device:
                return False
            looked[f"{moment.number}"] = device[one.source]
            return True
        if here is not None:
            return False
        device[one.uri] = looked[f"{moment.number}"]
    elif one.verb == "create":
        if here is not None and here.size_bytes != one.value:
            return False
        device.setdefault(one.uri, Stored(one.value, ZERO))
    elif one.verb == "write":
        if here is not None:
            return False
        device[one.uri] = Stored(one.value[1], one.value[0])
    elif one.verb == "delete":
        device.pop(one.uri, None)
    elif one.verb == "read":
        return here is not None and here in one.result
    elif one.verb == "describe":
        return here is not None and here.size_bytes == one.result
    elif one.verb == "member":
        return (here is not None) is one.result
    return True


# Histories


def generate(stream: random.Random, operations: int) -> list[Operation]:
    """A legal history: each operation takes effect at moments of its own between call and return."""
    plans = []
    free_ns: dict[str, int] = {}
    for number in range(operations):
        process = stream.choice(("p", "q", "r"))
        invoke_ns = free_ns.get(process, 0) + stream.choice((0, 0, 1, 2))
        return_ns = invoke_ns + stream.choice((0, 1, 2, 4))
        free_ns[process] = return_ns
        moments = sorted((stream.uniform(invoke_ns, return_ns), stream.random()) for _ in range(2))
        plans.append((number, process, invoke_ns, return_ns, moments))
    # At one instant the operations of one process happen in their own order.
    plans.sort(key=lambda plan: (plan[2], plan[0]))
    events = [(moment, rank, place) for place, plan in enumerate(plans) for rank, (moment, _) in enumerate(plan[4])]
    events.sort(key=lambda event: (event[0], event[2], event[1]))
    drafts = [_draft(stream, plan) for plan in plans]
    device: Device = {}
    looked: dict[int, Stored | None] = {}
    answers: list[Operation] = list(drafts)
    for _, rank, place in events:
        if rank == 0:
            looked[place] = device.get(drafts[place].source)
        else:
            answers[place] = _really(stream, drafts[place], device, looked[place])
    return answers


def _draft(stream: random.Random, plan: tuple[int, str, int, int, Any]) -> Operation:
    number, process, invoke_ns, return_ns, _ = plan
    verb = stream.choice(("create", "write", "write", "copy", "delete", "read", "describe", "member"))
    value: Any = {"create": stream.choice((1, 2)), "write": (f"w{number}", stream.choice((1, 2)))}.get(verb)
    source = stream.choice(URIS) if verb == "copy" else ""
    return Operation(process, verb, stream.choice(URIS), invoke_ns, return_ns, Status.OK, value, source)


def _really(stream: random.Random, one: Operation, device: Device, looked: Stored | None) -> Operation:
    if stream.random() < 0.12 and one.verb != "member":
        return replace(one, status=Status.FAILED, error="DeviceUnavailable")
    if stream.random() < 0.15 and one.verb in ("create", "write", "copy", "delete"):
        if stream.random() < 0.5:
            _happen(one, device, looked)
        return replace(one, status=Status.UNKNOWN, error="DeviceUnavailable")
    here = device.get(one.uri)
    if one.verb == "member":
        return replace(one, result=here is not None)
    if one.verb in ("read", "describe"):
        if here is None:
            return replace(one, status=Status.FAILED, error="ObjectNotFound")
        return replace(one, result=frozenset({here}) if one.verb == "read" else here.size_bytes)
    if one.verb == "copy" and looked is None:
        # Looked at when it was looked for: it may be back by now, so only say so where it is still gone.
        missing = one.source not in device
        return replace(one, status=Status.FAILED, error="ObjectNotFound" if missing else "DeviceUnavailable")
    taken = here is not None and not (one.verb == "create" and here.size_bytes == one.value)
    if taken and one.verb != "delete":
        return replace(one, status=Status.FAILED, error="ObjectExists")
    _happen(one, device, looked)
    return one


def _happen(one: Operation, device: Device, looked: Stored | None) -> None:
    if one.verb == "delete":
        device.pop(one.uri, None)
    elif one.uri not in device:
        if one.verb == "create":
            device[one.uri] = Stored(one.value, ZERO)
        elif one.verb == "write":
            device[one.uri] = Stored(one.value[1], one.value[0])
        elif looked is not None:
            device[one.uri] = looked


def spoil(stream: random.Random, history: Sequence[Operation]) -> list[Operation]:
    """One answer changed into another that a driver might give."""
    spoilt = list(history)
    place = stream.randrange(len(spoilt))
    one = spoilt[place]
    errors = ("ObjectExists", "ObjectNotFound")
    if one.verb == "member":
        spoilt[place] = replace(one, result=not one.result)
    elif one.status is Status.OK and stream.random() < 0.5:
        spoilt[place] = replace(one, status=Status.FAILED, error=stream.choice(errors), result=None)
    elif one.verb == "read":
        lie = Stored(stream.choice((1, 2)), stream.choice((ZERO, "w0", "w1", "w2")))
        spoilt[place] = replace(one, status=Status.OK, error="", result=frozenset({lie}))
    elif one.verb == "describe":
        spoilt[place] = replace(one, status=Status.OK, error="", result=stream.choice((1, 2)))
    elif one.status is Status.OK:
        spoilt[place] = replace(one, uri=URIS[one.uri == URIS[0]])
    else:
        spoilt[place] = replace(one, status=Status.OK, error="")
    return spoilt
