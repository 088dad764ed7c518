"""A correct driver on boto3's managed transfers, threads and all: the kit must not accuse it.

It is the bundled S3 driver, but for its large objects. What is written goes through a queue to a thread that runs
``upload_fileobj`` into the data key of the object (see ``s3_claims``); whole objects are read through a queue from a thread
that runs ``download_fileobj``. Both have several requests under way at once.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from typing import Any

from boto3.s3.transfer import TransferConfig
from s3transfer.exceptions import RetriesExceededError

from storcert.harness.contract import DataObjectUri, DeviceUnavailable, InvalidRequest, JsonValue, Outcome, StorageError
from storcert.harness.drivers.s3 import S3Driver
from storcert.harness.drivers.s3_bucket import DATA_MARK, WRITE_ID, Effort, Head
from storcert.harness.drivers.s3_claims import ClaimedUpload, ClaimingPublisher, settle
from storcert.harness.drivers.s3_claims_bucket import ClaimedBucket, write_id_of
from storcert.harness.drivers.s3_claims_cleanup import abort_uploads_under
from storcert.harness.drivers.s3_errors import FOREIGN, RequestFailed, Trouble, classify
from storcert.harness.drivers.s3_publish import Discarded, Upload

PART_BYTES = 5 << 20
CONFIG = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=4, io_chunksize=1 << 20)


class GivenUp(Exception):
    """The stream at the other end of the queue was ended: stop the transfer."""


class Pipe:
    """Bytes from one thread to another, a few pieces at a time; either side can give up."""

    def __init__(self) -> None:
        self._line: queue.Queue[bytes] = queue.Queue(maxsize=2)
        self._held = b""
        self._ended = threading.Event()
        self.given_up = threading.Event()

    def write(self, data: Any) -> int:
        piece = bytes(data)
        while piece:
            if self.given_up.is_set():
                raise GivenUp
            try:
                self._line.put(piece, timeout=1)
            except queue.Full:
                continue
            break
        return len(piece)

    def end(self) -> None:
        self._ended.set()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the end: s3transfer takes a short piece for a whole part."""
        pieces, wanted = [], size
        while wanted:
            if not self._held and not self._next():
                break
            pieces.append(self._held[:wanted])
            self._held = self._held[wanted:]
            wanted -= len(pieces[-1])
        return b"".join(pieces)

    def _next(self) -> bool:
        while not self._held:
            if self.given_up.is_set():
                raise GivenUp
            ended = self._ended.is_set()
            try:
                self._held = self._line.get(timeout=0 if ended else 1)
            except queue.Empty:
                if ended:
                    return False
        return True


class Transfer(threading.Thread):
    """One managed transfer. ``failure``: what it raised, once it has ended."""

    def __init__(self, pipe: Pipe, work: Any, **arguments: Any) -> None:
        super().__init__(name="transfer", daemon=True)
        self.pipe = pipe
        self.failure: Exception | None = None
        self._work, self._arguments = work, arguments

    def run(self) -> None:
        try:
            self._work(Config=CONFIG, **self._arguments)
        except Exception as error:  # noqa: BLE001  (it is raised by whoever uses the stream next)
            self.failure = error
            self.pipe.given_up.set()
        finally:
            self.pipe.end()

    def stop(self) -> None:
        self.pipe.given_up.set()
        self.join()

    def reason(self) -> RequestFailed:
        """Why it failed, as the bundled driver tells failures apart."""
        error: Any = self.failure
        if isinstance(error, RetriesExceededError):
            error = error.last_exception
        return classify(error) if isinstance(error, FOREIGN) else RequestFailed(Trouble.ODD, f"the transfer ended: {error!r}")


class ManagedUpload(ClaimedUpload):
    """The parts of one object on their way through a thread. The thread begins with the first part."""

    _transfer: Transfer | None = None

    def put_part(self, effort: Effort, body: bytes) -> None:
        if self._transfer is None:
            pipe = Pipe()
            self._transfer = Transfer(
                pipe, self._bucket._client.upload_fileobj, Fileobj=pipe, Bucket=self._bucket.name, Key=self._key,
                ExtraArgs={"Metadata": {WRITE_ID: self._write_id}},
            )
            self._transfer.start()
        try:
            self._transfer.pipe.write(body)
        except GivenUp:
            failure = self._ended()
            raise self.give_up(failure.typed(self._uri, Outcome.NOT_DONE)) from failure

    def _ended(self) -> RequestFailed:
        assert self._transfer is not None
        self._transfer.join()
        failure = self._transfer.reason()
        self._late = failure.trouble is Trouble.SILENT
        return failure

    def complete(self, effort: Effort) -> None:
        transfer = self._transfer
        if transfer is None:  # parts that are copies: the device makes them
            return super().complete(effort)
        try:
            settle(self._bucket, effort, self._uri, self._claim_text, write_id_of(self._claim), publishes=False)
        except StorageError as error:
            raise self.give_up(error) from error
        transfer.pipe.end()
        transfer.join()
        if transfer.failure is None:
            self._over = True
            return self._published(False)
        failure = self._ended()
        raise self._withdrawn(self._not_published(failure)) from failure

    def _not_published(self, failure: RequestFailed) -> StorageError:
        """An upload that is certainly gone has not been completed and never will be, unless its data are there."""
        outcome = self.discard()
        if outcome is Discarded.UNSURE:
            return failure.typed(self._uri, Outcome.UNKNOWN)
        return DeviceUnavailable(failure.text, self._uri, Outcome.NOT_DONE)

    def discard(self) -> Discarded:
        if self._transfer is None:
            return super().discard()
        if self._over:
            return Discarded.GONE
        self._transfer.stop()
        self._late = self._late or self._transfer.reason().trouble is Trouble.SILENT
        effort = Effort.closing()
        try:
            abort_uploads_under(self._bucket, effort, self._key)
            if self._bucket.look(effort, self._key) is not None or self._late:
                return Discarded.UNSURE
        except RequestFailed:
            return Discarded.UNSURE
        self._over = True
        return Discarded.ABORTED


class ManagedPublisher(ClaimingPublisher):
    def upload(self, uri: DataObjectUri) -> Upload:
        return ManagedUpload(self._bucket, uri)


class ManagedInput:
    """A whole large object, read by a thread that is some pieces ahead."""

    def __init__(self, bucket: ClaimedBucket, uri: DataObjectUri, seen: Head) -> None:
        self._uri, self._left, self._closed = uri, seen.size_bytes, False
        self._pipe = Pipe()
        self._transfer = Transfer(
            self._pipe, bucket._client.download_fileobj, Bucket=bucket.name, Key=seen.key, Fileobj=self._pipe)
        self._transfer.start()

    def read(self, n: int = -1) -> bytes:
        if self._closed:
            raise InvalidRequest("the stream is closed", self._uri)
        if n < -1:
            raise InvalidRequest("n must not be negative", self._uri)
        if n == 0 or not self._left:
            return b""
        try:
            data = self._pipe.read(min(n if n > 0 else 1 << 18, self._left))
        except GivenUp:
            data = b""
        if not data:
            self._transfer.join()
            failure = self._transfer.reason()
            raise failure.typed(self._uri, Outcome.NOT_DONE) from failure
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._closed = True
        self._transfer.stop()

    def __enter__(self) -> ManagedInput:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ManagedTransferDriver(S3Driver):
    """Configuration as the bundled driver's; ``conditional_complete`` is always false."""

    def __init__(self, configuration: Mapping[str, JsonValue]) -> None:
        super().__init__({**configuration, "conditional_complete": False})
        assert isinstance(self._bucket, ClaimedBucket)
        self._publisher = ManagedPublisher(self._bucket)

    def open_input(self, uri: DataObjectUri, offset: int = 0, length: int | None = None) -> Any:
        if (offset, length) != (0, None) or not isinstance(self._bucket, ClaimedBucket):
            return super().open_input(uri, offset, length)
        try:
            seen = self._bucket.before_reading(Effort(), self._bucket.key(uri))
        except RequestFailed as failure:
            raise failure.typed(uri, Outcome.NOT_DONE) from failure
        if seen is None or DATA_MARK not in seen.key:
            return super().open_input(uri)
        return ManagedInput(self._bucket, uri, seen)


