"""A door behind which an object comes to be: what a client sends goes onto the device as it comes, and is published at its end.

    PUT  (POST)   the body is the object. With ``Content-Range: bytes FIRST-LAST/SIZE`` it is that part of it, and FIRST must be
                  where the last part ended. 201: it is there. 202 with ``Upload-Offset``: so far so good, more is due. 202
                  without: all of it came, of a size that was not announced; whether there is room for it, the job tells.
    HEAD (GET)    204 with ``Upload-Offset``: how much has come and is kept.

A connection that breaks loses nothing as long as this agent lives: the stream onto the device stays open, and the client goes
on at the offset it is told. A body that starts at 0 begins anew. An object that is not what was announced (409 for an offset
that is not due, 413 for more bytes, 415 for a form, 422 for another digest or fewer bytes) is thrown away, and may be sent
again until the time is over. So it may where the device is away for a while (503). Nothing of it is visible before its end
(C-COMMIT). One client at a time: another is told 423.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable
from typing import Any

from storcert.harness.agent.doors import said
from storcert.harness.agent.transfer import CHUNK_BYTES, Ticket, TooLate, write_all
from storcert.harness.contract import (
    CapacityExceeded,
    DeviceUnavailable,
    InvalidRequest,
    ObjectExists,
    Outcome,
    OutputStream,
    StorageError,
)
from storcert.harness.record.web_request import Asked, ClientGone, Reply

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)$")
_AGAIN = ("retry-after", "2")


class _Refused(Exception):
    """What came is not what is due."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class UploadDoor:
    """``ticket``: of the command it was opened for; ``size_bytes`` and ``digest`` (``"sha256:<hex>"``): what must come, where
    known; ``limit_bytes``: no more than that; ``open_output``: given a size or ``None``, a stream onto the device; ``came``:
    called with ``link`` once the object is there."""

    def __init__(
        self, link: int, ticket: Ticket, size_bytes: int | None, digest: str | None, limit_bytes: int,
        open_output: Callable[[int | None], OutputStream], came: Callable[[int], None],
    ) -> None:
        self._link = link
        self._ticket = ticket
        self._size_bytes = size_bytes
        self._digest = digest
        self._limit_bytes = limit_bytes
        self._open_output = open_output
        self._came = came
        self._at_work = threading.Lock()
        self._stream: OutputStream | None = None
        self._hash: Any = None
        self.result: dict[str, Any] | None = None
        self.error: StorageError | None = None

    @property
    def link(self) -> int:
        """Its number in the catalogue."""
        return self._link

    @property
    def expires_ns(self) -> int:
        """The deadline of the command it was opened for."""
        return self._ticket.deadline_ns

    @property
    def moved_bytes(self) -> int:
        """How much has come and is kept."""
        return self._ticket.moved_bytes

    @property
    def over(self) -> bool:
        """Whether the object is on the device, or never will be."""
        return self.result is not None or self.error is not None

    def shut(self) -> bool:
        """Nothing passes from now on, and what has come is thrown away, unless it is over already. ``False`` while a client is
        at it: then it is to be tried again."""
        if not self._at_work.acquire(blocking=False):
            return False
        try:
            if not self.over:
                self.error = DeviceUnavailable("it was not uploaded in time", None, Outcome.UNKNOWN, False)
                self._forget()
            return True
        finally:
            self._at_work.release()

    def answer(self, asked: Asked) -> Reply:
        """One request of a client."""
        if asked.method in ("HEAD", "GET"):
            return Reply(204, (("upload-offset", str(self._ticket.moved_bytes)),))
        if asked.method not in ("PUT", "POST"):
            return said(405, "PUT the object", ("allow", "PUT, POST, HEAD, GET"))
        if not self._at_work.acquire(blocking=False):
            return said(423, "another client is at it", _AGAIN)
        try:
            return self._settled() if self.over else self._take(asked)
        finally:
            self._at_work.release()

    def _settled(self) -> Reply:
        return said(200, "it is there already") if self.error is None else _told(self.error)

    # -- one body

    def _take(self, asked: Asked) -> Reply:
        kind, coding = asked.headers.get("content-type", ""), asked.headers.get("content-encoding", "identity")
        if kind.lower().startswith("multipart/") or coding.lower() != "identity":
            return said(415, "the body is the object itself: no form, and not compressed")
        part = asked.headers.get("content-range")
        found = _CONTENT_RANGE.match(part) if part is not None else None
        length = asked.headers.get("content-length", "")
        if part is not None and found is None:
            return said(400, f"no range of an upload: {part!r}")
        first = int(found[1]) if found is not None else 0
        whole = int(found[3]) if found is not None else int(length) if length.isdigit() else None
        if whole is not None and self._size_bytes not in (None, whole):
            return said(422, f"{self._size_bytes} bytes are due, not {whole}")
        if whole is not None and whole > self._limit_bytes:
            return said(413, f"there is room for {self._limit_bytes} bytes, not for {whole}")
        if first not in (0, self._ticket.moved_bytes):
            return said(409, "that is not where the last part ended", ("upload-offset", str(self._ticket.moved_bytes)))
        try:
            if first == 0:
                self._begin(whole)
            self._pour(asked)
            return self._end(whole)
        except ClientGone:
            # Nobody hears this; what has come stays for whoever goes on.
            return said(408, "the body did not come", ("upload-offset", str(self._ticket.moved_bytes)))
        except TooLate:
            self._forget()
            return said(410, "the time for this transfer is over")
        except _Refused as refused:
            self._forget()
            return said(refused.status, str(refused))
        except InvalidRequest as error:
            # The device takes no such size: another body may do.
            self._forget()
            return said(422, error.message)
        except StorageError as error:
            return self._failed(error, error.retryable and error.outcome is Outcome.NOT_DONE)
        except Exception as error:  # noqa: BLE001  (a driver may raise anything: that it did is how the upload ends)
            told = f"the driver raised {type(error).__name__}: {error}"
            return self._failed(DeviceUnavailable(told, None, Outcome.UNKNOWN, False), False)

    def _failed(self, error: StorageError, again: bool) -> Reply:
        """The device would not: for good, or ``again`` in a while."""
        self._forget()
        if not again:
            self.error = error
        return _told(error)

    def _begin(self, whole: int | None) -> None:
        self._forget()
        self._ticket.refuse_late()
        size_bytes = self._size_bytes if whole is None else whole
        self._stream = self._open_output(size_bytes)
        self._hash = hashlib.new((self._digest or "sha256:").partition(":")[0])

    def _pour(self, asked: Asked) -> None:
        assert self._stream is not None
        while chunk := asked.body.read(CHUNK_BYTES):
            self._ticket.refuse_late()
            come = self._ticket.moved_bytes + len(chunk)
            if self._size_bytes is not None and come > self._size_bytes:
                raise _Refused(413, f"more than the {self._size_bytes} bytes that are due")
            if come > self._limit_bytes:
                raise _Refused(413, f"more than the {self._limit_bytes} bytes that there is room for")
            self._hash.update(chunk)
            write_all(self._stream, chunk)
            self._ticket.moved_bytes = come

    def _end(self, whole: int | None) -> Reply:
        come = self._ticket.moved_bytes
        due = self._size_bytes if whole is None else whole
        if due is not None and come < due:
            if whole is not None and self._size_bytes != come:
                return said(202, "more is due", ("upload-offset", str(come)))
            raise _Refused(422, f"{come} bytes came, {due} are due")
        digest = f"{self._hash.name}:{self._hash.hexdigest()}"
        if self._digest is not None and digest != self._digest.lower():
            raise _Refused(422, f"the digest is {digest}, {self._digest} is due")
        self._ticket.refuse_late()
        assert self._stream is not None
        self._stream.commit()
        self._stream = None
        self.result = {"size_bytes": come, "digest": digest}
        if self._size_bytes is None:
            # Space was not reserved for it: the catalogue has the last word.
            return said(202, "all of it came; whether there is room for it, its job will tell")
        self._came(self._link)
        return said(201, "it is there")

    def _forget(self) -> None:
        """Nothing of what has come is kept."""
        stream, self._stream = self._stream, None
        self._ticket.moved_bytes = 0
        if stream is not None:
            with contextlib.suppress(Exception):  # nothing is published either way (C-ABORT)
                stream.close()


def _told(error: StorageError) -> Reply:
    """What a client is told of what went wrong with the device; what it may try again later says so."""
    if isinstance(error, ObjectExists):
        return said(409, error.message)
    if isinstance(error, CapacityExceeded):
        return said(507, error.message)
    return said(503, error.message, _AGAIN) if error.retryable else said(500, error.message)
