"""What botocore itself knows about S3, loaded once per process: operations, shapes, errors, paginators, retry rules.

Parameters are checked by botocore's own validator on botocore's own model, so a wrong call fails here exactly as it does
against a real service. What the simulator does not model is listed here as data, and raises :class:`NotModelled`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from storcert.harness.kernel.context import outside
from storcert.simulators.device import NotModelled
from storcert.simulators.object_store.server import OPERATIONS

_STORED = frozenset(
    ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires", "Metadata"))
_CHECKSUMS = frozenset(("ChecksumAlgorithm", "ChecksumCRC32", "ChecksumSHA1", "ChecksumSHA256"))
_READ = frozenset(
    ("Bucket", "Key", "VersionId", "IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince", "Range", "PartNumber",
     "ChecksumMode", "ResponseCacheControl", "ResponseContentDisposition", "ResponseContentEncoding",
     "ResponseContentLanguage", "ResponseContentType", "ResponseExpires"))
_SOURCE = frozenset(
    ("CopySource", "CopySourceIfMatch", "CopySourceIfNoneMatch", "CopySourceIfModifiedSince",
     "CopySourceIfUnmodifiedSince"))
_LIST = frozenset(("Bucket", "Prefix", "Delimiter", "MaxKeys", "EncodingType"))

MODELLED: Mapping[str, frozenset[str]] = {
    "PutObject": _STORED | _CHECKSUMS | {"Bucket", "Key", "Body", "ContentMD5", "ContentLength", "IfMatch", "IfNoneMatch"},
    "GetObject": _READ, "HeadObject": _READ,
    "DeleteObject": frozenset(("Bucket", "Key", "VersionId", "IfMatch")),
    "DeleteObjects": frozenset(("Bucket", "Delete", "ChecksumAlgorithm")),
    "CopyObject": _STORED | _SOURCE | {"Bucket", "Key", "MetadataDirective", "IfMatch", "IfNoneMatch", "ChecksumAlgorithm"},
    "CreateMultipartUpload": _STORED | {"Bucket", "Key", "ChecksumAlgorithm", "ChecksumType"},
    "UploadPart": _CHECKSUMS | {"Bucket", "Key", "UploadId", "PartNumber", "Body", "ContentMD5", "ContentLength"},
    "UploadPartCopy": _SOURCE | {"Bucket", "Key", "UploadId", "PartNumber", "CopySourceRange"},
    "CompleteMultipartUpload": frozenset(
        ("Bucket", "Key", "UploadId", "MultipartUpload", "IfMatch", "IfNoneMatch", "MpuObjectSize", "ChecksumType")),
    "AbortMultipartUpload": frozenset(("Bucket", "Key", "UploadId")),
    "ListParts": frozenset(("Bucket", "Key", "UploadId", "MaxParts", "PartNumberMarker")),
    "ListMultipartUploads": frozenset(
        ("Bucket", "Prefix", "Delimiter", "EncodingType", "KeyMarker", "UploadIdMarker", "MaxUploads")),
    "ListObjectsV2": _LIST | {"ContinuationToken", "StartAfter", "FetchOwner"},
    "ListObjects": _LIST | {"Marker"},
    "ListObjectVersions": _LIST | {"KeyMarker", "VersionIdMarker"},
    "CreateBucket": frozenset(("Bucket", "CreateBucketConfiguration")),
    "DeleteBucket": frozenset(("Bucket",)), "HeadBucket": frozenset(("Bucket",)),
    "ListBuckets": frozenset(("Prefix", "MaxBuckets", "ContinuationToken")),
    "GetBucketLocation": frozenset(("Bucket",)),
    "PutBucketVersioning": frozenset(("Bucket", "VersioningConfiguration")),
    "GetBucketVersioning": frozenset(("Bucket",)),
}

# Parameters that change nothing here as long as they have one of these values (None: whatever they have).
HARMLESS: Mapping[str, tuple[str, ...] | None] = {
    "ACL": ("private", "bucket-owner-full-control"), "StorageClass": ("STANDARD",), "ServerSideEncryption": ("AES256",),
    "RequestPayer": None, "BucketKeyEnabled": None, "ObjectOwnership": None, "OptionalObjectAttributes": None,
    "TaggingDirective": ("COPY",),
}


_ALGORITHMS = ("CRC32", "SHA1", "SHA256")
_ALGORITHMS_OF_CRT = ("CRC32C", "CRC64NVME")


@dataclass(frozen=True, slots=True)
class OperationModel:
    """One operation as the face needs it."""

    name: str
    method: str
    shape: Any
    botocore_model: Any
    modelled: frozenset[str]


@dataclass(frozen=True, slots=True)
class ServiceModel:
    """botocore's S3, and what the faces need of it ready at hand."""

    botocore_model: Any
    validator: Any
    operations: Mapping[str, OperationModel]
    method_names: Mapping[str, str]
    exceptions: Any
    paginators: Mapping[str, Any]
    legacy_retries: Mapping[str, Any]
    handlers: Any


@cache
def service_model() -> ServiceModel:
    """Loaded at first use, as the kit: botocore reads its data files, which code at a location may not."""
    with outside():
        import botocore.handlers
        from botocore import xform_name
        from botocore.errorfactory import ClientExceptionsFactory
        from botocore.loaders import Loader
        from botocore.model import ServiceModel as BotocoreServiceModel
        from botocore.validate import ParamValidator

        loader: Any = Loader(include_default_search_paths=False)
        loader.search_paths.append(loader.BUILTIN_DATA_PATH)
        model: Any = BotocoreServiceModel(loader.load_service_model("s3", "service-2"), "s3")
        operations: dict[str, OperationModel] = {}
        method_names: dict[str, str] = {}
        for name in model.operation_names:
            method_names[xform_name(name)] = name
            if name in OPERATIONS:
                operation = model.operation_model(name)
                operations[name] = OperationModel(
                    name, xform_name(name), operation.input_shape, operation, MODELLED[name])
        paginators = loader.load_service_model("s3", "paginators-1")["pagination"]
        retries = loader.load_data("_retry")
        exceptions: Any = ClientExceptionsFactory().create_client_exceptions(model)
        return ServiceModel(
            model, ParamValidator(), operations, method_names, exceptions, paginators, copy.deepcopy(retries),
            botocore.handlers,
        )


def check_parameters(operation: OperationModel, params: dict[str, Any]) -> None:
    """botocore's checks, then ours. ``ParamValidationError`` for a wrong parameter, :class:`NotModelled` for one the
    simulator does not have. Turns ``CopySource`` into the text that is sent, as botocore does."""
    service = service_model()
    handlers = service.handlers
    if "CopySource" in params:
        handlers.handle_copy_source_param(params)
    if "Metadata" in params:
        handlers.validate_ascii_metadata(params)
    if "Bucket" in params and isinstance(params["Bucket"], str):
        handlers.validate_bucket_name(params)
    shape = operation.shape
    if shape is not None:
        report = service.validator.validate(params, shape)
        if report.has_errors():
            from botocore.exceptions import ParamValidationError

            raise ParamValidationError(report=report.generate_report())
    for name in ("Key", "Prefix"):
        text = params.get(name)
        if text is not None and not text.isascii():
            text.encode("utf-8")  # a lone surrogate: UnicodeEncodeError, as where botocore writes the URL
    algorithm = params.get("ChecksumAlgorithm")
    if algorithm is not None and algorithm not in _ALGORITHMS:
        _refuse_algorithm(algorithm)
    if not params.keys() <= operation.modelled:
        for name in sorted(params.keys() - operation.modelled):
            allowed = HARMLESS.get(name, ())
            if allowed is not None and params[name] not in allowed:
                raise NotModelled(f"{operation.name}: parameter {name}={params[name]!r}")


def _refuse_algorithm(algorithm: str) -> None:
    if algorithm not in _ALGORITHMS_OF_CRT:
        raise NotModelled(f"ChecksumAlgorithm={algorithm!r}")
    from botocore.exceptions import MissingDependencyException

    # The simulated machine has botocore without its optional C library.
    raise MissingDependencyException(
        msg=f"Using {algorithm} requires an additional dependency. You will need to pip install botocore[crt] before "
        "proceeding.")
