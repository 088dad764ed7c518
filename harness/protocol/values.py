"""Names, capabilities and descriptions as messages, and back. What comes over the wire is not trusted: anything that the
contract does not know is a :class:`BrokenProtocol`, said in words."""

from __future__ import annotations

from typing import Any

from storcert.harness.contract import (
    Capabilities,
    DataObjectDescription,
    DataObjectUri,
    InvalidRequest,
    ObjectKind,
)
from storcert.harness.protocol import driver_pb2 as pb
from storcert.harness.protocol.broken import BrokenProtocol

_KINDS: dict[ObjectKind, pb.ObjectKind] = {
    ObjectKind.VOLUME: pb.VOLUME,
    ObjectKind.TEMPLATE: pb.TEMPLATE,
    ObjectKind.SNAPSHOT: pb.SNAPSHOT,
    ObjectKind.ISO: pb.ISO,
}
_KIND_OF = {int(number): kind for kind, number in _KINDS.items()}
_LIMITS = ("max_object_size_bytes", "max_name_bytes")
_FLAGS = ("on_device_copy", "range_read", "random_access", "snapshots", "revert", "clone", "enumerate")


def uri_message(uri: DataObjectUri) -> pb.DataObjectUri:
    """A name as a message."""
    return pb.DataObjectUri(kind=_KINDS[uri.kind], account=uri.account, object_id=uri.object_id)


def uri_of(message: pb.DataObjectUri, where: str) -> DataObjectUri:
    """The name in a message. Raises :class:`BrokenProtocol`; ``where`` says what it stood in."""
    kind = _KIND_OF.get(message.kind)
    if kind is None:
        raise BrokenProtocol(f"{where}: kind {int(message.kind)} is not one of ObjectKind")
    try:
        return DataObjectUri(kind, message.account, message.object_id)
    except InvalidRequest as error:
        raise BrokenProtocol(f"{where}: no name of a data object: {error.message}") from None


def description_message(description: DataObjectDescription) -> pb.Description:
    """A description as a message. Raises ``TypeError`` or ``ValueError`` for what no message can hold."""
    return pb.Description(
        uri=uri_message(description.uri), size_bytes=description.size_bytes, digest=description.digest
    )


def description_of(message: pb.Description, where: str) -> DataObjectDescription:
    """The description in a message. Raises :class:`BrokenProtocol`."""
    digest = message.digest if message.HasField("digest") else None
    return DataObjectDescription(uri_of(message.uri, where), message.size_bytes, digest)


def capabilities_message(capabilities: Capabilities) -> pb.Capabilities:
    """Capabilities as a message."""
    said: dict[str, Any] = {name: getattr(capabilities, name) for name in (*_LIMITS, *_FLAGS)}
    return pb.Capabilities(
        kinds=[_KINDS[kind] for kind in sorted(capabilities.kinds)],
        size_granularity_bytes=capabilities.size_granularity_bytes,
        digest=capabilities.digest or "",
        **said,
    )


def capabilities_of(message: pb.Capabilities) -> Capabilities:
    """The capabilities in a message. Raises :class:`BrokenProtocol`."""
    strange = [int(kind) for kind in message.kinds if int(kind) not in _KIND_OF]
    if strange:
        raise BrokenProtocol(f"GetCapabilities: kind {strange[0]} is not one of ObjectKind")
    limits = {name: getattr(message, name) for name in _LIMITS if message.HasField(name)}
    flags = {name: getattr(message, name) for name in _FLAGS}
    try:
        return Capabilities(
            kinds=frozenset(_KIND_OF[int(kind)] for kind in message.kinds) or frozenset(ObjectKind),
            size_granularity_bytes=message.size_granularity_bytes or 1,
            digest=message.digest or None,
            **limits,
            **flags,
        )
    except InvalidRequest as error:
        raise BrokenProtocol(f"GetCapabilities: {error.message}") from None
