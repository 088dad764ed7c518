"""Writes the findings book, docs/findings: the generated parts of each library's page, and the index of all.

    python docs/make_findings.py                             write the pages from what is stored
    python docs/make_findings.py LIBRARY BACK_END run.json   first take over a new record of `storcert certify --json run.json`

A library is data. To add one, named LIBRARY:

    docs/findings/LIBRARY/library.toml   the model `Library` below says what stands there
    docs/findings/LIBRARY/*.py           scripts that show a finding: at most 20 lines, nothing of storcert in them
    docs/findings/LIBRARY.md             written by hand: START_RUNS and END_RUNS, START_STEPS and END_STEPS on lines of their
                                         own, and for each finding a heading `## its title`, `[script.py](LIBRARY/script.py)
                                         prints:` with the output in a text block, and a paragraph `**Who can be hurt:** ...`

Run it with the Python whose libraries the record was made with: their versions are stored beside the record;
docs/renew_findings.py makes a record and takes it over. Seeds, times, the run's digest and replay tokens are left out.
tests/docs/test_findings.py runs every script, and asks whether every failing check of a record belongs to a finding and
every finding's checks fail.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from storcert.conformance.driver_digest import driver_digest
from storcert.harness.record.codec import encode, read_file
from storcert.harness.record.run_record import CheckResult, Environment, RunRecord
from storcert.harness.record.verdict import Verdict

BOOK = Path(__file__).resolve().parent / "findings"
BESIDE = "beside.json"
_PROJECT = tomllib.loads((BOOK.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DRIVERS: dict[str, str] = _PROJECT["entry-points"]["storcert.drivers"]
START_RUNS, END_RUNS = "<!-- runs: made by `python docs/make_findings.py`, do not edit -->", "<!-- end of runs -->"
START_STEPS, END_STEPS = "<!-- steps: made by `python docs/make_findings.py`, do not edit -->", "<!-- end of steps -->"
# Each world has accounts of its own; which, says nothing about the library.
ACCOUNT_OF_A_WORLD = re.compile(r"\b[0-9a-f]{12}-(\d+)\b")
# Where the kit is installed says nothing either: of a file, its name is told.
FOLDER_OF_A_FILE = re.compile(r"(?<![\w~.'\"])/(?:[\w.+-]+/)+(?=[\w.+-]+\.py\b)")
LIVE = "live"


class BackEnd(BaseModel):
    """One way to run a library. ``packages``: distributions whose versions the page tells. ``note``: what the device was.

    How its record is made: ``driver`` (the library's where none is given), ``device``, ``profile`` and ``configuration``,
    in which ``{folder}`` stands for an empty one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    packages: tuple[str, ...]
    note: str = ""
    driver: str = ""
    device: str = ""
    profile: str = "standard"
    configuration: dict[str, str | bool] = {}


class Finding(BaseModel):
    """One thing that was found and looked at by hand.

    ``checks``: ids without their case, as ``C-ONCE/opened-before-the-other-commit``; none: seen on the way, in no verdict.
    ``back_ends``: where those checks fail. ``scripts``: show it without storcert; ``needs``: what they import.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    rule: str
    scripts: tuple[str, ...]
    needs: tuple[str, ...]
    back_ends: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


class Library(BaseModel):
    """What stands in ``library.toml``. ``driver``: its name for ``storcert certify``; ``title``: its own name."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    driver: str
    back_ends: dict[str, BackEnd]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A library and its records, by back end; ``beside`` each stand versions of packages and numbers of skipped checks."""

    name: str
    library: Library
    records: dict[str, RunRecord]
    beside: dict[str, dict[str, dict[str, Any]]]

    @property
    def violations(self) -> tuple[Finding, ...]:
        """The findings that break a rule of the contract in a stored record."""
        return tuple(one for one in self.library.findings if one.checks)

    def failing(self, back_end: str) -> tuple[CheckResult, ...]:
        """The failing checks of one record."""
        return tuple(one for one in self.records[back_end].checks if one.verdict is Verdict.FAIL)


def chapters() -> tuple[Chapter, ...]:
    """Every library of the book, by name."""
    return tuple(chapter(path.parent.name) for path in sorted(BOOK.glob("*/library.toml")))


def chapter(name: str) -> Chapter:
    """What is stored of one library. Ends the program with one line where it is not right."""
    folder = BOOK / name
    file = folder / "library.toml"
    if not file.is_file():
        raise SystemExit(f"{name}: there is no docs/findings/{name}/library.toml")
    try:
        library = Library.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise SystemExit(f"docs/findings/{name}/library.toml: {error}") from None
    paths = {back_end: folder / f"{back_end}.json" for back_end in library.back_ends}
    records = {back_end: read_file(path) for back_end, path in paths.items() if path.exists()}
    beside = json.loads((folder / BESIDE).read_text(encoding="utf-8")) if (folder / BESIDE).exists() else {}
    return Chapter(name, library, records, beside)


def page(text: str, of: Chapter) -> str:
    """``text``, the page of a library, with its generated parts made again."""
    runs = "\n".join(part for part in (_runs(of), _verdicts(of), _failing(of), _found(of)) if part)
    return _between(_between(text, START_RUNS, END_RUNS, runs, of.name), START_STEPS, END_STEPS, _steps(of), of.name)


def _between(text: str, start: str, end: str, made: str, name: str) -> str:
    before, has_start, rest = text.partition(start)
    _, has_end, after = rest.partition(end)
    if not has_start or not has_end:
        raise SystemExit(f"docs/findings/{name}.md has no {start} ... {end}")
    return before + start + "\n\n" + made + "\n" + end + after


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def _runs(of: Chapter) -> str:
    rows = []
    for name, record in of.records.items():
        libraries = ", ".join(f"{library} {number}" for library, number in of.beside[name]["versions"].items())
        note = of.library.back_ends[name].note
        where = record.device.mode.replace("_", " ") + (f": {note}" if note else "")
        kit = record.kit
        made_by = f"storcert {kit.version}, contract {kit.contract}, checks `{_short(kit.requirements_digest)}`"
        state = "" if record.driver.digest == adapter_digest(of, name) else ", since changed"
        adapter = f"`{_short(record.driver.digest)}`{state}"
        rows.append([f"`{name}`", where, record.profile, _verdict(record), _counts(record), libraries, made_by, adapter])
    return _table(["back end", "device", "profile", "verdict", "checks", "libraries", "judged by", "adapter"], rows)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def adapter_digest(of: Chapter, back_end: str) -> str:
    """Of the adapter's source as it is now."""
    module, _, cls = DRIVERS[of.library.back_ends[back_end].driver or of.library.driver].partition(" ")[0].partition(":")
    return driver_digest(getattr(importlib.import_module(module), cls))


def _verdict(record: RunRecord) -> str:
    return str(record.verdict).replace("_", " ")


def _counts(record: RunRecord) -> str:
    counts = record.counts
    text = f"{counts.passed} pass, {counts.failed} fail, {counts.skipped} skipped"
    return text + (f", {counts.unknown} unknown, {counts.error} error" if counts.unknown or counts.error else "")


def _verdicts(of: Chapter) -> str:
    by_rule = {name: {rule.id: rule for rule in record.rules} for name, record in of.records.items()}
    rows = []
    for rule in dict.fromkeys(rule.id for record in of.records.values() for rule in record.rules):
        cells = [rule]
        for name in of.records:
            found = by_rule[name].get(rule)
            if found is None:
                cells.append("not run")
                continue
            failed = sum(check.rule == rule for check in of.failing(name))
            decided = found.checks - of.beside[name]["skipped"].get(rule, 0)
            verdict = f"**fail**, {failed} of {decided}" if failed else str(found.verdict)
            cells.append(f"{verdict}, all of {decided}" if found.verdict is Verdict.PASS else verdict)
        rows.append(cells)
    return _table(["rule", *(f"`{name}`" for name in of.records)], rows)


def _failing(of: Chapter) -> str:
    found: dict[str, list[str]] = {}
    for name in of.records:
        for check in of.failing(name):
            found.setdefault(check.id, []).append(f"`{name}`")
    rows = [[f"`{check}`", ", ".join(on)] for check, on in sorted(found.items())]
    return _table(["failing check", "on"], rows) if rows else ""


def _found(of: Chapter) -> str:
    rows = []
    for one in of.library.findings:
        scripts = ", ".join(f"[{script}]({of.name}/{script})" for script in one.scripts)
        if one.checks:
            places = [_where(of, one, live) for live in (False, True)]
        else:
            places = ["seen by hand, in no verdict", ""]
        rows.append([one.title, one.rule if one.checks else "", *places, scripts])
    return _table(["finding", "rule", "in simulation", "live", "alone"], rows) if rows else ""


def _where(of: Chapter, finding: Finding, live: bool) -> str:
    """The back ends of that mode on which the finding's checks fail."""
    found = []
    for name in finding.back_ends:
        if name not in of.records or (of.records[name].device.mode == LIVE) is not live:
            continue
        if {case_of(check) for check in of.failing(name)} & set(finding.checks):
            found.append(f"`{name}`")
    return ", ".join(found) or "not tried"


def case_of(check: CheckResult) -> str:
    """The id of a check without its case, and without the rule that broke under it."""
    return check.id.partition("[")[0].partition(":")[0]


def _steps(of: Chapter) -> str:
    """The shortest failing program of each check, over all cases and back ends."""
    shortest: dict[str, tuple[int, int, str, CheckResult]] = {}
    for place, name in enumerate(of.records):
        for check in of.failing(name):
            if not check.steps:
                continue
            this = (len(check.steps), place, name, check)
            if case_of(check) not in shortest or this[:2] < shortest[case_of(check)][:2]:
                shortest[case_of(check)] = this
    return "\n".join(_told(name, check) for _, (_, _, name, check) in sorted(shortest.items())) or "No check fails.\n"


def _told(back_end: str, check: CheckResult) -> str:
    width = len(str(len(check.steps)))
    lines = [f"{number:>{width}}  {step}" for number, step in enumerate(check.steps, 1)]
    return f"`{check.id}` on `{back_end}`:\n\n```text\n" + "\n".join([check.reason, *lines]) + "\n```\n"


def index(of: tuple[Chapter, ...]) -> str:
    """docs/findings/index.md."""
    rows, violations, sum_of_runs = [], 0, 0
    for one in of:
        violations += len(one.violations)
        for name, record in one.records.items():
            sum_of_runs += 1
            mine = [finding for finding in one.violations if name in finding.back_ends]
            rules = ", ".join(dict.fromkeys(finding.rule for finding in mine))
            checks = f"{record.counts.passed} pass, {record.counts.failed} fail"
            cells = [f"[{one.library.title}]({one.name}.md)", f"`{name}`", record.device.mode.replace("_", " "), record.profile]
            rows.append([*cells, _verdict(record), checks, str(len(mine)), rules])
    head = ["library", "back end", "device", "profile", "verdict", "checks", "violations", "rules"]
    return INDEX.format(table=_table(head, rows), violations=violations, libraries=len(of), runs=sum_of_runs)


INDEX = """\
<!-- made by `python docs/make_findings.py`, do not edit -->
# Findings book

What `storcert certify` found in libraries that nobody here wrote. None of them promised [the driver contract](../contract.md):
a finding says that the library, used in the best way it offers, cannot carry a conformant driver, not that it breaks a promise
of its own. Streams are used wherever a library has them, since a volume need not fit into memory; where its calls for whole
objects do better, the page says so. Each finding was looked at by hand and is shown by a short script that knows nothing of
storcert; the tests run these scripts and compare what they print.

{table}
**{violations}** distinct violations of the contract are reproduced outside storcert; libraries: {libraries}, runs: {runs}. One
that shows on several back ends of a library counts once, and has its row on each of them.

Each page tells the versions, the checks and the state of the adapter that its records are of. `python
docs/renew_findings.py` lists what has changed since; with a library and a back end behind it, it makes that record anew.
"""


def shortened(record: RunRecord) -> RunRecord:
    """The record without what differs between machines, and without the checks of which nothing is said."""
    rules = tuple(replace(rule, failures=()) for rule in record.rules)
    checks = tuple(_neutral(check) for check in record.checks if check.verdict is Verdict.FAIL)
    # Where a device was reached says nothing about the library.
    options = {key: value for key, value in record.options.items() if key != "configuration"}
    return replace(
        record, rules=rules, checks=checks, options=options, environment=Environment(), findings=(), digest="",
        not_scored=None, coverage=None, traces=(),
    )  # fmt: skip


def _neutral(check: CheckResult) -> CheckResult:
    steps = tuple(_without_places(step) for step in check.steps)
    return replace(check, reason=_without_places(check.reason), steps=steps)


def _without_places(text: str) -> str:
    return FOLDER_OF_A_FILE.sub("", ACCOUNT_OF_A_WORLD.sub(r"\1", text))


def take(name: str, back_end: str, path: Path) -> None:
    """Store a record and the versions of the libraries that are installed here."""
    known = chapter(name)
    if back_end not in known.library.back_ends:
        raise SystemExit(f"{back_end}: it is one of {', '.join(known.library.back_ends)}")
    record, beside = read_file(path), dict(known.beside)
    (BOOK / name / f"{back_end}.json").write_text(encode(shortened(record)), encoding="utf-8")
    beside[back_end] = {
        "versions": {library: _version(library) for library in known.library.back_ends[back_end].packages},
        "skipped": dict(Counter(check.rule for check in record.checks if check.verdict is Verdict.SKIPPED)),
    }
    (BOOK / name / BESIDE).write_text(json.dumps(beside, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        raise SystemExit(f"{library} is not installed here; run this with the Python that made the record") from None


def pages() -> Iterator[tuple[Path, str]]:
    """Every page and what it should be."""
    known = chapters()
    for one in known:
        path = BOOK / f"{one.name}.md"
        yield path, page(path.read_text(encoding="utf-8"), one)
    yield BOOK / "index.md", index(known)


def main() -> None:
    """Take over, write."""
    if len(sys.argv) == 4:
        take(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    elif len(sys.argv) != 1:
        raise SystemExit(__doc__)
    for path, text in pages():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
