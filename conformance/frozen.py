"""Requirement sets: which checks a version of the contract is made of, word by word, as data that is shipped.

A set is frozen once (``python -m storcert.conformance.freeze``). From then on a verdict for that version rests on those checks
and no others: a check added later runs as well and is shown, but is not scored until the next version has it. A frozen one that
is gone or says something else is not the contract's any more: this project's tests refuse it, a run without it is undecided.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from storcert.conformance import registry
from storcert.conformance.registry import Check
from storcert.harness.contract import CONTRACT_VERSION

FOLDER = Path(__file__).parent / "requirement_sets"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One check as it was frozen: the profile it begins in, the capabilities it needs, the sentence it holds a driver to."""

    profile: str
    needs: tuple[str, ...]
    text: str

    @classmethod
    def of(cls, check: Check) -> Requirement:
        """As the registry has it now."""
        return cls(check.profile.name.lower(), check.needs, check.description)


@dataclass(frozen=True, slots=True)
class RequirementSet:
    """The checks of one contract version, by id."""

    contract: int
    requirements: Mapping[str, Requirement]

    @classmethod
    def registered(cls) -> RequirementSet:
        """What this kit has now, frozen or not."""
        return cls(CONTRACT_VERSION, {identity: Requirement.of(check) for identity, check in sorted(registry.CHECKS.items())})

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` over every id and every word."""
        lines = [f"{name} {one.profile} {one.needs} {one.text}" for name, one in sorted(self.requirements.items())]
        return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def to_text(self) -> str:
        """The text of its file: one check after the other, so that a change is seen for what it is."""
        checks = {
            name: {"profile": one.profile, "needs": list(one.needs), "text": one.text}
            for name, one in sorted(self.requirements.items())
        }
        value = {"contract": self.contract, "digest": self.digest, "checks": checks}
        return json.dumps(value, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_text(cls, text: str) -> RequirementSet:
        """Inverse of :meth:`to_text`. Raises ``ValueError`` where the digest is not that of the checks."""
        value = json.loads(text)
        checks = {
            name: Requirement(one["profile"], tuple(one["needs"]), one["text"]) for name, one in value["checks"].items()
        }
        found = cls(value["contract"], checks)
        if found.digest != value["digest"]:
            raise ValueError(f"the requirement set of contract {found.contract} was changed by hand: its digest is another")
        return found

    def broken_by(self, registered: RequirementSet) -> list[str]:
        """Every frozen check that ``registered`` lacks or words otherwise, a line each."""
        lines = []
        for name, frozen in sorted(self.requirements.items()):
            now = registered.requirements.get(name)
            if now is None:
                lines.append(f"{name} is gone")
            elif now != frozen:
                lines.append(f"{name} was {_said(frozen)}, and is {_said(now)}")
        return lines


def path_of(contract: int) -> Path:
    """Where the set of that version is, if it is frozen."""
    return FOLDER / f"contract-{contract}.json"


@cache
def frozen_set(contract: int = CONTRACT_VERSION) -> RequirementSet | None:
    """The frozen set of a version, or ``None`` while it is open: then every check there is is scored."""
    path = path_of(contract)
    return RequirementSet.from_text(path.read_text(encoding="utf-8")) if path.is_file() else None


def requirements_digest() -> str:
    """Digest of what a verdict of this kit rests on: the frozen set, or all checks while the version is open."""
    return (frozen_set() or RequirementSet.registered()).digest


def is_scored(check: str) -> bool:
    """Whether the check of that id counts for the verdict."""
    found = frozen_set()
    return found is None or check in found.requirements


def missing_checks(known: Iterable[str]) -> tuple[str, ...]:
    """Frozen checks that are not among ``known`` ids."""
    found = frozen_set()
    return tuple(sorted(set(found.requirements) - set(known))) if found is not None else ()


def _said(one: Requirement) -> str:
    needs = f", needs {', '.join(one.needs)}" if one.needs else ""
    return f"{one.text!r} ({one.profile}{needs})"
