"""``rbd.Image``: snapshots."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import datetime
from typing import Any

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd import constants as c
from storcert.simulators.rbd import librbd_snaps
from storcert.simulators.rbd.arguments import cstr, unsigned
from storcert.simulators.rbd.image_base import ImageBase
from storcert.simulators.rbd.iterators import SnapIterator
from storcert.simulators.rbd.model import NO_SNAP_LIMIT, PROTECTED, TRASH_NAMESPACE, UNPROTECTED, Snapshot
from storcert.simulators.rbd.rbd_face import answered, timestamp
from storcert.simulators.rbd.refusal import Refusal


class ImageSnapshots(ImageBase):
    """Making, removing, protecting, reading, going back."""

    def list_snaps(self) -> SnapIterator:
        """In both namespaces, oldest first."""
        return SnapIterator(_described(snap) for snap in self._open().state.snaps)

    def create_snap(self, name: str, flags: int = 0) -> None:
        """The image as it is now, with all that was written."""
        context, text = self._open(), cstr(name, "name")
        answered(lambda: librbd_snaps.create(context, text), f"error creating snapshot {text} from {self._name}")

    def remove_snap(self, name: str) -> None:
        """Clones of format 2 keep it alive out of sight."""
        context, text = self._open(), cstr(name, "name")
        answered(lambda: librbd_snaps.remove(context, text), f"error removing snapshot {text} from {self._name}")

    def remove_snap2(self, name: str, flags: int) -> None:
        """With flags: unprotecting first is the one modelled."""
        context, text, bits = self._open(), cstr(name, "name"), unsigned(flags, 32)
        if bits & c.RBD_SNAP_REMOVE_FLATTEN:
            raise NotModelled("rbd.Image.remove_snap2 with RBD_SNAP_REMOVE_FLATTEN")

        def call() -> None:
            snap = librbd_snaps.user_snapshot(context, text)
            if bits & c.RBD_SNAP_REMOVE_UNPROTECT and snap.protection != UNPROTECTED:
                librbd_snaps.unprotect(context, text)
            librbd_snaps.remove(context, text)

        answered(call, f"error removing snapshot {text} from {self._name} with flags {bits:x}")

    def remove_snap_by_id(self, snap_id: int) -> None:
        """In any namespace."""
        context, number = self._open(), unsigned(snap_id)

        def call() -> None:
            snap = context.state.numbered(number)
            if snap is None:
                raise Refusal(errno.ENOENT)
            librbd_snaps.check_writable(context)
            if snap.protection != UNPROTECTED:
                raise Refusal(errno.EBUSY)
            context.lock(proxied=True)
            librbd_snaps.remove_by_id(context, number)

        answered(call, f"error removing snapshot {number} from {self._name}")

    def rename_snap(self, srcname: str, dstname: str) -> None:
        """Another name."""
        context, source, destination = self._open(), cstr(srcname, "srcname"), cstr(dstname, "dstname")
        answered(
            lambda: librbd_snaps.rename(context, source, destination),
            f"error renaming snapshot of {self._name} from {source} to {destination}",
        )

    def rollback_to_snap(self, name: str) -> None:
        """Object by object; not at one moment."""
        context, text = self._open(), cstr(name, "name")
        answered(lambda: librbd_snaps.roll_back(context, text), f"error rolling back image {self._name} to snapshot {text}")

    def protect_snap(self, name: str) -> None:
        """It cannot be removed until it is unprotected."""
        context, text = self._open(), cstr(name, "name")
        answered(lambda: librbd_snaps.protect(context, text), f"error protecting snapshot {self._name}@{text}")

    def unprotect_snap(self, name: str) -> None:
        """Refused while there are clones of format 1."""
        context, text = self._open(), cstr(name, "name")
        answered(lambda: librbd_snaps.unprotect(context, text), f"error unprotecting snapshot {self._name}@{text}")

    def is_protected_snap(self, name: str) -> bool:
        """Whether it is protected."""
        context, text = self._open(), cstr(name, "name")
        snap: Snapshot = answered(
            lambda: librbd_snaps.user_snapshot(context, text), f"error checking if snapshot {self._name}@{text} is protected")
        return snap.protection == PROTECTED

    def snap_exists(self, name: str) -> bool:
        """Whether there is a snapshot of that name."""
        context, text = self._open(), cstr(name, "name")
        return context.state.named(text) is not None

    # -- limit

    def get_snap_limit(self) -> int:
        """How many there may be."""
        context = self._open()
        return int(answered(
            lambda: context.request("snap_limit", lambda: context.live_header().state.snap_limit),
            "error getting snapshot limit for " + self._name,
        ))

    def set_snap_limit(self, limit: int) -> int:
        """How many there may be."""
        context, number = self._open(), unsigned(limit)

        def call() -> None:
            librbd_snaps.check_writable(context)
            context.lock(even_so=True)
            context.request("snap_limit", effect)

        def effect() -> None:
            header = context.live_header()
            if number < len(header.state.snaps):
                raise Refusal(errno.ERANGE)
            header.state = replace(header.state, snap_limit=number)

        answered(call, "error setting snapshot limit for " + self._name)
        return 0

    def remove_snap_limit(self) -> int:
        """As many as one likes."""
        return self.set_snap_limit(NO_SNAP_LIMIT)

    # -- reading them

    def set_snap(self, name: str | None) -> None:
        """Read a snapshot; ``None``: the image itself."""
        context = self._open()
        text = cstr(name, "name", optional=True)

        def call() -> None:
            snap = None if name is None else librbd_snaps.user_snapshot(context, text)
            self._select(snap)

        answered(call, f"error setting image {self._name} to snapshot {text}")

    def set_snap_by_id(self, snap_id: int | None) -> None:
        """Read a snapshot, by id; ``None``: the image itself."""
        context = self._open()

        def call() -> None:
            snap = None if snap_id is None else context.state.numbered(unsigned(snap_id))
            if snap_id is not None and snap is None:
                raise Refusal(errno.ENOENT)
            self._select(snap)

        answered(call, f"error setting image {self._name} to snapshot {snap_id}")

    def _select(self, snap: Snapshot | None) -> None:
        self._context.select(snap)

    def _numbered(self, snap_id: int, message: str) -> Snapshot:
        context = self._open()

        def call() -> Snapshot:
            found = context.state.numbered(unsigned(snap_id))
            if found is None:
                raise Refusal(errno.ENOENT)
            return found

        found: Snapshot = answered(call, message)
        return found

    def get_snap_timestamp(self, snap_id: int) -> datetime:
        """When it was taken."""
        return timestamp(self._numbered(snap_id, f"error getting snapshot timestamp for image: {self._name}").time_ns)

    def snap_get_name(self, snap_id: int) -> str:
        """Its name."""
        return self._numbered(snap_id, "error snap_get_name.").name

    def snap_get_id(self, snap_name: str) -> int:
        """Its id."""
        context, text = self._open(), cstr(snap_name, "snap_name")
        snap: Snapshot = answered(lambda: librbd_snaps.user_snapshot(context, text), "error snap_get_id.")
        return snap.snap_id

    def snap_get_namespace_type(self, snap_id: int) -> int:
        """User or trash."""
        return self._numbered(snap_id, "error getting snapshot namespace type").namespace

    def snap_get_trash_namespace(self, snap_id: int) -> dict[str, Any] | None:
        """What it was called; ``None`` where it is not in the trash."""
        snap = self._numbered(snap_id, "error getting snapshot trash namespace")
        return {"original_name": snap.original_name} if snap.namespace == TRASH_NAMESPACE else None

    def snap_get_group_namespace(self, snap_id: int) -> None:
        """There are no groups."""
        self._numbered(snap_id, "error getting snapshot group namespace")

    def snap_get_mirror_namespace(self, snap_id: int) -> None:
        """There is no mirroring."""
        self._numbered(snap_id, "error getting snapshot mirror namespace")


def _described(snap: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = {"id": snap.snap_id, "size": snap.size_bytes, "name": snap.name, "namespace": snap.namespace}
    if snap.namespace == TRASH_NAMESPACE:
        found["trash"] = {"original_name": snap.original_name}
    return found
