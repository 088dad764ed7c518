"""What the cluster holds, entry by entry: the raw material of every leak check. Read-only."""

from __future__ import annotations

from collections.abc import Iterator

from storcert.simulators.device import CensusEntry
from storcert.simulators.rbd.model import TRASH_NAMESPACE, Cluster, Header, Pool


def census(cluster: Cluster) -> tuple[CensusEntry, ...]:
    """Images (those that cannot be opened, too), snapshots, trash, data without an image, plain objects, locks, watches of
    the dead, sorted. ``name`` is ``pool/name``; ``size_bytes`` of an image is what its data occupies now."""
    return tuple(sorted(entry for _, pool in sorted(cluster.pools.items()) for entry in _of_pool(cluster, pool)))


def _of_pool(cluster: Cluster, pool: Pool) -> Iterator[CensusEntry]:
    seen: set[str] = set()
    for name in sorted({*pool.directory, *pool.ids}):
        image_id = pool.ids.get(name) or pool.directory[name]
        header = pool.headers.get(image_id)
        whole = header is not None and pool.directory.get(name) == pool.ids.get(name)
        seen.add(image_id)
        yield CensusEntry("image", f"{pool.name}/{name}", "" if whole else "half", _occupied(pool, image_id))
    for image_id, entry in sorted(pool.trash.items()):
        seen.add(image_id)
        state = "removing" if entry.removing else "trash"
        yield CensusEntry("trash", f"{pool.name}/{entry.name}", state, _occupied(pool, image_id))
    for image_id in sorted({*pool.headers, *pool.data, *pool.object_maps} - seen):
        if image_id in pool.headers or image_id in pool.object_maps or pool.data[image_id].objects:
            yield CensusEntry("orphan", f"{pool.name}/{image_id}", "", _occupied(pool, image_id))
    for image_id, header in sorted(pool.headers.items()):
        yield from _of_header(cluster, pool, image_id, header)
    for key, found in sorted(pool.objects.items()):
        yield CensusEntry("object", f"{pool.name}/{key}", "", found.size_bytes)
        locks = found.extra.locks if found.extra is not None else {}
        for lock_name, holders in sorted(locks.items()):
            for locker, _ in holders:
                yield CensusEntry("lock", f"{pool.name}/{key}", f"{lock_name} {locker.cookie}", 0)


def _of_header(cluster: Cluster, pool: Pool, image_id: str, header: Header) -> Iterator[CensusEntry]:
    trashed = pool.trash.get(image_id)
    shown = f"{pool.name}/{pool.names.get(image_id) or (trashed.name if trashed is not None else image_id)}"
    for snap in header.state.snaps:
        if snap.namespace == TRASH_NAMESPACE:
            yield CensusEntry("trash-snapshot", f"{shown}@{snap.original_name}", snap.name, snap.size_bytes)
        else:
            yield CensusEntry("snapshot", f"{shown}@{snap.name}", "", snap.size_bytes)
    header.expire(cluster.now())
    for watch in header.watches:
        # Of a handle that is open there is nothing to say: it is in use.
        if watch.holder is None or not watch.holder.present:
            yield CensusEntry("dead-watch", shown, watch.instance.entity, 0)
    watched = {(watch.instance.number, f"auto {watch.cookie}") for watch in header.watches}
    for locker in header.lockers:
        if (locker.instance.number, locker.cookie) not in watched and not _harmless(locker.tag):
            yield CensusEntry("lock", shown, locker.cookie, 0)


def _harmless(tag: str) -> bool:
    """librbd's own lock of somebody who is gone: the next one to ask takes it over."""
    return tag == "internal"


def _occupied(pool: Pool, image_id: str) -> int:
    data = pool.data.get(image_id)
    if data is None:
        return 0
    return sum(one.head.allocated_bytes for one in data.objects.values() if one.head is not None)
