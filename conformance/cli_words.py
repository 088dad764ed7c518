"""Options that several commands have in common, so that they are called and explained alike. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def file_option(help: str) -> Any:
    """An option that names a file."""
    return typer.Option(metavar="FILE", help=help)


Json = Annotated[Path | None, file_option("Write the run record here.")]
Junit = Annotated[Path | None, file_option("Write JUnit XML here.")]
Html = Annotated[Path | None, file_option("Write the report as one HTML page here.")]
Sarif = Annotated[Path | None, file_option("Write SARIF 2.1.0 here, for code scanning.")]
Ctrf = Annotated[Path | None, file_option("Write a CTRF report here.")]
Ndjson = Annotated[Path | None, file_option("Write the event stream here, line by line as things happen.")]
CodeQuality = Annotated[Path | None, file_option("Write a GitLab code quality file here.")]
Badge = Annotated[Path | None, file_option("Write a badge (SVG) here.")]
SourceRoot = Annotated[str, typer.Option(metavar="DIR", help="Where the driver's files lie in its repository.")]
