"""File names of the NFS driver: one name per URI, whatever the server folds, trims or normalises. Pure text, no device.

A published object is ``<kind>,<account>,<object id>.obj`` in one flat folder. Segments of ``a-z 0-9 . _ -`` stand as they
are; every other byte of their UTF-8 is ``=xx``, capital letters included, because the file system behind an export may fold
case or normalise Unicode; a segment that grows too long that way is written in base 32 behind a ``+``. Every URI has exactly
one name, every name is plain ASCII within 255 bytes, and a name that is not made this way is none of ours.

A file in the making has a name that tells its URI by digest, so that whoever deletes or commits that URI finds it.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from urllib.parse import unquote_to_bytes

from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectKind

NAME_BYTES_MAX = 64
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789._-")
_ESCAPED_MAX = 110
_SUFFIX = ".obj"
_SILLY = ".nfs"


def object_name(uri: DataObjectUri) -> str:
    """The file name of ``uri``. Raises ``InvalidRequest`` for a segment that is too long."""
    return f"{uri.kind},{_segment(uri.account, uri)},{_segment(uri.object_id, uri)}{_SUFFIX}"


def uri_of(name: str) -> DataObjectUri | None:
    """The URI that a file name stands for, or ``None`` for a file that is none of ours (``.nfsXXXX`` among them)."""
    parts = name.removesuffix(_SUFFIX).split(",")
    if not name.endswith(_SUFFIX) or name.startswith(_SILLY) or len(parts) != 3:
        return None
    try:
        uri = DataObjectUri(ObjectKind(parts[0]), _text(parts[1]), _text(parts[2]))
        return uri if object_name(uri) == name else None
    except (ValueError, InvalidRequest):
        return None


def pending_prefix(uri: DataObjectUri) -> str:
    """What the names of all files in the making for ``uri`` begin with, and no other's."""
    return hashlib.sha256(object_name(uri).encode()).hexdigest()[:40] + "-"


def pending_name(uri: DataObjectUri) -> str:
    """A new name for a file in the making: short however long the object's own name is."""
    return pending_prefix(uri) + uuid.uuid4().hex


def _segment(text: str, uri: DataObjectUri) -> str:
    raw = text.encode()
    if len(raw) > NAME_BYTES_MAX:
        raise InvalidRequest(f"a name has at most {NAME_BYTES_MAX} bytes of UTF-8", uri)
    escaped = "".join(chr(byte) if byte in _PLAIN else f"={byte:02x}" for byte in raw)
    if len(escaped) <= _ESCAPED_MAX:
        return escaped
    return "+" + base64.b32hexencode(raw).decode().rstrip("=").lower()


def _text(segment: str) -> str:
    """What :func:`_segment` made this of. Raises ``ValueError``."""
    if segment.startswith("+"):
        digits = segment[1:].upper()
        return base64.b32hexdecode(digits + "=" * (-len(digits) % 8)).decode()
    return unquote_to_bytes(segment.replace("%", "%25").replace("=", "%")).decode()
