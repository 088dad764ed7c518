"""What an OSD does with plain objects: the effects of requests on one object, and compound operations that happen whole or
not at all. Objects that librbd keeps are seen here by name only where a client may meddle with them."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence

from storcert.simulators.device import NotModelled
from storcert.simulators.extents import Extents
from storcert.simulators.rbd.model import Instance, Locker, Pool
from storcert.simulators.rbd.plain_objects import Extra, RadosObject
from storcert.simulators.rbd.refusal import Refusal

Step = Callable[[RadosObject, bool], object]
"""One part of a compound operation, on a copy; told whether the object is there by now. ``MAKES_NOTHING``, given back, says
that this part makes no object where there is none."""
MAKES_NOTHING = "makes nothing"
REMOVES = "removes"

OBJECT_BYTES_MAX = 128 << 20
NAME_BYTES_MAX = 2048
_RBD_PREFIXES = ("rbd_id.", "rbd_header.", "rbd_object_map.", "rbd_data.")
_RBD_OBJECTS = ("rbd_directory", "rbd_info", "rbd_trash", "rbd_children", "rbd_mirroring")


def is_librbd(key: str) -> bool:
    """Whether an object of that name would be librbd's."""
    return key in _RBD_OBJECTS or key.startswith(_RBD_PREFIXES)


def find(pool: Pool, key: str) -> RadosObject:
    """The object, or ENOENT."""
    if pool.deleted:
        raise Refusal(errno.ENOENT)
    found = pool.objects.get(key)
    if found is None:
        if key in ("rbd_directory", "rbd_trash") and key in set(librbd_names(pool)):
            return _register(pool, key)
        if is_librbd(key) and key in set(librbd_names(pool)):
            raise NotModelled(f"reading {key} past librbd")
        raise Refusal(errno.ENOENT)
    return found


def _register(pool: Pool, key: str) -> RadosObject:
    """What librbd's two lists say, as their omaps say it: keys only; the values are librbd's own."""
    made = RadosObject(0)
    entries = pool.trash if key == "rbd_trash" else pool.directory.values()
    made.more().omap.update({f"id_{image_id}": b"" for image_id in entries})
    if key == "rbd_directory":
        made.more().omap.update({f"name_{name}": b"" for name in pool.directory})
    return made


def change(pool: Pool, key: str, steps: Sequence[Step], now_ns: int, *, omap_in_place: bool = False) -> None:
    """All of ``steps`` on the object, which is made where it is missing; nothing if one refuses. ``omap_in_place``: none of
    them refuses once the omap was changed, so that it need not be copied, however large it is."""
    if pool.deleted:
        raise Refusal(errno.ENOENT)
    if len(key.encode()) > NAME_BYTES_MAX:
        raise Refusal(errno.ENAMETOOLONG)
    if is_librbd(key):
        raise NotModelled(f"writing {key} past librbd")
    old = pool.objects.get(key)
    if old is None:
        changed = RadosObject(now_ns)
    else:
        changed = copy(old, omap_in_place)
    exists = old is not None
    for step in steps:
        outcome = step(changed, exists)
        if outcome == REMOVES:
            changed, exists = RadosObject(now_ns), False
        elif outcome != MAKES_NOTHING:
            exists = True
    if not exists:
        pool.objects.pop(key, None)
        return
    changed.version += 1
    changed.modified_ns = now_ns
    pool.objects[key] = changed


def copy(old: RadosObject, share_omap: bool) -> RadosObject:
    """The same object, to be changed or thrown away."""
    made = RadosObject(old.modified_ns)
    made.contents = old.contents.copy() if isinstance(old.contents, Extents) else old.contents
    made.version = old.version
    if old.extra is not None:
        made.extra = extra = Extra()
        extra.xattrs, extra.locks = dict(old.extra.xattrs), dict(old.extra.locks)
        extra.omap = old.extra.omap if share_omap else old.extra.omap.copy()
        extra.watches = old.extra.watches
    return made


def remove(pool: Pool, key: str) -> None:
    """Delete an object; librbd's own records too, which is how one damages an image."""
    if pool.deleted:
        raise Refusal(errno.ENOENT)
    if key in pool.objects:
        del pool.objects[key]
    elif key.startswith("rbd_id.") and key[7:] in pool.ids:
        del pool.ids[key[7:]]
    elif key.startswith("rbd_header.") and key[11:] in pool.headers:
        del pool.headers[key[11:]]
    elif key.startswith("rbd_object_map.") and key[15:] in pool.object_maps:
        del pool.object_maps[key[15:]]
    elif is_librbd(key) and key in set(librbd_names(pool)):
        raise NotModelled(f"removing {key} past librbd")
    else:
        raise Refusal(errno.ENOENT)


def librbd_names(pool: Pool) -> Iterator[str]:
    """Names of the objects librbd keeps in the pool."""
    if pool.used:
        yield "rbd_directory"
        yield "rbd_info"
    if pool.trash_used:
        yield "rbd_trash"
    if pool.children_used:
        yield "rbd_children"
    for name in sorted(pool.ids):
        yield f"rbd_id.{name}"
    for image_id, header in sorted(pool.headers.items()):
        yield f"rbd_header.{image_id}"
        if image_id in pool.object_maps:
            yield from (f"rbd_object_map.{image_id}.{snap.snap_id:016x}" for snap in header.state.snaps)
    for image_id in sorted(pool.object_maps):
        yield f"rbd_object_map.{image_id}"
    for image_id, data in sorted(pool.data.items()):
        for number in sorted(data.objects):  # those that live on in a snapshot only are listed, too
            yield f"rbd_data.{image_id}.{number:016x}"


def lock(
    pool: Pool, key: str, name: str, locker: Locker, until_ns: int | None, now_ns: int, *, renew: bool,
) -> None:
    """``lock.lock`` of the lock class; makes the object where it is missing."""

    def step(changed: RadosObject, _: bool) -> None:
        extra = changed.more()
        holders = tuple(one for one in extra.locks.get(name, ()) if one[1] is None or one[1] > now_ns)
        mine = [one for one in holders if one[0].instance is locker.instance and one[0].cookie == locker.cookie]
        if mine and (mine[0][0].exclusive, mine[0][0].tag) != (locker.exclusive, locker.tag):
            raise Refusal(errno.EBUSY)
        if mine and not renew:
            raise Refusal(errno.EEXIST)
        others = tuple(one for one in holders if one not in mine)
        if others and (locker.exclusive or others[0][0].exclusive or others[0][0].tag != locker.tag):
            raise Refusal(errno.EBUSY)
        extra.locks[name] = (*others, (locker, until_ns))

    change(pool, key, [step], now_ns)


def unlock(pool: Pool, key: str, name: str, instance: Instance, cookie: str, now_ns: int) -> None:
    """``lock.unlock``: ENOENT where this client does not hold it."""
    found = find(pool, key)

    def step(changed: RadosObject, _: bool) -> None:
        extra = changed.more()
        holders = extra.locks.get(name, ())
        left = tuple(one for one in holders if one[0].instance is not instance or one[0].cookie != cookie)
        if len(left) == len(holders):
            raise Refusal(errno.ENOENT)
        if left:
            extra.locks[name] = left
        else:
            del extra.locks[name]

    assert found is not None
    change(pool, key, [step], now_ns)
