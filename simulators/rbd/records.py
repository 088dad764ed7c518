"""What one request changes in the records librbd keeps of its images: directory, ids, headers, trash, children, snapshots.

Each function is the effect of one request, at one instant; it raises :class:`Refusal` and changes nothing, or does all of
it. The order in which librbd asks for them stands in the modules that ask.
"""

from __future__ import annotations

import errno
from dataclasses import replace

from storcert.simulators.rbd.constants import RBD_FEATURE_OBJECT_MAP, RBD_FEATURE_OPERATIONS
from storcert.simulators.rbd.model import (
    PROTECTED,
    TRASH_NAMESPACE,
    UNPROTECTED,
    Cluster,
    Header,
    HeaderState,
    Parent,
    Pool,
    Snapshot,
    TrashEntry,
)
from storcert.simulators.rbd.refusal import Refusal

OP_CLONE_PARENT, OP_CLONE_CHILD, OP_SNAP_TRASH = 1, 2, 8


# -- directory and ids


def check_name_free(pool: Pool, name: str) -> None:
    """No image of that name can be opened."""
    if name in pool.ids:
        raise Refusal(errno.EEXIST)


def add_to_directory(pool: Pool, name: str, image_id: str) -> None:
    """``dir_add_image``."""
    pool.used = True
    if name in pool.directory:
        raise Refusal(errno.EEXIST)
    if image_id in pool.names:
        raise Refusal(errno.EBADF)
    pool.directory[name] = image_id
    pool.names[image_id] = name


def remove_from_directory(pool: Pool, name: str, image_id: str) -> None:
    """``dir_remove_image``: only if both agree."""
    if pool.directory.get(name) != image_id or pool.names.get(image_id) != name:
        raise Refusal(errno.ENOENT)
    del pool.directory[name]
    del pool.names[image_id]


def rename_in_directory(pool: Pool, source: str, destination: str, image_id: str) -> None:
    """``dir_rename_image``."""
    if pool.directory.get(source) != image_id:
        raise Refusal(errno.ESTALE if source in pool.directory else errno.ENOENT)
    if destination in pool.directory:
        raise Refusal(errno.EBADF)
    del pool.directory[source]
    pool.directory[destination] = image_id
    pool.names[image_id] = destination


def create_id(pool: Pool, name: str, image_id: str) -> None:
    """``rbd_id.<name>``, exclusively."""
    if name in pool.ids:
        raise Refusal(errno.EEXIST)
    pool.ids[name] = image_id


def list_names(pool: Pool) -> list[tuple[str, str]]:
    """Names and ids: what the directory says, then removals that never ended."""
    found = sorted(pool.directory.items())
    found += [(entry.name, entry.image_id) for _, entry in sorted(pool.trash.items()) if entry.removing]
    return found


# -- headers


def create_header(pool: Pool, image_id: str, state: HeaderState, now_ns: int) -> None:
    """``rbd_header.<id>`` and, where the feature asks for it, its object map."""
    if image_id in pool.headers:
        raise Refusal(errno.EEXIST)
    pool.headers[image_id] = Header(image_id, state, now_ns)
    if state.features & RBD_FEATURE_OBJECT_MAP:
        pool.object_maps[image_id] = None


def header_of(pool: Pool, image_id: str) -> Header:
    """The header object, or ENOENT."""
    found = None if pool.deleted else pool.headers.get(image_id)
    if found is None:
        raise Refusal(errno.ENOENT)
    return found


def remove_header(pool: Pool, image_id: str) -> None:
    """Header and object map go; both may be missing."""
    pool.headers.pop(image_id, None)
    pool.object_maps.pop(image_id, None)
    if (data := pool.data.get(image_id)) is not None and not data.objects:
        del pool.data[image_id]


# -- trash


def add_to_trash(pool: Pool, entry: TrashEntry) -> None:
    """``trash_add``; one that is there already is replaced, as after an unfinished move."""
    pool.trash_used = True
    pool.trash[entry.image_id] = entry


def trash_entry(pool: Pool, image_id: str) -> TrashEntry:
    """``trash_get``."""
    found = pool.trash.get(image_id)
    if found is None:
        raise Refusal(errno.ENOENT)
    return found


def removing_entry(pool: Pool, name: str) -> TrashEntry | None:
    """An unfinished removal of that name; the one librbd comes upon first."""
    for _, entry in sorted(pool.trash.items()):
        if entry.removing and entry.name == name:
            return entry
    return None


# -- snapshots


def add_snapshot(header: Header, snap: Snapshot) -> None:
    """``snapshot_add``."""
    state = header.state
    if state.snaps and len(state.snaps) >= state.snap_limit:  # the first one is not counted, even with a limit of 0
        raise Refusal(errno.EDQUOT)
    if state.named(snap.name) is not None:
        raise Refusal(errno.EEXIST)
    if state.snaps and snap.snap_id <= state.snaps[-1].snap_id:
        raise Refusal(errno.ESTALE)
    header.state = replace(state, snaps=(*state.snaps, snap))


def trash_snapshot(header: Header, snap_id: int, made_up_name: str) -> None:
    """``snapshot_trash_add``: its name is free at once."""
    snap = snapshot_of(header, snap_id)
    if snap.protection != UNPROTECTED:
        raise Refusal(errno.EBUSY)
    if snap.namespace == TRASH_NAMESPACE:
        raise Refusal(errno.EEXIST)
    moved = replace(snap, name=made_up_name, namespace=TRASH_NAMESPACE, original_name=snap.name)
    _set_operations(header, replace(header.state.with_snap(moved), op_features=header.state.op_features | OP_SNAP_TRASH))


def remove_snapshot(pool: Pool, header: Header, snap_id: int) -> None:
    """``snapshot_remove``, and what only it held of the data."""
    snap = snapshot_of(header, snap_id)
    if snap.protection != UNPROTECTED:
        raise Refusal(errno.EBUSY)
    left = tuple(one for one in header.state.snaps if one.snap_id != snap_id)
    if (data := pool.data.get(header.image_id)) is not None:
        data.unnamed(snap_id)
    operations = header.state.op_features
    if not any(one.namespace == TRASH_NAMESPACE for one in left):
        operations &= ~OP_SNAP_TRASH
    _set_operations(header, replace(header.state, snaps=left, op_features=operations))


def release_snapshot_data(pool: Pool, image_id: str, snap_id: int) -> None:
    """The snapshot's id is given back: the OSDs trim what only it held."""
    if (data := pool.data.get(image_id)) is not None:
        data.forget(snap_id)


def snapshot_of(header: Header, snap_id: int) -> Snapshot:
    """By id, or ENOENT."""
    found = header.state.numbered(snap_id)
    if found is None:
        raise Refusal(errno.ENOENT)
    return found


def protect(header: Header, snap_id: int, protection: int) -> None:
    """``set_protection_status``."""
    header.state = header.state.with_snap(replace(snapshot_of(header, snap_id), protection=protection))


# -- parents and children


def attach_parent(header: Header, parent: Parent, *, linked: bool) -> None:
    """The clone learns where it reads what it does not have. ``linked``: a clone of format 2."""
    if not parent.overlap_bytes:
        raise Refusal(errno.EINVAL)  # measured: an image without bytes cannot be cloned
    operations = header.state.op_features | (OP_CLONE_CHILD if linked else 0)
    _set_operations(header, replace(header.state, parent=parent, op_features=operations))


def attach_child(header: Header, snap_id: int, pool_id: int, image_id: str) -> None:
    """``child_attach``: the parent's header of a format 2 clone."""
    snap = snapshot_of(header, snap_id)
    if snap.namespace == TRASH_NAMESPACE:
        raise Refusal(errno.ENOENT)
    header.children = tuple(sorted({*header.children, (snap_id, pool_id, image_id)}))
    _set_operations(header, replace(header.state, op_features=header.state.op_features | OP_CLONE_PARENT))


def detach_child(header: Header, snap_id: int, pool_id: int, image_id: str) -> bool:
    """``child_detach``; gives whether the snapshot waits in the trash and was held by this child alone."""
    header.children = tuple(child for child in header.children if child != (snap_id, pool_id, image_id))
    if not header.children:
        operations = header.state.op_features & ~OP_CLONE_PARENT
        _set_operations(header, replace(header.state, op_features=operations))
    snap = header.state.numbered(snap_id)
    alone = not any(child[0] == snap_id for child in header.children)
    return snap is not None and snap.namespace == TRASH_NAMESPACE and alone


def detach_parent(header: Header) -> None:
    """The clone stands alone; its own snapshots, too (deep flatten)."""
    state = header.state
    snaps = tuple(replace(snap, parent=None) if snap.parent is not None else snap for snap in state.snaps)
    _set_operations(header, replace(state, parent=None, snaps=snaps, op_features=state.op_features & ~OP_CLONE_CHILD))


def v1_children(cluster: Cluster, pool_id: int, image_id: str, snap_id: int) -> list[tuple[Pool, str]]:
    """Clones of format 1, which the child's pool knows of, over all pools."""
    key = (pool_id, image_id, snap_id)
    return [(pool, child) for _, pool in sorted(cluster.pools_by_id.items()) for child in pool.children.get(key, ())]


def add_v1_child(pool: Pool, parent: Parent, image_id: str) -> None:
    """``rbd_children`` of the child's pool."""
    key = (parent.pool_id, parent.image_id, parent.snap_id)
    pool.children_used = True
    pool.children[key] = (*pool.children.get(key, ()), image_id)


def remove_v1_child(pool: Pool, parent: Parent, image_id: str) -> None:
    """The same, taken back; nothing where it is not known."""
    key = (parent.pool_id, parent.image_id, parent.snap_id)
    left = tuple(child for child in pool.children.get(key, ()) if child != image_id)
    if left:
        pool.children[key] = left
    else:
        pool.children.pop(key, None)


def is_protected(snap: Snapshot) -> bool:
    """Fully; not while it is being unprotected."""
    return snap.protection == PROTECTED


def _set_operations(header: Header, state: HeaderState) -> None:
    """The feature bit OPERATIONS says that there are operation features."""
    features = state.features & ~RBD_FEATURE_OPERATIONS
    if state.op_features:
        features |= RBD_FEATURE_OPERATIONS
    header.state = replace(state, features=features)
