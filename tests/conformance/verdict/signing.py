"""Keys, records and verdicts for the tests of signing: a run of this kit over the bundled s3 driver, as if just made."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner  # pyright: ignore[reportPrivateImportUsage]

from storcert.conformance.options import certify_options
from storcert.conformance.undecided import device_identity, driver_identity, kit_identity
from storcert.harness.record.run_record import Environment, RunRecord
from storcert.reports.statement import PAYLOAD_TYPE
from tests.reports import records

STARTED = "2026-11-01T10:00:00+00:00"


def key_pair(folder: Path, name: str = "key") -> tuple[Path, Path]:
    """A fresh private and public key, in two files."""
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@cache
def _identities() -> dict[str, Any]:
    options = certify_options("s3", profile="standard", seed=7)
    return {
        "kit": kit_identity(), "driver": driver_identity(options), "device": device_identity(options),
        "options": options.to_json(), "environment": Environment(started=STARTED),
    }  # fmt: skip


def certified(record: RunRecord | None = None, **changes: Any) -> RunRecord:
    """The record, as if this kit had made it of the bundled s3 driver."""
    return replace(record or records.conformant(), **{**_identities(), **changes})


def signed(statement: Any, private: Path, path: Path, payload_type: str = PAYLOAD_TYPE) -> Path:
    """Any statement, truly signed: what somebody who has the key may have written."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(private.read_bytes(), None)
    envelope = Envelope(json.dumps(statement).encode(), payload_type, {})
    envelope.sign(CryptoSigner(key))
    path.write_text(json.dumps(envelope.to_dict()))
    return path


def statement_in(path: Path) -> Any:
    """What is in the envelope, whoever signed it."""
    return json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))
