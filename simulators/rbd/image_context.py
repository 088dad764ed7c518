"""One open image: what the handle knows, its watch, its exclusive lock, its write cache. No face, no operation on images.

A handle that is open for writing has a watch on the header and hears of every change at once; a read-only one knows what it
read at open. The exclusive lock is taken at the first write and given to whoever asks for it, once the cache is empty; a
holder that died keeps it until its watch lapses. The cache lets a write return before the cluster has it: it is sent at once,
in order, by a task of the same location, and its error waits for the next flush. What was not sent dies with the location.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from storcert.simulators.rbd import image_store
from storcert.simulators.rbd.client import Client
from storcert.simulators.rbd.conf import ClientConf
from storcert.simulators.rbd.constants import RBD_FEATURE_EXCLUSIVE_LOCK, RBD_FEATURE_OBJECT_MAP
from storcert.simulators.rbd.image_store import Source
from storcert.simulators.rbd.model import Header, HeaderState, Instance, Locker, Parent, Pool, Snapshot, Watch, lapsed
from storcert.simulators.rbd.refusal import Refusal

INTERNAL = "internal"
_CACHED_WRITE_NS = 20_000
_REQUEST_BYTES_MAX = 4 << 20
_POLL_NS = 1_000_000_000
_BUSY_POLL_NS = 5_000_000


class ImageContext:
    """``snap_id``: the snapshot that is read. ``explicit``: the lock was asked for by name and is not given away."""

    def __init__(self, client: Client, conf: ClientConf, pool: Pool, header: Header, name: str, read_only: bool) -> None:
        self.client = client
        self.kernel = client.kernel
        self.cluster = client.cluster
        self.pool = pool
        self.header = header
        self.image_id = header.image_id
        self.name = name
        self.read_only = read_only
        self.snap_id: int | None = None
        self.selected: Snapshot | None = None
        self.snap_lost = False
        self.seen = header.state
        self.closed = False
        self.cookie = 0
        self.explicit = False
        self.busy = 0
        self.abandoned_ns: int | None = None
        self.granularity_bytes = conf.number("rbd_discard_granularity_bytes")
        self.caching = conf.flag("rbd_cache")
        self._dirty_max = conf.number("rbd_cache_max_dirty")
        self._queue: list[tuple[int, bytes]] = []
        self._sending: tuple[int, int] | None = None
        self._unsent = 0
        self._sender: Any = None
        self._error: Refusal | None = None

    # -- what it knows

    @property
    def state(self) -> HeaderState:
        """The header as this handle knows it."""
        return self.seen if self.read_only else self.header.state

    @property
    def features(self) -> int:
        """Feature bits."""
        return self.state.features

    def view(self) -> tuple[int, Parent | None]:
        """Size and parent of what is read: of the snapshot, if one is set."""
        state = self.state
        if self.snap_id is None:
            return state.size_bytes, state.parent
        snap = state.numbered(self.snap_id)
        if snap is None:
            self.snap_lost = True
            return 0, None
        return snap.size_bytes, snap.parent

    def readable_bytes(self) -> int:
        """Where reading ends. Of a snapshot that was removed meanwhile, the handle may not have heard yet."""
        if self.snap_id is None or self.selected is None:
            return self.state.size_bytes
        if self.snap_lost:
            raise Refusal(errno.ENOENT)
        return self.selected.size_bytes

    def select(self, snap: Snapshot | None) -> None:
        """Read that snapshot from now on. The exclusive lock is of no use then, and given back."""
        self.drain()
        if snap is not None and self.owns_lock:
            self.explicit = False
            self.request("lock_release", self._release)
        self.selected = snap
        self.snap_id = None if snap is None else snap.snap_id
        self.snap_lost = False

    def _release(self) -> None:
        if self.owns_lock:
            self.header.lockers = ()

    def source(self) -> Source:
        """Where it reads."""
        _, parent = self.view()
        return Source(self.cluster, self.pool, self.image_id, self.state.order, self.snap_id, parent)

    @property
    def present(self) -> bool:
        """Open, in a process that lives."""
        return not self.closed and self.client.present

    def live_header(self) -> Header:
        """At the cluster: the header, or ENOENT if somebody removed it meanwhile."""
        if self.pool.headers.get(self.image_id) is not self.header:
            raise Refusal(errno.ENOENT)
        return self.header

    def request(self, operation: str, effect: Callable[[], Any], **options: Any) -> Any:
        """One request that concerns this image."""
        return self.client.request(operation, self.name, effect, **options)

    # -- watch and lock, at the cluster

    def watch(self) -> None:
        """Effect of opening for writing."""
        self.cookie = self.cluster.ids.getrandbits(46) | 1 << 46
        self.header.watches = (*self.header.watches, Watch(self.client.instance, self.cookie, self))

    def unwatch(self) -> None:
        """Effect of closing: lock and watch go."""
        header, instance = self.header, self.client.instance
        header.lockers = tuple(one for one in header.lockers if one.instance is not instance or one.cookie != self.lock_cookie)
        header.watches = tuple(one for one in header.watches if one.holder is not self)

    @property
    def lock_cookie(self) -> str:
        """How the exclusive lock names this handle."""
        return f"auto {self.cookie}"

    @property
    def owns_lock(self) -> bool:
        """Whether the exclusive lock is here."""
        lockers = self.header.lockers
        return bool(lockers) and lockers[0].instance is self.client.instance and lockers[0].cookie == self.lock_cookie

    def others(self) -> tuple[Watch, ...]:
        """At the cluster: who else has the image open, the dead who are not yet known to be dead among them."""
        self.header.expire(self.kernel.now_ns)
        return tuple(watch for watch in self.header.watches if watch.holder is not self)

    def try_lock(self) -> str:
        """Effect of one attempt: ``mine``, ``held``, ``explicit`` or ``external``."""
        header = self.live_header()
        now_ns = self.kernel.now_ns
        header.expire(now_ns)
        if self.cluster.striking == "dead_watcher" and not header.lockers:
            self.leave_dead_holder()
        if header.lockers and not self.owns_lock:
            first = header.lockers[0]
            if first.tag != INTERNAL:
                return "external"
            if self._is_watched(first):
                holder = self.holder()
                if holder is None or not holder.present or holder.busy or holder.unsent:
                    return "held"
                if holder.explicit:
                    return "explicit"
            elif first.instance is not self.client.instance:  # librbd never shuts itself out
                first.instance.blocklisted = True
        header.lockers = (Locker(self.client.instance, self.lock_cookie, INTERNAL, True),)
        return "mine"

    def _is_watched(self, locker: Locker) -> bool:
        """Whether the handle that took this lock is still heard of."""
        return any(
            one.instance is locker.instance and f"auto {one.cookie}" == locker.cookie for one in self.header.watches
        )

    def leave_dead_holder(self) -> None:
        """At the cluster: as if another client had died just now with the image open and locked."""
        ghost = Instance(self.cluster.next_client, "client.admin", "", None)
        self.cluster.next_client += 1
        ghost.died_ns = self.kernel.now_ns
        self.header.watches = (*self.header.watches, Watch(ghost, 1))
        self.header.lockers = (Locker(ghost, "auto 1", INTERNAL, True),)

    def holder(self) -> ImageContext | None:
        """The handle that has the exclusive lock, if it is one that can still answer."""
        if not self.header.lockers:
            return None
        first = self.header.lockers[0]
        for watch in self.header.watches:
            if watch.instance is first.instance and f"auto {watch.cookie}" == first.cookie:
                found: ImageContext | None = watch.holder
                return found
        return None

    # -- lock, at the client

    def lock(self, *, proxied: bool = False, even_so: bool = False) -> None:
        """Have the exclusive lock, whoever must be waited for. ``proxied``: an operation that a live holder would do for us,
        once its cache is empty, without giving the lock away. ``even_so``: also where it was given back by name."""
        if not self.features & RBD_FEATURE_EXCLUSIVE_LOCK or self.owns_lock or self.snap_id is not None:
            if self.client.shut_out:
                raise Refusal(errno.ESHUTDOWN)
            return
        if self.explicit and not even_so and not proxied:
            raise Refusal(errno.EROFS)
        while True:
            if proxied and (holder := self.holder()) is not None and holder.present:
                holder.drain()
                return
            outcome = self.request("lock_acquire", self.try_lock)
            if outcome == "mine":
                return
            if outcome == "explicit":
                raise Refusal(errno.EROFS)
            self._wait_for_change(outcome)

    def _wait_for_change(self, outcome: str) -> None:
        kernel, header = self.kernel, self.header
        lockers = header.lockers
        while header.lockers is lockers and lockers:
            holder = self.holder() if outcome == "held" else None
            if holder is not None and holder.present:
                if holder.unsent:
                    holder.drain()
                elif holder.busy:
                    kernel.sleep_ns(_BUSY_POLL_NS)
                else:
                    return
                continue
            header.expire(kernel.now_ns)
            if outcome == "held" and (lapsed(lockers[0].instance, kernel.now_ns) or not self._is_watched(lockers[0])):
                return
            kernel.sleep_ns(_POLL_NS)

    # -- the cache

    @property
    def unsent(self) -> int:
        """Bytes that were written and are not at the cluster."""
        return self._unsent if self.client.present else 0

    def write(self, offset: int, data: bytes) -> None:
        """Within the image. Cached: returns at once."""
        self.lock()
        if self.client.shut_out:
            raise Refusal(errno.ESHUTDOWN)
        if not self.caching:
            self._send(offset, data)
            return
        self._queue.append((offset, data))
        self._unsent += len(data)
        if self._sender is None:
            self._sender = self.kernel.spawn(self._send_all, location=self.client.location, name="rbd cache")
        self.kernel.sleep_ns(_CACHED_WRITE_NS)
        while self._unsent > self._dirty_max:
            self.drain()

    def _send(self, offset: int, data: bytes) -> None:
        self.request(
            "write", lambda: image_store.write(self.cluster, self.pool, self.live_header(), offset, data),
            sent_bytes=len(data), write=True,
        )

    def _send_all(self) -> None:
        while self._queue:
            offset, data = self._take()
            self._sending = (offset, offset + len(data))
            try:
                self._send(offset, data)
            except Refusal as refusal:
                if self._error is None:
                    self._error = refusal
            finally:
                self._unsent -= len(data)
                self._sending = None
        self._sender = None

    def _take(self) -> tuple[int, bytes]:
        """The oldest write, with those right behind it."""
        offset, data = self._queue.pop(0)
        end = offset + len(data)
        parts = [data]
        while self._queue and self._queue[0][0] == end and end - offset + len(self._queue[0][1]) <= _REQUEST_BYTES_MAX:
            parts.append(self._queue.pop(0)[1])
            end += len(parts[-1])
        return offset, data if len(parts) == 1 else b"".join(parts)

    def drain(self) -> None:
        """Wait until all that was written before has been sent and answered. Errors wait for :meth:`flush`."""
        sender = self._sender
        if sender is not None and not sender.ended:
            self.kernel.wait(sender.ended_event, reason="the rbd cache")

    def flush(self) -> None:
        """All that was written is at the cluster, or the first error since the last flush."""
        self.drain()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def overlaps_unsent(self, offset: int, length: int) -> bool:
        """Whether a read must wait for the cache."""
        ranges = [(at, at + len(data)) for at, data in self._queue]
        if self._sending is not None:
            ranges.append(self._sending)
        return any(start < offset + length and offset < end for start, end in ranges)

    # -- reading and closing

    def read(self, offset: int, length: int) -> bytes:
        """Within the image. A hole costs no request where the object map is at hand."""
        if (self._queue or self._sending) and self.overlaps_unsent(offset, length):
            self.drain()
        if self.client.shut_out:
            raise Refusal(errno.ESHUTDOWN)
        if self.snap_id is not None and self.header.state.numbered(self.snap_id) is None:
            return self._read_removed(offset, length)
        mapped = self.features & RBD_FEATURE_OBJECT_MAP and (self.snap_id is not None or self.owns_lock)
        if mapped and not self.source().holds(offset, length):
            return bytes(length)
        data: bytes = self.request("read", lambda: self.source().read(offset, length))
        return data

    def _read_removed(self, offset: int, length: int) -> bytes:
        """The snapshot was removed meanwhile: zeros once, then the handle has heard of it."""
        if self.snap_lost:
            raise Refusal(errno.ENOENT)
        self.snap_lost = True
        data: bytes = self.request("read", lambda: bytes(length))
        return data

    def close(self) -> None:
        """Flush, give back lock and watch."""
        if self.closed:
            return
        failed: Refusal | None = None
        try:
            self.flush()
        except Refusal as refusal:
            failed = refusal
        try:
            if not self.read_only:
                self.request("close", self.unwatch)
        except Refusal:
            self.abandoned_ns = self.kernel.now_ns  # nobody renews the watch any more, so it lapses
        finally:
            self.closed = True
        if failed is not None and failed.number != errno.ESHUTDOWN:
            raise failed

    def forget(self) -> None:
        """The handle was dropped without being closed: what its destructor does, without a request."""
        if not self.closed and self.client.present and not self.kernel.sealed:
            self.closed = True
            if not self.read_only:
                self.unwatch()
