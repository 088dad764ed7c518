"""Operations on a device one of whose settings its operator has just changed, for faults and crashes to be tried on.

What a device kept under the old setting is still there, and what it keeps from now on looks different: a bucket whose
versioning was suspended has older versions, and delete markers that take each other's place; one where it was enabled keeps
what is deleted. Values only.
"""

from __future__ import annotations

from collections.abc import Iterator

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.client import Client
from storcert.conformance.content import content
from storcert.conformance.facts import Facts
from storcert.conformance.scenario import TARGET, Scenario
from storcert.conformance.violation import NotApplicable
from storcert.harness.contract import StorageError

#: Of an object that was made before the change, or after it.
OPERATIONS = ("delete-before", "delete-after", "write-after")


def setting_names(facts: Facts) -> Iterator[str]:
    """The scenarios of all settings that the operator of this device may change."""
    for move in facts.operator_moves:
        for operation in OPERATIONS:
            yield f"{operation} {move}"


def setting_scenario(facts: Facts, name: str) -> Scenario | None:
    """The scenario of that name; ``None`` where none is called so."""
    operation, _, move = name.partition(" ")
    if operation not in OPERATIONS or move not in facts.operator_moves:
        return None
    verb, _, when = operation.partition("-")
    data = content("scenario", facts.fit(4097))
    there = {TARGET: data}

    def make(b: Bench, c: Client) -> None:
        if when == "after":
            b.world.device.operate(move)
        try:
            # By the location that goes on afterwards: what it learnt of the device by then is what may be wrong.
            b.client(HOST).write(b.uri(TARGET), data)
        except StorageError as refused:
            raise NotApplicable(f"the driver refuses a device with that setting: {refused.message}") from refused
        if verb == "write":
            c.delete(b.uri(TARGET))
        if when == "before":
            b.world.device.operate(move)

    if verb == "delete":
        return Scenario(name, "C-DELETE", lambda b, c: c.delete(b.uri(TARGET)), there, {}, make=make, setting=move)
    return Scenario(
        name, "C-COMMIT", lambda b, c: c.write(b.uri(TARGET), data), {}, there, again=("ObjectExists",), make=make, setting=move
    )
