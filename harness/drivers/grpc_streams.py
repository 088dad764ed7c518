"""Streams and volume handles of a driver on the other end of the driver protocol: each step is one question.

All is passed on, also what a stream is asked after its end: what it answers then is the driver's affair. The call ends when the
last reference goes: with a half-close after ``close``, else cancelled, which is how a dropped stream looks from the other end.
"""

from __future__ import annotations

import operator
from types import TracebackType
from typing import Any, Self

from storcert.harness.contract import DataObjectDescription, DataObjectUri, InvalidRequest
from storcert.harness.drivers.arguments import bytes_of
from storcert.harness.protocol import driver_pb2 as pb
from storcert.harness.protocol.broken import BrokenProtocol
from storcert.harness.protocol.calls import Conversation
from storcert.harness.protocol.failures import error_of
from storcert.harness.protocol.values import description_of

INT64_MAX = (1 << 63) - 1


def whole_number(name: str, value: Any, uri: DataObjectUri) -> int:
    """What a message can hold. Raises ``InvalidRequest``; whether a negative number makes sense is the driver's to say."""
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidRequest(f"{name} is a whole number of bytes, not {type(value).__name__}", uri) from None
    if not -INT64_MAX <= number <= INT64_MAX:
        raise InvalidRequest(f"{name} {number} is beyond what the driver protocol can say", uri)
    return number


class _Stream:
    """What the three have in common: steps, and the end."""

    def __init__(self, call: Conversation, uri: DataObjectUri) -> None:
        self._call, self._uri = call, uri

    def _step(self, request: Any, due: str) -> Any:
        """Ask; the response's field ``due``, or what failed."""
        step = request.WhichOneof("step")
        response = self._call.ask(step, request)
        got = response.WhichOneof("step")
        if got == "failed":
            error = error_of(response.failed, f"`{step}`")
            if step == "open":
                self._call.finish()
            raise error
        if got != due:
            raise BrokenProtocol(f"the answer to `{step}` of {self._uri} is `{got}`, where `{due}` or `failed` was due")
        if step in ("commit", "abort", "close"):
            self._call.polite()
        return getattr(response, due)


class GrpcInput(_Stream):
    """An ``InputStream``."""

    def __init__(self, call: Conversation, uri: DataObjectUri, opening: pb.InputRequest.Open, chunk_bytes: int) -> None:
        super().__init__(call, uri)
        self._chunk_bytes = chunk_bytes
        self._step(pb.InputRequest(open=opening), "opened")

    def read(self, n: int = -1) -> bytes:
        """Up to ``n`` bytes, at most a chunk."""
        number = whole_number("n", n, self._uri)
        asked = pb.InputRequest.Read(max_bytes=None if number == -1 else min(number, self._chunk_bytes))
        data: bytes = self._step(pb.InputRequest(read=asked), "data")
        return data

    def close(self) -> None:
        """Release it."""
        self._step(pb.InputRequest(close=pb.InputRequest.Close()), "closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


class GrpcOutput(_Stream):
    """An ``OutputStream``."""

    def __init__(self, call: Conversation, uri: DataObjectUri, opening: pb.OutputRequest.Open, chunk_bytes: int) -> None:
        super().__init__(call, uri)
        self._chunk_bytes = chunk_bytes
        self._ended = False
        self._step(pb.OutputRequest(open=opening), "opened")

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Pass on at most a chunk of it."""
        piece = bytes(bytes_of(data)[: self._chunk_bytes])
        taken: int = self._step(pb.OutputRequest(write=piece), "written")
        return taken

    def commit(self) -> DataObjectDescription:
        """Publish."""
        message = self._step(pb.OutputRequest(commit=pb.OutputRequest.Commit()), "committed")
        self._ended = True
        return description_of(message, "`committed`")

    def abort(self) -> None:
        """Publish nothing."""
        self._step(pb.OutputRequest(abort=pb.OutputRequest.Abort()), "aborted")
        self._ended = True

    def close(self) -> None:
        """Without commit: abort."""
        self._step(pb.OutputRequest(close=pb.OutputRequest.Close()), "closed")
        self._ended = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        if kind is not None:
            self.close()
            return
        try:
            if not self._ended:
                self.commit()
        finally:
            self.close()


class GrpcVolume(_Stream):
    """A ``VolumeHandle``."""

    def __init__(self, call: Conversation, uri: DataObjectUri, opening: pb.VolumeRequest.Open, chunk_bytes: int) -> None:
        super().__init__(call, uri)
        self._chunk_bytes = chunk_bytes
        self._step(pb.VolumeRequest(open=opening), "opened")

    def pread(self, offset: int, length: int) -> bytes:
        """Exactly that range; more than a chunk comes in pieces."""
        start, rest = whole_number("offset", offset, self._uri), whole_number("length", length, self._uri)
        if rest > self._chunk_bytes:
            # Whether there is such a range is asked first: a long one outside the volume must not be read in part.
            self._pread(whole_number("offset", start + rest - 1, self._uri), 1)
        pieces: list[bytes] = []
        while rest > self._chunk_bytes:
            pieces.append(self._pread(start, self._chunk_bytes))
            start, rest = start + self._chunk_bytes, rest - self._chunk_bytes
        return b"".join((*pieces, self._pread(start, rest)))

    def _pread(self, offset: int, length: int) -> bytes:
        asked = pb.VolumeRequest.Pread(offset=offset, length=length)
        data: bytes = self._step(pb.VolumeRequest(pread=asked), "data")
        return data

    def pwrite(self, offset: int, data: bytes | bytearray | memoryview) -> int:
        """All of it; more than a chunk goes in pieces."""
        start, view = whole_number("offset", offset, self._uri), bytes_of(data)
        if len(view) > self._chunk_bytes:
            self._pread(whole_number("offset", start + len(view) - 1, self._uri), 1)
        written = 0
        while True:
            piece = bytes(view[: self._chunk_bytes])
            taken: int = self._step(pb.VolumeRequest(pwrite=pb.VolumeRequest.Pwrite(offset=start, data=piece)), "written")
            if taken != len(piece):
                return written + taken  # wrong, and passed on as it is
            written, start, view = written + taken, start + taken, view[len(piece) :]
            if not view:
                return written

    def flush(self) -> None:
        """Durable from now on."""
        self._step(pb.VolumeRequest(flush=pb.VolumeRequest.Flush()), "flushed")

    def close(self) -> None:
        """Release it."""
        self._step(pb.VolumeRequest(close=pb.VolumeRequest.Close()), "closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()
