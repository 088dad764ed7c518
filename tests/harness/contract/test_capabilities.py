"""Capabilities and policy meet in ``constrain``: pure, and never more than the device can do."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storcert.harness.contract import (
    Capabilities,
    InvalidRequest,
    ObjectKind,
    Policy,
    Role,
    Scope,
    constrain,
)

kinds = st.frozensets(st.sampled_from(ObjectKind))
limits = st.none() | st.integers(0, 2**62)
capabilities = st.builds(
    Capabilities, kinds=kinds, max_object_size_bytes=limits, size_granularity_bytes=st.integers(1, 2**20),
    on_device_copy=st.booleans(), range_read=st.booleans(), random_access=st.booleans(), snapshots=st.booleans(),
    revert=st.booleans(), clone=st.booleans(), digest=st.sampled_from([None, "md5", "sha256"]),
    enumerate=st.booleans(), max_name_bytes=st.none() | st.integers(1, 1024),
)  # fmt: skip
policies = st.builds(
    Policy, role=st.sampled_from(Role), scope=st.sampled_from(Scope), scope_id=st.text(max_size=5),
    kinds=st.none() | kinds, quota_bytes=limits, max_object_size_bytes=limits, read_only=st.booleans(),
    max_concurrent_transfers=st.none() | st.integers(1, 99), verify_digest=st.booleans(),
)  # fmt: skip
ABILITIES = ("on_device_copy", "range_read", "random_access", "snapshots", "revert", "clone", "enumerate")


@given(capabilities, policies)
def test_constrain_never_widens(can: Capabilities, policy: Policy) -> None:
    allowed = constrain(can, policy)
    assert allowed.kinds <= can.kinds
    assert policy.kinds is None or allowed.kinds <= policy.kinds
    for ability in ABILITIES:
        assert getattr(can, ability) or not getattr(allowed, ability)
    for limit in (can.max_object_size_bytes, policy.max_object_size_bytes, policy.quota_bytes):
        assert limit is None or (allowed.max_object_size_bytes is not None and allowed.max_object_size_bytes <= limit)
    assert allowed.size_granularity_bytes == can.size_granularity_bytes
    assert (allowed.digest, allowed.max_name_bytes) == (can.digest, can.max_name_bytes)
    for kind in ObjectKind:
        assert allowed.may_read(kind) == (kind in allowed.kinds)
        assert allowed.may_write(kind) == (kind in allowed.kinds and not policy.read_only)
    if policy.read_only:
        assert not (allowed.on_device_copy or allowed.snapshots or allowed.revert or allowed.clone)


@given(capabilities, policies)
def test_constrain_is_pure_and_settled(can: Capabilities, policy: Policy) -> None:
    before = (can.to_json(), policy.to_json())
    allowed = constrain(can, policy)
    assert constrain(can, policy) == allowed
    assert constrain(allowed, policy) == allowed
    assert (can.to_json(), policy.to_json()) == before


@given(capabilities)
def test_an_empty_policy_takes_nothing_away(can: Capabilities) -> None:
    allowed = constrain(can, Policy())
    assert {field.name: getattr(allowed, field.name) for field in fields(can)} == {
        field.name: getattr(can, field.name) for field in fields(can)
    }


@given(capabilities, policies)
def test_json_is_inverse(can: Capabilities, policy: Policy) -> None:
    assert Capabilities.from_json(json.loads(json.dumps(can.to_json()))) == can
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Capabilities, {"snapshot": True}), (Capabilities, {"kinds": ["disk"]}), (Capabilities, {"kinds": "volume"}),
        (Capabilities, {"max_object_size_bytes": -1}), (Capabilities, {"max_object_size_bytes": 1.5}),
        (Capabilities, {"size_granularity_bytes": 0}), (Capabilities, {"max_name_bytes": True}),
        (Policy, {"role": "boss"}), (Policy, {"scope": "planet"}), (Policy, {"quota_bytes": "1"}),
        (Policy, {"max_concurrent_transfers": 0}), (Policy, {"colour": 1}),
    ],
)  # fmt: skip
def test_bad_fields_are_refused(kind: Any, value: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        kind.from_json(value)


def test_every_default_means_not_supported_or_no_limit() -> None:
    plain = Capabilities()
    assert not any(getattr(plain, ability) for ability in ABILITIES)
    assert plain.kinds == frozenset(ObjectKind)
    assert (plain.max_object_size_bytes, plain.max_name_bytes, plain.digest, plain.size_granularity_bytes) == (
        None, None, None, 1,
    )  # fmt: skip
