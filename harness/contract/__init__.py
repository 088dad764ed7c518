"""The driver contract, version 1: everything a storage vendor needs, standard library only.

``DataObjectUri`` names data objects; the protocols say what a driver offers; ``Capabilities`` what its device can do;
``Policy`` what the operator allows; ``StorageDevice`` ties them together and travels as JSON; the errors say what went
wrong and what is known about it.
"""

from storcert.harness.contract.capabilities import Allowance, Capabilities, Policy, Role, Scope, constrain
from storcert.harness.contract.device import SnapshotStorageDevice, StorageDevice
from storcert.harness.contract.driver import (
    DataObjectDescription,
    InputStream,
    JsonValue,
    OutputStream,
    RandomAccessDriver,
    SnapshotStorageDeviceDriver,
    StorageDeviceDriver,
    VolumeHandle,
)
from storcert.harness.contract.errors import (
    CapacityExceeded,
    DataCorrupted,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    ObjectInUse,
    ObjectNotFound,
    Outcome,
    PermissionDenied,
    SizeMismatch,
    StorageError,
    Unsupported,
)
from storcert.harness.contract.uri import DataObjectUri, ObjectKind

CONTRACT_VERSION = 1

__all__ = [
    "CONTRACT_VERSION",
    "Allowance",
    "Capabilities",
    "CapacityExceeded",
    "DataCorrupted",
    "DataObjectDescription",
    "DataObjectUri",
    "DeviceUnavailable",
    "InputStream",
    "InvalidRequest",
    "JsonValue",
    "ObjectExists",
    "ObjectInUse",
    "ObjectKind",
    "ObjectNotFound",
    "Outcome",
    "OutputStream",
    "PermissionDenied",
    "Policy",
    "RandomAccessDriver",
    "Role",
    "Scope",
    "SizeMismatch",
    "SnapshotStorageDevice",
    "SnapshotStorageDeviceDriver",
    "StorageDevice",
    "StorageDeviceDriver",
    "StorageError",
    "Unsupported",
    "VolumeHandle",
    "constrain",
]
