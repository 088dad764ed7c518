"""Managed transfers (``upload_fileobj`` and its kin), done inline: the same requests as s3transfer's, one after another.

The real ones use threads, which no simulated location has. Thresholds, chunk sizes, retries of a broken download and what
happens to an upload that fails (it is aborted) are s3transfer's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from storcert.harness.kernel.context import outside

_MIB = 1024**2
_DOWNLOAD_ATTEMPTS = 5
_PART_ARGUMENTS = frozenset(("ChecksumAlgorithm", "RequestPayer", "ExpectedBucketOwner"))


class _Transfer:
    """The numbers of a TransferConfig."""

    __slots__ = ("attempts", "chunk_bytes", "threshold_bytes")

    def __init__(self, config: Any) -> None:
        self.threshold_bytes: int = getattr(config, "multipart_threshold", 8 * _MIB)
        self.chunk_bytes: int = getattr(config, "multipart_chunksize", 8 * _MIB)
        self.attempts: int = getattr(config, "num_download_attempts", _DOWNLOAD_ATTEMPTS)


def _check_arguments(extra: Mapping[str, Any] | None, kind: str) -> dict[str, Any]:
    with outside():
        from boto3.s3.transfer import S3Transfer
    allowed = getattr(S3Transfer, f"ALLOWED_{kind}_ARGS")
    for name in extra or {}:
        if name not in allowed:
            raise ValueError(f"Invalid extra_args key '{name}', must be one of: {', '.join(allowed)}")
    return dict(extra or {})


def _read_fully(stream: Any, size_bytes: int) -> bytes:
    pieces: list[bytes] = []
    while size_bytes > 0:
        piece = stream.read(size_bytes)
        if not piece:
            break
        pieces.append(piece)
        size_bytes -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def upload_fileobj(
    self: Any, Fileobj: Any, Bucket: str, Key: str, ExtraArgs: Mapping[str, Any] | None = None,
    Callback: Callable[[int], None] | None = None, Config: Any = None,
) -> None:
    """One PutObject below the threshold, a multipart upload from it on; a failed one is aborted."""
    if not hasattr(Fileobj, "read"):
        raise ValueError("Fileobj must implement read")
    extra = _check_arguments(ExtraArgs, "UPLOAD")
    transfer = _Transfer(Config)
    first = _read_fully(Fileobj, transfer.threshold_bytes)
    if len(first) < transfer.threshold_bytes:
        self.put_object(Bucket=Bucket, Key=Key, Body=first, **extra)
        if Callback is not None:
            Callback(len(first))
        return
    upload_id = self.create_multipart_upload(Bucket=Bucket, Key=Key, **extra)["UploadId"]
    names = {"Bucket": Bucket, "Key": Key, "UploadId": upload_id}
    part_extra = {name: value for name, value in extra.items() if name in _PART_ARGUMENTS}
    try:
        parts: list[dict[str, Any]] = []
        held = first
        while True:
            while len(held) < transfer.chunk_bytes and (more := _read_fully(Fileobj, transfer.chunk_bytes - len(held))):
                held += more
            body, held = held[: transfer.chunk_bytes], held[transfer.chunk_bytes :]
            if not body:
                break
            number = len(parts) + 1
            answer = self.upload_part(Body=body, PartNumber=number, **names, **part_extra)
            parts.append({"ETag": answer["ETag"], "PartNumber": number})
            if Callback is not None:
                Callback(len(body))
        self.complete_multipart_upload(MultipartUpload={"Parts": parts}, **names)
    except Exception:
        self.abort_multipart_upload(**names)
        raise


def download_fileobj(
    self: Any, Bucket: str, Key: str, Fileobj: Any, ExtraArgs: Mapping[str, Any] | None = None,
    Callback: Callable[[int], None] | None = None, Config: Any = None,
) -> None:
    """A HEAD, then one GET, or one per range from the threshold on; a broken body is asked for again."""
    if not hasattr(Fileobj, "write"):
        raise ValueError("Fileobj must implement write")
    extra = _check_arguments(ExtraArgs, "DOWNLOAD")
    transfer = _Transfer(Config)
    head = self.head_object(Bucket=Bucket, Key=Key, **extra)
    size = head["ContentLength"]
    if size < transfer.threshold_bytes:
        ranges: list[dict[str, Any]] = [{}]
    else:
        last = -(-size // transfer.chunk_bytes) - 1
        ranges = [
            {"Range": f"bytes={index * transfer.chunk_bytes}-"
             + ("" if index == last else str((index + 1) * transfer.chunk_bytes - 1)), "IfMatch": head["ETag"]}
            for index in range(last + 1)
        ]
    for span in ranges:
        Fileobj.write(_download(self, transfer, {"Bucket": Bucket, "Key": Key, **extra, **span}, Callback))


def _download(
    client: Any, transfer: _Transfer, arguments: Mapping[str, Any], callback: Callable[[int], None] | None,
) -> bytes:
    from boto3.exceptions import RetriesExceededError
    from s3transfer.utils import S3_RETRYABLE_DOWNLOAD_ERRORS

    broken: Any = None
    for _ in range(transfer.attempts):
        try:
            data: bytes = client.get_object(**arguments)["Body"].read()
        except S3_RETRYABLE_DOWNLOAD_ERRORS as error:
            broken = error
            continue
        if callback is not None:
            callback(len(data))
        return data
    raise RetriesExceededError(broken)


def upload_file(
    self: Any, Filename: str, Bucket: str, Key: str, ExtraArgs: Mapping[str, Any] | None = None,
    Callback: Callable[[int], None] | None = None, Config: Any = None,
) -> None:
    """From a path, which at a simulated location is the fence's affair."""
    with open(Filename, "rb") as stream:
        upload_fileobj(self, stream, Bucket, Key, ExtraArgs, Callback, Config)


def download_file(
    self: Any, Bucket: str, Key: str, Filename: str, ExtraArgs: Mapping[str, Any] | None = None,
    Callback: Callable[[int], None] | None = None, Config: Any = None,
) -> None:
    """To a path, which at a simulated location is the fence's affair."""
    with open(Filename, "wb") as stream:
        download_fileobj(self, Bucket, Key, stream, ExtraArgs, Callback, Config)


def copy(
    self: Any, CopySource: Mapping[str, str], Bucket: str, Key: str, ExtraArgs: Mapping[str, Any] | None = None,
    Callback: Callable[[int], None] | None = None, SourceClient: Any = None, Config: Any = None,
) -> None:
    """CopyObject below the threshold, UploadPartCopy by ranges from it on."""
    extra = _check_arguments(ExtraArgs, "COPY")
    transfer = _Transfer(Config)
    head = (SourceClient or self).head_object(**CopySource)
    size = head["ContentLength"]
    if size < transfer.threshold_bytes:
        self.copy_object(CopySource=CopySource, Bucket=Bucket, Key=Key, **extra)
    else:
        extra.pop("MetadataDirective", None)
        upload_id = self.create_multipart_upload(Bucket=Bucket, Key=Key, **extra)["UploadId"]
        names = {"Bucket": Bucket, "Key": Key, "UploadId": upload_id}
        try:
            parts: list[dict[str, Any]] = []
            for start in range(0, size, transfer.chunk_bytes):
                number = len(parts) + 1
                last = min(start + transfer.chunk_bytes, size) - 1
                answer = self.upload_part_copy(
                    CopySource=CopySource, PartNumber=number, CopySourceRange=f"bytes={start}-{last}",
                    CopySourceIfMatch=head["ETag"], **names)
                parts.append({"ETag": answer["CopyPartResult"]["ETag"], "PartNumber": number})
            self.complete_multipart_upload(MultipartUpload={"Parts": parts}, **names)
        except Exception:
            self.abort_multipart_upload(**names)
            raise
    if Callback is not None:
        Callback(size)


TRANSFERS: Mapping[str, Callable[..., Any]] = {
    "upload_fileobj": upload_fileobj, "download_fileobj": download_fileobj, "upload_file": upload_file,
    "download_file": download_file, "copy": copy,
}
