"""Writes docs/scenario-format.md: every key of a scenario file, what it may be, and what it means.

    python docs/make_scenario_format.py
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from storcert.scenarios.catalogue import paths
from storcert.scenarios.format import steps
from storcert.scenarios.format.base import Value
from storcert.scenarios.format.faults import Fault, Strike
from storcert.scenarios.format.load import Nemesis, Phases, Workload
from storcert.scenarios.format.scenario import Expectation, PlantedDefect, Scenario
from storcert.scenarios.format.schedule import Schedule
from storcert.scenarios.format.schema import json_schema
from storcert.scenarios.format.world import Device, Link, Policy, Port, Region, Web, Zone

PAGE = Path(__file__).resolve().parent / "scenario-format.md"
EXAMPLE = "i8748-host-dies-mid-migration"
HEAD = """# Scenario files

Made by `python docs/make_scenario_format.py`, do not edit.

A scenario is a TOML file: what the world is, what happens in it, what must come of it. `storcert run FILE.toml` runs it; a
run is decided by the file and a seed, and by nothing else. This one is in the catalogue:

```toml
{example}```

- **Durations** are text with units: `"250 ms"`, `"5 min"`, `"1 h 30 min"` (ns, us, ms, s, min, h, d); a whole number is
  nanoseconds.
- **Sizes** are text with units: `"64 KiB"`, `"10 GiB"` (B, KiB, MiB, GiB, TiB, and kB, MB, GB, TB); a whole number is bytes.
  **Rates** are `"20/s"`, `"3/min"`; of bytes `"100 MB/s"`.
- **Objects** are called `"volume/a"`, `"template/debian"`, `"snapshot/s1"`, `"iso/i"`: those of account 1. Of account 7:
  `"/volume/7/a"`.
- A key that is not listed here is refused, with file and line. The JSON Schema is `scenarios/format/scenario-1.json`.

## How a run goes

1. The region begins to run; every device is attached.
2. `prepare`: its steps are taken, one after another. Then the warm-up: workloads whose `phases` name it are at work.
3. The faulty phase: faults are armed, the nemesis begins, the steps of `step` are taken. It lasts as long as `phases` says, and
   until every step has ended (a step that has not ended two hours after its turn is left alone: `unended`).
4. Everything is healed. `afterwards`: its steps are taken, workloads go on for as long as the healed phase lasts.
5. The region comes to rest: reconciliation runs until nothing is left to mend. What is on every device is read, and every rule
   of the logical layer (`storcert list rules`) is judged.
6. The world is used up: everybody dies, all objects are deleted, and what is then still on a device belongs to nobody (parts of
   uploads, snapshots in a trash: what no listing shows). This is no part of the timeline and of the digest.

A scenario passes where every rule holds that must hold, every step ended as expected, every fault that must strike struck, and
the region came to rest. With `class = "regression"` it is run once more on the named defect, and there the named rule must
break; with `class = "negative"` only that. What the seed decides (a chance, a range, the nemesis, what clients do) it decides
before anything runs or from streams of its own: the same seed gives the same run on every machine.

## How it is run

`storcert run SCENARIO...` takes files, folders of files, names of the catalogue, its classes (`smoke`, `fault`, `rare`,
`regression`, `negative`), or `all`.

| option | does |
|---|---|
| `--seed N`, `--seeds N` | other seeds than the scenario's own: N of them, from `--seed` (default 1) on |
| `--until 90s` | stops there in virtual time, and judges what has happened so far |
| `--device nfs=rbd` | every device of that name, kind or role becomes one of kind `rbd`; `*`: every device; may be repeated |
| `--device '*=nfs,rbd'` | one run for each kind, compared |
| `--workers N` | processes; the result is the same with any number |
| `--json FILE`, `--junit FILE`, `--out DIR` | the record; with `--out` the timelines too |

On other devices every rule must hold as ever. How steps end is compared and not held against the device: it may lack a
capability. A fault that the other kind does not have is left out, one that strikes certain requests strikes any, and both are
told; defects are not planted. The exit code is 0 where all is as expected, 1 where it is not, 2 interrupted, 3 where the kit
itself failed, 4 for a scenario that cannot be read or run, 5 where nothing was decided.

## Style

- One idea per scenario; twenty lines are enough for most incidents. Small sizes and few hosts, unless size is the idea.
- `title`: what happens, in plain words, without "should". `story`: in two sentences, what somebody saw where it was reported.
  `source`: where that is, as `owner/repository#number`.
- The file's name begins with the source where there is one: `i8748-host-dies-mid-migration.toml`, `p2163-...`.
- A scenario after a reported failure is a `regression` where a defect in `storcert list defects` makes the same mistake: it
  shows that storcert would have caught it. Otherwise it is `fault` (one thing goes wrong) or `rare` (several at once, or by
  chance).
- Say what each step must come to (`expect`), and add a `check` where it matters where an object ends up. `expect = "any"` only
  where the outcome truly depends on timing.
- Give a fault an `nth` that strikes in the middle of what the story is about; a fault that never strikes fails the scenario.
- `seeds`: one where nothing is left to chance, three or more where much is. It must pass with any seed.
- `cost = "fast"`: less than three seconds of CPU time for all its seeds, most of them a fraction of one. `slow`: less than
  thirty. `long`: more.
"""
SECTIONS: tuple[tuple[str, str, type[Value]], ...] = (
    ("A scenario", "", Scenario),
    ("`region`", "A table.", Region),
    ("`zone`", "A list of tables, at least one.", Zone),
    ("`device`", "A list of tables, at least one.", Device),
    ("`device.policy`", "A table in a device.", Policy),
    ("`link`", "A list of tables.", Link),
    ("`port`", "A list of tables.", Port),
    ("`web`", "A list of tables.", Web),
    ("`phases`", "A table.", Phases),
    ("`workload`", "A list of tables.", Workload),
    ("`fault`", "A list of tables.", Fault),
    ("`nemesis`", "A list of tables.", Nemesis),
    ("`schedule`", "A table.", Schedule),
    ("`defect`", "A table.", PlantedDefect),
    ("`expect`", "A table.", Expectation),
)
SHARED = (steps.Timed, steps.Ended, steps.Asked, steps.Placed, Strike)


def page() -> str:
    """The page, of the format as it is now."""
    parts = [HEAD.format(example=paths()[EXAMPLE].read_text(encoding="utf-8"))]
    for title, what, model in SECTIONS:
        parts.append(f"\n## {title}\n\n{what} {_said(model)}\n\n{_table(model, ())}".replace("\n\n ", "\n\n"))
    parts.append(
        "\n## Steps: `prepare`, `step`, `afterwards`\n\nLists of tables; `do` says what is done.\n\n"
        f"### What every step may say\n\n{_said(steps.Timed)}\n\n{_table(steps.Timed, ())}")
    requests = typing.get_args(steps.Request)
    parts.append(
        f"\n### What is asked of the control plane\n\n{_said(steps.Asked)}\n\n{_table(steps.Asked, (steps.Timed,))}"
        f"\nOf `create` and `create-from` besides: {_said(steps.Placed)}\n\n{_table(steps.Placed, (steps.Asked,))}")
    parts.extend(_step(model) for model in requests)
    parts.append("\n### What happens to the world\n")
    parts.extend(_step(model) for model in typing.get_args(steps.Event))
    return "".join(parts)


def _step(model: type[Value]) -> str:
    do = typing.get_args(model.model_fields["do"].annotation)[0]
    shared = tuple(one for one in SHARED if issubclass(model, one))
    text = f"\n#### `do = \"{do}\"`\n\n{_said(model)}\n"
    also = " It says where, when and what as a fault of `fault` does." if issubclass(model, Strike) else ""
    rows = _table(model, shared)
    return f"{text.rstrip()}{also}\n\n{rows}" if rows.count("\n") > 2 else f"{text.rstrip()}{also}\n"


def _table(model: type[Value], without: tuple[type[Value], ...]) -> str:
    left_out = {name for one in without for name in one.model_fields} | ({"do"} if without else set())
    rows = ["| key | value | default | meaning |\n|---|---|---|---|\n"]
    definition = _definition(model)
    for name, field in model.model_fields.items():
        if name in left_out:
            continue
        key = field.alias or name
        said = definition["properties"].get(key, {})
        default = "needed" if field.is_required() else _default(model, name)
        rows.append(f"| `{key}` | {_kind(said)} | {default} | {_cell(field.description or '')} |\n")
    return "".join(rows)


def _definition(model: type[Value]) -> Mapping[str, Any]:
    if model is Scenario:
        return json_schema()
    found = json_schema()["$defs"].get(model.__name__)
    return found if found is not None else model.model_json_schema(by_alias=True, mode="validation")


def _default(model: type[Value], name: str) -> str:
    value = model.model_fields[name].get_default(call_default_factory=True)
    if value in (None, "", (), {}) or isinstance(value, Value):
        return ""
    probe = model.model_construct(**{name: value})
    alias = model.model_fields[name].alias or name
    shown = probe.model_dump(mode="json", by_alias=True, include={name})[alias]
    return f"`{_toml(shown)}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _kind(said: Mapping[str, Any]) -> str:
    """In a few words, what a value may be."""
    return _cell(" or ".join(dict.fromkeys(_words(said))))


def _words(said: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in said:
        name = said["$ref"].rpartition("/")[2]
        yield from _words(json_schema()["$defs"][name]) if name not in _NAMES else (_NAMES[name],)
    elif "anyOf" in said:
        for one in said["anyOf"]:
            yield from _words(one)
    elif "discriminator" in said:
        yield "a step"
    elif "enum" in said:
        yield ", ".join(f"`{one}`" for one in said["enum"])
    elif "const" in said:
        yield f"`{said['const']}`"
    elif said.get("type") == "array":
        inner = said.get("items") or (said.get("prefixItems") or [{}])[0]
        yield f"list of: {' or '.join(dict.fromkeys(_words(inner)))}"
    elif said.get("type") == "object":
        yield "table"
    elif said.get("examples"):
        yield f"as in `\"{said['examples'][0]}\"`"
    elif said.get("type") != "null":
        yield _TYPES.get(str(said.get("type")), "anything")


_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
_NAMES = {
    model.__name__: f"table, see {title}" for title, _, model in SECTIONS if model is not Scenario
}


def _said(model: type[Value]) -> str:
    return " ".join((inspect.getdoc(model) or "").split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
