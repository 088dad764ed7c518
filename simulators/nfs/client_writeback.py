"""Getting dirty pages to the server: WRITE, COMMIT, resending after a restart. As the Linux client [fs/nfs/write.c].

Everything dirty is sent in pieces of ``wsize``, unstable, and made safe by one COMMIT; what fits into a single WRITE is asked
to be safe at once instead, and needs no COMMIT. Another verifier than before means that the server restarted and may have
lost what is unstable: it is sent again. An error drops the bytes it concerns and is kept for ``fsync`` and ``close``.

One liberty is taken: nothing is sent in the background. Linux' flusher writes dirty pages after some 30 seconds; here they
go when there are many, and when somebody asks (``fsync``, ``close``, ``stat`` and the like).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from storcert.simulators.nfs.client_lookup import Lookup
from storcert.simulators.nfs.client_rpc import failure
from storcert.simulators.nfs.client_state import Inode
from storcert.simulators.nfs.page_cache import PageCache
from storcert.simulators.nfs.protocol import CommitArguments, Procedure, Stable, WriteArguments

DIRTY_REQUESTS_MAX = 4


class Writeback:
    """Sends what the page caches of one mount owe to the server."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._rpc = lookup.rpc
        self._wsize_bytes = lookup.options.wsize_bytes

    def balance(self, inode: Inode) -> None:
        """Too much is dirty: the writer has to wait until it is sent."""
        if inode.pages().dirty.total >= DIRTY_REQUESTS_MAX * self._wsize_bytes:
            self.flush(inode, commit=False)

    def flush(self, inode: Inode, *, commit: bool) -> None:
        """Send everything dirty; with ``commit`` also make it safe. Errors go into the page cache, none is raised."""
        cache = inode.cache
        if cache is None or not cache.owed:
            return
        with self._turn(inode):
            while cache.dirty or (commit and cache.unstable):
                self._send(inode, cache, commit)
                if commit and cache.unstable:
                    self._commit(inode, cache)

    @contextmanager
    def _turn(self, inode: Inode) -> Iterator[None]:
        """One task after the other; whoever comes second finds little left to do."""
        kernel = self._lookup.kernel
        while inode.turn is not None:
            event = kernel.event()
            inode.turn.append(event)
            kernel.wait(event, reason="writeback")
        inode.turn = []
        try:
            yield
        finally:
            waiting, inode.turn = inode.turn, None
            for event in waiting:
                event.succeed(None)

    def _send(self, inode: Inode, cache: PageCache, commit: bool) -> None:
        size = self._wsize_bytes
        pieces = [
            (at, min(at + size, end)) for start, end in cache.dirty for at in range(start, end, size)
        ]  # fmt: skip
        alone = commit and len(pieces) == 1 and not cache.unstable
        cache.sending, cache.dirty = cache.dirty, cache.sending
        for start, end in pieces:
            try:
                self._write(inode, cache, start, end, Stable.FILE_SYNC if alone else Stable.UNSTABLE)
            except OSError as error:
                self._lookup.note(inode, error)
                cache.lose(start, end, error.errno or errno.EIO)
                inode.expire()

    def _write(self, inode: Inode, cache: PageCache, start: int, end: int, stable: Stable) -> None:
        at = start
        while at < end:
            result = self._rpc.do(Procedure.WRITE, WriteArguments(inode.handle, at, cache.read(at, end), stable))
            if result.count <= 0:
                raise failure(errno.EIO)
            cache.sent(at, at + result.count, None if result.committed is Stable.FILE_SYNC else result.verifier)
            at += result.count
            inode.learn_own(result.wcc, self._lookup.options, self._lookup.now_ns)

    def _commit(self, inode: Inode, cache: PageCache) -> None:
        try:
            result = self._rpc.do(Procedure.COMMIT, CommitArguments(inode.handle))
        except OSError as error:
            self._lookup.note(inode, error)
            for start, end in cache.unstable:
                cache.lose(start, end, error.errno or errno.EIO)
            inode.expire()
            return
        cache.committed(result.verifier)
        inode.learn_own(result.wcc, self._lookup.options, self._lookup.now_ns)
