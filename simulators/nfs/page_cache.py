"""The page cache of one file on an NFS client: bytes known, bytes the server has not got, bytes it may still lose.

Only the state and what may be asked of it; requests are :mod:`.client_writeback`'s and :mod:`.client_files`'. What an error
does to the cache is Linux' way [fs/nfs/write.c]: the bytes of a failed WRITE or COMMIT are dropped and no longer dirty, and
the error is kept to be told once to everybody who has the file open [nfs(5): errors at fsync and close].
"""

from __future__ import annotations

from storcert.simulators.extents import Extents
from storcert.simulators.nfs.page_cache_ranges import Ranges

PAGE_BYTES = 4096


class PageCache:
    """``dirty``: written here, not sent. ``sending``: on its way. ``unstable``: on the server, which may forget it as long as
    its ``verifier`` has not come back from a COMMIT. ``errors`` counts what went wrong, ``error`` is the last errno."""

    __slots__ = ("_content", "_known", "dirty", "error", "errors", "sending", "unstable", "verifier")

    def __init__(self) -> None:
        self._content = Extents()
        self._known = Ranges()
        self.dirty = Ranges()
        self.sending = Ranges()
        self.unstable = Ranges()
        self.verifier = b""
        self.errors = 0
        self.error = 0

    @property
    def owed(self) -> bool:
        """Whether the server does not have everything for good."""
        return bool(self.dirty or self.sending or self.unstable)

    @property
    def end(self) -> int:
        """How long the file is at least, going by what the server does not have for good."""
        return max(self.dirty.end, self.sending.end, self.unstable.end)

    def put(self, offset: int, data: bytes, *, dirty: bool) -> None:
        """Bytes from the application (``dirty``) or from the server; the latter never replace what is owed to it."""
        end = offset + len(data)
        if dirty:
            self._content.write(offset, data)
            self.dirty.add(offset, end)
        else:
            for start, stop in self._known.missing(offset, end):
                self._content.write(start, data[start - offset : stop - offset])
        self._known.add(offset, end)

    def missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """What of the range must be read from the server."""
        return self._known.missing(start, end)

    def read(self, start: int, end: int) -> bytes:
        """Cached bytes; what was never written is zero."""
        data = self._content.read(start, end - start)
        return data + bytes(end - start - len(data))

    def forget_clean(self) -> None:
        """Somebody else changed the file: what is not owed to the server must be read again."""
        self._known.clear()
        for group in (self.dirty, self.sending, self.unstable):
            for start, end in group:
                self._known.add(start, end)
        if not self._known:
            self._content = Extents()

    def cut(self, length: int) -> None:
        """The file has only ``length`` bytes now."""
        for group in (self.dirty, self.sending, self.unstable, self._known):
            group.discard(length, max(group.end, length))
        if self._content.size_bytes > length:
            self._content.truncate(length)

    def lose(self, start: int, end: int, error: int) -> None:
        """The range did not get to the server: it is dropped, unless it was written anew meanwhile."""
        self.sending.discard(start, end)
        self.unstable.discard(start, end)
        for first, last in self.dirty.missing(start, end):
            self._known.discard(first, last)
        self.errors += 1
        self.error = error

    def sent(self, start: int, end: int, verifier: bytes | None) -> None:
        """The server took the range: for good (no ``verifier``), or until it loses its memory."""
        self.sending.discard(start, end)
        if verifier is None:
            self.unstable.discard(start, end)
            return
        if self.unstable and verifier != self.verifier:
            self.resend()
        self.verifier = verifier
        self.unstable.add(start, end)

    def committed(self, verifier: bytes) -> None:
        """A COMMIT was answered: everything unstable is safe, or, if the server restarted meanwhile, must be sent again."""
        if verifier == self.verifier:
            self.unstable.clear()
        else:
            self.resend()

    def resend(self) -> None:
        """The server lost its memory."""
        for start, end in self.unstable:
            self.dirty.add(start, end)
        self.unstable.clear()
