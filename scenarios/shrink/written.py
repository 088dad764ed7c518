"""A failing scenario as files: a scenario that says in comments what it breaks and which of its parts are needed, and a pytest
file that stands alone. Text only."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from storcert.scenarios.explore.trial import EXPECTED
from storcert.scenarios.format.scenario import PlantedDefect, Scenario
from storcert.scenarios.format.write import dumps
from storcert.scenarios.shrink.shrink import Shrunk

_TITLE_MAX = 120
_WIDTH = 118


@dataclass(frozen=True, slots=True)
class Failure:
    """What is written down. ``origin``: where it was found, in a sentence. ``defect``: of the package, planted when it was
    found; ``own_defect``: one that the package does not have, by name."""

    name: str
    rule: str
    text: str
    seed: int
    origin: str
    shrunk: Shrunk
    defect: str = ""
    own_defect: str = ""

    def scenario(self) -> Scenario:
        """With a name, a title, and the one seed. On a planted defect it is a negative scenario."""
        values: dict[str, object] = {
            "name": self.name, "title": f"{self.rule}: {' '.join(self.text.split())}"[:_TITLE_MAX], "story": "", "source": (),
            "seeds": (self.seed,), "class_": "own", "defect": None,
        }
        if self.defect and self.rule != EXPECTED:
            values |= {"class_": "negative", "defect": PlantedDefect.model_validate({"id": self.defect, "breaks": self.rule})}
        return self.shrunk.scenario.model_copy(update=values)


def scenario_text(failure: Failure) -> str:
    """The scenario file."""
    lines = [failure.origin]
    if failure.own_defect:
        lines.append(f"The program had the defect {failure.own_defect} planted in it, which storcert does not have.")
    lines += [f"Breaks {failure.rule}: {failure.text}", _effort(failure.shrunk)]
    lines += _list("Necessary, each shown by a run without it:", failure.shrunk.necessary)
    lines += _list("Not shown to be necessary:", failure.shrunk.unproven)
    return "".join(f"{row}\n" for line in lines for row in _comment(line)) + dumps(failure.scenario())


def pytest_text(failure: Failure) -> str:
    """The pytest file. It fails as long as the rule breaks; on a planted defect, once that is not caught any more."""
    scenario = failure.scenario()
    name = "".join(char if char.isalnum() and char.isascii() else "_" for char in failure.name.lower())
    if scenario.class_ == "negative":
        check = "    assert result.verdict is Verdict.PASS, result.problems\n"
        imports = "from storcert.harness.record.verdict import Verdict\n"
    elif failure.rule == EXPECTED:
        check, imports = "    assert list(result.problems) == []\n", ""
    else:
        check = (
            f"    broken = [one.text for rule in result.rules if rule.rule == {failure.rule!r} for one in rule.broken]\n"
            "    assert broken == []\n"
        )
        imports = ""
    return (
        f'"""{_docstring(failure)}"""\n\n'
        f"{imports}from storcert.scenarios.format.read import loads\n"
        "from storcert.scenarios.runner.run import run_scenario\n\n"
        f"SCENARIO = {_literal(scenario_text(failure))}\n\n\n"
        f"def test_{name}() -> None:\n"
        f"    result = run_scenario(loads(SCENARIO, {failure.name + '.toml'!r}), seed={failure.seed})\n"
        f"{check}"
    )


def _effort(shrunk: Shrunk) -> str:
    cut = f"; {shrunk.cut_short}, it may be larger than it must be" if shrunk.cut_short else ""
    return f"Made smaller in {shrunk.runs} runs{cut}."


def _list(head: str, items: Sequence[str]) -> list[str]:
    return [head, *(f"  - {item}" for item in items)] if items else []


def _comment(line: str) -> list[str]:
    """One line as comment lines that are not too long."""
    clean = "".join(char if char.isprintable() else " " for char in line)
    rows = textwrap.wrap(clean, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return [f"# {row}" for row in rows or [""]]


def _docstring(failure: Failure) -> str:
    broken = f"{failure.rule} breaks: {' '.join(failure.text.split())}."
    said = f"{broken}\n\n{failure.origin} Needs storcert and pytest, nothing else."
    rows = [row for line in said.split("\n") for row in textwrap.wrap(line, _WIDTH) or [""]]
    return "\n".join(rows).replace("\\", "/").replace('"""', "'''") + "\n"


def _literal(text: str) -> str:
    """As Python has it, raw where that can be."""
    if "'''" in text or not text.endswith("\n"):
        return repr(text)
    return f"r'''{text}'''"
