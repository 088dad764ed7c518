"""Writes the generated part of README.md: the report of the example driver.

    python docs/make_picture.py         certify the example again, then write
    python docs/make_picture.py --keep  write from the stored run record

Times and the digest are left out: the one differs between machines, the other with every change of the kit.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from storcert.harness.record.codec import encode, read_file
from storcert.harness.record.run_record import CheckFailure, Environment, RunRecord
from storcert.harness.record.verdict import Verdict
from storcert.reports import terminal

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
RECORD = ROOT / "docs" / "picture.json"
COMMAND = ["certify", "examples/first_driver.py:FirstDriver", "--profile", "core"]
COMMAND += ["--rule", "C-COMMIT", "--rule", "C-ABORT", "--rule", "C-READ", "--rule", "C-LIST"]
PICTURE = ("<!-- picture: made by `python docs/make_picture.py`, do not edit -->\n", "<!-- end of picture -->")
SHOWN_RULES = 2
STEPS_MAX = 10


def readme(text: str, record: RunRecord) -> str:
    """``text`` of README.md with its generated part made again."""
    return _replace(text, PICTURE, f"```text\n$ storcert {' '.join(COMMAND)}\n{picture(record)}```\n")


def picture(record: RunRecord) -> str:
    """The terminal report of the stored run."""
    return terminal.render(record, width=100)


def shortened(record: RunRecord) -> RunRecord:
    """The record without what differs between machines and versions, and with one failure of two rules."""
    plain = [rule.id for rule in record.rules if any(len(failure.steps) <= STEPS_MAX for failure in rule.failures)]
    failing = plain[:SHOWN_RULES]
    rules = tuple(
        replace(rule, failures=_one(rule.failures) if rule.id in failing else ())
        for rule in record.rules
    )
    quiet = (Verdict.PASS, Verdict.DISABLED)
    checks = tuple(replace(check, steps=()) for check in record.checks if check.verdict not in quiet)
    return replace(
        record, rules=rules, checks=checks, digest="", environment=Environment(), findings=(), traces=(), coverage=None)


def _one(failures: tuple[CheckFailure, ...]) -> tuple[CheckFailure, ...]:
    """The failure with the fewest steps, its token cut: it could not be replayed with another version anyway."""
    found = min(failures, key=lambda failure: len(failure.steps))
    return (replace(found, token=f"{found.token[:24]}..." if found.token else "", file=""),)


def _replace(text: str, marks: tuple[str, str], body: str) -> str:
    before, start, rest = text.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not start or not end:
        raise SystemExit(f"README.md has no {marks[0].strip()}")
    return before + start + body + end + after


def main() -> None:
    """Certify, store, write."""
    if "--keep" not in sys.argv:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.json"
            done = subprocess.run(["storcert", *COMMAND, "--json", str(path)], cwd=ROOT, check=False)
            if done.returncode != 1:
                raise SystemExit(f"expected exit code 1, not {done.returncode}")
            RECORD.write_text(encode(shortened(read_file(path))), encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8"), read_file(RECORD)), encoding="utf-8")


if __name__ == "__main__":
    main()
