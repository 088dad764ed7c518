"""What clients of a region do: upload, download, look for secrets that were told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from storcert.scenarios.region import Region
from tests.scenarios.regions import template

SECOND_NS = 10**9
DATA = bytes(range(256)) * 8_000


def visit(region: Region, body: Callable[[], Any], name: str = "client") -> Any:
    """What a client does, and what comes of it."""
    task = region.visit(body, name)
    region.finish(task)
    if task.error is not None:
        raise task.error
    return task.result


def put(region: Region, url: str, data: Any = DATA, name: str = "client", **headers: str) -> httpx.Response:
    fields = {key.replace("_", "-"): value for key, value in headers.items()}
    found: httpx.Response = visit(region, lambda: httpx.put(url, content=data, headers=fields, timeout=60), name)
    return found


def get(region: Region, url: str, **headers: str) -> httpx.Response:
    found: httpx.Response = visit(region, lambda: httpx.get(url, headers=headers, timeout=60))
    return found


def secrets_told(region: Region, *secrets: str) -> list[str]:
    """Events of the journal that hold one of them."""
    return [event.text for event in region.kernel.journal.events if any(secret in event.text for secret in secrets)]


def ticket(region: Region, **more: Any) -> Any:
    return region.call(lambda c: c.upload(template("u"), zone="z1", **more))


