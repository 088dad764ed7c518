"""The words of ``storcert serve-driver``."""

from __future__ import annotations

from typing import Annotated

import typer

_DRIVER = "Installed name, package.module:Class or path/to/file.py:Class."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve-driver", epilog="Example:  storcert serve-driver s3 --port 50051")(serve_driver)


def serve_driver(
    driver: Annotated[str, typer.Argument(metavar="DRIVER", help=_DRIVER)],
    port: Annotated[int, typer.Option(metavar="N", help="On loopback; 0: a free one, which the first line names.")] = 0,
) -> None:
    """Put a Python driver behind the driver protocol: the reference for servers in other languages."""
    from storcert.conformance.serve_command import serve

    raise typer.Exit(serve(driver, port))
