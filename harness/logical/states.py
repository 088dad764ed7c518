"""The state machine of a placement: one object on one device. Transitions as data; nothing here touches a store.

One machine serves volumes, templates, snapshots and ISOs on every device. What an object as a whole is, follows from its
placements: it is there where one of them is ready. Two machines that must agree never do.

Every transitional state (``creating``, ``changing``, ``destroying``) belongs to a job, and every job is taken over when its
server dies, so no state is a dead end. A source is never put into a state of its own: it is pinned by the job that reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """``absent``: there is no record. ``allocated``: space is reserved, nothing was asked of the device yet. ``failed``:
    the making of it failed, and something of it may still be on the device until it was destroyed."""

    ABSENT = "absent"
    ALLOCATED = "allocated"
    CREATING = "creating"
    READY = "ready"
    CHANGING = "changing"
    DESTROYING = "destroying"
    FAILED = "failed"


class Event(StrEnum):
    """What may happen to a placement."""

    ALLOCATE = "allocate"
    CREATE = "create"
    CHANGE = "change"
    SUCCEED = "succeed"
    FAIL = "fail"
    REFUSE = "refuse"
    DESTROY = "destroy"
    LOSE = "lose"


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.ABSENT, Event.ALLOCATE): State.ALLOCATED,
    (State.ALLOCATED, Event.CREATE): State.CREATING,
    (State.ALLOCATED, Event.DESTROY): State.DESTROYING,
    (State.CREATING, Event.SUCCEED): State.READY,
    (State.CREATING, Event.FAIL): State.FAILED,
    (State.READY, Event.CHANGE): State.CHANGING,
    (State.CHANGING, Event.SUCCEED): State.READY,
    # Only revert changes; a revert whose outcome is unknown is repeated until it is known (C-RETRY), so a failed one
    # was certainly not done.
    (State.CHANGING, Event.FAIL): State.READY,
    (State.READY, Event.DESTROY): State.DESTROYING,
    (State.FAILED, Event.DESTROY): State.DESTROYING,
    (State.DESTROYING, Event.DESTROY): State.DESTROYING,
    (State.DESTROYING, Event.SUCCEED): State.ABSENT,
    # The device refused because others depend on the object, and nothing was changed (C-DEPEND).
    (State.DESTROYING, Event.REFUSE): State.READY,
    # Reconciliation found the bytes gone.
    (State.READY, Event.LOSE): State.FAILED,
}

TRANSITIONAL = frozenset((State.ALLOCATED, State.CREATING, State.CHANGING, State.DESTROYING))
"""States that must end by themselves once everybody works again (L-LIVE)."""


class IllegalTransition(Exception):
    """The machine has no such edge: a defect of the control plane, never of a device."""


def after(state: State, event: Event) -> State:
    """The state that follows. Raises :class:`IllegalTransition`."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"a placement that is {state} cannot {event}") from None
