"""What ``storcert explain`` says about a rule: its text, why it exists, an example that breaks it, its checks."""

from __future__ import annotations

import textwrap

from storcert.conformance.rules import find_rule


def explanation(name: str, *, width: int = 100) -> str:
    """The text for a rule id, or for the id of a check of it. Raises :class:`InvalidUsage` for neither."""
    rule = find_rule(name)
    checks = _checks(rule.id)
    parts = [f"{rule.id}: {rule.title}\n"]
    wanted = name.strip().partition("[")[0].lower()
    for identity, description in checks.items():
        if identity.lower() == wanted:
            parts.append(_section(f"Check {identity}", description, width))
    parts.append(_section("Rule", rule.text.replace("`", ""), width))
    parts.append(_section("Why", rule.why.replace("`", ""), width))
    parts.append("Breaks it\n" + "".join(f"    {line}\n" for line in rule.example))
    if checks:
        listed = "".join(_item(identity, description, width) for identity, description in checks.items())
        parts.append(f"Checks ({len(checks)})\n{listed}")
    elif rule.id.startswith("L-"):
        parts.append("Kept by the logical layer; a driver's certification does not check it.\n")
    return "\n".join(parts)


def _section(title: str, text: str, width: int) -> str:
    body = textwrap.fill(text, max(width, 40), initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    return f"{title}\n{body}\n"


def _item(identity: str, description: str, width: int) -> str:
    text = f"{identity.partition('/')[2]}: {description}"
    return textwrap.fill(text, max(width, 40), initial_indent="    ", subsequent_indent="        ") + "\n"


def _checks(rule: str) -> dict[str, str]:
    """The checks of a rule with what they require, by id."""
    import storcert.conformance.requirements  # noqa: F401  fills the registry
    from storcert.conformance.registry import CHECKS

    return {identity: check.description for identity, check in sorted(CHECKS.items()) if check.rule == rule}
