"""Bugs that nobody thought of: the bundled drivers' own source with one operator, constant or call changed by a machine.

    python -m tests.mutants.mechanical             try those of the bank that have no stored end, and store it as it comes
    python -m tests.mutants.mechanical ID          one of them, with what is changed; nothing is stored

The bank is a sample that a fixed seed draws of each driver; it is filled up when a line of it was edited. A mutant is killed
by the first check of profile standard that fails. One that survives is for a person to look at: either the change changes
nothing that the contract can see, or a check is missing, or it takes another configuration to see it; what the person found
stands in ``mechanical.toml``. All of it takes an hour, which can be interrupted, and no test does it: tests hold bank, stored
ends (``mechanical.json``) and explanations together.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from storcert.conformance.registry import Case, Level, cases_for
from storcert.conformance.runner import run_case
from storcert.conformance.schedule import fence
from storcert.harness.record.verdict import Verdict
from tests.mutants.kill import planted
from tests.mutants.mutant import DRIVERS, SUBJECTS, Mutant

ENDS = Path(__file__).parent / "mechanical.json"
EXPLAINED = Path(__file__).parent / "mechanical.toml"
KINDS = ("equivalent", "unseen", "elsewhere", "hole")
PER_DRIVER = 14
SEED = 20
_COMPARISONS = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not", ast.IsNot: "is",
    ast.In: "not in", ast.NotIn: "in",
}
_ARITHMETIC = {ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*", ast.Mod: "//"}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a change can be seen, if not with the usual configuration of driver and device."""

    configuration: Mapping[str, Any] = field(default_factory=dict)
    simulator: Mapping[str, Any] = field(default_factory=dict)


NOWHERE = Elsewhere()


@dataclass(frozen=True, slots=True)
class Survivor:
    """What a person found out about a change that survives. ``kind``: ``equivalent``, nobody can tell the difference;
    ``unseen``, the contract says nothing of it; ``elsewhere``: ``case`` fails with another configuration, which
    ``at`` is; ``hole``: the kit does not look there."""

    id: str
    kind: str
    why: str
    case: str = ""
    at: Elsewhere = NOWHERE


@dataclass(frozen=True, slots=True)
class Change:
    """Text from ``start`` to ``end`` of a driver's file becomes ``new``. ``kind``: comparison, arithmetic, constant, boolean,
    condition, or dropped call."""

    driver: str
    stem: str
    line: int
    kind: str
    start: int
    end: int
    new: str
    source: str

    @property
    def id(self) -> str:
        """The same as long as that line and what is changed in it are the same."""
        lines = self.source.splitlines()
        told = f"{self.stem} {self.kind} {lines[self.line - 1].strip()} {self.source[self.start : self.end]} {self.new}"
        return f"{self.stem}:{self.line}:{self.kind}:{hashlib.sha256(told.encode()).hexdigest()[:6]}"

    @property
    def told(self) -> str:
        """Old and new, on one line."""
        old = " ".join(self.source[self.start : self.end].split())
        return f"{old} -> {self.new or 'nothing'}"

    def mutant(self, at: Elsewhere = NOWHERE) -> Mutant:
        """For :func:`planted`; ``at``: another configuration than the usual one."""
        changed = self.source[: self.start] + self.new + self.source[self.end :]
        claims = self.stem.startswith("s3_claims")  # used only where a store cannot publish by itself
        return Mutant(
            re.sub(r"\W", "_", self.id), self.driver, "", "", "", self.told, ((self.stem, self.source, changed),),
            configuration={**({"conditional_complete": False} if claims else {}), **at.configuration},
            simulator={**({"dialect": "radosgw"} if claims else {}), **at.simulator})


def changes_of(driver: str, stem: str, source: str) -> Iterator[Change]:
    """Every change there is of one file, in the order of the source."""
    tree = ast.parse(source)
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line.decode()))
    lines = source.splitlines(keepends=True)

    def place(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    def change(node: ast.expr | ast.stmt, kind: str, new: str) -> Change:
        start, end = place(node.lineno, node.col_offset), place(node.end_lineno or 0, node.end_col_offset or 0)
        return Change(driver, stem, node.lineno, kind, start, end, new, source)

    def between(left: ast.expr, right: ast.expr, kind: str, new: str) -> Change:
        start, end = place(left.end_lineno or 0, left.end_col_offset or 0), place(right.lineno, right.col_offset)
        opened = source[start:end]
        before, after = opened[: len(opened) - len(opened.lstrip(") "))], opened[len(opened.rstrip("( \n")) :]
        return Change(driver, stem, left.lineno, kind, start, end, f"{before.rstrip()} {new} {after.lstrip()}", source)

    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        for node in ast.walk(function):
            match node:
                case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _COMPARISONS:
                    yield between(left, right, "comparison", _COMPARISONS[type(operator)])
                case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _ARITHMETIC and not _text(left, right):
                    yield between(left, right, "arithmetic", _ARITHMETIC[type(operator)])
                case ast.BoolOp(op=operator, values=[left, right]):
                    yield between(left, right, "boolean", "or" if isinstance(operator, ast.And) else "and")
                case ast.Constant(value=bool() as value):
                    yield change(node, "constant", str(not value))
                case ast.Constant(value=int() as value):
                    yield change(node, "constant", str(value + 1))
                case ast.If(test=test):
                    yield change(test, "condition", f"not ({ast.get_source_segment(source, test)})")
                case ast.Expr(value=ast.Call()):
                    yield change(node, "dropped call", "pass")


def _text(*operands: ast.expr) -> bool:
    return any(isinstance(one, ast.JoinedStr) or isinstance(getattr(one, "value", None), (str, bytes)) for one in operands)


def bank(driver: str) -> list[Change]:
    """Those of one driver: all that have a stored end, and as many more as are missing, all kinds alike.

    Which ones come next is drawn for each change by itself, so that an edit elsewhere in the driver moves no other one."""
    ends = {without_line(identity) for identity in stored()}
    found: dict[str, list[Change]] = {}
    chosen: dict[str, Change] = {}
    for path in sorted(DRIVERS.glob(f"{driver}*.py")):
        for one in changes_of(driver, path.stem, path.read_text(encoding="utf-8")):
            found.setdefault(one.kind, []).append(one)
            if without_line(one.id) in ends:
                chosen[one.id] = one
    drawn = {kind: iter(sorted(found[kind], key=_lot)) for kind in sorted(found)}
    while len(chosen) < PER_DRIVER:
        for kind in drawn:
            one = next(one for one in drawn[kind] if one.id not in chosen and _compiles(one))
            if len(chosen) < PER_DRIVER:
                chosen[one.id] = one
    return [chosen[identity] for identity in sorted(chosen)]


def _lot(change: Change) -> str:
    return hashlib.sha256(f"{SEED} {without_line(change.id)}".encode()).hexdigest()


def _compiles(change: Change) -> bool:
    try:
        compile(change.mutant().edits[0][2], change.stem, "exec")
    except SyntaxError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class End:
    """``case``: the one that failed, or empty; ``examples``: how many were run until then; ``trouble``: cases that ended
    undecided or in an error of the kit meanwhile."""

    case: str
    rule: str
    message: str
    examples: int
    trouble: int


def cases_in_turn(facts: object) -> list[Case]:
    """Quick ones first: most mutants die there."""
    core = {case.id for case in cases_for(facts, Level.CORE)}  # type: ignore[arg-type]
    return sorted(cases_for(facts, Level.STANDARD), key=lambda case: case.id not in core)  # type: ignore[arg-type]


def end_of(change: Change, only: str = "", at: Elsewhere = NOWHERE) -> End:
    """Run it; ``only``: that case alone; ``at``: with that configuration."""
    examples, trouble = 0, 0
    try:
        with planted(change.mutant(at)) as (subject, facts), fence("simulated"):
            for case in cases_in_turn(facts):
                if only and case.id != only:
                    continue
                outcome = run_case(case, subject, facts, 0)
                examples += outcome.result.examples
                if outcome.result.verdict is Verdict.FAIL:
                    return End(case.id, outcome.result.rule, outcome.message[:200], examples, trouble)
                trouble += outcome.result.verdict in (Verdict.ERROR, Verdict.UNKNOWN)
    except Exception as error:  # noqa: BLE001  (a driver that cannot even be made is caught as well)
        return End("(first contact)", "", f"{type(error).__name__}: {error}"[:200], examples, trouble)
    return End("", "", "", examples, trouble)


def without_line(identity: str) -> str:
    """An id without its line, which moves when somebody edits the driver elsewhere."""
    stem, _, kind, digest = identity.split(":")
    return f"{stem}:{kind}:{digest}"


def all_changes() -> dict[str, Change]:
    """Every change there is of the bundled drivers as they are, by id without line."""
    return {
        without_line(change.id): change
        for driver in SUBJECTS
        for path in sorted(DRIVERS.glob(f"{driver}*.py"))
        for change in changes_of(driver, path.stem, path.read_text(encoding="utf-8"))
    }


def stored() -> Mapping[str, Any]:
    """The ends of earlier runs, by the id of their change."""
    found: Mapping[str, Any] = json.loads(ENDS.read_text(encoding="utf-8")) if ENDS.exists() else {}
    return found


def explained() -> dict[str, Survivor]:
    """What was found out about survivors, by id."""
    rows = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))["survivor"]
    found = {}
    for row in rows:
        at = Elsewhere(row.pop("configuration", {}), row.pop("simulator", {}))
        found[row["id"]] = Survivor(at=at, **row)
    return found


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    if arguments:
        wanted = all_changes()[without_line(arguments[0])]
        print(wanted.told, end_of(wanted), sep="\n")
        return
    changes = {change.id: change for driver in SUBJECTS for change in bank(driver)}
    ends = dict(stored())
    done = {without_line(identity) for identity in ends}
    for identity, change in changes.items():
        if without_line(identity) in done:
            continue
        begun = time.process_time()
        end = end_of(change)
        took_s = time.process_time() - begun
        print(f"{took_s:6.1f} s  {identity}  {change.told}  {end.case or 'SURVIVES'}", flush=True)
        ends[identity] = {"change": change.told, **asdict(end)}
        ENDS.write_text(json.dumps(ends, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
