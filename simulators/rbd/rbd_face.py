"""``rbd.RBD`` as the 16.2 binding offers it: images of a pool by name, the trash. Refusals become its exceptions."""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd import constants as c
from storcert.simulators.rbd import librbd_clones, librbd_images
from storcert.simulators.rbd.arguments import cstr, unsigned
from storcert.simulators.rbd.ioctx import Ioctx
from storcert.simulators.rbd.iterators import ImageIterator, MetadataIterator, TrashIterator
from storcert.simulators.rbd.librbd_images import Shape
from storcert.simulators.rbd.model import TrashEntry
from storcert.simulators.rbd.rbd_errors import make_ex
from storcert.simulators.rbd.refusal import Refusal

NS_PER_S = 1_000_000_000


def context_of(ioctx: Any) -> Ioctx:
    """A rados context, open, whose connection is."""
    if not isinstance(ioctx, Ioctx):
        raise TypeError(f"Cannot convert {type(ioctx).__name__} to rados.Ioctx")
    if ioctx.state != "open":
        # Measured: the binding hands the freed context on, which ends the process or worse.
        ioctx.client.location.crash()
    ioctx.require_ioctx_open()
    return ioctx


def answered(call: Callable[[], Any], message: str) -> Any:
    """What ``call`` gives; its refusal as the binding's exception."""
    try:
        return call()
    except Refusal as refusal:
        raise make_ex(refusal.number, message) from None


def shape_of(
    features: Any, order: Any, stripe_unit: Any, stripe_count: Any, data_pool: Any,
) -> Shape:
    """Options of a new image, checked as C integers."""
    return Shape(
        None if order is None else unsigned(order),
        None if features is None else unsigned(features),
        None if stripe_unit is None else unsigned(stripe_unit),
        None if stripe_count is None else unsigned(stripe_count),
        None if data_pool is None else cstr(data_pool, "data_pool"),
    )


def timestamp(time_ns: int) -> datetime:
    """As the binding shows it: to the second, UTC, without a zone."""
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).replace(tzinfo=None)


def progress_of(on_progress: Any) -> librbd_images.Progress | None:
    """A callback must give a number; whatever else it does is swallowed, as in C."""
    return on_progress if on_progress is not None else None


def _trash_info(entry: TrashEntry) -> dict[str, Any]:
    return {
        "id": entry.image_id, "name": entry.name, "source": "REMOVING" if entry.removing else "USER",
        "deletion_time": timestamp(entry.deleted_ns), "deferment_end_time": timestamp(entry.deferred_until_ns),
    }


Names = list[str]


class RBD:
    """Images of a pool."""

    def version(self) -> tuple[int, int, int]:
        """Of librbd."""
        return (1, 16, 0)

    def create(
        self, ioctx: Ioctx, name: str, size: int, order: int | None = None, old_format: bool = False,
        features: int | None = None, stripe_unit: int | None = None, stripe_count: int | None = None,
        data_pool: str | None = None,
    ) -> None:
        """Make an image of zeros."""
        text = cstr(name, "name")
        size_bytes = unsigned(size)
        io = context_of(ioctx)
        if old_format:
            if features or (stripe_unit is not None and stripe_unit != 0) or (stripe_count is not None and stripe_count != 0):
                raise make_ex(errno.EINVAL, "format 1 images do not support feature masks or non-default striping")
            raise make_ex(errno.EINVAL, "error creating image")
        shape = shape_of(features, order, stripe_unit, stripe_count, data_pool)

        def call() -> None:
            if not text:
                raise Refusal(errno.EINVAL)
            librbd_images.create(io.client, io.rados.conf, io.pool, text, size_bytes, shape)

        answered(call, "error creating image")

    def clone(
        self, p_ioctx: Ioctx, p_name: str, p_snapname: str, c_ioctx: Ioctx, c_name: str, features: int | None = None,
        order: int | None = None, stripe_unit: int | None = None, stripe_count: int | None = None,
        data_pool: str | None = None,
    ) -> None:
        """A copy-on-write child of a snapshot."""
        snapshot, parent, child = cstr(p_snapname, "p_snapname"), cstr(p_name, "p_name"), cstr(c_name, "c_name")
        above, below = context_of(p_ioctx), context_of(c_ioctx)
        shape = shape_of(features, order, stripe_unit, stripe_count, data_pool)

        def call() -> None:
            if not child:
                raise Refusal(errno.EINVAL)
            librbd_clones.clone(
                below.client, below.rados.conf, above.pool, parent, snapshot, below.pool, child, shape)

        answered(call, "error creating clone")

    def remove(self, ioctx: Ioctx, name: str, on_progress: Any = None) -> None:
        """Delete an image; it must have no snapshots and not be open."""
        text, io = cstr(name, "name"), context_of(ioctx)
        answered(
            lambda: librbd_images.remove(io.client, io.rados.conf, io.pool, text, progress_of(on_progress)),
            "error removing image",
        )

    def rename(self, ioctx: Ioctx, src: str, dest: str) -> None:
        """Another name for an image."""
        source, destination, io = cstr(src, "src"), cstr(dest, "dest"), context_of(ioctx)
        answered(
            lambda: librbd_images.rename(io.client, io.rados.conf, io.pool, source, destination), "error renaming image")

    def list(self, ioctx: Ioctx) -> Names:
        """Names."""
        return [one["name"] for one in self.list2(ioctx)]

    def list2(self, ioctx: Ioctx) -> ImageIterator:
        """Ids and names."""
        io = context_of(ioctx)
        found = answered(lambda: librbd_images.list_names(io.client, io.pool), "error listing images")
        return ImageIterator({"id": image_id, "name": name} for name, image_id in found)

    # -- trash

    def trash_move(self, ioctx: Ioctx, name: str, delay: int = 0) -> None:
        """Take an image out of sight."""
        text, delay_s, io = cstr(name, "name"), unsigned(delay), context_of(ioctx)
        answered(
            lambda: librbd_images.trash_move(io.client, io.rados.conf, io.pool, text, delay_s), "error moving image to trash")

    def trash_remove(self, ioctx: Ioctx, image_id: str, force: bool = False, on_progress: Any = None) -> None:
        """Delete what is in the trash."""
        text, io = cstr(image_id, "image_id"), context_of(ioctx)
        answered(
            lambda: librbd_images.trash_remove(
                io.client, io.rados.conf, io.pool, text, bool(force), progress_of(on_progress)),
            "error deleting image from trash",
        )

    def trash_get(self, ioctx: Ioctx, image_id: str) -> dict[str, Any]:
        """One entry."""
        text, io = cstr(image_id, "image_id"), context_of(ioctx)

        def call() -> TrashEntry:
            for entry in librbd_images.trash_list(io.client, io.pool):
                if entry.image_id == text:
                    return entry
            raise Refusal(errno.ENOENT)

        return _trash_info(answered(call, "error retrieving image from trash"))

    def trash_list(self, ioctx: Ioctx) -> TrashIterator:
        """All entries."""
        io = context_of(ioctx)
        found = answered(lambda: librbd_images.trash_list(io.client, io.pool), "error listing trash entries")
        return TrashIterator(_trash_info(entry) for entry in found)

    def trash_restore(self, ioctx: Ioctx, image_id: str, name: str) -> None:
        """Back, under a name."""
        text, wanted, io = cstr(image_id, "image_id"), cstr(name, "name"), context_of(ioctx)
        answered(
            lambda: librbd_images.trash_restore(io.client, io.pool, text, wanted), "error restoring image from trash")

    # -- the pool

    def pool_init(self, ioctx: Ioctx, force: bool) -> None:
        """Prepare a pool; images work without."""
        io = context_of(ioctx)

        def effect() -> None:
            if io.pool.applications and "rbd" not in io.pool.applications and not force:
                raise Refusal(errno.EPERM)
            io.pool.applications.setdefault("rbd", {})
            io.pool.used = True

        answered(lambda: io.client.monitor("mon_command", "pool_init", effect), "error initializing pool")

    def pool_metadata_get(self, ioctx: Ioctx, key: str) -> str:
        """KeyError where there is none."""
        text, io = cstr(key, "key"), context_of(ioctx)
        value = answered(
            lambda: io.client.request("metadata_get", "", lambda: io.pool.metadata.get(text)), "error getting metadata")
        if value is None:
            raise KeyError(f"no metadata {text} for image pool")
        return str(value)

    def pool_metadata_set(self, ioctx: Ioctx, key: str, value: str) -> None:
        """Set one."""
        name, text, io = cstr(key, "key"), cstr(value, "value"), context_of(ioctx)
        answered(
            lambda: io.client.request("metadata_set", "", lambda: io.pool.metadata.__setitem__(name, text)),
            "error setting metadata",
        )

    def pool_metadata_list(self, ioctx: Ioctx) -> MetadataIterator:
        """All of them, by key."""
        io = context_of(ioctx)
        return MetadataIterator(answered(
            lambda: io.client.request("metadata_get", "", lambda: sorted(io.pool.metadata.items())), "error listing metadata"))

    def pool_metadata_remove(self, ioctx: Ioctx, key: str) -> None:
        """KeyError where there is none."""
        text, io = cstr(key, "key"), context_of(ioctx)
        found = answered(
            lambda: io.client.request("metadata_remove", "", lambda: io.pool.metadata.pop(text, None)),
            "error removing metadata",
        )
        if found is None:
            raise KeyError(f"no metadata {text!r}")

    def namespace_list(self, ioctx: Ioctx) -> Names:
        """There are none."""
        context_of(ioctx)
        return []

    def group_list(self, ioctx: Ioctx) -> Names:
        """There are none."""
        context_of(ioctx)
        return []

    def mirror_mode_get(self, ioctx: Ioctx) -> int:
        """Off."""
        context_of(ioctx)
        return c.RBD_MIRROR_MODE_DISABLED

    def features_to_string(self, features: int) -> str:
        """Names of feature bits."""
        return ",".join(sorted(name for bit, name in _FEATURE_NAMES.items() if features & bit))

    def features_from_string(self, str_features: str) -> int:
        """Feature bits of names."""
        bits = {name: bit for bit, name in _FEATURE_NAMES.items()}
        total = 0
        for name in cstr(str_features, "str_features").split(","):
            if name.strip() not in bits:
                raise NotModelled(f"rbd.RBD.features_from_string({name!r})")
            total |= bits[name.strip()]
        return total


_FEATURE_NAMES = {
    c.RBD_FEATURE_LAYERING: "layering", c.RBD_FEATURE_STRIPINGV2: "striping",
    c.RBD_FEATURE_EXCLUSIVE_LOCK: "exclusive-lock", c.RBD_FEATURE_OBJECT_MAP: "object-map",
    c.RBD_FEATURE_FAST_DIFF: "fast-diff", c.RBD_FEATURE_DEEP_FLATTEN: "deep-flatten",
    c.RBD_FEATURE_JOURNALING: "journaling", c.RBD_FEATURE_DATA_POOL: "data-pool", c.RBD_FEATURE_OPERATIONS: "operations",
    c.RBD_FEATURE_MIGRATING: "migrating", c.RBD_FEATURE_NON_PRIMARY: "non-primary",
}
