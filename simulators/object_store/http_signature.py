"""With whose secret a request is signed: AWS signature version 4, computed again. Nothing is refused here.

A request that says which body it signed is taken by its word. Presigned URLs and the older signatures are not modelled.
Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote

from storcert.simulators.device import NotModelled
from storcert.simulators.object_store.server import Credentials

_PATTERN = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^/,]+)/(\d+)/([^/,]*)/([^/,]+)/aws4_request,\s*SignedHeaders=([^,]*),\s*Signature=(\w+)")
WRONG_SECRET = ""


def signed_with(method: str, target: str, headers: Mapping[str, str], device: Credentials) -> Credentials | None:
    """Whose credentials signed a request: the device's own, others (their secret is not known), or nobody's.

    ``target`` as on the request line, ``headers`` by lower-case names.
    """
    given = headers.get("authorization")
    if given is None:
        if "x-amz-signature=" in target.lower():
            raise NotModelled("S3 over HTTP: a presigned URL")
        return None
    found = _PATTERN.fullmatch(given.strip())
    if found is None:
        raise NotModelled(f"S3 over HTTP: authorization {given.partition(' ')[0]!r}, not AWS4-HMAC-SHA256")
    access_key, date, region, service, names, signature = found.groups()
    if access_key == device.access_key:
        scope = f"{date}/{region}/{service}/aws4_request"
        canonical = _canonical(method, target, headers, names)
        expected = _signature(device.secret_key, scope, headers.get("x-amz-date", ""), canonical)
        if hmac.compare_digest(expected, signature):
            return device
    return Credentials(access_key, WRONG_SECRET)


def _canonical(method: str, target: str, headers: Mapping[str, str], names: str) -> str:
    path, _, query = target.partition("?")
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(query, keep_blank_values=True))
    fields = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names.split(";"))
    return "\n".join((
        method, quote(unquote(path), safe="/-_.~"), "&".join(f"{name}={value}" for name, value in pairs), fields, names,
        headers.get("x-amz-content-sha256", ""),
    ))  # fmt: skip


def _signature(secret: str, scope: str, moment: str, canonical: str) -> str:
    key = f"AWS4{secret}".encode()
    for piece in scope.split("/"):
        key = hmac.digest(key, piece.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.digest(key, text.encode(), "sha256").hex()
