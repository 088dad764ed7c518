"""What the contract says a device does, as pure functions: ``init``, ``step``, ``equal``, ``describe``.

A state is a mapping of URI to :class:`Stored` (size and content key), kept as a frozen set of pairs so that states compare
and hash. ``step`` gives every state the contract allows after an operation with the outcome it had; an empty result means
that the contract does not allow it in that state. Operations with an unknown outcome may have happened or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from storcert.harness.checkers.block_contents import block_value, with_block
from storcert.harness.record.history import Operation, Status


@dataclass(frozen=True, slots=True, order=True)
class Stored:
    """A published object: exact size in bytes and the name of its content (``zero`` for a created one)."""

    size_bytes: int
    content: str


State: TypeAlias = frozenset[tuple[str, Stored]]

ZERO = "zero"
#: Makes its object from another one, as that is at one moment.
DERIVING = ("copy", "snapshot", "clone")
#: Change nothing, whatever comes of them.
OBSERVING = ("read", "describe", "member", "peek", "nothing")


def init() -> State:
    """The empty device."""
    return frozenset()


def lookup(state: State, uri: str) -> Stored | None:
    """What is stored under ``uri``."""
    for name, stored in state:
        if name == uri:
            return stored
    return None


def put(state: State, uri: str, stored: Stored | None) -> State:
    """``state`` with ``uri`` holding ``stored`` (``None``: nothing)."""
    rest = frozenset(pair for pair in state if pair[0] != uri)
    return rest if stored is None else rest | {(uri, stored)}


def step(state: State, operation: Operation, captured: Stored | None = None) -> tuple[State, ...]:
    """The states that may follow. ``captured`` is what a copy read from its source.

    Errors that say the device was not reachable (``DeviceUnavailable``, ``ObjectInUse``, ``CapacityExceeded``,
    ``PermissionDenied``, ``DataCorrupted``) are legal in every state as far as this model goes and change nothing;
    whether there was a cause for them is judged by the caller, who knows the faults.
    """
    done = effect(state, operation, captured)
    return done if operation.status is not Status.UNKNOWN or state in done else (*done, state)


def effect(state: State, operation: Operation, captured: Stored | None = None) -> tuple[State, ...]:
    """As :func:`step`, of an operation that surely took effect, also where its outcome is unknown."""
    if operation.status is Status.FAILED:
        return (state,) if _refusal_is_true(state, operation) else ()
    return _done(state, operation, captured)


def observes(operation: Operation) -> bool:
    """Whether it leaves every state as it is: it was refused, or only looked."""
    return operation.status is Status.FAILED or operation.verb in OBSERVING


def equal(one: State, other: State) -> bool:
    """Whether nobody can tell these states apart. States are values, so that equal ones also hash alike."""
    return one == other


def _refusal_is_true(state: State, operation: Operation) -> bool:
    stored = lookup(state, operation.uri)
    if operation.error == "ObjectExists":
        if operation.verb == "create":
            return stored is not None and stored.size_bytes != operation.value
        return stored is not None
    if operation.error == "ObjectNotFound":
        if operation.verb in DERIVING:
            return lookup(state, operation.source) is None
        if operation.verb == "revert":
            return stored is None or lookup(state, operation.source) is None
        return operation.verb in ("read", "describe", "pread", "pwrite") and stored is None
    return True


def _done(state: State, operation: Operation, captured: Stored | None) -> tuple[State, ...]:
    stored = lookup(state, operation.uri)
    verb = operation.verb
    if verb == "create":
        if stored is None:
            return (put(state, operation.uri, Stored(operation.value, ZERO)),)
        return (state,) if stored.size_bytes == operation.value else ()
    if verb == "write":
        key, size = operation.value
        return (put(state, operation.uri, Stored(size, key)),) if stored is None else ()
    if verb in DERIVING:
        return (put(state, operation.uri, captured),) if stored is None and captured is not None else ()
    if verb == "delete":
        return (put(state, operation.uri, None),)
    if verb == "read":
        return (state,) if stored is not None and stored in operation.result else ()
    if verb == "describe":
        return (state,) if stored is not None and stored.size_bytes == operation.result else ()
    if verb == "member":
        return (state,) if (stored is not None) == operation.result else ()
    if verb == "peek":
        return (state,) if stored is not None and block_value(stored.content, operation.value) in operation.result else ()
    if verb == "pwrite-block":
        return () if stored is None else (_with_block(state, operation.uri, stored, *operation.value),)
    if verb == "revert-block":
        if stored is None or captured is None:
            return ()
        return (_with_block(state, operation.uri, stored, operation.value, block_value(captured.content, operation.value)),)
    if verb == "revert":
        return () if stored is None or captured is None else (put(state, operation.uri, captured),)
    if verb == "nothing":
        return (state,)
    raise ValueError(f"the reference model knows no verb {verb!r}")


def _with_block(state: State, uri: str, stored: Stored, block: int, value: str) -> State:
    return put(state, uri, Stored(stored.size_bytes, with_block(stored.content, block, value)))


def describe(state: State) -> str:
    """``state`` in one line, sorted."""
    return ", ".join(f"{uri}={stored.content}/{stored.size_bytes}" for uri, stored in sorted(state)) or "(empty)"


def contents_of(state: State) -> Mapping[str, Stored]:
    """``state`` as a mapping."""
    return dict(state)
