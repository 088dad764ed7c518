"""``storcert sign``, and ``certify --sign``: a run record becomes a signed verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from storcert.conformance import commands
from storcert.conformance.options import Outputs, check_file
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.run_record import RunRecord
from storcert.reports import statement

if TYPE_CHECKING:
    from types import ModuleType

VERDICT_FILE = "verdict.intoto.json"
"""What it is called in an output folder."""
VALID_DAYS_MAX = 3_650


def signatures() -> ModuleType:
    """The module that signs. Raises :class:`InvalidUsage` where what it needs is not installed."""
    try:
        from storcert.conformance import signatures as module
    except ImportError as error:
        raise InvalidUsage(f"signed verdicts need securesystemslib: pip install 'storcert[sign]' ({error})") from None
    return module


def check_days(days: int) -> None:
    """Raises :class:`InvalidUsage` for a span that no verdict may hold."""
    if not 1 <= days <= VALID_DAYS_MAX:
        raise InvalidUsage(f"--valid-days {days}: from 1 to {VALID_DAYS_MAX:,}")


@dataclass(frozen=True, slots=True)
class Signing:
    """With which key, into which file, for how many days."""

    key: Path
    verdict: Path
    valid_days: int


def signing_of(key: Path | None, verdict: Path | None, outputs: Outputs, valid_days: int) -> Signing | None:
    """What ``certify`` is asked for, checked before it runs. Raises :class:`InvalidUsage`."""
    if key is None:
        if verdict is not None:
            raise InvalidUsage("--verdict goes with --sign KEY")
        return None
    check_days(valid_days)
    if verdict is None and outputs.out is None:
        raise InvalidUsage("--sign needs --verdict FILE or --out DIR for what it writes")
    path = verdict or (outputs.out or Path()) / VERDICT_FILE
    check_file("--verdict", path)
    signatures().check_private_key(key)
    return Signing(key, path, valid_days)


def sign(run: Path, key: Path, verdict: Path, valid_days: int) -> int:
    """Sign the record in a file, whatever its verdict is: a verdict that says no may be signed too."""
    check_days(valid_days)
    write_verdict(commands.stored(run), key, verdict, valid_days)
    return 0


def write_verdict(record: RunRecord, key: Path, verdict: Path, valid_days: int) -> None:
    """The signed verdict into a file. Raises :class:`InvalidUsage`: nothing to state, no such key, no such folder."""
    try:
        payload = statement.payload(record, valid_days)
    except statement.NotStatable as error:
        raise InvalidUsage(f"cannot be signed: {error}") from None
    text, keyid = signatures().sign(payload, statement.PAYLOAD_TYPE, key)
    commands.write_file(verdict, text)
    commands.print_text(f"{verdict}: {str(record.verdict).replace('_', ' ')}, signed with key {keyid[:16]}\n")
