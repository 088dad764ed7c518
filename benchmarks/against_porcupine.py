"""The CPU time of the search on equal histories, against porcupine's: how many times as much.

    python benchmarks/against_porcupine.py PROGRAM [--rounds N] [--histories N] [--json FILE]

PROGRAM is a small program around porcupine's ``CheckOperations`` that everybody builds for themselves, with Go. It reads one
JSON value from its standard input, ``{"rounds": 5, "histories": [[{"client": 0, "writes": true, "value": 3, "begin": 1,
"end": 9}]]}``, where ``value`` is -1 for what a register holds before the first write. It writes ``{"cpu_ns": 1, "legal":
[true]}``: CPU time of the best round over all histories, on one processor, collector off, reading not counted; and whether each
is linearizable. Its model is a register of whole numbers, with equality and, where the version has that, a hash.

The histories are those of ``benchmarks/linearizability.py``: 1,000 operations of clients that are always at work. The aim: no
more than 5 times as much. No test asserts on a time.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from linearizability import Access, accesses, search, spoilt, zones

AIM = 5.0
NEVER_WRITTEN = -2


def as_json(history: Sequence[Access]) -> list[dict[str, object]]:
    """A history for PROGRAM. Each client has one operation at a time there, so clients are found again by greedy colouring."""
    free: list[int] = []
    found: list[dict[str, object]] = []
    for one in sorted(history, key=lambda access: access.begin):
        client = next((number for number, until in enumerate(free) if until < one.begin), len(free))
        free[client:client + 1] = [one.end]
        value = -1 if one.value is None else one.value if isinstance(one.value, int) else NEVER_WRITTEN
        found.append({"client": client, "writes": one.writes, "value": value, "begin": one.begin, "end": one.end})
    return found


def theirs(program: str, histories: Sequence[Sequence[Access]], rounds: int) -> tuple[float, list[bool]]:
    """Seconds of CPU and verdicts."""
    asked = json.dumps({"rounds": rounds, "histories": [as_json(history) for history in histories]})
    told = json.loads(subprocess.run([program], input=asked, capture_output=True, text=True, check=True).stdout)
    return told["cpu_ns"] / 1e9, told["legal"]


def ours(judge: object, histories: Sequence[Sequence[Access]], rounds: int) -> tuple[float, list[bool | None]]:
    """Seconds of CPU and verdicts."""
    best, verdicts = float("inf"), []
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        start = time.process_time()
        verdicts = [judge(history) for history in histories]  # type: ignore[operator]
        best = min(best, time.process_time() - start)
        gc.enable()
    return best, verdicts


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--histories", type=int, default=20)
    arguments.add_argument("--json", default="")
    given = arguments.parse_args()
    rows: dict[str, dict[str, float]] = {}
    for clients in (3, 5, 10):
        for values in (5, 0):
            good = [accesses(random.Random(f"{clients} {values} {one}"), clients, values) for one in range(given.histories)]
            bad = [spoilt(random.Random(one), history) for one, history in enumerate(good)][: 2 if clients == 10 else None]
            for kind, histories in (("good", good), ("bad", bad)):
                name = f"{clients:2} clients, {'5 values' if values else 'unique values'}, {kind}"
                their_s, their_verdicts = theirs(given.program, histories, given.rounds)
                our_s, our_verdicts = ours(search, histories, given.rounds)
                assert our_verdicts == their_verdicts == [kind == "good"] * len(histories), (name, our_verdicts, their_verdicts)
                rows[name] = {"search_s": our_s, "porcupine_s": their_s, "ratio": our_s / their_s}
                said = f"{name:38} search {our_s:8.3f} s, porcupine {their_s:8.3f} s: {our_s / their_s:6.2f} times"
                if not values:
                    zones_s, verdicts = ours(zones, histories, given.rounds)
                    assert verdicts == their_verdicts, name
                    rows[name] |= {"zones_s": zones_s, "zones_ratio": zones_s / their_s}
                    said += f"; by zones {zones_s:7.3f} s: {zones_s / their_s:5.2f} times"
                print(said, flush=True)
    # What the kit does: unique values are judged by zones, others by the search.
    worst = max(row.get("zones_ratio", row["ratio"]) for row in rows.values())
    print(f"\nas the kit judges them, at most {worst:.2f} times: aim {AIM:g} {'reached' if worst <= AIM else 'missed'}")
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
