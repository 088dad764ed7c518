"""Signing and checking signatures: DSSE envelopes with ed25519 keys in PEM files, nothing online.

The one module that knows securesystemslib and cryptography, which come with ``pip install 'storcert[sign]'``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError, VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey  # pyright: ignore[reportPrivateImportUsage]

from storcert.conformance.usage import InvalidUsage, one_line

_MAX_BYTES = 64 * 1024 * 1024


class BadSignature(Exception):
    """No signature of the envelope is by any of the keys. ``reason``: ``bad-signature`` or ``other-key``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def sign(payload: bytes, payload_type: str, key: Path) -> tuple[str, str]:
    """The envelope as text, and the id of the key. Raises :class:`InvalidUsage` for a key that cannot be used."""
    signer = CryptoSigner(_private(key))
    envelope = Envelope(payload, payload_type, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict(), indent=2) + "\n", signer.public_key.keyid


def check_private_key(path: Path) -> None:
    """Raises :class:`InvalidUsage` for a key that cannot sign."""
    _private(path)


def opened(path: Path) -> Envelope:
    """The envelope in a file; nothing in it is to be believed yet. Raises :class:`InvalidUsage`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidUsage(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(data) > _MAX_BYTES:
        raise InvalidUsage(f"{path}: too large for a signed verdict")
    try:
        value: Any = json.loads(data)
        envelope = Envelope.from_dict(value)
        if not isinstance(envelope.payload_type, str) or not envelope.signatures:
            raise ValueError("it has no signature")
    except (ValueError, KeyError, TypeError, AttributeError, FormatError, RecursionError) as error:
        raise InvalidUsage(f"{path}: not a signed verdict (a DSSE envelope): {one_line(error, 120)}") from None
    return envelope


def check_signature(envelope: Envelope, keys: Sequence[Path]) -> str:
    """The id of the key that signed it. Raises :class:`BadSignature`, or :class:`InvalidUsage` for a key that is none."""
    known = [SSlibKey.from_crypto(_public(path)) for path in keys]
    try:
        accepted = envelope.verify(list(known), 1)
    except VerificationError:
        if not any(key.keyid in envelope.signatures for key in known):
            theirs = ", ".join(one_line(keyid, 16) for keyid in envelope.signatures)
            ours = ", ".join(key.keyid[:16] for key in known)
            raise BadSignature("other-key", f"signed with key {theirs}, not with {ours}") from None
        raise BadSignature("bad-signature", "the signature does not fit: the text was changed after it was signed") from None
    return next(iter(accepted))


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(_bytes(path), None)
    except TypeError:
        raise InvalidUsage(f"{path}: the key is encrypted; `openssl pkey -in {path}` writes it without a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidUsage(f"{path}: not a private key in PEM; {_MAKE}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidUsage(f"{path}: not an ed25519 key; {_MAKE}")
    return key


def _public(path: Path) -> Ed25519PublicKey:
    data = _bytes(path)
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        if b"PRIVATE KEY" in data:
            raise InvalidUsage(f"{path}: a private key; `openssl pkey -in {path} -pubout` writes the public one") from None
        raise InvalidUsage(f"{path}: not a public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidUsage(f"{path}: not an ed25519 key")
    return key


_MAKE = "`openssl genpkey -algorithm ed25519 -out key.pem` makes one"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidUsage(f"{path}: cannot be read: {error.strerror or error}") from None
