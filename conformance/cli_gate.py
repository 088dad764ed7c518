"""The words of ``storcert gate``. What it does stands in :mod:`storcert.conformance.gate_command`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from storcert.conformance.cli_words import CodeQuality, SourceRoot, file_option

Expectations = Annotated[Path | None, file_option("TOML: failures that are expected, each with reason, owner and day.")]


def register(app: typer.Typer) -> None:
    """Put the command on the program."""
    app.command(epilog="Example:  storcert gate run.json --expectations known.toml --baseline certified.json --block all")(gate)


def gate(
    run: Annotated[Path, typer.Argument(metavar="RUN.json", help="A run record.")],
    expectations: Expectations = None,
    baseline: Annotated[Path | None, file_option("The record of the last certified run, to compare with.")] = None,
    block: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Of what is less than in the baseline, stop at this: capability, rule, ... or all."),
    ] = None,
    again: Annotated[
        list[Path] | None, typer.Option(metavar="RUN.json", help="Another run of the same; may be repeated.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Put new failures into the file of expectations.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Take entries away that nothing needs any more.")] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Of entries written: why that is accepted.")] = "",
    owner: Annotated[str, typer.Option(metavar="NAME", help="Of entries written: who looks at it again.")] = "",
    link: Annotated[str, typer.Option(metavar="URL", help="Of entries written: where it is discussed.")] = "",
    expires: Annotated[str | None, typer.Option(metavar="DAY", help="Of entries written; default: in 90 days.")] = None,
    today: Annotated[str | None, typer.Option(metavar="DAY", help="Judge as on that day, as in 2026-12-31.")] = None,
    json: Annotated[Path | None, file_option("Write the gate's answer as JSON here.")] = None,
    code_quality: CodeQuality = None,
    source_root: SourceRoot = "",
) -> None:
    """Say whether a run may be merged: compare it with what is expected and with the last certified run."""
    from storcert.conformance import gate_command
    from storcert.conformance.options import check_file

    for option, path in (("--json", json), ("--code-quality", code_quality)):
        if path is not None:
            check_file(option, path)
    options = gate_command.GateOptions(
        expectations=expectations,
        baseline=baseline,
        again=tuple(again or ()),
        block=gate_command.block_kinds(block or ()),
        write=write,
        prune=prune,
        reason=reason,
        owner=owner,
        link=link,
        expires=gate_command.a_day("--expires", expires),
        today=gate_command.a_day("--today", today),
        json=json,
        code_quality=code_quality,
        source_root=source_root,
    )
    raise typer.Exit(gate_command.gate(run, options))
