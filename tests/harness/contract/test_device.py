"""A storage device travels as JSON and makes its driver where it is used; secrets stay references on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.harness.contract import (
    Capabilities,
    InvalidRequest,
    Policy,
    Role,
    SnapshotStorageDevice,
    StorageDevice,
    Unsupported,
)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
devices = st.builds(
    StorageDevice,
    st.text(),
    st.text(),
    st.dictionaries(st.text(), json_values, max_size=4),
    st.builds(Policy, role=st.sampled_from(Role), quota_bytes=st.none() | st.integers(0, 9)),
)


class Recording:
    """A driver that remembers its configuration."""

    def __init__(self, configuration: Any) -> None:
        self.configuration = configuration

    def capabilities(self) -> Capabilities:
        return Capabilities()


HERE = f"{Recording.__module__}:Recording"


@given(devices)
def test_json_is_inverse(device: StorageDevice) -> None:
    assert StorageDevice.from_json(device.to_json()) == device
    assert json.loads(device.to_json())["type"] == "storage-device"
    assert StorageDevice.from_json(device.to_json()).to_json() == device.to_json()


def test_the_kind_of_device_survives() -> None:
    device = SnapshotStorageDevice("d", HERE)
    assert type(StorageDevice.from_json(device.to_json())) is SnapshotStorageDevice
    with pytest.raises(InvalidRequest):
        SnapshotStorageDevice.from_json(StorageDevice("d", HERE).to_json())
    with pytest.raises(Unsupported):
        device.make_driver()


class SnapshotsAlone:
    """Takes snapshots, and can neither revert nor clone: it lacks those methods."""

    def __init__(self, configuration: Any) -> None:
        pass

    def capabilities(self) -> Capabilities:
        return Capabilities(snapshots=True)

    def take_snapshot(self, volume: object, snapshot: object) -> None:
        pass


def test_a_snapshot_device_need_not_revert_or_clone() -> None:
    made = SnapshotStorageDevice("d", f"{__name__}:SnapshotsAlone").make_driver()
    assert isinstance(made, SnapshotsAlone)


@pytest.mark.parametrize("text", ["", "[]", "{}", "5", '{"type": "storage-device"}', '{"type": "table"}', "null"])
def test_text_that_is_no_device_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        StorageDevice.from_json(text)


@pytest.mark.parametrize("value", [{"a": object()}, {1: 2}, {"a": {2: 3}}, {"a": [b"bytes"]}, {"a": {"b": {3}}}])
def test_a_configuration_is_json(value: Any) -> None:
    with pytest.raises(InvalidRequest):
        StorageDevice("d", HERE, value)


def test_a_secret_is_resolved_only_where_the_driver_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORCERT_TEST_SECRET", "hunter2")
    reference = {"secret": "env:STORCERT_TEST_SECRET"}
    device = StorageDevice("d", HERE, {"key": reference, "deep": [{"er": reference}], "plain": "text"})
    assert "hunter2" not in device.to_json() + repr(device) + str(device)
    driver = StorageDevice.from_json(device.to_json()).make_driver()
    assert driver.configuration == {  # type: ignore[attr-defined]
        "key": "hunter2", "deep": [{"er": "hunter2"}], "plain": "text",
    }  # fmt: skip
    assert device.configuration["key"] == reference


@pytest.mark.parametrize("reference", ["env:STORCERT_TEST_UNSET", "env:", "file:/etc/passwd", "hunter2", 5])
def test_a_secret_that_cannot_be_resolved_is_refused_without_telling_it(reference: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        StorageDevice("d", HERE, {"key": {"secret": reference}}).make_driver()
    assert "hunter2" not in str(caught.value) and "passwd" not in str(caught.value)


@pytest.mark.parametrize("driver", ["no-such-driver", "no.such.module:Driver", "json:NoSuchClass", "json:loads", "json:"])
def test_a_driver_that_cannot_be_loaded_is_refused(driver: str) -> None:
    with pytest.raises(InvalidRequest):
        StorageDevice("d", driver).make_driver()
