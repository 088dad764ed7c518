"""The typed errors of the driver contract (section 5).

::

    StorageError                     outcome   retryable
    ├── ObjectNotFound               not_done  no         the named object is absent
    ├── ObjectExists                 not_done  no         the destination is taken
    ├── ObjectInUse                  not_done  yes        locked, has dependants or watchers
    ├── CapacityExceeded             not_done  no         device full, quota, object over the device's limit
    ├── SizeMismatch                 not_done  no         bytes written differ from the size announced
    ├── InvalidRequest               not_done  no         bad name, range or argument
    ├── Unsupported                  not_done  no         capability not declared
    ├── PermissionDenied             not_done  no         credentials wrong or expired
    ├── DeviceUnavailable            unknown   yes        timeout, lost connection, throttled; bucket, pool or mount absent
    └── DataCorrupted                not_done  no         a digest or length check failed

The one fact above all others is ``outcome``: did the operation certainly not happen, or might it have? Any class carries
``outcome="unknown"`` where that is the truth. ``DeviceUnavailable`` is the class whose outcome depends on the case; its
default is ``unknown`` because claiming ``not_done`` without knowing is the dangerous mistake.

Errors cross locations: every field is positional with a default, so an error is rebuilt from ``args``, pickles, and goes
through JSON with :meth:`StorageError.to_json` and :meth:`StorageError.from_json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Self


class Outcome(StrEnum):
    """What is known about an operation that raised."""

    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


class StorageError(Exception):
    """Base of every error a driver may raise.

    ``message``: text for a person. ``uri``: text form of the data object concerned, or ``None``. ``outcome``:
    ``"not_done"`` or ``"unknown"``. ``retryable``: whether the same call may succeed later without anybody's help.
    """

    default_outcome: ClassVar[Outcome] = Outcome.NOT_DONE
    default_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str = "",
        uri: object = None,
        outcome: Outcome | str | None = None,
        retryable: bool | None = None,
    ) -> None:
        self.message = str(message)
        self.uri = None if uri is None else str(uri)
        self.outcome = self.default_outcome if outcome is None else Outcome(outcome)
        self.retryable = self.default_retryable if retryable is None else bool(retryable)
        super().__init__(self.message, self.uri, str(self.outcome), self.retryable)

    def __str__(self) -> str:
        where = f" [{self.uri}]" if self.uri else ""
        return f"{self.message}{where} (outcome {self.outcome})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self.args!r}"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, StorageError) and self.args == other.args

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.args))

    def to_json(self) -> dict[str, Any]:
        """A JSON object with ``error``, ``message``, ``uri``, ``outcome`` and ``retryable``."""
        return {
            "error": type(self).__name__,
            "message": self.message,
            "uri": self.uri,
            "outcome": str(self.outcome),
            "retryable": self.retryable,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Rebuild an error of the class named in ``value``; ``ValueError`` for a name that is not in the tree."""
        name = value.get("error")
        found = ERRORS.get(str(name))
        if found is None or not issubclass(found, cls):
            raise ValueError(f"not a storage error: {name!r}")
        error = found(value.get("message", ""), value.get("uri"), value.get("outcome"), value.get("retryable"))
        assert isinstance(error, cls)
        return error


class ObjectNotFound(StorageError):
    """The named object is absent."""


class ObjectExists(StorageError):
    """The destination is taken; its bytes stay as they are."""


class ObjectInUse(StorageError):
    """The object is locked, has dependants or watchers. May be waited for, at most 60 virtual seconds."""

    default_retryable = True


class CapacityExceeded(StorageError):
    """Device full, quota reached, or object over ``max_object_size_bytes``."""


class SizeMismatch(StorageError):
    """The number of bytes written differs from the size announced at ``open_output``."""


class InvalidRequest(StorageError):
    """A bad name, range or argument, or a stream used after its end."""


class Unsupported(StorageError):
    """The capability is not declared; raised before any side effect."""


class PermissionDenied(StorageError):
    """Credentials are wrong or expired."""


class DeviceUnavailable(StorageError):
    """Timeout, connection lost, throttled, or the bucket, pool or mount is absent; ``outcome`` says what may have happened."""

    default_outcome = Outcome.UNKNOWN
    default_retryable = True


class DataCorrupted(StorageError):
    """A digest or length check failed."""


ERRORS: Mapping[str, type[StorageError]] = {
    error.__name__: error
    for error in (
        StorageError,
        ObjectNotFound,
        ObjectExists,
        ObjectInUse,
        CapacityExceeded,
        SizeMismatch,
        InvalidRequest,
        Unsupported,
        PermissionDenied,
        DeviceUnavailable,
        DataCorrupted,
    )
}
