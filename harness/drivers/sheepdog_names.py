"""Names on the cluster: the VDI that stands for a URI, the VDIs that hold its bytes, and back. Pure functions.

A URI is ``<prefix><kind>+<account>+<object id>``, its *marker*; a segment that is not plain is ``=`` and base64url of its
UTF-8, so that every name is ASCII, is never merged with another, and fits into the 255 bytes to which dog would cut it
without a word. Further markers of one URI end in ``+1``, ``+2`` and so on.
The bytes of one version of the object are in a VDI of their own, ``<prefix>~<digest of the marker>~<number>``,
and its doom is named so and ``~doomed``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid

from storcert.harness.contract import DataObjectUri, InvalidRequest, ObjectKind

VDI_NAME_BYTES_MAX = 255
#: Versions are numbered at random; the number is also the size of the marker, and no VDI is larger than 4 TiB.
NUMBER_BITS = 42
_PLAIN = re.compile(r"[A-Za-z0-9._~-]+")
_LONGEST_KIND = len("template")
_DIGEST_CHARACTERS = 32
_TURN_CHARACTERS = 4
_DOOM = "~doomed"


def name_bytes_max(prefix: str) -> int:
    """The longest segment, in bytes of UTF-8, of which two fit into a name however they are written."""
    room = (VDI_NAME_BYTES_MAX - len(prefix.encode()) - _LONGEST_KIND - 2 - _TURN_CHARACTERS) // 2 - 1
    return min(255, max(0, room) * 3 // 4)


def _written(segment: str) -> str:
    if _PLAIN.fullmatch(segment):
        return segment
    return "=" + base64.urlsafe_b64encode(segment.encode()).decode().rstrip("=")


def _read(text: str) -> str:
    if not text.startswith("="):
        return text
    raw = text[1:].encode()
    return base64.urlsafe_b64decode(raw + b"=" * (-len(raw) % 4)).decode()


def marker_of(prefix: str, uri: DataObjectUri) -> str:
    """The name of the marker. Raises ``InvalidRequest`` for a name that is too long."""
    if not isinstance(uri, DataObjectUri):
        raise InvalidRequest(f"a data object is named by a DataObjectUri, not {type(uri).__name__}")
    limit = name_bytes_max(prefix)
    for segment in (uri.account, uri.object_id):
        if len(segment.encode()) > limit:
            raise InvalidRequest(f"a segment of the name has more than {limit} bytes of UTF-8", uri)
    return f"{prefix}{uri.kind}+{_written(uri.account)}+{_written(uri.object_id)}"


def turn_of(marker: str, turn: int) -> str:
    """The first marker of a URI, or a further one."""
    return f"{marker}+{turn}" if turn else marker


def uri_of(prefix: str, name: str) -> DataObjectUri | None:
    """The URI that a VDI stands for, or ``None`` for one that is no marker of ours."""
    pieces = name.removeprefix(prefix).split("+")
    if not name.startswith(prefix) or len(pieces) not in (3, 4):
        return None
    try:
        uri = DataObjectUri(ObjectKind(pieces[0]), _read(pieces[1]), _read(pieces[2]))
        turn = int(pieces[3]) if len(pieces) == 4 else 0
        return uri if turn_of(marker_of(prefix, uri), turn) == name else None
    except (InvalidRequest, ValueError, binascii.Error):
        return None


def stem_of(prefix: str, marker: str) -> str:
    """What the names of all versions of the object begin with; also the beginning of its inner snapshots' tags."""
    return f"{prefix}~{hashlib.sha256(marker.encode()).hexdigest()[:_DIGEST_CHARACTERS]}~"


def new_number() -> int:
    """The number of a new version: from 1 to under 4 TiB."""
    return (uuid.uuid4().int >> (128 - NUMBER_BITS)) or 1


def version_name(stem: str, number: int) -> str:
    """The VDI with the bytes of that version."""
    return f"{stem}{number:011x}"


def doom_of(version: str) -> str:
    """The VDI that tells that somebody is about to sweep that version away."""
    return version + _DOOM


def version_of(name: str) -> str:
    """The version that a name is, or is the doom of."""
    return name.removesuffix(_DOOM)
