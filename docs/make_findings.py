"""Writes the generated parts of docs/findings/fsspec.md: versions, verdicts and failing checks, from stored run records.

    python docs/make_findings.py                      write the page from the stored records
    python docs/make_findings.py memory run.json      take over a new record of one file system first

Run it with the Python whose libraries the record was made with: their versions are stored beside it. Seeds, times and
digests are left out of what is compared; what the page says of a finding is written by hand.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from storcert.harness.record.codec import encode, read_file
from storcert.harness.record.run_record import Environment, RunRecord
from storcert.harness.record.verdict import Verdict

ROOT = Path(__file__).resolve().parent
PAGE = ROOT / "findings" / "fsspec.md"
RECORDS = ROOT / "findings" / "fsspec"
BESIDE = RECORDS / "beside.json"
FILE_SYSTEMS = ("memory", "file", "s3")
LIBRARIES = {"memory": ("fsspec",), "file": ("fsspec",), "s3": ("fsspec", "s3fs", "aiobotocore", "botocore", "moto")}
Beside = dict[str, dict[str, dict[str, Any]]]
START, END = "<!-- runs: made by `python docs/make_findings.py`, do not edit -->\n", "<!-- end of runs -->"


def page(text: str, records: dict[str, RunRecord], beside: Beside) -> str:
    """``text`` with its generated part made again."""
    versions = {name: beside[name]["versions"] for name in records}
    skipped = {name: beside[name]["skipped"] for name in records}
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise SystemExit(f"{PAGE.name} has no {START.strip()}")
    tables = (_runs(records, versions), _verdicts(records, skipped), _failing(records))
    return before + start + "\n" + "\n".join(tables) + "\n" + end + after


def _runs(records: dict[str, RunRecord], versions: dict[str, dict[str, str]]) -> str:
    lines = ["| file system | device | profile | verdict | checks | libraries |", "|---|---|---|---|---|---|"]
    for name, record in records.items():
        counts = record.counts
        checks = f"{counts.passed} pass, {counts.failed} fail, {counts.skipped} skipped"
        if counts.unknown or counts.error:
            checks += f", {counts.unknown} unknown, {counts.error} error"
        libraries = ", ".join(f"{library} {number}" for library, number in versions[name].items())
        verdict = str(record.verdict).replace("_", " ")
        lines.append(f"| `{name}` | {record.device.mode} | {record.profile} | {verdict} | {checks} | {libraries} |")
    return "\n".join(lines) + "\n"


def _verdicts(records: dict[str, RunRecord], skipped: dict[str, dict[str, int]]) -> str:
    lines = [f"| rule | {' | '.join(f'`{name}`' for name in records)} |", "|---" * (len(records) + 1) + "|"]
    by_rule = {name: {rule.id: rule for rule in record.rules} for name, record in records.items()}
    for rule in next(iter(records.values())).rules:
        cells = []
        for name, record in records.items():
            found = by_rule[name][rule.id]
            failed = sum(check.rule == rule.id and check.verdict is Verdict.FAIL for check in record.checks)
            decided = found.checks - skipped[name].get(rule.id, 0)
            verdict = f"**fail**, {failed} of {decided}" if failed else str(found.verdict)
            cells.append(f"{verdict}, all of {decided}" if found.verdict is Verdict.PASS else verdict)
        lines.append(f"| {rule.id} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _failing(records: dict[str, RunRecord]) -> str:
    lines = ["| failing check | on |", "|---|---|"]
    found: dict[str, list[str]] = {}
    for name, record in records.items():
        for check in record.checks:
            if check.verdict is Verdict.FAIL:
                found.setdefault(check.id, []).append(f"`{name}`")
    lines += [f"| `{check}` | {', '.join(names)} |" for check, names in sorted(found.items())]
    return "\n".join(lines) + "\n"


def shortened(record: RunRecord) -> RunRecord:
    """The record without what differs between machines, and without the checks of which nothing is said."""
    rules = tuple(replace(rule, failures=()) for rule in record.rules)
    checks = tuple(replace(check, reason="", steps=()) for check in record.checks if check.verdict is Verdict.FAIL)
    # Where a device was reached says nothing about the library.
    options = {key: value for key, value in record.options.items() if key != "configuration"}
    return replace(record, rules=rules, checks=checks, options=options, environment=Environment(), findings=(), digest="")


def stored() -> dict[str, RunRecord]:
    """The records that the page was made from."""
    paths = {name: RECORDS / f"{name}.json" for name in FILE_SYSTEMS}
    return {name: read_file(path) for name, path in paths.items() if path.exists()}


def beside() -> Beside:
    """What stands beside each record: versions of libraries, and how many checks of each rule were skipped."""
    found: Beside = json.loads(BESIDE.read_text(encoding="utf-8")) if BESIDE.exists() else {}
    return found


def take(name: str, path: Path) -> None:
    """Store a record and the versions of the libraries that are installed here."""
    if name not in FILE_SYSTEMS:
        raise SystemExit(f"{name}: it is one of {', '.join(FILE_SYSTEMS)}")
    record, known = read_file(path), beside()
    (RECORDS / f"{name}.json").write_text(encode(shortened(record)), encoding="utf-8")
    known[name] = {
        "versions": {library: _version(library) for library in LIBRARIES[name]},
        "skipped": dict(Counter(check.rule for check in record.checks if check.verdict is Verdict.SKIPPED)),
    }
    BESIDE.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        raise SystemExit(f"{library} is not installed here; run this with the Python that made the record") from None


def main() -> None:
    """Take over, write."""
    if len(sys.argv) == 3:
        take(sys.argv[1], Path(sys.argv[2]))
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), stored(), beside()), encoding="utf-8")


if __name__ == "__main__":
    main()
