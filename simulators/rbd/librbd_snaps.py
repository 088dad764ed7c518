"""Snapshots: the steps of librbd 16.2 in its order, each step one request."""

from __future__ import annotations

import errno
from dataclasses import replace

from storcert.simulators.rbd import image_store, records
from storcert.simulators.rbd.constants import RBD_FEATURE_LAYERING
from storcert.simulators.rbd.image_context import ImageContext
from storcert.simulators.rbd.model import PROTECTED, TRASH_NAMESPACE, UNPROTECTED, UNPROTECTING, Snapshot
from storcert.simulators.rbd.monitor import new_snapshot_id
from storcert.simulators.rbd.refusal import Refusal

ROLLBACK_BATCH = 64


def user_snapshot(context: ImageContext, name: str) -> Snapshot:
    """As the handle knows it, or ENOENT."""
    found = context.state.named(name)
    if found is None:
        raise Refusal(errno.ENOENT)
    return found


def check_writable(context: ImageContext) -> None:
    """Not through a read-only handle."""
    if context.read_only:
        raise Refusal(errno.EROFS)


def check_layering(context: ImageContext) -> None:
    """Without the feature there are no clones, and nothing to protect them from."""
    if not context.features & RBD_FEATURE_LAYERING:
        raise Refusal(errno.ENOSYS)


def create(context: ImageContext, name: str) -> None:
    """An id from the monitor, then the header: two requests, after the cache is empty; again where another was faster."""
    check_writable(context)
    if context.state.named(name) is not None:
        raise Refusal(errno.EEXIST)
    context.lock(proxied=True)
    context.flush()
    client, cluster = context.client, context.cluster
    while True:
        snap_id: int = client.monitor("snap_allocate", context.name, lambda: new_snapshot_id(cluster))

        def add(snap_id: int = snap_id) -> None:
            header = context.live_header()
            state = header.state
            records.add_snapshot(header, Snapshot(snap_id, name, state.size_bytes, cluster.now(), state.parent))

        try:
            context.request("snap_add", add)
        except Refusal as refusal:
            if refusal.number != errno.ESTALE:  # another client's newer id was faster; librbd asks for a new one
                raise
        else:
            return


def remove(context: ImageContext, name: str) -> None:
    """Into the snapshot trash; where no clone needs it, out of it again: its data, then its record."""
    snap = user_snapshot(context, name)
    check_writable(context)
    if snap.protection != UNPROTECTED:
        raise Refusal(errno.EBUSY)
    context.lock(proxied=True)
    remove_by_id(context, snap.snap_id)


def remove_by_id(context: ImageContext, snap_id: int) -> None:
    """The three steps; the first is left out for one that is in the trash already."""
    pool, cluster = context.pool, context.cluster

    def bin_it() -> bool:
        header = context.live_header()
        needed = any(child[0] == snap_id for child in header.children)
        if records.snapshot_of(header, snap_id).namespace != TRASH_NAMESPACE:
            bits = cluster.ids.getrandbits
            made_up = f"{bits(32):08x}-{bits(16):04x}-{bits(16):04x}-{bits(16):04x}-{bits(48):012x}"
            records.trash_snapshot(header, snap_id, made_up)
        elif needed:
            raise Refusal(errno.EBUSY)  # one in the trash already cannot be thrown away once more [measured]
        return needed

    if context.request("snap_trash_add", bin_it):
        return
    context.client.monitor(
        "snap_release", context.name, lambda: records.release_snapshot_data(pool, context.image_id, snap_id))
    context.request("snap_remove", lambda: records.remove_snapshot(pool, context.live_header(), snap_id))


def rename(context: ImageContext, source: str, destination: str) -> None:
    """One request."""
    check_writable(context)
    snap = user_snapshot(context, source)
    if context.state.named(destination) is not None:
        raise Refusal(errno.EEXIST)

    def effect() -> None:
        header = context.live_header()
        if header.state.named(destination) is not None:
            raise Refusal(errno.EEXIST)
        header.state = header.state.with_snap(replace(records.snapshot_of(header, snap.snap_id), name=destination))

    context.request("snap_rename", effect)


def protect(context: ImageContext, name: str) -> None:
    """One request."""
    check_writable(context)
    check_layering(context)
    snap = user_snapshot(context, name)
    if snap.protection == PROTECTED:
        raise Refusal(errno.EBUSY)
    context.request("snap_protect", lambda: records.protect(context.live_header(), snap.snap_id, PROTECTED))


def unprotect(context: ImageContext, name: str) -> None:
    """Mark it, look for clones of format 1 in every pool, and let go or go back."""
    check_writable(context)
    snap = user_snapshot(context, name)
    check_layering(context)
    if snap.protection == UNPROTECTED:
        raise Refusal(errno.EINVAL)

    def begin() -> bool:
        records.protect(context.live_header(), snap.snap_id, UNPROTECTING)
        return bool(records.v1_children(context.cluster, context.pool.pool_id, context.image_id, snap.snap_id))

    needed = context.request("snap_unprotect_begin", begin)
    outcome = PROTECTED if needed else UNPROTECTED
    context.request("snap_unprotect_end", lambda: records.protect(context.live_header(), snap.snap_id, outcome))
    if needed:
        raise Refusal(errno.EBUSY)


def roll_back(context: ImageContext, name: str) -> None:
    """Size, objects batch by batch. Nobody may hold the image meanwhile; a client that dies leaves it in between."""
    check_writable(context)
    if context.snap_id is not None:
        raise Refusal(errno.EROFS)
    snap = user_snapshot(context, name)
    holder = context.holder()
    if holder is not None and holder is not context and holder.present:
        raise Refusal(errno.EROFS)  # the one operation that neither takes the lock from a live holder nor asks it
    context.lock()
    context.flush()
    context.busy += 1
    try:
        if snap.size_bytes != context.state.size_bytes:
            _resize_header(context, snap)
        after: int | None = -1
        while after is not None:
            since = after

            def batch(since: int = since) -> int | None:
                return image_store.roll_back(context.pool, context.live_header(), snap.snap_id, since, ROLLBACK_BATCH)

            after = context.request("rollback", batch, write=True)
    finally:
        context.busy -= 1


def _resize_header(context: ImageContext, snap: Snapshot) -> None:
    def effect() -> None:
        header = context.live_header()
        image_store.trim(context.cluster, context.pool, header, snap.size_bytes, 1 << 30)
        header.state = replace(header.state, size_bytes=snap.size_bytes)

    context.request("set_size", effect)
