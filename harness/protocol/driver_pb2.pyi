"""Made from driver.proto by docs/make_protocol.py, not to be edited: the messages of the driver protocol."""
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ObjectKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBJECT_KIND_UNSPECIFIED: _ClassVar[ObjectKind]
    VOLUME: _ClassVar[ObjectKind]
    TEMPLATE: _ClassVar[ObjectKind]
    SNAPSHOT: _ClassVar[ObjectKind]
    ISO: _ClassVar[ObjectKind]

class ErrorClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_CLASS_UNSPECIFIED: _ClassVar[ErrorClass]
    OBJECT_NOT_FOUND: _ClassVar[ErrorClass]
    OBJECT_EXISTS: _ClassVar[ErrorClass]
    OBJECT_IN_USE: _ClassVar[ErrorClass]
    CAPACITY_EXCEEDED: _ClassVar[ErrorClass]
    SIZE_MISMATCH: _ClassVar[ErrorClass]
    INVALID_REQUEST: _ClassVar[ErrorClass]
    UNSUPPORTED: _ClassVar[ErrorClass]
    PERMISSION_DENIED: _ClassVar[ErrorClass]
    DEVICE_UNAVAILABLE: _ClassVar[ErrorClass]
    DATA_CORRUPTED: _ClassVar[ErrorClass]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    NOT_DONE: _ClassVar[Outcome]
    OUTCOME_UNKNOWN: _ClassVar[Outcome]
OBJECT_KIND_UNSPECIFIED: ObjectKind
VOLUME: ObjectKind
TEMPLATE: ObjectKind
SNAPSHOT: ObjectKind
ISO: ObjectKind
ERROR_CLASS_UNSPECIFIED: ErrorClass
OBJECT_NOT_FOUND: ErrorClass
OBJECT_EXISTS: ErrorClass
OBJECT_IN_USE: ErrorClass
CAPACITY_EXCEEDED: ErrorClass
SIZE_MISMATCH: ErrorClass
INVALID_REQUEST: ErrorClass
UNSUPPORTED: ErrorClass
PERMISSION_DENIED: ErrorClass
DEVICE_UNAVAILABLE: ErrorClass
DATA_CORRUPTED: ErrorClass
OUTCOME_UNSPECIFIED: Outcome
NOT_DONE: Outcome
OUTCOME_UNKNOWN: Outcome

class DataObjectUri(_message.Message):
    __slots__ = ("kind", "account", "object_id")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    OBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    kind: ObjectKind
    account: str
    object_id: str
    def __init__(self, kind: _Optional[_Union[ObjectKind, str]] = ..., account: _Optional[str] = ..., object_id: _Optional[str] = ...) -> None: ...

class StorageError(_message.Message):
    __slots__ = ("error", "outcome", "message", "retryable", "uri")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    error: ErrorClass
    outcome: Outcome
    message: str
    retryable: bool
    uri: DataObjectUri
    def __init__(self, error: _Optional[_Union[ErrorClass, str]] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., message: _Optional[str] = ..., retryable: bool = ..., uri: _Optional[_Union[DataObjectUri, _Mapping]] = ...) -> None: ...

class ForeignError(_message.Message):
    __slots__ = ("type", "message")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    type: str
    message: str
    def __init__(self, type: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class RichStatus(_message.Message):
    __slots__ = ("code", "message", "details")
    class Detail(_message.Message):
        __slots__ = ("type_url", "value")
        TYPE_URL_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        type_url: str
        value: bytes
        def __init__(self, type_url: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    details: _containers.RepeatedCompositeFieldContainer[RichStatus.Detail]
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., details: _Optional[_Iterable[_Union[RichStatus.Detail, _Mapping]]] = ...) -> None: ...

class HelloRequest(_message.Message):
    __slots__ = ("protocol_versions", "client")
    PROTOCOL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    protocol_versions: _containers.RepeatedScalarFieldContainer[int]
    client: str
    def __init__(self, protocol_versions: _Optional[_Iterable[int]] = ..., client: _Optional[str] = ...) -> None: ...

class HelloResponse(_message.Message):
    __slots__ = ("protocol_version", "driver_name", "driver_version", "driver_digest", "language", "max_chunk_bytes")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    DRIVER_NAME_FIELD_NUMBER: _ClassVar[int]
    DRIVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    DRIVER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MAX_CHUNK_BYTES_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    driver_name: str
    driver_version: str
    driver_digest: str
    language: str
    max_chunk_bytes: int
    def __init__(self, protocol_version: _Optional[int] = ..., driver_name: _Optional[str] = ..., driver_version: _Optional[str] = ..., driver_digest: _Optional[str] = ..., language: _Optional[str] = ..., max_chunk_bytes: _Optional[int] = ...) -> None: ...

class MakeInstanceRequest(_message.Message):
    __slots__ = ("configuration_json", "answer_within_ms")
    CONFIGURATION_JSON_FIELD_NUMBER: _ClassVar[int]
    ANSWER_WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    configuration_json: str
    answer_within_ms: int
    def __init__(self, configuration_json: _Optional[str] = ..., answer_within_ms: _Optional[int] = ...) -> None: ...

class MakeInstanceResponse(_message.Message):
    __slots__ = ("instance",)
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    instance: str
    def __init__(self, instance: _Optional[str] = ...) -> None: ...

class CloseInstanceRequest(_message.Message):
    __slots__ = ("instance",)
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    instance: str
    def __init__(self, instance: _Optional[str] = ...) -> None: ...

class CloseInstanceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCapabilitiesRequest(_message.Message):
    __slots__ = ("instance",)
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    instance: str
    def __init__(self, instance: _Optional[str] = ...) -> None: ...

class Capabilities(_message.Message):
    __slots__ = ("kinds", "max_object_size_bytes", "size_granularity_bytes", "on_device_copy", "range_read", "random_access", "snapshots", "revert", "clone", "digest", "enumerate", "max_name_bytes")
    KINDS_FIELD_NUMBER: _ClassVar[int]
    MAX_OBJECT_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SIZE_GRANULARITY_BYTES_FIELD_NUMBER: _ClassVar[int]
    ON_DEVICE_COPY_FIELD_NUMBER: _ClassVar[int]
    RANGE_READ_FIELD_NUMBER: _ClassVar[int]
    RANDOM_ACCESS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    REVERT_FIELD_NUMBER: _ClassVar[int]
    CLONE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ENUMERATE_FIELD_NUMBER: _ClassVar[int]
    MAX_NAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    kinds: _containers.RepeatedScalarFieldContainer[ObjectKind]
    max_object_size_bytes: int
    size_granularity_bytes: int
    on_device_copy: bool
    range_read: bool
    random_access: bool
    snapshots: bool
    revert: bool
    clone: bool
    digest: str
    enumerate: bool
    max_name_bytes: int
    def __init__(self, kinds: _Optional[_Iterable[_Union[ObjectKind, str]]] = ..., max_object_size_bytes: _Optional[int] = ..., size_granularity_bytes: _Optional[int] = ..., on_device_copy: bool = ..., range_read: bool = ..., random_access: bool = ..., snapshots: bool = ..., revert: bool = ..., clone: bool = ..., digest: _Optional[str] = ..., enumerate: bool = ..., max_name_bytes: _Optional[int] = ...) -> None: ...

class CreateRequest(_message.Message):
    __slots__ = ("instance", "uri", "size_bytes")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    instance: str
    uri: DataObjectUri
    size_bytes: int
    def __init__(self, instance: _Optional[str] = ..., uri: _Optional[_Union[DataObjectUri, _Mapping]] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class CreateResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("instance", "uri")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    instance: str
    uri: DataObjectUri
    def __init__(self, instance: _Optional[str] = ..., uri: _Optional[_Union[DataObjectUri, _Mapping]] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CopyRequest(_message.Message):
    __slots__ = ("instance", "source", "destination")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    instance: str
    source: DataObjectUri
    destination: DataObjectUri
    def __init__(self, instance: _Optional[str] = ..., source: _Optional[_Union[DataObjectUri, _Mapping]] = ..., destination: _Optional[_Union[DataObjectUri, _Mapping]] = ...) -> None: ...

class CopyResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ("instance", "uri")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    instance: str
    uri: DataObjectUri
    def __init__(self, instance: _Optional[str] = ..., uri: _Optional[_Union[DataObjectUri, _Mapping]] = ...) -> None: ...

class Description(_message.Message):
    __slots__ = ("uri", "size_bytes", "digest")
    URI_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    uri: DataObjectUri
    size_bytes: int
    digest: str
    def __init__(self, uri: _Optional[_Union[DataObjectUri, _Mapping]] = ..., size_bytes: _Optional[int] = ..., digest: _Optional[str] = ...) -> None: ...

class ListObjectsRequest(_message.Message):
    __slots__ = ("instance",)
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    instance: str
    def __init__(self, instance: _Optional[str] = ...) -> None: ...

class ListObjectsPage(_message.Message):
    __slots__ = ("uris",)
    URIS_FIELD_NUMBER: _ClassVar[int]
    uris: _containers.RepeatedCompositeFieldContainer[DataObjectUri]
    def __init__(self, uris: _Optional[_Iterable[_Union[DataObjectUri, _Mapping]]] = ...) -> None: ...

class InputRequest(_message.Message):
    __slots__ = ("open", "read", "close")
    class Open(_message.Message):
        __slots__ = ("instance", "uri", "offset", "length")
        INSTANCE_FIELD_NUMBER: _ClassVar[int]
        URI_FIELD_NUMBER: _ClassVar[int]
        OFFSET_FIELD_NUMBER: _ClassVar[int]
        LENGTH_FIELD_NUMBER: _ClassVar[int]
        instance: str
        uri: DataObjectUri
        offset: int
        length: int
        def __init__(self, instance: _Optional[str] = ..., uri: _Optional[_Union[DataObjectUri, _Mapping]] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ...) -> None: ...
    class Read(_message.Message):
        __slots__ = ("max_bytes",)
        MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
        max_bytes: int
        def __init__(self, max_bytes: _Optional[int] = ...) -> None: ...
    class Close(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    OPEN_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    open: InputRequest.Open
    read: InputRequest.Read
    close: InputRequest.Close
    def __init__(self, open: _Optional[_Union[InputRequest.Open, _Mapping]] = ..., read: _Optional[_Union[InputRequest.Read, _Mapping]] = ..., close: _Optional[_Union[InputRequest.Close, _Mapping]] = ...) -> None: ...

class InputResponse(_message.Message):
    __slots__ = ("opened", "data", "closed", "failed")
    class Opened(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Closed(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    OPENED_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    opened: InputResponse.Opened
    data: bytes
    closed: InputResponse.Closed
    failed: StorageError
    def __init__(self, opened: _Optional[_Union[InputResponse.Opened, _Mapping]] = ..., data: _Optional[bytes] = ..., closed: _Optional[_Union[InputResponse.Closed, _Mapping]] = ..., failed: _Optional[_Union[StorageError, _Mapping]] = ...) -> None: ...

class OutputRequest(_message.Message):
    __slots__ = ("open", "write", "commit", "abort", "close")
    class Open(_message.Message):
        __slots__ = ("instance", "uri", "size_bytes")
        INSTANCE_FIELD_NUMBER: _ClassVar[int]
        URI_FIELD_NUMBER: _ClassVar[int]
        SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
        instance: str
        uri: DataObjectUri
        size_bytes: int
        def __init__(self, instance: _Optional[str] = ..., uri: _Optional[_Union[DataObjectUri, _Mapping]] = ..., size_bytes: _Optional[int] = ...) -> None: ...
    class Commit(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Abort(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Close(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    OPEN_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    ABORT_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    open: OutputRequest.Open
    write: bytes
    commit: OutputRequest.Commit
    abort: OutputRequest.Abort
    close: OutputRequest.Close
    def __init__(self, open: _Optional[_Union[OutputRequest.Open, _Mapping]] = ..., write: _Optional[bytes] = ..., commit: _Optional[_Union[OutputRequest.Commit, _Mapping]] = ..., abort: _Optional[_Union[OutputRequest.Abort, _Mapping]] = ..., close: _Optional[_Union[OutputRequest.Close, _Mapping]] = ...) -> None: ...

class OutputResponse(_message.Message):
    __slots__ = ("opened", "written", "committed", "aborted", "closed", "failed")
    class Opened(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Aborted(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Closed(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    OPENED_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    ABORTED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    opened: OutputResponse.Opened
    written: int
    committed: Description
    aborted: OutputResponse.Aborted
    closed: OutputResponse.Closed
    failed: StorageError
    def __init__(self, opened: _Optional[_Union[OutputResponse.Opened, _Mapping]] = ..., written: _Optional[int] = ..., committed: _Optional[_Union[Description, _Mapping]] = ..., aborted: _Optional[_Union[OutputResponse.Aborted, _Mapping]] = ..., closed: _Optional[_Union[OutputResponse.Closed, _Mapping]] = ..., failed: _Optional[_Union[StorageError, _Mapping]] = ...) -> None: ...

class VolumeRequest(_message.Message):
    __slots__ = ("open", "pread", "pwrite", "flush", "close")
    class Open(_message.Message):
        __slots__ = ("instance", "uri")
        INSTANCE_FIELD_NUMBER: _ClassVar[int]
        URI_FIELD_NUMBER: _ClassVar[int]
        instance: str
        uri: DataObjectUri
        def __init__(self, instance: _Optional[str] = ..., uri: _Optional[_Union[DataObjectUri, _Mapping]] = ...) -> None: ...
    class Pread(_message.Message):
        __slots__ = ("offset", "length")
        OFFSET_FIELD_NUMBER: _ClassVar[int]
        LENGTH_FIELD_NUMBER: _ClassVar[int]
        offset: int
        length: int
        def __init__(self, offset: _Optional[int] = ..., length: _Optional[int] = ...) -> None: ...
    class Pwrite(_message.Message):
        __slots__ = ("offset", "data")
        OFFSET_FIELD_NUMBER: _ClassVar[int]
        DATA_FIELD_NUMBER: _ClassVar[int]
        offset: int
        data: bytes
        def __init__(self, offset: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...
    class Flush(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Close(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    OPEN_FIELD_NUMBER: _ClassVar[int]
    PREAD_FIELD_NUMBER: _ClassVar[int]
    PWRITE_FIELD_NUMBER: _ClassVar[int]
    FLUSH_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    open: VolumeRequest.Open
    pread: VolumeRequest.Pread
    pwrite: VolumeRequest.Pwrite
    flush: VolumeRequest.Flush
    close: VolumeRequest.Close
    def __init__(self, open: _Optional[_Union[VolumeRequest.Open, _Mapping]] = ..., pread: _Optional[_Union[VolumeRequest.Pread, _Mapping]] = ..., pwrite: _Optional[_Union[VolumeRequest.Pwrite, _Mapping]] = ..., flush: _Optional[_Union[VolumeRequest.Flush, _Mapping]] = ..., close: _Optional[_Union[VolumeRequest.Close, _Mapping]] = ...) -> None: ...

class VolumeResponse(_message.Message):
    __slots__ = ("opened", "data", "written", "flushed", "closed", "failed")
    class Opened(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Flushed(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Closed(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    OPENED_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    FLUSHED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    opened: VolumeResponse.Opened
    data: bytes
    written: int
    flushed: VolumeResponse.Flushed
    closed: VolumeResponse.Closed
    failed: StorageError
    def __init__(self, opened: _Optional[_Union[VolumeResponse.Opened, _Mapping]] = ..., data: _Optional[bytes] = ..., written: _Optional[int] = ..., flushed: _Optional[_Union[VolumeResponse.Flushed, _Mapping]] = ..., closed: _Optional[_Union[VolumeResponse.Closed, _Mapping]] = ..., failed: _Optional[_Union[StorageError, _Mapping]] = ...) -> None: ...

class TakeSnapshotRequest(_message.Message):
    __slots__ = ("instance", "volume", "snapshot")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    instance: str
    volume: DataObjectUri
    snapshot: DataObjectUri
    def __init__(self, instance: _Optional[str] = ..., volume: _Optional[_Union[DataObjectUri, _Mapping]] = ..., snapshot: _Optional[_Union[DataObjectUri, _Mapping]] = ...) -> None: ...

class TakeSnapshotResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RevertRequest(_message.Message):
    __slots__ = ("instance", "volume", "snapshot")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    instance: str
    volume: DataObjectUri
    snapshot: DataObjectUri
    def __init__(self, instance: _Optional[str] = ..., volume: _Optional[_Union[DataObjectUri, _Mapping]] = ..., snapshot: _Optional[_Union[DataObjectUri, _Mapping]] = ...) -> None: ...

class RevertResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CloneRequest(_message.Message):
    __slots__ = ("instance", "snapshot", "volume")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    instance: str
    snapshot: DataObjectUri
    volume: DataObjectUri
    def __init__(self, instance: _Optional[str] = ..., snapshot: _Optional[_Union[DataObjectUri, _Mapping]] = ..., volume: _Optional[_Union[DataObjectUri, _Mapping]] = ...) -> None: ...

class CloneResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
