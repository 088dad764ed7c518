"""The faults that a proxy before a real S3 service can show, and the answers it gives in the service's place.

The names are those of the simulated object store, so that one schedule runs on both. What is different in real time:

- ``request_lost`` and ``answer_lost``: silence is not waited for, the connection is reset at once. The client learns as little.
- ``slow`` and ``server_restart`` last as long as they say, in real time.
- ``power_loss`` and ``crash`` cannot be shown: nobody pulls the plug of a real service, and the driver runs in this process.
"""

from __future__ import annotations

from storcert.conformance.live_wire import Answer
from storcert.simulators.device import FaultKind
from storcert.simulators.object_store.errors import ERRORS
from storcert.simulators.object_store.legal_faults import LEGAL_FAULTS

NOT_SHOWN = {
    "crash": "the driver runs in this process: it cannot die alone",
    "power_loss": "nobody cuts the power of a real service here",
}
PROXY_FAULTS: tuple[FaultKind, ...] = tuple(kind for kind in LEGAL_FAULTS if kind.name not in NOT_SHOWN)

_CODES = {
    "throttle": ("SlowDown", 0), "internal_error": ("InternalError", 0), "ok_with_error": ("InternalError", 200),
    "full": ("QuotaExceeded", 0), "expired_credentials": ("ExpiredToken", 0),
}  # fmt: skip


def answer_of(kind: str, method: str) -> Answer | None:
    """What the client is told instead of the service's answer; ``None`` for a fault of the wire."""
    if kind not in _CODES:
        return None
    code, status = _CODES[kind]
    usual, message = ERRORS[code]
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'.encode()
    headers = ((b"content-type", b"application/xml"), (b"x-amz-request-id", b"storcert-proxy"))
    return Answer(status or usual, headers, b"" if method == "HEAD" else body, code)
