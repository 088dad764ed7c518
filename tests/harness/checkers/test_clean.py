"""L-CLEAN: what a failed job leaves is its fault; what another had made before is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from storcert.harness.checkers.control_plane import judge
from storcert.harness.record.event import Event


def _journal(maker: int) -> list[Event]:
    """A template is made by job ``maker``; job 2, a copy to where it is, fails."""
    name, device = "/template/1/t", "images"
    copy = {"kind": "copy", "arguments": {"source": name, "target": name, "device": device}, "owner": "ms-1/0", "key": name}
    placement = {"uri": name, "device": device, "purpose": "kept", "reserved_bytes": 1}
    facts: list[tuple[str, dict[str, Any]]] = [
        ("job", {"event": "begun", "id": 1, **copy}),
        ("job", {"event": "begun", "id": 2, **copy}),
        ("object", {"event": "known", "uri": name, "size_bytes": 1, "origin": ""}),
        ("placement", {**placement, "event": "create", "before": "absent", "state": "creating", "job": maker}),
        ("placement", {**placement, "event": "succeed", "before": "creating", "state": "ready", "job": None}),
        ("job", {"event": "succeeded", "id": 1, "result": {}}),
        ("job", {"event": "failed", "id": 2, "result": {"error": "Unsupported", "message": "no way"}}),
        ("survey", {"uri": name, "device": device, "size_bytes": 1, "digest": "d"}),
        ("end", {}),
    ]
    return [Event(number, "", sort, json.dumps(value)) for number, (sort, value) in enumerate(facts)]


@pytest.mark.parametrize(("maker", "broken"), [(1, 0), (2, 1)])
def test_who_made_it_decides(maker: int, broken: int) -> None:
    found = next(one for one in judge(_journal(maker)) if one.rule == "L-CLEAN")
    assert len(found.broken) == broken and found.looked_at
