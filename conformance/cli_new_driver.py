"""The words of ``storcert new-driver``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("new-driver", epilog="Example:  storcert new-driver acme --device object-store")(new_driver)


def new_driver(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people will say to `storcert certify`, as acme.")],
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="object-store, nfs, rbd or sheepdog: which client library it is written on.")
    ] = "object-store",
    into: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write; default: ./NAME.")] = None,
) -> None:
    """Write a driver project that certifies in CI, ready to fill in."""
    from storcert.conformance.new_driver.project import files_of, write_project

    files = files_of(name, device)
    folder = into if into is not None else Path(name)
    write_project(folder, files)
    typer.echo(f"{folder}: {len(files)} files. Go on with:\n")
    typer.echo(f"  cd {folder}\n  pip install -e '.[test]'\n  storcert certify {name} --profile core\n")
    typer.echo("Each failure that says \"left to fill in\" names a place in the driver and the rule it is for.")
