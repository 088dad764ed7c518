"""Replay tokens: one failure as self-contained text.

``sc1.<body>.<check>``: the body is base64url, without padding, of zlib-compressed canonical JSON; the check is the
first eight hexadecimal digits of the SHA-256 of the JSON. What is in the JSON is the caller's affair. A token over
:data:`TOKEN_MAX_CHARACTERS` is too long to paste: the caller writes it to a file, which ``storcert replay`` takes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

from storcert.harness.record.codec import canonical

PREFIX = "sc1"
TOKEN_MAX_CHARACTERS = 2_000
_JSON_MAX_BYTES = 64 * 1024 * 1024


class TokenError(ValueError):
    """Text that is no replay token of this kit; the message is one line."""


def encode_token(payload: Mapping[str, Any]) -> str:
    """The token of a JSON object. Equal payloads give equal tokens with one zlib; the check is the same with any."""
    data = canonical(payload)
    body = base64.urlsafe_b64encode(zlib.compress(data, 9)).rstrip(b"=").decode("ascii")
    return f"{PREFIX}.{body}.{_check(data)}"


def fits(token: str) -> bool:
    """Whether a token is short enough to be printed; a longer one goes to a file."""
    return len(token) <= TOKEN_MAX_CHARACTERS


def decode_token(text: str) -> dict[str, Any]:
    """Inverse of :func:`encode_token`; white space (a wrapped line) is ignored. Raises :class:`TokenError`."""
    pieces = "".join(text.split()).split(".")
    if len(pieces) != 3 or not pieces[0].startswith("sc"):
        raise TokenError(f"not a replay token: it does not look like {PREFIX}.<text>.<check>")
    prefix, body, check = pieces
    if prefix != PREFIX:
        raise TokenError(f"replay token of another kit: it starts with {prefix}., this kit reads {PREFIX}.")
    try:
        packed = base64.b64decode(body.encode("ascii") + b"=" * (-len(body) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(packed, _JSON_MAX_BYTES)
    except (binascii.Error, UnicodeEncodeError, zlib.error):
        raise TokenError("replay token is damaged: it was probably cut or changed when copied") from None
    if not unpacker.eof or _check(data) != check:
        raise TokenError("replay token is damaged: its check digits do not fit")
    value = json.loads(data.decode("utf-8", "surrogatepass"))
    if not isinstance(value, dict):
        raise TokenError("not a replay token: it holds no object")
    return value


def _check(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]
