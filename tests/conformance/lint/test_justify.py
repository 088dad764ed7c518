"""Accepted findings: where a comment may stand, what it must say, and that one that accepts nothing is a finding."""

from __future__ import annotations

import pytest

from storcert.conformance.lint.lint import lint_text

WHY = "the mount of the configuration"


def rules(text: str) -> list[str]:
    return [one.rule for one in lint_text(text).findings]


@pytest.mark.parametrize(
    "text",
    [
        f"open(p)  # storcert: allow NOFS-open {WHY}\n",
        f"open(p)  # storcert: allow nofs-open: {WHY}\n",
        f"open(p)  #storcert:allow NOFS-open - {WHY}\n",
        f"# storcert: allow NOFS-open {WHY}\nopen(p)\n",
        f"# storcert: allow NOFS-open {WHY}\n# and a second line of comment\nopen(p)\n",
        f"x = call(\n    1,\n    open(p),  # storcert: allow NOFS-open {WHY}\n    2,\n)\n",
        f"x = call(\n    1,\n    open(p),\n)  # storcert: allow NOFS-open {WHY}\n",
        f"with open(p) as f:  # storcert: allow NOFS-open {WHY}\n    pass\n",
        f"import os\nos.rename(open(p), q)  # storcert: allow NOFS-open, NOFS-rename {WHY}\n",
    ],
)
def test_a_reason_beside_the_finding_accepts_it(text: str) -> None:
    report = lint_text(text)
    assert report.findings == () and report.accepted
    assert {one.justification for one in report.accepted} == {WHY}
    assert report.exit_code() == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("open(p)  # storcert: allow NOFS-open\n", ["NOFS-open", "LINT-reason"]),
        ("open(p)  # storcert: allow NOFS-open ok\n", ["NOFS-open", "LINT-reason"]),
        (f"open(p)  # storcert: allow {WHY}\n", ["NOFS-open", "LINT-reason"]),
        (f"open(p)  # storcert: allow NOFS-opn {WHY}\n", ["NOFS-open", "LINT-reason"]),
        (f"open(p)  # storcert: allow C-NOFS {WHY}\n", ["NOFS-open", "LINT-reason"]),
        (f"open(p)  # storcert: ignore NOFS-open {WHY}\n", ["NOFS-open", "LINT-reason"]),
        (f"open(p)  # storcert: allow NOFS-look {WHY}\n", ["NOFS-open", "LINT-unused"]),
        (f"x = 1  # storcert: allow NOFS-open {WHY}\nopen(p)\n", ["LINT-unused", "NOFS-open"]),
        (f"open(p)\n# storcert: allow NOFS-open {WHY}\n", ["NOFS-open", "LINT-unused"]),
        (f"# storcert: allow LINT-unused {WHY}\n", ["LINT-reason"]),
        (f"x = 'text  # storcert: allow NOFS-open {WHY}'\nopen(p)\n", ["NOFS-open"]),
        (f"with open(p) as f:\n    f.read()  # storcert: allow NOFS-open {WHY}\n", ["NOFS-open", "LINT-unused"]),
    ],
)
def test_anything_else_accepts_nothing_and_is_told(text: str, expected: list[str]) -> None:
    assert rules(text) == expected
    assert lint_text(text).exit_code() == 1
