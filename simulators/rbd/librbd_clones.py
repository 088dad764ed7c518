"""Clones and copies: the steps of librbd 16.2 in its order, each step one request.

A copy is made by the client: what it copies travels to it and back. It is not of one moment: objects are read one batch after
the other. A flatten moves bytes through the client, too.
"""

from __future__ import annotations

import errno
from dataclasses import replace

from storcert.simulators.extents import Extents
from storcert.simulators.rbd import constants as c
from storcert.simulators.rbd import image_store, librbd_images, librbd_snaps, records
from storcert.simulators.rbd.client import Client
from storcert.simulators.rbd.conf import ClientConf
from storcert.simulators.rbd.image_context import ImageContext
from storcert.simulators.rbd.image_open import open_image
from storcert.simulators.rbd.librbd_images import Progress, Shape
from storcert.simulators.rbd.model import Header, HeaderState, Parent, Pool
from storcert.simulators.rbd.refusal import Refusal

BATCH = 10  # rbd_concurrent_management_ops


def clone(
    client: Client, conf: ClientConf, pool: Pool, parent_name: str, snapshot: str, child_pool: Pool, name: str, shape: Shape,
) -> None:
    """Open the parent's snapshot; make the child; tell the child of the parent, then the parent of the child.

    A client that dies before the last step leaves a clone the parent does not know of.
    """
    parent = open_image(client, conf, pool, name=parent_name, snapshot=snapshot, read_only=True)
    snap = parent.state.numbered(parent.snap_id or 0)
    assert snap is not None
    linked = conf.get("rbd_default_clone_format") == "2"
    if not linked and not records.is_protected(snap):
        raise Refusal(errno.EINVAL)
    if shape.features is not None and not shape.features & c.RBD_FEATURE_LAYERING:
        raise Refusal(errno.ENOSYS)
    _check_order(shape, parent.state.order)
    if name in child_pool.ids:
        raise Refusal(errno.EEXIST)
    inherited = parent.state.features & ~c.RBD_FEATURE_OPERATIONS
    try:
        image_id = librbd_images.create(
            client, conf, child_pool, name, snap.size_bytes, shape, inherited=inherited, inherited_order=parent.state.order)
    except Refusal as refusal:
        # Measured: a clone that finds no room says ENOENT, where a plain image says EDQUOT.
        raise Refusal(errno.ENOENT) if refusal.number == errno.EDQUOT else refusal  # noqa: B904
    link = Parent(pool.pool_id, parent.image_id, snap.snap_id, snap.size_bytes)
    child = open_image(client, conf, child_pool, image_id=image_id)
    try:
        child.request("parent_attach", lambda: records.attach_parent(child.live_header(), link, linked=linked))

        def attach() -> None:
            header = records.header_of(pool, link.image_id)
            if linked:
                records.attach_child(header, link.snap_id, child_pool.pool_id, image_id)
            else:
                if not records.is_protected(records.snapshot_of(header, link.snap_id)):
                    raise Refusal(errno.EINVAL)
                records.add_v1_child(child_pool, link, image_id)
            if header.metadata:
                child.header.metadata = dict(header.metadata)

        child.request("child_attach", attach)
    except Refusal:
        child.close()
        try:
            librbd_images.remove(client, conf, child_pool, name, None)
        except Refusal:
            pass  # librbd, too, gives the first error and leaves the rest
        raise
    child.close()


def _check_order(shape: Shape, order: int) -> None:
    """The stripe unit is inherited, and must fit into an object."""
    if shape.order is not None and shape.order < order:
        raise Refusal(errno.EINVAL)


def detach_at_cluster(context: ImageContext, *, keep_snapshots: bool = False) -> None:
    """Effect: parent and child know nothing of each other any more. A snapshot that waited for this goes.

    ``keep_snapshots``: the clone's own snapshots still read the parent, which then must stay (no deep flatten)."""
    header = context.header
    parent = header.state.parent
    assert parent is not None
    if keep_snapshots and any(snap.parent is not None for snap in header.state.snaps):
        header.state = replace(header.state, parent=None)
        return
    pool = context.cluster.pools_by_id.get(parent.pool_id)
    above = None if pool is None else pool.headers.get(parent.image_id)
    if pool is not None and above is not None:
        records.remove_v1_child(context.pool, parent, context.image_id)
        if records.detach_child(above, parent.snap_id, context.pool.pool_id, context.image_id):
            records.release_snapshot_data(pool, parent.image_id, parent.snap_id)
            records.remove_snapshot(pool, above, parent.snap_id)
    records.detach_parent(header)


def flatten(context: ImageContext, progress: Progress | None) -> None:
    """Copy up what the parent has, batch by batch; then both ends forget each other."""
    librbd_snaps.check_writable(context)
    parent = context.view()[1]
    if parent is None:
        raise Refusal(errno.EINVAL)
    if context.snap_id is not None:
        raise Refusal(errno.EROFS)
    if not parent.overlap_bytes:
        return  # nothing shows through; the parent is kept nevertheless [measured]
    context.lock(proxied=True)
    context.flush()
    context.busy += 1
    try:
        order = context.state.order
        total = -(-parent.overlap_bytes >> order)
        wanted = [
            number for number in sorted(context.source().numbers())
            if number < total and _shows_through(context, number, order, parent)
        ]
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            size = len(batch) << order

            def copy_up(batch: list[int] = batch) -> None:
                header = context.live_header()
                for number in batch:
                    image_store.copy_up(context.cluster, context.pool, header, number)

            context.request("copyup", copy_up, sent_bytes=size, body_bytes=size, write=True)
            if progress is not None:
                progress(min(start + BATCH, total), total)
        shallow = not context.features & c.RBD_FEATURE_DEEP_FLATTEN
        context.request("child_detach", lambda: detach_at_cluster(context, keep_snapshots=shallow))
    finally:
        context.busy -= 1


def _shows_through(context: ImageContext, number: int, order: int, parent: Parent) -> bool:
    """Whether the parent has something where the clone has nothing yet."""
    data = context.pool.data.get(context.image_id)
    if data is not None and number in data.objects:
        return False
    above = context.source().above()
    start = number << order
    return above is not None and above[0].holds(start, min(1 << order, parent.overlap_bytes - start))


def copy(
    context: ImageContext, client: Client, conf: ClientConf, pool: Pool, name: str, shape: Shape, *, deep: bool = False,
) -> None:
    """A new image with the same bytes; ``deep``: with the snapshots, too."""
    context.drain()
    size_bytes, _ = context.view()
    if name in pool.ids:
        raise Refusal(errno.EEXIST)
    if deep and context.state.parent is None and any(snap.parent is not None for snap in context.state.snaps):
        raise Refusal(errno.EINVAL)
    _check_order(shape, context.state.order)
    inherited = context.state.features & ~c.RBD_FEATURE_OPERATIONS
    image_id = librbd_images.create(
        client, conf, pool, name, size_bytes, shape, inherited=inherited, inherited_order=context.state.order)
    target = open_image(client, conf, pool, image_id=image_id)
    try:
        if context.header.metadata:
            target.header.metadata = dict(context.header.metadata)
        if deep:
            if context.state.parent is not None:
                _share_parent(context, target, context.state.parent)
            _copy_snapshots(context, target)
        else:
            _copy_contents(context, target, deep=False)
    except Refusal:
        target.close()
        try:
            librbd_images.remove(client, conf, pool, name, None)
        except Refusal:
            pass  # librbd, too, gives the first error and leaves the rest
        raise
    target.close()


def _share_parent(context: ImageContext, target: ImageContext, parent: Parent) -> None:
    """The deep copy of a clone is a clone of the same snapshot."""
    linked = bool(context.state.op_features & records.OP_CLONE_CHILD)
    pool = context.cluster.pools_by_id[parent.pool_id]
    target.request("parent_attach", lambda: records.attach_parent(target.live_header(), parent, linked=linked))

    def attach() -> None:
        header = records.header_of(pool, parent.image_id)
        if linked:
            records.attach_child(header, parent.snap_id, target.pool.pool_id, target.image_id)
        else:
            records.add_v1_child(target.pool, parent, target.image_id)

    target.request("child_attach", attach)


def _copy_snapshots(context: ImageContext, target: ImageContext) -> None:
    keep, size_bytes = context.snap_id, context.state.size_bytes
    try:
        for snap in context.state.snaps:
            if snap.namespace == 0:
                context.snap_id = snap.snap_id
                _set_size(target, snap.size_bytes)
                _copy_contents(context, target, deep=True)
                librbd_snaps.create(target, snap.name)
                if records.is_protected(snap):
                    librbd_snaps.protect(target, snap.name)
        context.snap_id = None
        _set_size(target, size_bytes)
        _copy_contents(context, target, deep=True)
    finally:
        context.snap_id = keep


def _set_size(target: ImageContext, size_bytes: int) -> None:
    if target.header.state.size_bytes != size_bytes:
        def effect() -> None:
            header: Header = target.live_header()
            image_store.trim(target.cluster, target.pool, header, size_bytes, 1 << 30)
            state: HeaderState = header.state
            header.state = replace(state, size_bytes=size_bytes)

        target.request("set_size", effect)


def _copy_contents(context: ImageContext, target: ImageContext, *, deep: bool) -> None:
    """Batch by batch: read at the source, write at the target. Objects that hold nothing are not written; a deep copy leaves
    to the parent what the source leaves to it."""
    order = context.state.order
    size_bytes, _ = context.view()
    source = _own(context.source(), deep)
    there = _own(target.source(), deep)
    target.lock()
    total = -(-size_bytes >> order)
    wanted = [
        number for number in _candidates(context, target, total)
        for start, length in [(number << order, min(1 << order, size_bytes - (number << order)))]
        if source.holds(start, length) or there.holds(start, length)
    ]
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        lengths = [min(1 << order, size_bytes - (number << order)) for number in batch]

        def read(batch: list[int] = batch) -> list[Extents]:
            now = _own(context.source(), deep)
            return [now.piece(number) for number in batch]

        contents = context.request("copy_read", read, body_bytes=sum(lengths))

        def put(batch: list[int] = batch, contents: list[Extents] = contents) -> None:
            header = target.live_header()
            for number, piece in zip(batch, contents, strict=True):
                if header.state.order == order:
                    image_store.put_piece(target.pool, header, number, piece)
                else:
                    data = piece.read(0, min(1 << order, header.state.size_bytes - (number << order)))
                    image_store.write(target.cluster, target.pool, header, number << order, data)

        target.request("copy_write", put, sent_bytes=sum(lengths), write=True)


def _candidates(context: ImageContext, target: ImageContext, total: int) -> list[int]:
    """Numbers of the objects that can hold anything, in source, its parents or target."""
    numbers = context.source().numbers()
    if (data := target.pool.data.get(target.image_id)) is not None:
        numbers.update(number << target.header.state.order >> context.state.order for number in data.objects)
    return sorted(number for number in numbers if number < total)


def _own(source: image_store.Source, deep: bool) -> image_store.Source:
    """Without the parent, for a deep copy."""
    if deep:
        source.parent = None
    return source
