"""Programs on the ``rados`` and ``rbd`` modules: drawn from a seed, run on any such modules, answers made comparable.

The same program runs on the simulated modules and on the real ones. What no two runs have in common (ids, snapshot numbers,
addresses, times) is replaced by the order in which it turned up. A step that would block for ever on either is not taken.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from tests.simulators.rbd.answers import PlainAnswers
from tests.simulators.rbd.object_programs import KEYS, OBJECT_DRAWS, ObjectSteps

Step = tuple[str, tuple[Any, ...]]

NAMES = ("a", "b", "c")
SNAPS = ("s", "t")
MIB = 1 << 20
SIZES = (0, 1000, 4096, MIB, 4 * MIB, 10 * MIB, 9 * MIB + 123)
OFFSETS = (0, 1, 4096, 65536, MIB, 4 * MIB - 10, 4 * MIB, 5 * MIB, 9 * MIB, 10 * MIB - 1, 10 * MIB, 20 * MIB)
LENGTHS = (0, 1, 512, 4096, 65535, 65536, 131072, MIB, 4 * MIB, 5 * MIB)
FEATURES = (None, None, None, 1, 5, 61, 13, 3 << 40, 8, 16)
ORDERS = (None, None, None, 20, 11, 26, 12)
BITS = (4, 8, 16, 24, 28, 32, 1, 2, 0)
ODD_NAMES = ("", "n" * 2042, "n" * 2041, "a/b", "a@b", "é", b"by", 5, None)
SLOTS = 3


def _draws() -> dict[str, Callable[[random.Random], tuple[Any, ...]]]:
    """Per operation, how its arguments are drawn. Weight: how often the name stands in ``WEIGHTS``."""
    name = lambda r: r.choice(NAMES)  # noqa: E731
    snap = lambda r: r.choice(SNAPS)  # noqa: E731
    slot = lambda r: r.randrange(SLOTS)  # noqa: E731
    return {
        "create": lambda r: (name(r), r.choice(SIZES), r.choice(ORDERS), r.choice(FEATURES)),
        "create_odd": lambda r: (r.choice(ODD_NAMES), r.choice((1000, 1000, -1, 1 << 60, "x"))),
        "remove": lambda r: (name(r),),
        "rename": lambda r: (name(r), name(r)),
        "list": lambda r: (),
        "trash_move": lambda r: (name(r), r.choice((0, 0, 1000))),
        "trash_list": lambda r: (),
        "trash_remove": lambda r: (r.randrange(3), r.random() < 0.4),
        "trash_restore": lambda r: (r.randrange(3), r.choice((*NAMES, ""))),
        "clone": lambda r: (name(r), snap(r), name(r), r.choice((None, None, None, 61, 5, 4)), r.choice((None, None, 20))),
        "open": lambda r: (slot(r), name(r), r.choice((None, None, None, None, *SNAPS)), r.random() < 0.25),
        "close": lambda r: (slot(r),),
        "read": lambda r: (slot(r), r.choice(OFFSETS), r.choice(LENGTHS)),
        "write": lambda r: (slot(r), r.choice(OFFSETS), r.choice(LENGTHS), r.randrange(1, 255)),
        "flush": lambda r: (slot(r),),
        "discard": lambda r: (slot(r), r.choice(OFFSETS), r.choice((*LENGTHS, 3 << 30))),
        "write_zeroes": lambda r: (slot(r), r.choice(OFFSETS), r.choice((*LENGTHS, 3 << 30))),
        "resize": lambda r: (slot(r), r.choice(SIZES), r.random() < 0.8),
        "about": lambda r: (slot(r), r.choice(("size", "stat", "features", "op_features", "overlap", "parent_info",
            "get_parent_image_spec", "parent_id", "get_name", "id", "stripe_unit", "stripe_count", "old_format", "flags",
            "is_exclusive_lock_owner", "get_snap_limit", "block_name_prefix"))),
        "contents": lambda r: (slot(r),),
        "create_snap": lambda r: (slot(r), snap(r)),
        "remove_snap": lambda r: (slot(r), snap(r)),
        "remove_snap_by_id": lambda r: (slot(r), r.randrange(3)),
        "rename_snap": lambda r: (slot(r), snap(r), snap(r)),
        "protect_snap": lambda r: (slot(r), snap(r)),
        "unprotect_snap": lambda r: (slot(r), snap(r)),
        "is_protected_snap": lambda r: (slot(r), snap(r)),
        "rollback_to_snap": lambda r: (slot(r), snap(r)),
        "list_snaps": lambda r: (slot(r),),
        "set_snap": lambda r: (slot(r), r.choice((None, *SNAPS))),
        "set_snap_limit": lambda r: (slot(r), r.choice((0, 1, 2, 5))),
        "remove_snap_limit": lambda r: (slot(r),),
        "copy": lambda r: (slot(r), name(r), r.choice((None, None, 61, 1)), r.choice((None, None, 20))),
        "deep_copy": lambda r: (slot(r), name(r)),
        "flatten": lambda r: (slot(r),),
        "list_children": lambda r: (slot(r),),
        "list_children2": lambda r: (slot(r),),
        "watchers": lambda r: (slot(r),),
        "metadata_set": lambda r: (slot(r), r.choice(KEYS), f"v{r.randrange(3)}"),
        "metadata_get": lambda r: (slot(r), r.choice(KEYS)),
        "metadata_remove": lambda r: (slot(r), r.choice(KEYS)),
        "metadata_list": lambda r: (slot(r),),
        "update_features": lambda r: (slot(r), r.choice(BITS), r.random() < 0.5),
        "lock_exclusive": lambda r: (slot(r), r.choice(KEYS)),
        "lock_shared": lambda r: (slot(r), r.choice(KEYS), r.choice(("x", "y"))),
        "unlock": lambda r: (slot(r), r.choice(KEYS)),
        "list_lockers": lambda r: (slot(r),),
        "lock_acquire": lambda r: (slot(r),),
        "lock_release": lambda r: (slot(r),),
        "lock_get_owners": lambda r: (slot(r),),
        "diff": lambda r: (slot(r),),
        "objects": lambda r: (),
        "damage": lambda r: (r.choice(("rbd_id.", "rbd_header.")), name(r)),
    }


DRAWS = {**OBJECT_DRAWS, **_draws()}
WEIGHTS = {
    "create": 9, "open": 14, "write": 14, "read": 6, "contents": 6, "create_snap": 8, "clone": 7, "remove": 5, "close": 6,
    "remove_snap": 4, "rename": 3, "trash_move": 3, "list": 3, "protect_snap": 4, "damage": 0, "lock_exclusive": 1,
    "resize": 4, "discard": 4, "flatten": 4, "rollback_to_snap": 3, "list_snaps": 4, "about": 6, "copy": 3, "objects": 2,
}


#: So that nothing waits for ever.
CONF_OF_CLIENTS = {"rados_osd_op_timeout": "20", "rados_mon_op_timeout": "20"}


def clone_format(number: int) -> str:
    """Which format of clones a program of that number makes."""
    return "12"[number % 2]


def draw(seed: int, steps: int, *, damage: bool = False) -> list[Step]:
    """A program of so many steps. Every tenth one is about plain objects alone."""
    source = random.Random(seed)
    if seed % 10 == 9:
        return [(name, DRAWS[name](source)) for name in source.choices(sorted(OBJECT_DRAWS), k=steps)]
    weights = {**dict.fromkeys(DRAWS, 2), **dict.fromkeys(OBJECT_DRAWS, 0), **WEIGHTS}
    if damage:
        weights["damage"] = 6
    names = sorted(DRAWS)
    chosen = source.choices(names, [weights[name] for name in names], k=steps)
    # Most of the rest is of no use without an image, a handle, a snapshot.
    start: list[Step] = [
        ("create", ("a", source.choice(SIZES[2:]), None, source.choice(FEATURES[:7]))), ("open", (0, "a", None, False)),
        ("write", (0, source.choice(OFFSETS), source.choice(LENGTHS), 7)), ("create_snap", (0, "s")),
    ]
    if source.random() < 0.6:
        start += [("protect_snap", (0, "s")), ("clone", ("a", "s", "b", None, None)), ("open", (1, "b", None, False))]
    return (start + [(name, DRAWS[name](source)) for name in chosen])[: max(steps, len(start))]


class Runner(ObjectSteps, PlainAnswers):
    """Runs the steps of one program in one pool, through two connections. ``io``: a context of each."""

    def __init__(self, rados: Any, rbd: Any, io: tuple[Any, Any]) -> None:
        super().__init__(rados, io)
        self.rbd = rbd
        self.images = rbd.RBD()
        self.handles: list[Any] = [None] * SLOTS
        PlainAnswers.__init__(self)

    def run(self, program: list[Step]) -> list[Any]:
        """An answer per step."""
        answers = [self.step(*step) for step in program]
        for handle in self.handles:
            if handle is not None:
                handle.close()
        return answers

    def step(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """What it gives, or class and number of what it raises."""
        try:
            return self.plain(getattr(self, f"do_{name}")(*arguments))
        except (self.rbd.Error, self.rados.Error) as error:
            return [f"{type(error).__module__}.{type(error).__name__}", getattr(error, "errno", None)]
        except (TypeError, OverflowError, KeyError, ValueError, AssertionError) as error:
            return [type(error).__name__, None]

    # -- the pool

    def do_create(self, name: Any, size: Any, order: Any = None, features: Any = None) -> Any:
        return self.images.create(self.io[0], name, size, order, False, features)

    def do_create_odd(self, name: Any, size: Any) -> Any:
        return self.images.create(self.io[1], name, size)

    def do_remove(self, name: str) -> Any:
        return self.images.remove(self.io[0], name)

    def do_rename(self, source: str, destination: str) -> Any:
        return self.images.rename(self.io[0], source, destination)

    def do_list(self) -> Any:
        return [sorted(self.images.list(self.io[0])), sorted(one["name"] for one in self.images.list2(self.io[1]))]

    def do_trash_move(self, name: str, delay: int) -> Any:
        return self.images.trash_move(self.io[0], name, delay)

    def _trash(self) -> list[Any]:
        return sorted(self.images.trash_list(self.io[0]), key=lambda one: str(one["name"]))

    def do_trash_list(self) -> Any:
        return [[one["name"], one["source"], one["deletion_time"], one["deferment_end_time"]] for one in self._trash()]

    def do_trash_remove(self, place: int, force: bool) -> Any:
        entries = self._trash()
        if len({one["name"] for one in entries}) < len(entries):
            return "not taken"  # which of two of one name it would be is chance
        return self.images.trash_remove(self.io[0], entries[place]["id"] if place < len(entries) else "nothing", force)

    def do_trash_restore(self, place: int, name: str) -> Any:
        entries = self._trash()
        if len({one["name"] for one in entries}) < len(entries):
            return "not taken"
        return self.images.trash_restore(self.io[0], entries[place]["id"] if place < len(entries) else "nothing", name)

    def do_clone(self, parent: str, snap: str, child: str, features: Any, order: Any) -> Any:
        return self.images.clone(self.io[0], parent, snap, self.io[0], child, features, order)

    def do_objects(self) -> Any:
        found: dict[str, int] = {}
        for one in self.io[0].list_objects():
            kind = one.key if one.key.startswith("rbd_id.") else re.split(r"\.", one.key)[0]
            found[kind] = found.get(kind, 0) + 1
        # How many data objects there are depends on what librbd thinks worth writing; whether any is left does not.
        return {**found, "rbd_data": "rbd_data" in found}

    # -- damage

    def do_damage(self, kind: str, name: str) -> Any:
        if any(handle is not None for handle in self.handles):
            return "not taken"  # what an open handle of a damaged image does is a matter of luck
        target = name
        if kind == "rbd_header.":
            with self.rbd.Image(self.io[0], name, read_only=True) as image:
                target = image.id()
                if list(image.list_snaps()):
                    return "not taken"
        return self.io[0].remove_object(kind + target)

    # -- handles

    def do_open(self, slot: int, name: str, snap: Any, read_only: bool) -> Any:
        if self.handles[slot] is not None:
            handle, self.handles[slot] = self.handles[slot], None
            handle.close()
        self.handles[slot] = self.rbd.Image(self.io[slot % 2], name, snap, read_only)
        return None

    def do_close(self, slot: int) -> Any:
        handle = self.handles[slot]
        if handle is None:
            return "no handle"
        self.handles[slot] = None
        return handle.close()

    def __getattr__(self, name: str) -> Any:
        """Every other operation is the method of that name, on a handle."""
        if not name.startswith("do_"):
            raise AttributeError(name)

        def call(slot: int, *arguments: Any) -> Any:
            handle = self.handles[slot]
            if handle is None:
                return "no handle"
            known = getattr(self, "on_" + name[3:], None)
            return known(handle, *arguments) if known is not None else getattr(handle, name[3:])(*arguments)

        if name[3:] not in DRAWS:
            raise AttributeError(name)
        return call

    def _locked(self, handle: Any) -> bool:
        """Whether a write would wait for an advisory lock for ever."""
        lockers = handle.list_lockers()
        return bool(lockers) and any(not cookie.startswith("auto ") for _, cookie, _ in lockers["lockers"])

    def on_write(self, handle: Any, offset: int, length: int, fill: int) -> Any:
        if self._locked(handle):
            return "not taken"
        try:
            answer = handle.write(bytes([fill]) * length, offset)
        except self.rbd.IncompleteWriteError:
            handle.flush()  # what fitted was written, and until it is flushed others see it or not
            raise
        handle.flush()
        return answer

    def _guarded(self, handle: Any, call: Callable[[], Any]) -> Any:
        return "not taken" if self._locked(handle) else call()

    def on_discard(self, handle: Any, offset: int, length: int) -> Any:
        return self._guarded(handle, lambda: handle.discard(offset, length))

    def on_write_zeroes(self, handle: Any, offset: int, length: int) -> Any:
        return self._guarded(handle, lambda: handle.write_zeroes(offset, length))

    def on_resize(self, handle: Any, size: int, allow_shrink: bool) -> Any:
        return self._guarded(handle, lambda: handle.resize(size, allow_shrink))

    def on_create_snap(self, handle: Any, name: str) -> Any:
        return self._guarded(handle, lambda: handle.create_snap(name))

    def on_remove_snap(self, handle: Any, name: str) -> Any:
        return self._guarded(handle, lambda: handle.remove_snap(name))

    def on_remove_snap_by_id(self, handle: Any, place: int) -> Any:
        ids = sorted(snap["id"] for snap in handle.list_snaps())
        return self._guarded(handle, lambda: handle.remove_snap_by_id(ids[place] if place < len(ids) else 1 << 40))

    def on_rename_snap(self, handle: Any, source: str, destination: str) -> Any:
        return self._guarded(handle, lambda: handle.rename_snap(source, destination))

    def on_protect_snap(self, handle: Any, name: str) -> Any:
        return self._guarded(handle, lambda: handle.protect_snap(name))

    def on_unprotect_snap(self, handle: Any, name: str) -> Any:
        return self._guarded(handle, lambda: handle.unprotect_snap(name))

    def on_rollback_to_snap(self, handle: Any, name: str) -> Any:
        return self._guarded(handle, lambda: handle.rollback_to_snap(name))

    def on_set_snap_limit(self, handle: Any, limit: int) -> Any:
        return self._guarded(handle, lambda: handle.set_snap_limit(limit))

    def on_remove_snap_limit(self, handle: Any) -> Any:
        return self._guarded(handle, handle.remove_snap_limit)

    def on_metadata_set(self, handle: Any, key: str, value: str) -> Any:
        return self._guarded(handle, lambda: handle.metadata_set(key, value))

    def on_metadata_remove(self, handle: Any, key: str) -> Any:
        return self._guarded(handle, lambda: handle.metadata_remove(key))

    def on_metadata_list(self, handle: Any) -> Any:
        return sorted(handle.metadata_list())

    def on_update_features(self, handle: Any, bits: int, enabled: bool) -> Any:
        return self._guarded(handle, lambda: handle.update_features(bits, enabled))

    def on_flatten(self, handle: Any) -> Any:
        return self._guarded(handle, handle.flatten)

    def on_copy(self, handle: Any, name: str, features: Any, order: Any) -> Any:
        return handle.copy(self.io[0], name, features, order)

    def on_deep_copy(self, handle: Any, name: str) -> Any:
        return handle.deep_copy(self.io[0], name)

    def on_about(self, handle: Any, method: str) -> Any:
        answer = getattr(handle, method)()
        if method in ("id", "parent_id", "block_name_prefix"):
            return self.field("image_id", answer)
        return answer[1:] if method == "parent_info" else answer

    def on_contents(self, handle: Any) -> Any:
        size = handle.size()
        return [size, handle.read(0, size) if size else b""]

    def on_list_snaps(self, handle: Any) -> Any:
        found = []
        for snap in handle.list_snaps():
            one = {key: snap[key] for key in ("id", "name", "size", "namespace")}
            one["original"] = snap["trash"]["original_name"] if snap["namespace"] == 2 else ""
            found.append(one)
        return found

    def on_list_children(self, handle: Any) -> Any:
        return sorted(name for _, name in handle.list_children())

    def on_list_children2(self, handle: Any) -> Any:
        return sorted((one["image"], one["trash"]) for one in handle.list_children2())

    def on_watchers(self, handle: Any) -> Any:
        return len(list(handle.watchers_list()))

    def on_list_lockers(self, handle: Any) -> Any:
        found = handle.list_lockers()
        if not found or found["tag"] == "internal":
            return []  # of librbd's own lock a handle knows what it has heard last
        return [found["tag"], found["exclusive"], sorted(cookie.split()[0] for _, cookie, _ in found["lockers"])]

    def _advisory(self, handle: Any, call: Callable[[], Any]) -> Any:
        return "not taken" if handle.features() & self.rbd.RBD_FEATURE_EXCLUSIVE_LOCK else call()

    def on_lock_exclusive(self, handle: Any, cookie: str) -> Any:
        return self._advisory(handle, lambda: handle.lock_exclusive(cookie))

    def on_lock_shared(self, handle: Any, cookie: str, tag: str) -> Any:
        return self._advisory(handle, lambda: handle.lock_shared(cookie, tag))

    def on_lock_acquire(self, handle: Any) -> Any:
        return self._guarded(handle, lambda: handle.lock_acquire(self.rbd.RBD_LOCK_MODE_EXCLUSIVE))

    def on_lock_get_owners(self, handle: Any) -> Any:
        return len(list(handle.lock_get_owners()))

    def on_diff(self, handle: Any) -> Any:
        found: list[Any] = []
        handle.diff_iterate(0, handle.size(), None, lambda at, length, there: found.append((at, length, there)), True, True)
        return found
