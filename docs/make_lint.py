"""Writes docs/lint.md: what storcert lint looks for, from the rules themselves and a run of the command.

    python docs/make_lint.py
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from pathlib import Path

from storcert.conformance import cli
from storcert.conformance.lint.rule import LintRule
from storcert.conformance.lint.rules import LINT_RULES
from storcert.conformance.rules import RULES

PAGE = Path(__file__).resolve().parent / "lint.md"

EXAMPLE = '''\
import os


class Driver:
    def describe(self, uri):
        return os.stat(os.path.join("/mnt/primary", uri.object_id.lower()))

    def secret(self):
        return open(self.key_file)  # storcert: allow NOFS-open the operator's key, which the vendor's client reads too
'''

INTRODUCTION = """\
# storcert lint

Made by `python docs/make_lint.py`.

`storcert lint TARGET...` reads a driver's source for what the [contract](contract.md) forbids, imports none of it and runs none
of it. It takes seconds, and says what to do instead. It is one of three ways in which the file-system rule is checked:

| how | when | sees | does not see |
|---|---|---|---|
| `storcert lint` | before anything runs | what can be read, even where no run gets to | paths only the run knows, native code |
| the fence of `certify` | during every simulated run | what Python code asks for, with its line | native code |
| `certify --isolate` | the same, in processes without rights (Linux) | native code as well | see [isolation](isolation.md) |

## What a target is

A file (with what it imports from its own package or folder), a folder (without tests and set-up scripts, which are counted
and told), a module or a package, or the name of an installed driver; what is a file or folder is taken for one first. Aliases
(`from os import path as p`, `import os as o`, `opener = open`, `getattr(os, "open")`, `self._open`) and names that come from
another module of the driver are followed.

## Drivers of a mounted path

A driver whose entry point names a device that is a mounted path (`nfs = "package.module:Class [nfs]"`), or that is looked at
with `--device nfs`, may use paths below its mount. A path that is only known when the driver runs is then counted and left
to the run, which watches every path. A path written into the source, a temporary or home folder, a database, a log file and a
device node are findings there too.

## Accepting one place

`# storcert: allow RULE-ID reason`, on a line of the statement or alone on the line above it, accepts a finding. The reason
must be there. Accepted places are listed with their reasons in every report, and are suppressed results in SARIF. A comment
that accepts nothing is a finding.

## Exit codes and formats

0: nothing found. 1: findings, errors or warnings, that no comment accepts; a file that is no Python is one (`LINT-syntax`), and
the other files are looked at all the same. 4: there is no such file, folder, module, driver or device, or a file cannot be read
or written. `--json FILE` writes the report (its schema is in `reports/schemas/lint-report-1.json`), `--sarif FILE` writes SARIF
2.1.0, and in a GitHub job every finding is an annotation on its line. `storcert certify` runs the lint too and says how many
findings there are; they change no verdict.
"""


class _Terminal(io.StringIO):
    """What takes every character."""

    encoding = "utf-8"


def page() -> str:
    """The page, from the rules as they are now."""
    parts = [INTRODUCTION, "## An example\n", "```python\n" + EXAMPLE + "```\n", _run(), _overview()]
    parts += [_rule(rule) for rule in LINT_RULES.values()]
    return "\n".join(parts)


def _run() -> str:
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "driver.py").write_text(EXAMPLE, encoding="utf-8")
        try:
            os.chdir(folder)
            with contextlib.redirect_stdout(_Terminal()) as out:
                code = cli.run(["lint", "driver.py"])
        finally:
            os.chdir(before)
    return f"```\n$ storcert lint driver.py\n{out.getvalue()}$ echo $?\n{code}\n```\n"


def _overview() -> str:
    rows = [
        f"| [{rule.id}](#{rule.id.lower()}) | {rule.contract or 'the lint itself'} | {rule.severity} | {rule.title} |"
        for rule in LINT_RULES.values()
    ]
    return "\n".join(["## Rules\n", "| id | rule of the contract | severity | a driver |", "|---|---|---|---|", *rows, ""])


def _rule(rule: LintRule) -> str:
    said = f"{rule.severity}; breaks {rule.contract}, {RULES[rule.contract].title}." if rule.contract else f"{rule.severity}."
    code = "\n".join(("```python", "# found", *rule.bad, "", "# not found", *rule.good, "```"))
    return f"### {rule.id}\n\n{rule.title[0].upper()}{rule.title[1:]}: {said}\n\n{rule.why} {rule.instead}\n\n{code}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
