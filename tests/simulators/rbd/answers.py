"""Answers of the ``rados`` and ``rbd`` modules made comparable: what no two runs share is named in order of appearance."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any

_UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


class PlainAnswers:
    """Remembers what it has named."""

    def __init__(self) -> None:
        self.known: dict[str, dict[Any, str]] = {}

    def token(self, kind: str, value: Any) -> str:
        """The same name for the same value, in order of appearance."""
        seen = self.known.setdefault(kind, {})
        return seen.setdefault(value, f"{kind}{len(seen)}")

    def plain(self, value: Any) -> Any:
        if isinstance(value, bytes):
            return self.digest(value)
        if isinstance(value, str):
            return "<uuid>" if _UUID.match(value) else value
        if isinstance(value, datetime):
            return "<time>"
        if isinstance(value, dict):
            return {key: self.field(key, item) for key, item in sorted(value.items())}
        if isinstance(value, (list, tuple)):
            return [self.plain(item) for item in value]
        if value is None or isinstance(value, (bool, int)):
            return value
        return type(value).__name__

    def field(self, key: str, value: Any) -> Any:
        if key in ("image_id", "block_name_prefix") or (key == "id" and isinstance(value, str)):
            return self.token("image", str(value).removeprefix("rbd_data."))
        if key in ("snap_id",) or (key == "id" and isinstance(value, int)):
            return self.token("snap", value)
        if key in ("pool_name", "pool"):
            return "pool"
        return self.plain(value)

    @staticmethod
    def digest(data: bytes) -> str:
        return f"{len(data)} bytes {hashlib.sha256(data).hexdigest()[:12]}"
