"""What clients of a region do with tickets and links: they send and fetch bytes at the doors of storage VMs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from storcert.harness.contract import DeviceUnavailable
from storcert.scenarios.region import Region

TRIES = 40
AGAIN_NS = 15 * 10**9
TIMEOUT_S = 60
_UNIT = b"what a client sends "


def upload(region: Region, ticket: Mapping[str, Any], size_bytes: int) -> bool:
    """Send the bytes to the ticket's URL: whether that settled it. What came of it the job tells. Inside a task."""
    data = (_UNIT * (size_bytes // len(_UNIT) + 1))[:size_bytes]

    def once() -> bool:
        status = httpx.put(ticket["url"], content=data, timeout=TIMEOUT_S).status_code
        return status < 300 or status in (403, 410, 507)

    return _visit(region, once)


def download(region: Region, link: Mapping[str, Any]) -> None:
    """Fetch all there is behind a link. Raises ``DeviceUnavailable`` where that cannot be had. Inside a task."""
    seen: list[str] = []

    def once() -> bool:
        answer = httpx.get(link["url"], timeout=TIMEOUT_S)
        seen.append(str(answer.status_code))
        return answer.status_code in (200, 403, 404, 410)

    for _ in range(TRIES):
        if _visit(region, once):
            break
        region.kernel.sleep_ns(AGAIN_NS)
    if not seen or seen[-1] != "200":
        raise DeviceUnavailable(f"the link answers {seen[-1] if seen else 'nothing'}")


def _visit(region: Region, once: Callable[[], bool]) -> bool:
    """Whether it is settled; a connection that breaks settles nothing."""
    task = region.visit(once)
    region.kernel.wait(task.ended_event, reason="client")
    if task.error is not None and not isinstance(task.error, httpx.HTTPError):
        raise task.error
    return task.error is None and bool(task.result)
