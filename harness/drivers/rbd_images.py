"""Images and their snapshots as the RBD driver uses them: made, opened for one purpose at a time, and removed for good.

Nothing here knows of URIs. No image is kept open between two calls of the driver (but by a ``VolumeHandle``), so that a
process that dies or forgets a stream leaves no watcher but that of the call it died in; the cluster forgets that one after
30 seconds, and who meets it waits.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, TypeVar

from storcert.harness.drivers.rbd_errors import RequestFailed, Trouble
from storcert.harness.drivers.rbd_pool import Effort, Pool, Session

T = TypeVar("T")

ORDER = 22  # objects of 4 MiB
PART_BYTES = 1 << ORDER
# Measured: half a millisecond for each object removed, so a slice that is full takes half a minute.
SLICE_BYTES = 256 * 1024**3
INNER = ("rbd_header.", "rbd_object_map.")
# layering, exclusive-lock, object-map, fast-diff, deep-flatten; said here so that no ceph.conf can take one away.
FEATURES = 1 | 4 | 8 | 16 | 32


class Removed(Enum):
    """What became of an image that was to be removed."""

    GONE = "removed"
    ABSENT = "there was none"
    NEEDED = "snapshots or clones need it"


class Images:
    """The images of one pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._trash_namespace = pool.rbd.RBD_SNAP_NAMESPACE_TYPE_TRASH

    def create(self, effort: Effort, image: str, size_bytes: int) -> None:
        """A new image of zeros. Its name is new, so only a timeout leaves doubt; then the image may be there or not."""
        self._make(
            effort,
            lambda session: self._pool.rbd.RBD().create(
                session.ioctx, image, size_bytes, order=ORDER, old_format=False, features=FEATURES
            ),
        )

    def clone(self, effort: Effort, parent: str, snapshot: str, image: str) -> None:
        """A new image that starts as the snapshot; on the device, whatever its size."""
        self._make(
            effort,
            lambda session: self._pool.rbd.RBD().clone(
                session.ioctx, parent, snapshot, session.ioctx, image, features=FEATURES
            ),
        )

    def copy(self, effort: Effort, original: str, snapshot: str, image: str) -> None:
        """A clone of the image as it is at one moment: of a snapshot that is nameless afterwards, and goes with the clone."""

        def call(session: Session) -> None:
            with self._opened(session, original, read_only=False) as opened:
                opened.create_snap(snapshot)
                self._pool.rbd.RBD().clone(session.ioctx, original, snapshot, session.ioctx, image, features=FEATURES)
                opened.remove_snap(snapshot)

        self._make(effort, call)

    def _make(self, effort: Effort, call: Callable[[Session], object]) -> None:
        client_id = ""

        def make(session: Session) -> None:
            nonlocal client_id
            client_id = _client_id(session)
            call(session)

        try:
            self._pool.ask(effort, make)
        except RequestFailed as failure:
            failure.lost_by = client_id if failure.ambiguous else ""
            raise

    def write(self, effort: Effort, image: str, offset: int, data: bytes, size_bytes: int | None) -> None:
        """Put ``data`` there, durably; first make the image ``size_bytes`` long, where that is given.

        Writing the same bytes again does no harm, so a timeout is repeated."""

        def body(opened: Any) -> None:
            if size_bytes is not None:
                opened.resize(size_bytes)
            if data:
                if opened.write(data, offset) != len(data):
                    raise RequestFailed(Trouble.ODD, "the device took fewer bytes than it was sent")
                opened.flush()

        self._with(effort, image, body, safe=True)

    def take_snapshot(self, effort: Effort, image: str, snapshot: str) -> None:
        """A snapshot of a new name. After a timeout it may be there or not."""
        self._with(effort, image, lambda opened: opened.create_snap(snapshot))

    def roll_back(self, effort: Effort, image: str, snapshot: str, still: Callable[[], bool]) -> None:
        """Make the image equal to its snapshot. It may end half way; repeating it converges.

        A rollback to a snapshot that is removed on the way leaves zeros and reports success. It is therefore protected first,
        through the handle that then rolls back: whoever would remove it finds that handle's watch. ``still``: whether it is
        to be had, asked once nobody can remove it any more. Afterwards :meth:`let_go`."""
        tried = False

        def body(opened: Any) -> None:
            nonlocal tried
            ours, tried = tried, True
            try:
                opened.protect_snap(snapshot)
            except self._pool.rbd.ImageBusy:
                # By this call, or by one that died; one that is alive would let go of it before this one is through.
                if not ours and len(list(opened.watchers_list())) > 1:
                    raise RequestFailed(Trouble.BUSY, "the image is open elsewhere") from None
            if not still():
                raise RequestFailed(Trouble.NOT_FOUND, "the snapshot was deleted meanwhile")
            opened.rollback_to_snap(snapshot)

        self._with(effort, image, body, safe=True)

    def let_go(self, image: str, snapshot: str) -> bool:
        """The snapshot may be removed again. Whether that is certain; a dead rollback is met by whoever removes it."""
        try:
            self._with(Effort.closing(), image, lambda opened: opened.unprotect_snap(snapshot), safe=True)
        except RequestFailed as failure:
            return failure.trouble in (Trouble.INVALID, Trouble.NOT_FOUND)  # was not protected, is not there
        return True

    def wait_until_let_go(self, effort: Effort, image: str, snapshot: str) -> None:
        """Raise :class:`RequestFailed` (``BUSY``) where the image is being rolled back to it. A dead rollback has no watch."""

        def look(opened: Any) -> tuple[bool, bool]:
            return bool(opened.is_protected_snap(snapshot)), any(opened.watchers_list())

        while True:
            try:
                is_protected, is_alive = self._with(effort, image, look, safe=True, read_only=True)
            except RequestFailed as failure:
                if failure.trouble is Trouble.NOT_FOUND:
                    return
                raise
            if not is_protected or (not is_alive and self.let_go(image, snapshot)):
                return
            if not effort.wait_for_others():
                raise RequestFailed(Trouble.BUSY, "the volume is being reverted to the snapshot")

    def is_watched(self, effort: Effort, image: str) -> bool:
        """Whether somebody has it open for writing. Looking leaves no watcher."""
        try:
            return self._with(effort, image, lambda opened: any(opened.watchers_list()), safe=True, read_only=True)
        except RequestFailed as failure:
            if failure.trouble is Trouble.NOT_FOUND:
                return False
            raise

    def wait_until_unwatched(self, effort: Effort, image: str) -> None:
        """Raise :class:`RequestFailed` (``BUSY``) where somebody keeps it open."""
        while self.is_watched(effort, image):
            if not effort.wait_for_others():
                raise RequestFailed(Trouble.BUSY, "the image is open elsewhere")

    def open(self, effort: Effort, image: str, snapshot: str = "", *, read_only: bool) -> Any:
        """The library's own handle. Read-only it leaves no watcher."""
        return self._pool.ask(
            effort,
            lambda session: self._pool.rbd.Image(session.ioctx, image, snapshot or None, read_only),
            safe=True,
        )

    def remove(self, effort: Effort, image: str) -> Removed:
        """Remove it, however far an earlier attempt came."""
        while True:
            try:
                self._pool.ask(effort, lambda session: self._pool.rbd.RBD().remove(session.ioctx, image))
            except RequestFailed as failure:
                if failure.trouble is Trouble.NOT_FOUND:
                    if self._exists(effort, image):
                        # Measured: in a full pool that never had a removal, librbd says this of an image that is there.
                        raise RequestFailed(Trouble.ODD, "the image is there and cannot be removed") from failure
                    return Removed.ABSENT
                if failure.trouble is Trouble.NEEDED:
                    if not (self._drop_dead_snapshots(effort, image) and effort.again()):
                        return Removed.NEEDED
                elif failure.trouble is Trouble.BUSY:
                    if not effort.wait_for_others():
                        raise
                elif not (failure.ambiguous and effort.again()):
                    raise
            else:
                return Removed.GONE

    def shrink(self, effort: Effort, image: str) -> None:
        """Give back what a large image holds, slice by slice from its end, before it is removed.

        librbd removes an image in one call, which for terabytes of data takes longer than a call of ours may. Where the time
        is spent between two slices this raises :class:`RequestFailed`; the next call goes on from there."""

        def look(opened: Any) -> tuple[int, bool]:
            return int(opened.size()), any(opened.list_snaps())

        try:
            size_bytes, is_needed = self._with(effort, image, look, safe=True, read_only=True)
            while size_bytes > SLICE_BYTES and not is_needed:
                size_bytes -= SLICE_BYTES
                self._with(effort, image, _resized(size_bytes), safe=True)
                effort.progressed()
        except RequestFailed as failure:
            if failure.trouble is not Trouble.NOT_FOUND:
                raise

    def _exists(self, effort: Effort, image: str) -> bool:
        try:
            self._with(effort, image, lambda opened: None, safe=True, read_only=True)
        except RequestFailed as failure:
            if failure.trouble is Trouble.NOT_FOUND:
                return False
            raise
        return True

    def client_id(self, effort: Effort) -> str:
        """What the ids of images begin with that this client makes. No request."""
        return self._pool.ask(effort, _client_id)

    def remove_lost_headers(self, client_id: str) -> None:
        """Remove headers, and object maps, that client made and lost.

        When the answer to the creation of one does not come in time, librbd takes back the name and the id, and forgets it.
        Nothing but a look at all objects of the pool finds it; where that takes too long, a few bytes stay."""
        effort, prefixes = Effort.closing(), tuple(one + client_id for one in INNER)

        def look(session: Session) -> set[str]:
            found = set()
            for one in session.ioctx.list_objects():
                if one.key.startswith(prefixes):
                    found.add(str(one.key).split(".")[1])  # the maps of snapshots have a third part
                if effort.expired():
                    break
            return found

        for image_id in sorted(self._pool.ask(effort, look, safe=True)):
            # An image has its entry before its header and, in one of the two lists, until after it.
            if not self._is_known(effort, image_id):
                for one in INNER:
                    self._remove_object(effort, one + image_id)

    def _is_known(self, effort: Effort, image_id: str) -> bool:
        def look(session: Session) -> bool:
            for register in ("rbd_directory", "rbd_trash"):
                with self._pool.rados.ReadOpCtx() as op:
                    answer, _ = session.ioctx.get_omap_vals_by_keys(op, (f"id_{image_id}",))
                    try:
                        session.ioctx.operate_read_op(op, register)
                    except self._pool.rados.ObjectNotFound:
                        continue
                    if any(True for _ in answer):
                        return True
            return False

        return self._pool.ask(effort, look, safe=True)

    def _remove_object(self, effort: Effort, key: str) -> None:
        try:
            self._pool.ask(effort, lambda session: session.ioctx.remove_object(key), safe=True)
        except RequestFailed as failure:
            if failure.trouble is not Trouble.NOT_FOUND:
                raise

    def remove_snapshot(self, effort: Effort, image: str, snapshot: str) -> None:
        """Remove it, or leave it nameless to the clones that need it."""
        while True:
            try:
                self._with(effort, image, lambda opened: opened.remove_snap(snapshot))
            except RequestFailed as failure:
                if failure.trouble is Trouble.NOT_FOUND:
                    # The library makes it nameless first: an attempt that ended half way left it so.
                    return self._drop_nameless(effort, image, snapshot)
                if failure.trouble is Trouble.BUSY:
                    if self.is_watched(effort, image) or not self.let_go(image, snapshot):
                        if not effort.wait_for_others():
                            raise
                    elif not effort.again():
                        raise
                elif not (failure.ambiguous and effort.again()):
                    raise
            else:
                return

    def release_parent(self, effort: Effort, image: str, snapshot: str, is_own: bool) -> None:
        """After a clone has gone, or has never come to be: its parent snapshot goes if it was the clone's own, or if it had
        become nameless and the library died, or was refused, before it removed it with its last clone."""
        if is_own:
            self.remove_snapshot(effort, image, snapshot)
        else:
            self._drop_nameless(effort, image, snapshot)

    def _drop_nameless(self, effort: Effort, image: str, snapshot: str) -> None:
        for one in self._snapshots(effort, image):
            if one["namespace"] == self._trash_namespace and one["trash"]["original_name"] == snapshot:
                self._drop(effort, image, int(one["id"]))

    def _drop_dead_snapshots(self, effort: Effort, image: str) -> bool:
        """Remove nameless snapshots until one is met that a clone needs; says whether none needs this image any more."""
        for one in self._snapshots(effort, image):
            if one["namespace"] != self._trash_namespace or not self._drop(effort, image, int(one["id"])):
                return False
        return True

    def _snapshots(self, effort: Effort, image: str) -> list[Any]:
        try:
            return self._with(effort, image, lambda opened: list(opened.list_snaps()), safe=True, read_only=True)
        except RequestFailed as failure:
            if failure.trouble is Trouble.NOT_FOUND:
                return []
            raise

    def _drop(self, effort: Effort, image: str, number: int) -> bool:
        try:
            self._with(effort, image, lambda opened: opened.remove_snap_by_id(number), safe=True)
        except RequestFailed as failure:
            if failure.trouble is Trouble.BUSY:
                return False  # the cluster knows better than any look before: a clone needs it
            if failure.trouble is not Trouble.NOT_FOUND:
                raise
        return True

    def _with(
        self, effort: Effort, image: str, body: Callable[[Any], T], *, safe: bool = False, read_only: bool = False
    ) -> T:
        def call(session: Session) -> T:
            with self._opened(session, image, read_only) as opened:
                return body(opened)

        return self._pool.ask(effort, call, safe=safe)

    @contextmanager
    def _opened(self, session: Session, image: str, read_only: bool) -> Iterator[Any]:
        opened = self._pool.rbd.Image(session.ioctx, image, None, read_only)
        try:
            yield opened
        finally:
            close_quietly(opened, self._pool.foreign)


def close_quietly(opened: Any, foreign: tuple[type[Exception], ...]) -> None:
    """Close a handle whose writes were flushed: what can still fail is taking back the watch, and that ends by itself."""
    try:
        opened.close()
    except foreign:
        pass


def _client_id(session: Session) -> str:
    return f"{session.cluster.get_instance_id():x}"


def _resized(size_bytes: int) -> Callable[[Any], None]:
    def body(opened: Any) -> None:
        opened.resize(size_bytes)

    return body


def new_name() -> str:
    """For an image or a snapshot: never used before."""
    return f"storcert-{uuid.uuid4().hex}"
