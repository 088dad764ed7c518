"""``storcert diff``: its words, and the little it does around :mod:`storcert.conformance.run_diff`. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from storcert.conformance.cli_words import file_option


def register(app: typer.Typer) -> None:
    """Put the command on the program."""
    app.command("diff", epilog="Example:  storcert diff certified.json run.json     storcert diff s3.json other.json")(diff)


def diff(
    a: Annotated[Path, typer.Argument(metavar="A.json", help="A run record.")],
    b: Annotated[Path, typer.Argument(metavar="B.json", help="Another: of another version, another driver, another day.")],
    json: Annotated[Path | None, file_option("Write the comparison as JSON here.")] = None,
) -> None:
    """Say what behaves differently in two runs, with the shortest program that shows it. Exit code 0: nothing; 1: something."""
    from storcert.conformance import commands, run_diff
    from storcert.conformance.options import check_file
    from storcert.reports import run_diff_text

    if json is not None:
        check_file("--json", json)
    found = run_diff.diff(commands.stored(a), commands.stored(b))
    commands.print_text(run_diff_text.render(found))
    if json is not None:
        commands.write_file(json, run_diff_text.to_text(found))
    raise typer.Exit(0 if found.same else 1)
