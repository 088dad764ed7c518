"""Errors of the contract as messages, in the middle of a stream and in the trailing metadata of a status, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from google.protobuf.message import DecodeError

from storcert.harness.contract import (
    CapacityExceeded,
    DataCorrupted,
    DataObjectUri,
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
from storcert.harness.protocol import driver_pb2 as pb
from storcert.harness.protocol.broken import BrokenProtocol
from storcert.harness.protocol.values import uri_message, uri_of

RICH, BARE, FOREIGN = "grpc-status-details-bin", "storcert-error-bin", "storcert-foreign-bin"
"""Keys of trailing metadata: the rich error model, the error alone, and what a foreign error was."""
_TYPE_URL = "type.googleapis.com/"

#: Class of the contract, its number in the protocol, and the gRPC status code that goes well with it.
_CLASSES: tuple[tuple[type[StorageError], pb.ErrorClass, int], ...] = (
    (ObjectNotFound, pb.OBJECT_NOT_FOUND, 5),
    (ObjectExists, pb.OBJECT_EXISTS, 6),
    (ObjectInUse, pb.OBJECT_IN_USE, 9),
    (CapacityExceeded, pb.CAPACITY_EXCEEDED, 8),
    (SizeMismatch, pb.SIZE_MISMATCH, 9),
    (InvalidRequest, pb.INVALID_REQUEST, 3),
    (Unsupported, pb.UNSUPPORTED, 12),
    (PermissionDenied, pb.PERMISSION_DENIED, 7),
    (DeviceUnavailable, pb.DEVICE_UNAVAILABLE, 14),
    (DataCorrupted, pb.DATA_CORRUPTED, 15),
)
CODES: Mapping[str, int] = {cls.__name__: code for cls, _, code in _CLASSES}
_CLASS_OF = {int(number): cls for cls, number, _ in _CLASSES}
_OUTCOMES: Mapping[int, Outcome | None] = {
    int(pb.OUTCOME_UNSPECIFIED): None,
    int(pb.NOT_DONE): Outcome.NOT_DONE,
    int(pb.OUTCOME_UNKNOWN): Outcome.UNKNOWN,
}


def error_message(error: StorageError) -> pb.StorageError:
    """A typed error as a message; one that is of no class of the contract has no class there either."""
    found = next((number for cls, number, _ in _CLASSES if isinstance(error, cls)), pb.ERROR_CLASS_UNSPECIFIED)
    outcome = pb.OUTCOME_UNKNOWN if error.outcome is Outcome.UNKNOWN else pb.NOT_DONE
    message = pb.StorageError(error=found, outcome=outcome, message=_text(error.message), retryable=error.retryable)
    if error.uri is not None:
        try:
            message.uri.CopyFrom(uri_message(DataObjectUri.parse(error.uri)))
        except InvalidRequest:
            pass  # an error about a bad name: the message says which
    return message


def error_of(message: pb.StorageError, where: str) -> StorageError:
    """The typed error in a message. Raises :class:`BrokenProtocol` for a class or an outcome that does not exist."""
    cls = _CLASS_OF.get(message.error)
    if cls is None:
        number = int(message.error)
        raise BrokenProtocol(f"{where} failed with error {number}, which is not one of ErrorClass: {message.message}")
    if message.outcome not in _OUTCOMES:
        number = int(message.outcome)
        raise BrokenProtocol(f"{where} failed with outcome {number}, which is not one of Outcome: {message.message}")
    uri = str(uri_of(message.uri, f"{where}: the error's uri")) if message.HasField("uri") else None
    retryable = message.retryable if message.HasField("retryable") else None
    return cls(message.message, uri, _OUTCOMES[message.outcome], retryable)


def trailing(error: BaseException) -> tuple[tuple[str, bytes], ...]:
    """The trailing metadata that carry an error, typed or foreign."""
    if isinstance(error, StorageError):
        detail = error_message(error)
        status = pb.RichStatus(code=CODES.get(type(error).__name__, 2), message=detail.message)
        status.details.add(type_url=_TYPE_URL + pb.StorageError.DESCRIPTOR.full_name, value=detail.SerializeToString())
        return ((RICH, status.SerializeToString()),)
    foreign = pb.ForeignError(type=type(error).__name__, message=_text(str(error)))
    return ((FOREIGN, foreign.SerializeToString()),)


def carried(metadata: Iterable[tuple[str, str | bytes]], where: str) -> StorageError | pb.ForeignError | None:
    """What trailing metadata carry: a typed error, what a foreign one was, or nothing. Raises :class:`BrokenProtocol`."""
    values = {key: value for key, value in metadata if isinstance(value, bytes)}
    try:
        if BARE in values:
            return error_of(pb.StorageError.FromString(values[BARE]), where)
        for detail in pb.RichStatus.FromString(values.get(RICH, b"")).details:
            if detail.type_url.endswith("/" + pb.StorageError.DESCRIPTOR.full_name):
                return error_of(pb.StorageError.FromString(detail.value), where)
        if FOREIGN in values:
            return pb.ForeignError.FromString(values[FOREIGN])
    except DecodeError:
        raise BrokenProtocol(f"{where} failed, and its trailing metadata cannot be read as a StorageError") from None
    return None


def _text(text: str) -> str:
    """What a message can hold: lone surrogates cannot travel. Long ones do not fit into metadata."""
    return text.encode("utf-8", "backslashreplace").decode()[:500]
