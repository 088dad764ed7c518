"""The fsspec driver's own, in memory and in a folder; what it shares with other libraries is in ``test_library_drivers``."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from storcert.harness.contract import (
    DataObjectUri,
    DeviceUnavailable,
    InvalidRequest,
    ObjectKind,
    ObjectNotFound,
    Outcome,
)
from storcert.harness.drivers import fsspec as adapter
from storcert.harness.drivers.fsspec import FsspecDriver

A = DataObjectUri(ObjectKind.VOLUME, "1", "a")


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    yield
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


@pytest.fixture(params=["memory", "file"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> FsspecDriver:
    return FsspecDriver({} if request.param == "memory" else {"protocol": "file", "root": str(tmp_path)})


def test_nothing_is_visible_before_commit(driver: FsspecDriver) -> None:
    stream = driver.open_output(A)
    stream.write(b"x")
    with pytest.raises(ObjectNotFound):
        driver.describe(A)
    stream.abort()


def test_an_absent_folder_is_an_absent_mount(tmp_path: Path) -> None:
    driver = FsspecDriver({"protocol": "file", "root": str(tmp_path / "absent")})
    calls: list[Callable[[], Any]] = [
        lambda: driver.create(A, 1), lambda: driver.delete(A), lambda: driver.describe(A), lambda: driver.open_input(A),
        lambda: driver.open_output(A), lambda: list(driver.list_objects()),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(DeviceUnavailable) as caught:
            call()
        assert caught.value.outcome is Outcome.NOT_DONE
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_configuration_is_one_clear_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    for configuration in ({"protocol": "no-such-protocol"}, {"protocol": 3}, {"root": None}):
        with pytest.raises(InvalidRequest):
            FsspecDriver(configuration)
    monkeypatch.setattr(adapter, "library", types.ModuleType("fsspec"))
    with pytest.raises(InvalidRequest, match="is not the library"):
        FsspecDriver({})
    monkeypatch.setattr(adapter, "library", None)
    with pytest.raises(InvalidRequest, match="fsspec"):
        FsspecDriver({})


def test_the_library_is_judged_and_not_repaired() -> None:
    """Of two writers to one name in memory both succeed: the library's exclusive mode is checked at open only."""
    driver = FsspecDriver({})
    first, second = driver.open_output(A), driver.open_output(A)
    first.write(b"first")
    second.write(b"second")
    first.commit()
    second.commit()
    with driver.open_input(A) as stream:
        assert stream.read() == b"second"
