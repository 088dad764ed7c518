"""smart_open on S3 as a driver: a thin and fair adapter of ``smart_open.open``, over boto3.

smart_open opens; it neither looks, lists nor removes. For that stands what its users have beside it: the boto3 client
that it is given. Fair means: no compression guessed from the name; the condition ``If-None-Match: *`` is handed to
every request that may publish (``client_kwargs``, the library's own way); a write is given up by ``terminate()``, also
where its close failed; an object known to be small goes in one request.

Declared: ``range_read`` and ``enumerate``. Not declared: ``on_device_copy`` and ``digest``, of which the library has
none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3.session
from botocore.exceptions import ClientError

from storcert.harness.contract import DataObjectUri, JsonValue, ObjectInUse, Outcome
from storcert.harness.drivers.library_driver import LibraryDriver
from storcert.harness.drivers.library_settings import LibrarySettings, require_installed
from storcert.harness.drivers.s3_errors import FOREIGN, Trouble, classify

library: Any = None
try:
    import smart_open

    library = smart_open
except ImportError:
    # Said by the constructor: a driver that is not used needs no library.
    pass

BACKENDS = ("s3",)
PART_BYTES = 5 * 1024**2
ONLY_NEW = {"IfNoneMatch": "*"}
CONDITIONS = {"S3.Client.put_object": ONLY_NEW, "S3.Client.complete_multipart_upload": ONLY_NEW}
WRAPPED: tuple[type[Exception], ...] = (*FOREIGN, ValueError)


class SmartOpenDriver(LibraryDriver):
    """Configuration: :class:`~storcert.harness.drivers.library_settings.LibrarySettings` with one of :data:`BACKENDS`."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        require_installed("smart_open", library)
        settings = LibrarySettings.parse("smart_open", BACKENDS, configuration)
        super().__init__(SmartOpenObjects(settings), "smart_open copies nothing")


class SmartOpenObjects:
    """Keys below ``bucket/prefix``."""

    def __init__(self, settings: LibrarySettings) -> None:
        settings.require("smart_open", "bucket")
        self._bucket, self._prefix = settings.bucket, settings.prefix
        self._client = boto3.session.Session().client(
            "s3", endpoint_url=settings.endpoint_url or None, region_name=settings.region_name,
            aws_access_key_id=settings.aws_access_key_id or None,
            aws_secret_access_key=settings.aws_secret_access_key or None,
        )  # fmt: skip

    @contextmanager
    def errors(self, uri: DataObjectUri | None, outcome: Outcome) -> Iterator[None]:
        try:
            yield
        except WRAPPED as error:
            # smart_open wraps what boto3 raised, as OSError with ``backend_error`` or as ValueError with a cause.
            inner: Any = getattr(error, "backend_error", None) or error.__cause__ or error
            if not isinstance(inner, FOREIGN):
                raise
            failed = classify(inner)
            if failed.text.startswith("ConditionalRequestConflict"):
                raise ObjectInUse(failed.text, uri) from error
            # boto3 repeats by itself: a later attempt may have been refused where an earlier one had its effect.
            repeated = not isinstance(inner, ClientError) or inner.response["ResponseMetadata"].get("RetryAttempts", 0) > 0
            raise failed.typed(uri, outcome if failed.ambiguous or repeated else None) from error

    def size_of(self, path: str) -> int | None:
        try:
            return int(self._client.head_object(Bucket=self._bucket, Key=self._prefix + path)["ContentLength"])
        except ClientError as error:
            if classify(error).trouble is Trouble.NOT_FOUND:
                return None
            raise

    def reader(self, path: str, offset: int, length: int | None) -> Any:
        stream = self._open(path, "rb", {"defer_seek": True})
        stream.seek(offset)
        return stream

    def writer(self, path: str, size: int | None) -> SmartOpenUpload:
        in_parts = size is None or size > PART_BYTES
        parameters = {"client_kwargs": CONDITIONS, "min_part_size": PART_BYTES, "multipart_upload": in_parts}
        return SmartOpenUpload(self._open(path, "wb", parameters))

    def remove(self, path: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=self._prefix + path)

    def paths(self) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        for page in pages:
            for entry in page.get("Contents", ()):
                yield entry["Key"][len(self._prefix) :]

    def _open(self, path: str, mode: str, parameters: dict[str, Any]) -> Any:
        url = f"s3://{self._bucket}/{self._prefix}{path}"
        return library.open(url, mode, compression="disable", transport_params={"client": self._client, **parameters})


class SmartOpenUpload:
    """A writer of smart_open on S3."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        return int(self._stream.write(data))

    def publish(self) -> None:
        try:
            self._stream.close()
        except BaseException:
            try:
                self._stream.terminate()
            except FOREIGN:
                # The error of the close says what is known of the object.
                pass
            raise

    def discard(self) -> None:
        self._stream.terminate()
