"""Writes docs/rules: a page for each rule of the contract, with its reason, what breaks it and the checks that look for that.

    python docs/make_rules.py
"""

from __future__ import annotations

import json
from pathlib import Path

import storcert.conformance.requirements  # noqa: F401  (fills the registry)
from storcert.conformance.lint.rules import LINT_RULES
from storcert.conformance.registry import CHECKS
from storcert.conformance.rule import Rule
from storcert.conformance.rules import RULES

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "rules"
MATRIX = ROOT / "docs" / "kill-matrix.json"
NOTE = "<!-- Made by `python docs/make_rules.py`, do not edit. -->\n"


def page(rule: Rule, failed_by: dict[str, str]) -> str:
    """The page of one rule."""
    lines = [NOTE, f"# {rule.id}: {rule.title}\n", f"> {rule.text}\n", "## Why\n", f"{rule.why}\n", "## What breaks it\n"]
    lines += ["```python", *rule.example, "```\n"]
    checks = sorted((identity, one) for identity, one in CHECKS.items() if one.rule == rule.id)
    if checks:
        lines += [f"## The {len(checks)} checks\n", "| check | what it asks for | a mistake that fails it |", "|---|---|---|"]
        lines += [
            f"| `{identity.partition('/')[2]}` | {_cell(one.description)} | {failed_by.get(identity, '')} |"
            for identity, one in checks
        ]
        lines.append(f"\n`storcert certify DRIVER --rule {rule.id}` runs them alone. The mistakes are in the "
                     "[kill matrix](../kill-matrix.md).\n")
    else:
        lines.append("The control plane keeps this rule; every simulation and every scenario is judged by it. "
                     "[Planted defects](../control-plane-defects.md) show that it can break.\n")
    found = sorted((one.id, one.title) for one in LINT_RULES.values() if one.contract == rule.id)
    if found:
        lines += ["## What `storcert lint` finds\n", *(f"- `{identity}`: {title}" for identity, title in found), ""]
    return "\n".join(lines)


def index() -> str:
    """The list of all rules."""
    lines = [NOTE, "# Rules\n", "What [the contract](../contract.md) asks of drivers (C-) and of the control plane (L-).\n"]
    lines += ["| rule | in one line |", "|---|---|"]
    lines += [f"| [{rule.id}]({rule.id}.md) | {_cell(rule.title)} |" for rule in RULES.values()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def pages() -> dict[str, str]:
    """Every page, by file name."""
    failed_by = json.loads(MATRIX.read_text(encoding="utf-8"))["checks"]
    return {"README.md": index(), **{f"{rule.id}.md": page(rule, failed_by) for rule in RULES.values()}}


def main() -> None:
    """Write them, and remove those of rules that are gone."""
    PAGES.mkdir(exist_ok=True)
    wanted = pages()
    for old in PAGES.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
