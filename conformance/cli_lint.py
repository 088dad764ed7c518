"""The words of ``storcert lint``. Imports nothing heavy; what it does is :mod:`storcert.conformance.lint_command`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_DEVICE = "What the driver is for, one of `storcert list devices`; default: what its entry point names."


def register(app: typer.Typer) -> None:
    """Make the command one of ``app``."""

    @app.command(epilog="Example:  storcert lint s3     storcert lint src/mydriver --device nfs --sarif lint.sarif")
    def lint(
        target: Annotated[
            list[str],
            typer.Argument(metavar="TARGET...", help="Files, folders, modules or installed drivers. None is imported."),
        ],
        device: Annotated[str | None, typer.Option(metavar="DEVICE", help=_DEVICE)] = None,
        json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as JSON here.")] = None,
        sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write SARIF 2.1.0 here.")] = None,
        traceback: Annotated[bool, typer.Option("--traceback", help="Show the traceback of an internal error.")] = False,
    ) -> None:
        """Look for what the contract forbids in a driver's source: files, paths, kept answers, folded names, lost errors."""
        from storcert.conformance import lint_command

        raise typer.Exit(lint_command.run(target, device, lint_command.LintOutputs(json, sarif)))
