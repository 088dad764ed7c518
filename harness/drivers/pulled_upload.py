"""From a stream that is written to one that is read: the bridge to libraries whose uploads pull their bytes.

The library's upload runs in a thread of its own and reads from a :class:`PulledSource`; whoever writes hands its pieces over
one at a time, so no more than a piece waits. The end of the bytes is told at the commit and not before; giving up is an
exception out of ``read``, at which a library cleans up as it does at any failing source. No retry, no copy of the object.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

PIECE_BYTES = 1024 * 1024


class GivenUp(Exception):
    """What the library gets to see where nobody wants the upload any more."""


class PulledSource:
    """What the library reads: ``read(n)`` as of a file, or an iterator of pieces."""

    def __init__(self, upload: PulledUpload) -> None:
        self._upload = upload

    def read(self, n: int = -1) -> bytes:
        """1 to ``n`` bytes as soon as some are there; ``b""`` once the writer has committed."""
        return self._upload.take(PIECE_BYTES if n < 0 else n)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece


class PulledUpload:
    """One upload. ``carry_out`` is called in the thread with the source; what it returns or raises, :meth:`finish` does."""

    def __init__(self, carry_out: Callable[[PulledSource], Any]) -> None:
        self._carry_out = carry_out
        self._changed = threading.Condition()
        self._piece = memoryview(b"")
        self._complete = False
        self._given_up = False
        self._over = False
        self._result: Any = None
        self._error: BaseException | None = None
        # storcert: allow STATELESS-background it ends when the stream does, and a dropped one publishes nothing
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Hand over, once the library has taken what was handed over before. Raises what ended the upload early."""
        with self._changed:
            while self._piece and not self._over:
                self._changed.wait()
            if self._over:
                raise self._error or GivenUp("the upload ended before its bytes did")
            self._piece = memoryview(data)
            self._changed.notify_all()

    def finish(self) -> Any:
        """That was all: wait for the upload, give its result or raise its error."""
        self._tell(complete=True)
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result

    def give_up(self) -> BaseException | None:
        """Nothing of it is wanted: wait until the library has cleaned up; gives what it raised besides."""
        self.forget()
        self._thread.join()
        return None if isinstance(self._error, GivenUp) else self._error

    def forget(self) -> None:
        """The same without waiting, for a stream that nobody holds any more."""
        self._tell(complete=False)

    def take(self, n: int) -> bytes:
        """For the library's thread: wait for bytes and take up to ``n`` of them."""
        with self._changed:
            while not self._piece and not self._complete and not self._given_up:
                self._changed.wait()
            if self._given_up:
                raise GivenUp("the writer gave up")
            taken, self._piece = bytes(self._piece[:n]), self._piece[n:]
            if not self._piece:
                self._changed.notify_all()
            return taken

    def _tell(self, *, complete: bool) -> None:
        with self._changed:
            if complete:
                self._complete = True
            else:
                self._given_up = True
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            self._result = self._carry_out(PulledSource(self))
        except BaseException as error:  # noqa: BLE001  raised again where the writer waits for it
            self._error = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()


class PulledSink:
    """A sink of :mod:`storcert.harness.drivers.library_store` over one pulled upload."""

    def __init__(self, carry_out: Callable[[PulledSource], Any]) -> None:
        self._upload = PulledUpload(carry_out)
        self._told = False

    def write(self, data: bytes) -> None:
        """Hand over; what ended the upload early is told here, once."""
        try:
            self._upload.write(data)
        except BaseException:
            self._told = True
            raise

    def publish(self) -> None:
        """That was all."""
        self._upload.finish()

    def discard(self) -> None:
        """Let the library clean up, and tell what went wrong meanwhile, unless that is known."""
        error = self._upload.give_up()
        if error is not None and not self._told:
            raise error

    def __del__(self) -> None:
        self._upload.forget()
