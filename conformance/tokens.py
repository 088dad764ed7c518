"""From a failure to its replay token and back: all that is needed to run the same worlds again, and nothing secret."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storcert.conformance import secrets, undecided
from storcert.conformance.options import CertifyOptions
from storcert.harness.record.token import encode_token, fits

if TYPE_CHECKING:  # it brings all of the kit, which runs of scenarios do not need
    from storcert.conformance.runner import CaseOutcome

DIGITS = 16


def payload(options: CertifyOptions, outcome: CaseOutcome) -> dict[str, Any]:
    """What a token says."""
    kit = undecided.kit_identity()
    said: dict[str, Any] = {
        "kit": kit.version,
        "requirements": kit.requirements_digest.removeprefix("sha256:")[:DIGITS],
        "driver": options.driver.reference,
        "source": options.driver.digest.removeprefix("sha256:")[:DIGITS],
        "device": options.device,
        "seed": options.seed,
        "case": outcome.result.id,
        "message": secrets.scrubbed(outcome.message)[:200],
        "digest": outcome.example_digest.removeprefix("sha256:")[:DIGITS],
    }
    if options.configuration:
        said["configuration"] = secrets.hidden(options.configuration)
    if options.simulator:
        said["simulator"] = secrets.hidden(options.simulator)
    if outcome.program is not None:
        said["program"] = outcome.program
    elif outcome.example:
        said["example"] = outcome.example
    return said


def place_token(options: CertifyOptions, outcome: CaseOutcome) -> tuple[str, str]:
    """Token and file: one of them is empty. A token too long to paste goes to a file in the output folder. Both are empty where
    the driver exists in this process only: a token could not name it."""
    if not options.driver.import_path:
        return "", ""
    return place(payload(options, outcome), options.out)


def place(said: Mapping[str, Any], out: Path | None) -> tuple[str, str]:
    """Token and file for that payload: one of them is empty. ``out``: the folder for files, if there is one."""
    token = encode_token(said)
    if fits(token):
        return token, ""
    folder = out if out is not None else Path(tempfile.gettempdir()) / f"storcert-{os.getuid()}"
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(token.encode()).hexdigest()[:DIGITS]
    path = folder / f"replay-{name}.txt"
    path.write_text(token + "\n", encoding="utf-8")
    return "", str(path)


def field(said: Mapping[str, Any], name: str, kind: type) -> Any:
    """One field of a payload; ``KeyError`` or ``TypeError`` where it is not there or not of that kind."""
    value = said[name]
    if not isinstance(value, kind):
        raise TypeError(f"{name} is {type(value).__name__}")
    return value
