"""The words of ``storcert sign`` and ``storcert verify``. What they do stands in ``sign_command`` and ``verify_command``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from storcert.conformance.cli_words import file_option

Key = Annotated[Path | None, file_option("Private ed25519 key in PEM; write a signed verdict too.")]
Verdict = Annotated[Path | None, file_option("The signed verdict; default: verdict.intoto.json in --out.")]
ValidDays = Annotated[int, typer.Option(metavar="N", help="The verdict holds so many days from its run on.")]
VALID_DAYS = 365


def register(app: typer.Typer) -> None:
    """Put the commands on the program."""
    app.command(epilog="Example:  storcert sign run.json --key key.pem --verdict verdict.intoto.json")(sign)
    app.command(epilog="Example:  storcert verify verdict.intoto.json --key key.pub --max-age 90d --rerun 20")(verify)


def sign(
    run: Annotated[Path, typer.Argument(metavar="RUN.json", help="The record of a certification.")],
    key: Annotated[Path, file_option("Private ed25519 key in PEM: openssl genpkey -algorithm ed25519 -out key.pem")],
    verdict: Annotated[Path, file_option("Where the signed verdict goes.")] = Path("verdict.intoto.json"),
    valid_days: ValidDays = VALID_DAYS,
) -> None:
    """Make a signed verdict of a run record: an in-toto statement in a DSSE envelope, offline."""
    from storcert.conformance import sign_command
    from storcert.conformance.options import check_file

    check_file("--verdict", verdict)
    raise typer.Exit(sign_command.sign(run, key, verdict, valid_days))


def verify(
    verdict: Annotated[Path, typer.Argument(metavar="FILE", help="A signed verdict.")],
    key: Annotated[
        list[Path] | None, typer.Option(metavar="PUB.pem", help="Public key that may have signed; may be repeated.")
    ] = None,
    record: Annotated[Path | None, file_option("The run record it was made of, to be compared.")] = None,
    driver: Annotated[str | None, typer.Option(metavar="DRIVER", help="The driver at hand; default: of that name.")] = None,
    max_age: Annotated[str | None, typer.Option(metavar="TIME", help="Older than that is too old, as in 90d.")] = None,
    profile: Annotated[str, typer.Option(metavar="PROFILE", help="The least profile that will do.")] = "standard",
    rerun: Annotated[int, typer.Option(metavar="N", help="Run a random sample of so many checks again.")] = 0,
    sample_seed: Annotated[int | None, typer.Option(metavar="N", help="Draw the sample so, to repeat it.")] = None,
    config: Annotated[Path | None, file_option("TOML: the [configuration] to run the sample with.")] = None,
    badge: Annotated[Path | None, file_option("Write a badge (SVG) here, grey where the verdict is expired.")] = None,
    json: Annotated[Path | None, file_option("Write all answers as JSON here.")] = None,
) -> None:
    """Check a signed verdict offline: signature, counts, freshness, the driver at hand, and what it comes to when run again."""
    from storcert.conformance import verify_command
    from storcert.conformance.age import parse_age
    from storcert.conformance.options import check_file, parse_profile

    for option, path in (("--badge", badge), ("--json", json)):
        if path is not None:
            check_file(option, path)
    options = verify_command.VerifyOptions(
        keys=tuple(key or ()),
        record=record,
        driver=driver,
        config=config,
        max_age=parse_age("--max-age", max_age),
        profile=parse_profile(profile),
        rerun=rerun,
        sample_seed=sample_seed,
        json=json,
        badge=badge,
    )
    raise typer.Exit(verify_command.verify(verdict, options))
