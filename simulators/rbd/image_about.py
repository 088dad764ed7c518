"""``rbd.Image``: what can be asked about an image, its metadata, its features, its parent and children."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import datetime
from typing import Any

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd import constants as c
from storcert.simulators.rbd import records
from storcert.simulators.rbd.arguments import cstr, unsigned
from storcert.simulators.rbd.image_base import ImageBase
from storcert.simulators.rbd.iterators import ChildIterator, MetadataIterator, WatcherIterator
from storcert.simulators.rbd.librbd_images import MODELLED_FEATURES
from storcert.simulators.rbd.model import Header, Parent, Pool
from storcert.simulators.rbd.rbd_face import answered, timestamp
from storcert.simulators.rbd.refusal import Refusal

_MUTABLE = (
    c.RBD_FEATURE_EXCLUSIVE_LOCK | c.RBD_FEATURE_OBJECT_MAP | c.RBD_FEATURE_FAST_DIFF | c.RBD_FEATURE_JOURNALING
    | c.RBD_FEATURE_NON_PRIMARY
)


class ImageAbout(ImageBase):
    """No bytes, no snapshots, no locks."""

    def stat(self) -> dict[str, Any]:
        """Size, order and the like. Parent fields are of no use, as in the real one."""
        context = self._open()
        size, _ = answered(context.view, "error getting info for image " + self._name)
        order = context.state.order
        return {
            "size": size, "obj_size": 1 << order, "num_objs": -(-size >> order), "order": order,
            "block_name_prefix": self.block_name_prefix(), "parent_pool": 2**64 - 1, "parent_name": b"",
        }

    def id(self) -> str:
        """The image's id."""
        return self._open().image_id

    def get_name(self) -> str:
        """Its name now."""
        context = self._open()
        return context.pool.names.get(context.image_id, context.name)

    def block_name_prefix(self) -> str:
        """Of the data objects."""
        return f"rbd_data.{self._open().image_id}"

    def data_pool_id(self) -> int:
        """Where the data objects are."""
        return self._open().pool.pool_id

    def old_format(self) -> bool:
        """Never."""
        self._open()
        return False

    def features(self) -> int:
        """Feature bits."""
        return self._open().features

    def op_features(self) -> int:
        """Operation feature bits."""
        return self._open().state.op_features

    def flags(self) -> int:
        """Nothing is ever out of date here."""
        self._open()
        return 0

    def stripe_unit(self) -> int:
        """The object's size: no striping."""
        return 1 << self._open().state.order

    def stripe_count(self) -> int:
        """One: no striping."""
        self._open()
        return 1

    def create_timestamp(self) -> datetime:
        """When it was made."""
        return timestamp(self._open().header.created_ns)

    def access_timestamp(self) -> datetime:
        """When it was read; kept roughly, as in the real one."""
        return timestamp(self._open().header.accessed_ns)

    def modify_timestamp(self) -> datetime:
        """When it was written."""
        return timestamp(self._open().header.modified_ns)

    def update_features(self, features: int, enabled: bool) -> None:
        """Switch features on or off, those that can be."""
        context = self._open()
        wanted = unsigned(features)

        def call() -> None:
            have = context.features
            if context.read_only:
                raise Refusal(errno.EROFS)
            if not wanted or wanted & ~_MUTABLE & ~(0 if enabled else c.RBD_FEATURE_DEEP_FLATTEN):
                raise Refusal(errno.EINVAL)
            if wanted & have if enabled else wanted & ~have:  # one of them is as it is to be already
                raise Refusal(errno.EINVAL)
            self._check_writable()
            after = have | wanted if enabled else have & ~wanted
            if enabled and after & c.RBD_FEATURE_FAST_DIFF:
                after |= c.RBD_FEATURE_OBJECT_MAP
            if enabled and after & c.RBD_FEATURE_OBJECT_MAP:
                after |= c.RBD_FEATURE_FAST_DIFF
            if not enabled and wanted & (c.RBD_FEATURE_OBJECT_MAP | c.RBD_FEATURE_FAST_DIFF):
                after &= ~(c.RBD_FEATURE_OBJECT_MAP | c.RBD_FEATURE_FAST_DIFF)
            if after & c.RBD_FEATURE_OBJECT_MAP and not after & c.RBD_FEATURE_EXCLUSIVE_LOCK:
                raise Refusal(errno.EINVAL)
            if after & ~MODELLED_FEATURES & ~c.RBD_FEATURE_OPERATIONS:
                raise NotModelled(f"rbd image features {after & ~MODELLED_FEATURES}")
            context.lock(proxied=True)
            context.flush()

            def effect() -> None:
                header = context.live_header()
                header.state = replace(header.state, features=after)
                maps = context.pool.object_maps
                if after & c.RBD_FEATURE_OBJECT_MAP:
                    maps[context.image_id] = None
                else:
                    maps.pop(context.image_id, None)
                if not after & c.RBD_FEATURE_EXCLUSIVE_LOCK:
                    header.lockers = ()
                elif not have & c.RBD_FEATURE_EXCLUSIVE_LOCK:
                    context.try_lock()

            context.request("set_features", effect)

        answered(call, "error updating features for image " + self._name)

    def group(self) -> dict[str, Any]:
        """There are no groups."""
        self._open()
        return {"pool": -1, "name": ""}

    # -- metadata

    def metadata_get(self, key: str) -> str:
        """KeyError where there is none."""
        context, name = self._open(), cstr(key, "key")

        def effect() -> str | None:
            return (context.live_header().metadata or {}).get(name)

        value = answered(lambda: context.request("metadata_get", effect), "error getting metadata")
        if value is None:
            raise KeyError(f"no metadata {name} for image {self._name}")
        return str(value)

    def metadata_set(self, key: str, value: str) -> None:
        """Set one."""
        context, name, text = self._open(), cstr(key, "key"), cstr(value, "value")

        def call() -> None:
            self._check_writable()
            context.lock(proxied=True)
            context.request("metadata_set", effect)

        def effect() -> None:
            header = context.live_header()
            if header.metadata is None:
                header.metadata = {}
            header.metadata[name] = text

        answered(call, f"error setting metadata {name} for image {self._name}")

    def metadata_remove(self, key: str) -> None:
        """KeyError where there is none."""
        context, name = self._open(), cstr(key, "key")

        def call() -> bool:
            if context.read_only:
                raise Refusal(errno.EROFS)
            if not context.request("metadata_get", lambda: name in (context.live_header().metadata or {})):
                return False
            self._check_writable()
            context.lock(proxied=True)
            found: bool = context.request("metadata_remove", effect)
            return found

        def effect() -> bool:
            metadata = context.live_header().metadata
            return metadata is not None and metadata.pop(name, None) is not None

        if not answered(call, f"error removing metadata {name} for image {self._name}"):
            raise KeyError(f"no metadata {name} for image {self._name}")

    def metadata_list(self) -> MetadataIterator:
        """All of them, by key."""
        context = self._open()
        found = answered(
            lambda: context.request("metadata_get", lambda: sorted((context.header.metadata or {}).items())),
            "error listing metadata",
        )
        return MetadataIterator(found)

    # -- parents and children

    def _parent(self) -> Parent:
        parent = self._open().view()[1]
        if parent is None or not parent.overlap_bytes:  # one that does not show through is none
            raise Refusal(errno.ENOENT)
        return parent

    def _parent_spec(self) -> dict[str, Any]:
        parent = self._parent()
        pool = self._context.cluster.pools_by_id.get(parent.pool_id)
        header = None if pool is None else pool.headers.get(parent.image_id)
        snap = None if header is None else header.state.numbered(parent.snap_id)
        if pool is None or header is None or snap is None:
            raise Refusal(errno.ENOENT)
        name = pool.names.get(parent.image_id) or pool.trash[parent.image_id].name
        return {"pool_name": pool.name, "pool_namespace": "", "image_name": name, "snap_name": snap.name}

    def parent_info(self) -> list[str]:
        """Pool, image and snapshot of the parent."""
        spec = answered(self._parent_spec, "error getting parent info for image " + self._name)
        return [spec["pool_name"], spec["image_name"], spec["snap_name"]]

    def parent_id(self) -> str:
        """The parent's id."""
        return str(answered(lambda: self._parent().image_id, "error getting parent id for image " + self._name))

    def get_parent_image_spec(self) -> dict[str, Any]:
        """All about the parent."""
        spec: dict[str, Any] = answered(self._parent_spec, "error getting parent info for image " + self._name)
        return spec

    def overlap(self) -> int:
        """How much of the parent still shows through; 0 where there is none."""
        parent = self._open().view()[1]
        return 0 if parent is None else parent.overlap_bytes

    def _children(self) -> list[tuple[Pool, str]]:
        """Effect: clones of the snapshot that is set, or of every snapshot."""
        context = self._context
        header: Header = context.header
        snaps = [snap for snap in header.state.snaps if context.snap_id in (None, snap.snap_id)]
        found: dict[tuple[int, str], Pool] = {}
        for snap in snaps:
            for pool, image_id in records.v1_children(context.cluster, context.pool.pool_id, context.image_id, snap.snap_id):
                found[(pool.pool_id, image_id)] = pool
        wanted = {snap.snap_id for snap in snaps}
        for snap_id, pool_id, image_id in header.children:
            below = context.cluster.pools_by_id.get(pool_id)
            if snap_id in wanted and below is not None:
                found[(pool_id, image_id)] = below
        return [(pool, image_id) for (_, image_id), pool in sorted(found.items())]

    def _child_info(self) -> list[dict[str, Any]]:
        context = self._open()
        found = answered(lambda: context.request("list_children", self._children), "error listing children")
        infos = []
        for pool, image_id in found:
            trashed = image_id in pool.trash
            name = pool.names.get(image_id) or (pool.trash[image_id].name if trashed else "")
            infos.append({
                "pool": pool.name, "pool_namespace": "", "image": name, "id": image_id, "trash": trashed,
            })
        return infos

    def list_children(self) -> list[tuple[str, str]]:
        """Pool and name of each clone that is not in the trash."""
        return [(one["pool"], one["image"]) for one in self._child_info() if not one["trash"]]

    def list_children2(self) -> ChildIterator:
        """All about each clone."""
        return ChildIterator(self._child_info())

    def watchers_list(self) -> WatcherIterator:
        """Who has it open for writing, the dead among them until their watches lapse."""
        context = self._open()

        def effect() -> list[dict[str, Any]]:
            header = context.live_header()
            header.expire(context.kernel.now_ns)
            return [
                {"addr": one.instance.address, "cookie": one.cookie, "id": one.instance.number} for one in header.watches]

        return WatcherIterator(answered(lambda: context.request("list_watchers", effect), "error listing watchers"))
