"""C-STATELESS in the moments around a change that another location makes: whoever asks again must not get the answer of before.

A driver may keep an answer for so short a time that nobody who asks now and then ever sees it. Here it is asked twice, once
while the change is under way and once at the instant it has returned; the first question meets every part of the change.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from storcert.conformance.bench import HOST, Bench
from storcert.conformance.client import transfer
from storcert.conformance.content import content
from storcert.conformance.facts import Facts
from storcert.conformance.observe import both
from storcert.conformance.registry import check
from storcert.conformance.violation import require
from storcert.harness.contract import DataObjectUri, ObjectNotFound, StorageError

RULE = "C-STATELESS"
PARTS = 12


def _cases(facts: Facts) -> list[str]:
    looks = ["describe", "open_input", *(["list"] if facts.capabilities.enumerate else [])]
    return [f"{look} {change}" for look in looks for change in ("commit", "delete")]


@check(RULE, standard=_cases, simulation=True)
def asked_again_at_once(b: Bench, case: str) -> None:
    """Asked while another location commits or deletes an object, and again when that has returned: the second answer is new."""
    look, change = case.split(" ")
    takes_ns = _change_takes_ns(b, change)
    for part in b.examples(range(PARTS)):
        here, there = both(b)
        uri, data = b.uri(), content("there", b.facts.fit(4097))
        if change == "delete":
            there.write(uri, data)
        kernel = b.world.kernel
        changed = kernel.event()
        told = f"{look} {uri} during part {part} of {PARTS} of the {change}, and once it has returned"
        finds = partial(_finds, here.driver, look, uri)
        asking = b.begin(HOST, told, partial(_ask, kernel, takes_ns * part // PARTS, changed, finds))
        changing = b.begin(there.location, f"{change} {uri}", partial(_make, changed, there.driver, change, uri, data))
        b.join(asking, changing)
        changing.value_or_raise()
        is_there = change == "commit"
        wrong = "absent" if is_there else "there"
        require(asking.value_or_raise() == is_there, f"{look} asked again at once after the {change}: {uri} is {wrong}")


def _ask(kernel: Any, pause_ns: int, changed: Any, finds: Callable[[], bool]) -> bool:
    kernel.sleep_ns(pause_ns)
    with suppress(StorageError):  # what may be said beside a change is for other checks
        finds()
    kernel.wait(changed)
    return finds()


def _make(changed: Any, driver: Any, change: str, uri: DataObjectUri, data: bytes) -> None:
    try:
        _change(driver, change, uri, data)
    finally:
        changed.succeed()


def _change_takes_ns(b: Bench, change: str) -> int:
    there, uri, data = b.client(), b.uri(), content("there", b.facts.fit(4097))
    if change == "delete":
        there.write(uri, data)
    begun_ns: int = b.world.kernel.now_ns
    b.join(b.begin(there.location, f"{change} {uri}", lambda: _change(there.driver, change, uri, data)))
    took_ns: int = b.world.kernel.now_ns - begun_ns
    return took_ns


def _change(driver: Any, change: str, uri: DataObjectUri, data: bytes) -> None:
    if change == "delete":
        driver.delete(uri)
    else:
        transfer(driver, uri, data, (), None, "commit", lambda _: None)


def _finds(driver: Any, look: str, uri: DataObjectUri) -> bool:
    try:
        if look == "list":
            return uri in list(driver.list_objects())
        if look == "describe":
            driver.describe(uri)
        else:
            driver.open_input(uri).close()
    except ObjectNotFound:
        return False
    return True
