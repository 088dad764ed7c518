"""A correct driver that sends parts from a pool of threads of its own: the kit must not accuse it.

It is the bundled S3 driver, but for how the parts of a large object travel: up to three at once, from ``ThreadPoolExecutor``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from storcert.harness.contract import DataObjectUri, JsonValue, Outcome, StorageError
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.drivers.s3_bucket import Bucket, Effort
from storcert.harness.drivers.s3_errors import RequestFailed, Trouble
from storcert.harness.drivers.s3_publish import Discarded, Publisher, Upload

AT_ONCE = 3


class PooledUpload(Upload):
    """Parts have their numbers before they travel, so that it does not matter in which order they arrive."""

    def __init__(self, bucket: Bucket, uri: DataObjectUri) -> None:
        super().__init__(bucket, uri)
        self._numbers = 0
        self._numbering = threading.Lock()
        self._collecting = threading.Lock()
        self._room = threading.Semaphore(AT_ONCE)
        self._pool: ThreadPoolExecutor | None = None
        self._sent: list[Future[None]] = []

    @property
    def next_number(self) -> int:
        return max(self._numbers, len(self._parts)) + 1

    def put_part(self, effort: Effort, body: bytes) -> None:
        if self._upload_id is None:
            try:
                self._begin(effort)
            except RequestFailed as failure:
                raise self._failed(failure) from failure
        if self._pool is None:
            self._pool = ThreadPoolExecutor(AT_ONCE)
        self._room.acquire()
        self._raise_what_failed()
        with self._numbering:
            self._numbers += 1
            number = self._numbers
        self._sent.append(self._pool.submit(self._send, number, body))
        effort.progressed()

    def _send(self, number: int, body: bytes) -> None:
        try:
            answer = self._bucket.ask(
                Effort(), "upload_part", safe=True, Key=self._key, UploadId=self._upload_id, PartNumber=number, Body=body)
            with self._collecting:
                self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        finally:
            self._room.release()

    def _raise_what_failed(self) -> None:
        for one in self._sent:
            failure = one.exception() if one.done() else None
            if isinstance(failure, RequestFailed):
                raise self._failed(failure) from failure

    def _failed(self, failure: RequestFailed) -> StorageError:
        if failure.trouble in (Trouble.NO_UPLOAD, Trouble.NOT_FOUND):
            return self.give_up(self._ended_by_others(failure))
        return self.give_up(failure.typed(self._uri, Outcome.NOT_DONE))

    def complete(self, effort: Effort) -> None:
        wait(self._sent)
        self._raise_what_failed()
        self._parts.sort(key=lambda part: part["PartNumber"])
        super().complete(effort)
        if self._pool is not None:
            self._pool.shutdown()

    def discard(self) -> Discarded:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        return super().discard()


class PooledPublisher(Publisher):
    def upload(self, uri: DataObjectUri) -> Upload:
        return PooledUpload(self._bucket, uri)


class PooledDriver(S3Driver):
    """Configuration as the bundled driver's."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        super().__init__(configuration)
        self._publisher: Any = PooledPublisher(self._bucket)
