"""Making, naming and unmaking images: the steps of librbd 16.2 in its order, each step one request.

The order was read off a real client's log. Between two steps a client can die; what is then left is what the real one leaves:
a name in the directory that cannot be opened, an unfinished removal that ``list`` still shows and whose name can be taken.
One window is not there: between ``dir_remove_image`` and ``trash_state_set`` (a millisecond). An image caught in it can
never be removed again through this interface (errno 117), so no driver could be right about it.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd import constants as c
from storcert.simulators.rbd import image_store, records
from storcert.simulators.rbd.client import Client
from storcert.simulators.rbd.conf import NS_PER_S, ClientConf
from storcert.simulators.rbd.image_context import ImageContext
from storcert.simulators.rbd.image_open import open_image
from storcert.simulators.rbd.model import HeaderState, Pool, TrashEntry
from storcert.simulators.rbd.refusal import Refusal

Progress = Callable[[int, int], Any]

DEFAULT_FEATURES = (
    c.RBD_FEATURE_LAYERING | c.RBD_FEATURE_EXCLUSIVE_LOCK | c.RBD_FEATURE_OBJECT_MAP | c.RBD_FEATURE_FAST_DIFF
    | c.RBD_FEATURE_DEEP_FLATTEN
)
MODELLED_FEATURES = DEFAULT_FEATURES
NAME_BYTES_MAX = 2048 - len("rbd_id.")
_SET_BY_LIBRBD = (
    c.RBD_FEATURE_OPERATIONS | c.RBD_FEATURE_MIGRATING | c.RBD_FEATURE_NON_PRIMARY | c.RBD_FEATURE_STRIPINGV2
    | c.RBD_FEATURE_DATA_POOL
)
OBJECT_MAP_OBJECTS_MAX = 256_000_000
TRIM_BATCH = 128


@dataclass(frozen=True, slots=True)
class Shape:
    """What a new image is to look like; ``None`` where librbd decides."""

    order: int | None = None
    features: int | None = None
    stripe_unit: int | None = None
    stripe_count: int | None = None
    data_pool: str | None = None


def check_size(size_bytes: int, order: int, features: int) -> None:
    """What librbd thinks of a size."""
    if features & c.RBD_FEATURE_OBJECT_MAP and -(-size_bytes >> order) > OBJECT_MAP_OBJECTS_MAX:
        raise Refusal(errno.EINVAL)


def features_of(shape: Shape, inherited: int | None = None) -> int:
    """Feature bits of a new image: what only librbd sets is left out, what must go together is made to."""
    wanted = shape.features if shape.features is not None else inherited if inherited is not None else DEFAULT_FEATURES
    if wanted & ~c.RBD_FEATURES_ALL:
        raise Refusal(errno.ENOSYS)
    wanted &= ~_SET_BY_LIBRBD
    if wanted & (c.RBD_FEATURE_OBJECT_MAP | c.RBD_FEATURE_JOURNALING) and not wanted & c.RBD_FEATURE_EXCLUSIVE_LOCK:
        raise Refusal(errno.EINVAL)
    wanted &= ~c.RBD_FEATURE_FAST_DIFF
    if wanted & c.RBD_FEATURE_OBJECT_MAP:
        wanted |= c.RBD_FEATURE_FAST_DIFF
    if wanted & ~MODELLED_FEATURES:
        raise NotModelled(f"rbd image features {wanted & ~MODELLED_FEATURES}")
    return wanted


@lru_cache(maxsize=1024)
def _state(size_bytes: int, order: int, features: int) -> HeaderState:
    """Images that are alike share what is said of them, until it changes."""
    return HeaderState(size_bytes, order, features)


def create(
    client: Client, conf: ClientConf, pool: Pool, name: str, size_bytes: int, shape: Shape, *, inherited: int | None = None,
    inherited_order: int | None = None,
) -> str:
    """Directory, id, header: three requests. Gives the id."""
    if shape.stripe_unit or shape.stripe_count or shape.data_pool:
        raise NotModelled("rbd striping and data pools")
    order = shape.order or inherited_order or conf.number("rbd_default_order")
    if len(name.encode()) > NAME_BYTES_MAX:
        raise Refusal(errno.ENAMETOOLONG)
    try:
        if not 12 <= order <= 25:
            raise Refusal(errno.EDOM)
        features = features_of(shape, inherited)
        check_size(size_bytes, order, features)
    except Refusal:
        # The name is looked at first, which is a request of its own here only where the rest is refused anyway.
        client.request("dir_get_id", name, lambda: records.check_name_free(pool, name))
        raise
    image_id = client.cluster.new_image_id(client.instance)

    def enter() -> None:
        if pool.deleted:
            raise Refusal(errno.ENOENT)
        records.check_name_free(pool, name)
        records.add_to_directory(pool, name, image_id)

    client.request("dir_add_image", name, enter, write=True)
    try:
        client.request("id_create", name, lambda: records.create_id(pool, name, image_id), write=True)
    except Refusal:
        _best_effort(client, "dir_remove_image", name, lambda: records.remove_from_directory(pool, name, image_id))
        raise
    state = _state(size_bytes, order, features)
    now = client.cluster.now
    try:
        client.request(
            "header_create", name, lambda: records.create_header(pool, image_id, state, now()), write=True)
    except Refusal:
        _best_effort(client, "id_remove", name, lambda: pool.ids.pop(name, None))
        _best_effort(client, "dir_remove_image", name, lambda: records.remove_from_directory(pool, name, image_id))
        raise
    return image_id


def _best_effort(client: Client, operation: str, target: str, effect: Callable[[], Any]) -> None:
    """librbd tidies up and says nothing if that fails, too."""
    try:
        client.request(operation, target, effect)
    except Refusal:
        return


def list_names(client: Client, pool: Pool) -> list[tuple[str, str]]:
    """Names and ids; unfinished removals come last, also under names that are in use again."""

    def effect() -> list[tuple[str, str]]:
        return [] if pool.deleted else records.list_names(pool)

    found: list[tuple[str, str]] = client.request("list", "", effect)
    return found


# -- removal


def _check_unused(context: ImageContext) -> None:
    """Effect: no snapshots, nobody else has it open."""
    header = context.live_header()
    if header.state.snaps:
        raise Refusal(errno.ENOTEMPTY)
    if context.others():
        raise Refusal(errno.EBUSY)


def _open_for_removal(
    client: Client, conf: ClientConf, pool: Pool, image_id: str, operation: str, *, check: bool = True,
) -> ImageContext | None:
    """Open, lock, look whether it may go: one request, unless the lock must be waited for. ``None``: there is no header."""
    locked: list[str] = []

    def then(context: ImageContext) -> None:
        locked.append(context.try_lock() if context.features & c.RBD_FEATURE_EXCLUSIVE_LOCK else "mine")
        if locked[-1] == "mine" and check:
            _check_unused(context)

    try:
        context = open_image(client, conf, pool, image_id=image_id, operation=operation, then=then)
    except Refusal as refusal:
        if refusal.number == errno.ENOENT:
            return None
        raise
    if locked[-1] == "mine":
        return context
    try:
        context.lock()
        if check:
            context.request(operation, lambda: _check_unused(context))
    except Refusal as refusal:
        context.close()
        if refusal.number == errno.EROFS:  # somebody keeps the lock: the image is in use
            raise Refusal(errno.EBUSY) from None
        raise
    return context


def remove(client: Client, conf: ClientConf, pool: Pool, name: str, progress: Progress | None) -> None:
    """By way of the trash, as since Octopus."""
    found: tuple[str | None, str | None] = client.request("dir_get_id", name, lambda: _look_up(pool, name))
    image_id, unfinished = found
    if image_id is None and unfinished is None:
        _remove_unlisted(client, conf, pool, name, progress)
        return
    if image_id is None:
        assert unfinished is not None
        trash_remove(client, conf, pool, unfinished, True, progress)
        return
    context = _open_for_removal(client, conf, pool, image_id, "remove_validate")
    if context is not None:
        # Closed without a request of its own: what follows is sent by the same client.
        context.unwatch()
        context.closed = True
    _move_to_trash(client, pool, name, image_id, removing=True, delay_s=0)
    try:
        trash_remove(client, conf, pool, image_id, True, progress)
    except Refusal as refusal:
        if refusal.number in (errno.ENOTEMPTY, errno.EBUSY, errno.EMLINK):
            _best_effort_restore(client, pool, image_id, name)
        raise


def _look_up(pool: Pool, name: str) -> tuple[str | None, str | None]:
    image_id = pool.directory.get(name)
    entry = records.removing_entry(pool, name) if image_id is None else None
    return image_id, None if entry is None else entry.image_id


def _remove_unlisted(client: Client, conf: ClientConf, pool: Pool, name: str, progress: Progress | None) -> None:
    """An image the directory does not know, though its id is there: all of it goes, and the answer is ENOENT all the same."""
    if name not in pool.ids:
        raise Refusal(errno.ENOENT)
    image_id = pool.ids[name]
    _remove_contents(client, conf, pool, image_id, progress)
    client.request("id_remove", name, lambda: pool.ids.pop(name, None))
    raise Refusal(errno.ENOENT)


def _move_to_trash(client: Client, pool: Pool, name: str, image_id: str, *, removing: bool, delay_s: int) -> None:
    """Trash, id, directory: three requests."""
    now = client.cluster.now

    def bin_it() -> None:
        at_ns = now()
        records.add_to_trash(pool, TrashEntry(image_id, name, removing, at_ns, at_ns + delay_s * NS_PER_S))

    client.request("trash_add", name, bin_it, write=True)
    client.request("id_remove", name, lambda: pool.ids.pop(name, None))

    def leave() -> None:
        try:
            records.remove_from_directory(pool, name, image_id)
        except Refusal as refusal:
            if refusal.number != errno.ENOENT:
                raise

    client.request("dir_remove_image", name, leave)


def _best_effort_restore(client: Client, pool: Pool, image_id: str, name: str) -> None:
    try:
        trash_restore(client, pool, image_id, name, removing=True)
    except Refusal:
        return


def trash_remove(
    client: Client, conf: ClientConf, pool: Pool, image_id: str, force: bool, progress: Progress | None,
) -> None:
    """Data, header, and the entry last."""
    entry: TrashEntry = client.request("trash_get", image_id, lambda: records.trash_entry(pool, image_id))
    if not force and client.kernel.now_ns < entry.deferred_until_ns:
        raise Refusal(errno.EPERM)
    _remove_contents(client, conf, pool, image_id, progress)
    client.request("trash_remove", entry.name, lambda: pool.trash.pop(image_id, None))


def _remove_contents(client: Client, conf: ClientConf, pool: Pool, image_id: str, progress: Progress | None) -> None:
    """Open and lock, delete the data objects batch by batch, then the header."""
    context = _open_for_removal(client, conf, pool, image_id, "remove_open")
    if context is None:
        client.request("header_remove", image_id, lambda: records.remove_header(pool, image_id), write=True)
        return
    done = False
    try:
        trim_all(context, 0, progress)

        def finish() -> None:
            context.unwatch()
            if context.header.state.parent is not None:
                from storcert.simulators.rbd.librbd_clones import detach_at_cluster

                detach_at_cluster(context)
            records.remove_header(pool, image_id)

        context.request("header_remove", finish, write=True)
        context.closed = done = True
    finally:
        if not done:
            context.close()


def trim_all(context: ImageContext, size_bytes: int, progress: Progress | None) -> None:
    """Delete the data objects beyond a size, batch by batch; none where there are none."""
    order = context.header.state.order
    total = max(1, -(-context.header.state.size_bytes >> order))
    done = 0
    data = context.pool.data.get(context.image_id)
    left = (data is not None and bool(data.objects)) or (size_bytes > 0 and context.header.state.parent is not None)
    while left:
        left = context.request(
            "trim",
            lambda: image_store.trim(context.cluster, context.pool, context.live_header(), size_bytes, TRIM_BATCH),
            write=True,
        )
        done = min(total, done + TRIM_BATCH)
        if progress is not None:
            progress(done, total)
    if progress is not None and done < total:
        progress(total, total)


# -- names


def rename(client: Client, conf: ClientConf, pool: Pool, source: str, destination: str) -> None:
    """Destination id, directory, source id: three requests between opening and closing.

    The source's name is the one the directory has for the image. Where the directory knows the destination's name already (an
    image whose id is gone), it refuses, librbd goes on regardless and stops half way, and says that all is well.
    """
    context = open_image(client, conf, pool, name=source)
    try:
        if destination in pool.ids:
            raise Refusal(errno.EEXIST)
        if len(destination.encode()) > NAME_BYTES_MAX:
            raise Refusal(errno.ENAMETOOLONG)
        context.lock(proxied=True)
        image_id = context.image_id
        client.request("id_create", destination, lambda: _rename_id(pool, destination, image_id), write=True)
        try:
            client.request("dir_rename_image", destination, lambda: _rename_entry(pool, destination, image_id))
        except Refusal as refusal:
            if refusal.number in (errno.ENOENT, errno.EBADF, errno.ESTALE):
                return
            raise
        client.request("id_remove", source, lambda: pool.ids.pop(source, None))
        context.name = destination
    finally:
        context.close()


def _rename_id(pool: Pool, destination: str, image_id: str) -> None:
    if image_id not in pool.names:
        raise Refusal(errno.ENOENT)
    records.create_id(pool, destination, image_id)


def _rename_entry(pool: Pool, destination: str, image_id: str) -> None:
    source = pool.names.get(image_id)
    if source is None:
        raise Refusal(errno.ENOENT)
    records.rename_in_directory(pool, source, destination, image_id)
    if source in pool.ids and pool.ids[source] == image_id:
        return


# -- trash


def trash_move(client: Client, conf: ClientConf, pool: Pool, name: str, delay_s: int) -> None:
    """Open images and images with snapshots may go there, too."""
    image_id: str | None = client.request("dir_get_id", name, lambda: pool.directory.get(name))
    if image_id is None:
        raise Refusal(errno.ENOENT)
    context = _open_for_removal(client, conf, pool, image_id, "trash_open", check=False)
    if context is not None:
        context.unwatch()
        context.closed = True
    _move_to_trash(client, pool, name, image_id, removing=False, delay_s=delay_s)


def trash_list(client: Client, pool: Pool) -> list[TrashEntry]:
    """What users put there; unfinished removals are not shown."""

    def effect() -> list[TrashEntry]:
        return [entry for _, entry in sorted(pool.trash.items()) if not entry.removing]

    found: list[TrashEntry] = client.request("trash_list", "", effect)
    return found


def trash_restore(client: Client, pool: Pool, image_id: str, name: str, *, removing: bool = False) -> None:
    """Id, directory, and the entry last."""
    entry: TrashEntry = client.request("trash_get", image_id, lambda: records.trash_entry(pool, image_id))
    if entry.removing != removing:
        raise Refusal(errno.EINVAL)
    name = name or entry.name

    def create_id() -> None:
        if pool.ids.get(name) != image_id:
            records.create_id(pool, name, image_id)

    def enter() -> None:
        if pool.directory.get(name) != image_id:
            records.add_to_directory(pool, name, image_id)

    client.request("id_create", name, create_id, write=True)
    client.request("dir_add_image", name, enter, write=True)
    client.request("trash_remove", name, lambda: pool.trash.pop(image_id, None))
