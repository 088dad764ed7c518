"""What ``storcert explain`` says about a rule (its text, why it exists, what breaks it, its checks) or a scenario."""

from __future__ import annotations

import textwrap

from storcert.conformance.lint.rule import LintRule
from storcert.conformance.lint.rules import LINT_RULES, lint_rule
from storcert.conformance.rules import RULES, find_rule
from storcert.scenarios.catalogue import paths, scenario
from storcert.scenarios.defects.defect import named
from storcert.scenarios.format.scenario import Scenario
from storcert.scenarios.result import EXPECTED

_EXPECTED_TEXT = (
    "What a scenario itself expects, beside the rules: every step ends as its `expect` says, every fault that must strike "
    "strikes, the region comes to rest, as many operations are done as it asks for, and on a planted defect the named rule "
    "breaks."
)


def explanation(name: str, *, width: int = 100) -> str:
    """The text for a rule id, for the id of a check of it, or for a scenario of the catalogue. Raises :class:`InvalidUsage` for
    none of these."""
    wanted = name.strip()
    if wanted.upper() == EXPECTED or wanted.upper().startswith(f"{EXPECTED}/"):
        return _section(EXPECTED, _EXPECTED_TEXT, width)
    if wanted in paths():
        return _scenario(scenario(wanted), width)
    of_lint = lint_rule(wanted)
    if of_lint is not None:
        return _lint_rule(of_lint, width)
    rule = find_rule(name)
    checks = _checks(rule.id)
    found_by_lint = {one.id: one.title for one in LINT_RULES.values() if one.contract == rule.id}
    parts = [f"{rule.id}: {rule.title}\n"]
    wanted = name.strip().partition("[")[0].lower()
    for identity, description in checks.items():
        if identity.lower() == wanted:
            parts.append(_section(f"Check {identity}", description, width))
    parts.append(_section("Rule", rule.text.replace("`", ""), width))
    parts.append(_section("Why", rule.why.replace("`", ""), width))
    parts.append("Breaks it\n" + "".join(f"    {line}\n" for line in rule.example))
    if found_by_lint:
        told = "".join(_item(f"/{identity}", title, width) for identity, title in found_by_lint.items())
        parts.append(f"Found by storcert lint ({len(found_by_lint)})\n{told}")
    if checks:
        listed = "".join(_item(identity, description, width) for identity, description in checks.items())
        parts.append(f"Checks ({len(checks)})\n{listed}")
    elif rule.id.startswith("L-"):
        parts.append("Kept by the logical layer; a driver's certification does not check it.\n")
    return "\n".join(parts)


def _lint_rule(rule: LintRule, width: int) -> str:
    parts = [f"{rule.id}: {rule.title}\n"]
    said = f"{rule.severity}, found by storcert lint"
    if rule.contract:
        said += f"; breaks {rule.contract}: {RULES[rule.contract].title}"
    parts.append(_section("Rule", said, width))
    parts.append(_section("Why", rule.why, width))
    parts.append("Breaks it\n" + "".join(f"    {line}".rstrip() + "\n" for line in rule.bad))
    parts.append(_section("Instead", rule.instead, width))
    parts.append("Does not\n" + "".join(f"    {line}".rstrip() + "\n" for line in rule.good))
    if rule.contract:
        allow = f"One place is accepted by a comment on its line: # storcert: allow {rule.id} reason"
        parts.append(_section("Accept", allow, width))
    return "\n".join(parts)


def _scenario(found: Scenario, width: int) -> str:
    parts = [f"{found.name}: {found.title}\n"]
    if found.story:
        parts.append(_section("Story", found.story, width))
    if found.source:
        parts.append(_section("Source", ", ".join(found.source), width))
    parts.append(_section("Class", f"{found.class_}; {_CLASSES[found.class_]}", width))
    if found.defect is not None:
        planted = named(found.defect.id)
        told = f"{planted.id}: {planted.sentence}; {found.defect.breaks} must break"
        parts.append(_section("On defect", told, width))
    parts.append(f"As it is written\n{textwrap.indent(paths()[found.name].read_text(encoding='utf-8'), '    ')}")
    return "\n".join(parts)


_CLASSES = {
    "smoke": "every rule must hold", "fault": "one thing goes wrong, and every rule must hold",
    "rare": "several things go wrong, and every rule must hold",
    "regression": "every rule must hold, and on the defect one must break", "negative": "on the defect a rule must break",
    "own": "every rule must hold",
}


def _section(title: str, text: str, width: int) -> str:
    body = textwrap.fill(text, max(width, 40), initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    return f"{title}\n{body}\n"


def _item(identity: str, description: str, width: int) -> str:
    text = f"{identity.partition('/')[2]}: {description}"
    return textwrap.fill(text, max(width, 40), initial_indent="    ", subsequent_indent="        ") + "\n"


def _checks(rule: str) -> dict[str, str]:
    """The checks of a rule with what they require, by id."""
    import storcert.conformance.requirements  # noqa: F401  fills the registry
    from storcert.conformance.frozen import is_scored
    from storcert.conformance.registry import CHECKS

    later = " (not scored in this version of the contract)"
    return {
        identity: check.description + ("" if is_scored(identity) else later)
        for identity, check in sorted(CHECKS.items())
        if check.rule == rule
    }
