"""What a cluster holds: pools, image headers, the directory, the trash, plain objects, who watches and who locks. State only.

The objects librbd keeps its records in (``rbd_directory``, ``rbd_id.*``, ``rbd_header.*``, ``rbd_trash``, ``rbd_children``) are
kept as what they say, not as bytes; ``listing`` gives them their names back. What changes here changes in an effect of one
request, at one instant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from storcert.simulators.rbd.data_objects import ImageData
from storcert.simulators.rbd.plain_objects import RadosObject

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location

WATCH_TIMEOUT_NS = 30 * 10**9
UNPROTECTED, UNPROTECTING, PROTECTED = 0, 1, 2
USER_NAMESPACE, TRASH_NAMESPACE = 0, 2
NO_SNAP_LIMIT = 2**64 - 1


class Instance:
    """One connected client, as the cluster knows it. ``died_ns``: when its process ended without taking leave."""

    __slots__ = ("address", "blocklisted", "died_ns", "epoch", "location", "name", "number")

    def __init__(self, number: int, name: str, address: str, location: Location | None) -> None:
        self.number = number
        self.name = name
        self.address = address
        self.location = location
        self.epoch = 0 if location is None else location.epoch
        self.blocklisted = False
        self.died_ns: int | None = None

    @property
    def entity(self) -> str:
        """``client.4123``: how locks and watchers name it."""
        return f"client.{self.number}"


@dataclass(frozen=True, slots=True)
class Parent:
    """Where a clone reads what it does not have: ``overlap_bytes`` of a snapshot of another image."""

    pool_id: int
    image_id: str
    snap_id: int
    overlap_bytes: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot in a header. In the trash namespace ``name`` is made up and ``original_name`` says what it was."""

    snap_id: int
    name: str
    size_bytes: int
    time_ns: int
    parent: Parent | None = None
    protection: int = UNPROTECTED
    namespace: int = USER_NAMESPACE
    original_name: str = ""


@dataclass(frozen=True, slots=True)
class Locker:
    """Who holds a lock on an object. ``tag``: of a shared lock; ``internal`` for librbd's own exclusive lock."""

    instance: Instance
    cookie: str
    tag: str
    exclusive: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """A registered watch. ``holder``: the open image that asked for it, if it still can answer."""

    instance: Instance
    cookie: int
    holder: Any = None

    def lapsed(self, now_ns: int) -> bool:
        """Whether nobody has renewed it for too long."""
        gone_ns = None if self.holder is None else self.holder.abandoned_ns
        if gone_ns is not None and now_ns >= gone_ns + WATCH_TIMEOUT_NS:
            return True
        return lapsed(self.instance, now_ns)


@dataclass(frozen=True, slots=True)
class HeaderState:
    """What a header says about the image. Replaced whole, so that a handle may keep an old one."""

    size_bytes: int
    order: int
    features: int
    op_features: int = 0
    parent: Parent | None = None
    snaps: tuple[Snapshot, ...] = ()
    snap_limit: int = NO_SNAP_LIMIT

    @property
    def snap_ids(self) -> tuple[int, ...]:
        """Ascending: the snapshot context of a write."""
        return tuple(snap.snap_id for snap in self.snaps) if self.snaps else ()

    def named(self, name: str) -> Snapshot | None:
        """The user snapshot of that name."""
        for snap in self.snaps:
            if snap.name == name and snap.namespace == USER_NAMESPACE:
                return snap
        return None

    def numbered(self, snap_id: int) -> Snapshot | None:
        """The snapshot of that id, in any namespace."""
        for snap in self.snaps:
            if snap.snap_id == snap_id:
                return snap
        return None

    def with_snap(self, changed: Snapshot) -> HeaderState:
        """One snapshot replaced."""
        return replace(self, snaps=tuple(changed if one.snap_id == changed.snap_id else one for one in self.snaps))


class Header:
    """``rbd_header.<id>``. ``children``: format 2 clones, as (snapshot, pool, image)."""

    __slots__ = ("accessed_ns", "children", "created_ns", "image_id", "lockers", "metadata", "modified_ns", "state", "watches")

    def __init__(self, image_id: str, state: HeaderState, now_ns: int) -> None:
        self.image_id = image_id
        self.state = state
        self.created_ns = self.modified_ns = self.accessed_ns = now_ns
        self.lockers: tuple[Locker, ...] = ()
        self.watches: tuple[Watch, ...] = ()
        self.children: tuple[tuple[int, int, str], ...] = ()
        self.metadata: dict[str, str] | None = None

    def expire(self, now_ns: int) -> None:
        """Watches of clients that have been dead for too long go."""
        if any(watch.lapsed(now_ns) for watch in self.watches):
            self.watches = tuple(watch for watch in self.watches if not watch.lapsed(now_ns))


def lapsed(instance: Instance, now_ns: int) -> bool:
    """Whether the cluster has noticed by now that this client is no more."""
    if instance.blocklisted:
        return True
    return instance.died_ns is not None and now_ns >= instance.died_ns + WATCH_TIMEOUT_NS


@dataclass(frozen=True, slots=True)
class TrashEntry:
    """An image in ``rbd_trash``. ``removing``: it is there because a removal began, not because a user put it there."""

    image_id: str
    name: str
    removing: bool
    deleted_ns: int
    deferred_until_ns: int


class Pool:
    """One pool: what librbd keeps in it, and plain objects. ``ids``: the ``rbd_id.*`` objects."""

    def __init__(self, pool_id: int, name: str) -> None:
        self.pool_id = pool_id
        self.name = name
        self.deleted = False
        self.used = False  # whether rbd_directory and rbd_info were ever made
        self.applications: dict[str, dict[str, str]] = {}
        self.ids: dict[str, str] = {}
        self.directory: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.headers: dict[str, Header] = {}
        self.object_maps: dict[str, None] = {}
        self.data: dict[str, ImageData] = {}
        self.trash: dict[str, TrashEntry] = {}
        self.trash_used = False
        self.children: dict[tuple[int, str, int], tuple[str, ...]] = {}
        self.children_used = False
        self.objects: dict[str, RadosObject] = {}
        self.metadata: dict[str, str] = {}
        self.quota_bytes = 0


class Cluster:
    """All pools, and what is shared by them. ``striking``: the fault of this device that strikes the request at hand."""

    def __init__(self, ids: Random, now: Callable[[], int]) -> None:
        self.ids = ids
        self.now = now
        self.pools: dict[str, Pool] = {}
        self.pools_by_id: dict[int, Pool] = {}
        self.fsid = "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}".format(*(ids.getrandbits(bits) for bits in (32, 16, 12, 12, 48)))
        self.next_pool_id = 1
        self.next_client = 4100
        self.next_snap_id = 1
        self.striking: str | None = None
        self.full = False
        self.omap_page = 1024  # osd_max_omap_entries_per_request: a read of an omap gives no more at a time
        self.frozen = False
        self.monitor_gone = False
        self.blocklist: dict[str, int] = {}

    def create_pool(self, name: str) -> Pool:
        """A new, empty pool."""
        pool = Pool(self.next_pool_id, name)
        self.next_pool_id += 1
        self.pools[name] = self.pools_by_id[pool.pool_id] = pool
        return pool

    def new_image_id(self, instance: Instance) -> str:
        """Made of the client's number and chance, as librbd makes it."""
        return f"{instance.number:x}{self.ids.getrandbits(32):x}"
