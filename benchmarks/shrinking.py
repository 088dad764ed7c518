"""How small failing programs of planted bugs become: operations left, executions spent, whether shrinking was cut short.

    python benchmarks/shrinking.py [--every N] [--seed N] [--json FILE]

For planted bugs of the catalogue the generated cases of the rule that must catch them (profile ``standard``) are run until one
fails. Told are the operations of the smallest failing program. By default each mutant that the kill matrix names for a check,
and each that only races show; ``--every`` takes every N-th mutant of all instead. Run it where the project's tests are.
The aim: at most 5 operations in 9 of 10 cases. No test asserts on it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from storcert.conformance.registry import Level, cases_for  # noqa: E402
from storcert.conformance.runner import run_case  # noqa: E402
from storcert.conformance.schedule import fence  # noqa: E402
from storcert.harness.record.verdict import Verdict  # noqa: E402
from tests.mutants.kill import planted  # noqa: E402
from tests.mutants.mutant import Mutant, load  # noqa: E402

OPERATIONS_AIM, SHARE_AIM = 5, 0.9


def chosen(every: int) -> list[Mutant]:
    """The mutants to look at."""
    mutants = load()
    if every:
        return list(mutants[::every])
    known = set(json.loads((ROOT / "docs" / "kill-matrix.json").read_text(encoding="utf-8"))["checks"].values())
    return [one for one in mutants if "programs-hold" in one.check or one.id in known]


def smallest(mutant: Mutant, seed: int) -> dict[str, Any] | None:
    """What is left of the first generated failure; ``None`` where no generated case of its rule fails."""
    start = time.process_time()
    wanted = {f"{mutant.rule}/programs-hold", mutant.check.partition("[")[0]}
    with planted(mutant, seed) as (subject, facts), fence("simulated"):
        for case in cases_for(facts, Level.STANDARD):
            if case.check.id not in wanted or not case.check.id.endswith("/programs-hold"):
                continue
            outcome = run_case(case, subject, facts, seed)
            if outcome.result.verdict is Verdict.FAIL and outcome.shrinking is not None:
                found = outcome.shrinking
                return {
                    "mutant": mutant.id, "case": case.id, "rule": outcome.result.rule, "operations": found.operations,
                    "executions": found.executions, "cut_short": found.cut_short, "cpu_s": time.process_time() - start,
                }
    return None


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--every", type=int, default=0)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--json", default="")
    given = arguments.parse_args()
    rows: list[dict[str, Any]] = []
    looked = 0
    for mutant in chosen(given.every):
        looked += 1
        row = smallest(mutant, given.seed)
        if row is None:
            continue
        rows.append(row)
        cut = "  cut short" if row["cut_short"] else ""
        print(f"{row['operations']:3} operations {row['executions']:4} executions {row['cpu_s']:6.1f} s  {row['mutant']:40} "
              f"{row['case']} {row['rule']}{cut}", flush=True)
    if not rows:
        print("no generated case failed")
        return
    small = sum(row["operations"] <= OPERATIONS_AIM for row in rows) / len(rows)
    reached = "reached" if small >= SHARE_AIM else "missed"
    print(f"\n{looked} mutants, {len(rows)} caught by generated cases: at most {OPERATIONS_AIM} operations in {small:.0%}, "
          f"aim {SHARE_AIM:.0%} {reached}; executions: median {statistics.median(row['executions'] for row in rows):.0f}; "
          f"cut short: {sum(row['cut_short'] for row in rows)}")
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
