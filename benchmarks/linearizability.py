"""How fast concurrency is judged: operations per CPU second on histories of registers, and on those of the kit's programs.

    python benchmarks/linearizability.py [--rounds N] [--histories N] [--json FILE]

Registers: histories of 1,000 operations (half writes) by 3, 5 and 10 clients that are always at work, as they really happened
(good), with one answer in the middle that cannot be true (bad), and with outcomes that nobody knows. Values are either few, so
that only the search can tell, or unique; then the search and the judge by zones are both measured. The kit: programs of two to
three tasks on three objects, judged by the reference model. CPU time, the best of the rounds, collector off while measuring.
The aims: 250,000 operations a second in the search with 5 clients, 1,000,000 by zones. No test asserts on a time.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import sysconfig
import time
from collections.abc import Callable, Sequence
from typing import Any

from storcert.harness.checkers.linearizability import linearize
from storcert.harness.checkers.precedence import NEVER, Calls
from storcert.harness.checkers.reference_model import Stored
from storcert.harness.checkers.registers import Access, judge_unique, step_of
from storcert.harness.checkers.search import find_order
from storcert.harness.record.history import Operation, Status

OPERATIONS = 1_000
SEARCH_AIM, ZONES_AIM = 250_000, 1_000_000
TRIES_MAX = 20_000_000


def accesses(stream: random.Random, clients: int, values: int, unknown: float = 0.0, count: int = OPERATIONS) -> list[Access]:
    """A history that really happened. ``values``: how many different ones; 0: each write has its own."""
    free = [0] * clients
    plans = []
    for _ in range(count):
        client = min(range(clients), key=free.__getitem__)
        begin = free[client] + stream.randint(1, 10)
        end = begin + stream.randint(5, 60)
        free[client] = end
        plans.append((stream.uniform(begin, end), begin, end))
    value, found = None, []
    for number, (_, begin, end) in enumerate(sorted(plans)):
        last = NEVER if stream.random() < unknown else end
        writes = stream.random() < 0.5
        if writes:
            written = stream.randrange(values) if values else number
            value = written if last != NEVER or stream.random() < 0.5 else value
            found.append(Access(True, written, begin, last))
        else:
            found.append(Access(False, value, begin, last))
    return sorted(found, key=lambda one: one.begin)


def spoilt(stream: random.Random, history: Sequence[Access]) -> list[Access]:
    """The same with one read in the middle that gave what nobody wrote at that time."""
    middle = [number for number, one in enumerate(history) if not one.writes and number > len(history) // 2]
    at = stream.choice(middle)
    early = next(one.value for one in history if one.writes)
    wrong = early if sum(one.value == early for one in history if one.writes) == 1 else "nobody's"
    return [one._replace(value=wrong, end=history[at].end) if number == at else one for number, one in enumerate(history)]


def search(history: Sequence[Access]) -> bool | None:
    """Judged by the search."""
    calls = Calls([one.begin for one in history], [one.end for one in history])
    values = [one.value for one in history]
    return find_order(calls, [not one.writes for one in history], step_of(history), None, TRIES_MAX, values).legal


def zones(history: Sequence[Access]) -> bool | None:
    """Judged by zones."""
    return judge_unique(history).legal


def operations(stream: random.Random, tasks: int, steps: int) -> list[Operation]:
    """What a program of the kit may leave behind: writes, reads, deletes and looks of a few tasks on three objects."""
    plans = []
    for task in range(tasks):
        now = stream.randint(0, 5)
        for step in range(steps):
            begin, end = now, now + stream.randint(2, 20)
            now = end + stream.choice((0, 0, 1, 3))
            plans.append((stream.uniform(begin, end), f"task {task}", f"t{task}s{step}", begin, end))
    device: dict[str, Stored] = {}
    found = []
    for _, process, key, begin, end in sorted(plans):
        verb, uri = stream.choice(("write", "write", "delete", "read", "describe")), stream.choice("abc")
        here = device.get(uri)
        status, error, result, value = Status.OK, "", None, None
        if verb == "write":
            value = (key, stream.randint(1, 9))
            if here is not None:
                status, error = Status.FAILED, "ObjectExists"
            else:
                device[uri] = Stored(value[1], key)
        elif verb == "delete":
            device.pop(uri, None)
        elif here is None:
            status, error = Status.FAILED, "ObjectNotFound"
        else:
            result = frozenset({here}) if verb == "read" else here.size_bytes
        found.append(Operation(process, verb, uri, begin, end, status, value, "", error, result))
    return found


def rate(judge: Callable[[Any], bool | None], histories: Sequence[Any], expected: bool | None, rounds: int) -> float:
    """Operations a CPU second. Raises ``AssertionError`` where a verdict is not the expected one."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        start = time.process_time()
        found = [judge(history) for history in histories]
        best = min(best, time.process_time() - start)
        gc.enable()
        assert set(found) == {expected}, (expected, found)
    return sum(map(len, histories)) / best


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--histories", type=int, default=20)
    arguments.add_argument("--json", default="")
    given = arguments.parse_args()
    rows: dict[str, float] = {}

    def measure(name: str, judge: Callable[[Any], bool | None], histories: Sequence[Any], expected: bool) -> None:
        rows[name] = rate(judge, histories, expected, given.rounds)
        print(f"{name:58}{rows[name]:14,.0f} operations/s")

    for clients in (3, 5, 10):
        for values in (5, 0):
            named = f"{clients:2} clients, {'5 values' if values else 'unique values'}"
            good = [accesses(random.Random(f"{clients} {values} {one}"), clients, values) for one in range(given.histories)]
            bad = [spoilt(random.Random(one), history) for one, history in enumerate(good)][: 2 if clients == 10 else None]
            measure(f"search, {named}, good", search, good, True)
            measure(f"search, {named}, bad", search, bad, False)
            if not values:
                measure(f"zones,  {named}, good", zones, good, True)
                measure(f"zones,  {named}, bad", zones, bad, False)
    for unknown in (2, 5, 10):
        lost = [accesses(random.Random(f"lost {one}"), 5, 5, unknown / 100) for one in range(given.histories)]
        measure(f"search,  5 clients, 5 values, {unknown} % unknown", search, lost, True)
    large = [accesses(random.Random("large"), 5, 0, count=100_000)]
    measure("zones,   5 clients, one history of 100,000", zones, large, True)
    programs = [operations(random.Random(f"program {one}"), 2 + one % 2, 8) for one in range(10 * given.histories)]
    measure("reference model, programs of two and three tasks", lambda one: linearize(one).legal, programs, True)
    reached = min(rows[f"search,  5 clients, {values} values, good"] for values in ("5", "unique")) >= SEARCH_AIM
    print(f"\nsearch, 5 clients: aim {SEARCH_AIM:,} {'reached' if reached else 'missed'}")
    reached = min(rate for name, rate in rows.items() if name.startswith("zones")) >= ZONES_AIM
    print(f"zones: aim {ZONES_AIM:,} {'reached' if reached else 'missed'}")
    result = {
        "python": platform.python_version(), "build": sysconfig.get_config_var("CONFIG_ARGS") or "", "rounds": given.rounds,
        "load": os.getloadavg()[0], "operations_per_s": rows,
    }
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
