"""What is counted in a pool of Ceph: what is there, and not what the cluster is about to take away."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from storcert.conformance.live_targets.ceph_rbd import Pool
from storcert.simulators.device import CensusEntry


class ObjectNotFound(Exception):
    """As the binding raises it."""


class Contents:
    """Two objects; of a third one only the bytes of a removed snapshot are left, so that it is listed and is not there."""

    def list_objects(self) -> list[Any]:
        return [SimpleNamespace(key=key) for key in ("rbd_header.1", "rbd_data.2", "rbd_directory")]

    def stat(self, key: str) -> tuple[int, None]:
        if key == "rbd_data.2":
            raise ObjectNotFound(key)
        return len(key), None


def test_what_is_listed_and_is_not_there_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    binding = ModuleType("rados")
    monkeypatch.setattr(binding, "ObjectNotFound", ObjectNotFound, raising=False)
    monkeypatch.setitem(sys.modules, "rados", binding)
    pool = object.__new__(Pool)
    pool._io = Contents()
    monkeypatch.setattr(Pool, "_keys", lambda pool, name: ["a"] if name == "rbd_directory" else [])
    assert pool.census() == (
        CensusEntry("object", "rbd_directory", "", 13), CensusEntry("object", "rbd_header.1", "", 12),
        CensusEntry("omap-key", "rbd_directory:a", "", 0),
    )  # fmt: skip
