"""Steps on plain objects of a pool: how their arguments are drawn, and how they are taken on any ``rados`` module."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

KEYS = ("k", "l")


def _parts(r: random.Random) -> tuple[tuple[Any, ...], ...]:
    """Parts of a compound write."""
    makers: tuple[Callable[[], tuple[Any, ...]], ...] = (
        lambda: ("new", r.randrange(2)), lambda: ("set", r.choice(KEYS), r.choice((b"", b"1", b"2"))),
        lambda: ("cmp", r.choice(KEYS), r.choice(("", "1", "2")), r.randint(1, 6)), lambda: ("drop", r.choice(KEYS)),
        lambda: ("clear",), lambda: ("xattr", r.choice(KEYS)), lambda: ("no_xattr", r.choice(KEYS)),
        lambda: ("full", r.choice((0, 5))), lambda: ("remove",), lambda: ("compare", r.choice((b"x", b"y"))),
        lambda: ("range", r.choice(KEYS)), lambda: ("zero", 2, 1), lambda: ("truncate", 1),
    )
    return tuple(r.choice(makers)() for _ in range(r.randint(1, 4)))


def _draws() -> dict[str, Callable[[random.Random], tuple[Any, ...]]]:
    key = lambda r: r.choice(("o", "p"))  # noqa: E731
    return {
        "object_write": lambda r: (key(r), r.choice((0, 3, 5000)), r.choice((0, 1, 4096))),
        "object_write_full": lambda r: (key(r), r.choice((0, 1, 100000))),
        "object_append": lambda r: (key(r), r.choice((0, 7))),
        "object_read": lambda r: (key(r), r.choice((0, 4, 8192)), r.choice((0, 2, 9999))),
        "object_stat": lambda r: (key(r),),
        "object_trunc": lambda r: (key(r), r.choice((0, 2, 6000))),
        "object_remove": lambda r: (key(r),),
        "object_cmpext": lambda r: (key(r), r.choice((b"", b"x", b"xxy")), r.choice((0, 2))),
        "xattr_set": lambda r: (key(r), r.choice(KEYS), r.choice((b"", b"v"))),
        "xattr_get": lambda r: (key(r), r.choice(KEYS)),
        "xattr_remove": lambda r: (key(r), r.choice(KEYS)),
        "xattrs": lambda r: (key(r),),
        "omap_change": lambda r: (key(r), _parts(r)),
        "omap_read": lambda r: (key(r), r.choice(("vals", "keys", "by_keys")), r.choice(("", "k", "zz")), r.choice((1, 10))),
        "object_lock": lambda r: (
            r.randrange(2), key(r), r.choice(KEYS), r.random() < 0.5, r.choice(("x", "y")), r.random() < 0.2),
        "object_unlock": lambda r: (r.randrange(2), key(r), r.choice(KEYS)),
    }


OBJECT_DRAWS = _draws()


class ObjectSteps:
    """``io``: a context of each of two connections."""

    def __init__(self, rados: Any, io: tuple[Any, Any]) -> None:
        self.rados, self.io = rados, io

    def do_object_write(self, key: str, offset: int, length: int) -> Any:
        return self.io[0].write(key, b"x" * length, offset)

    def do_object_write_full(self, key: str, length: int) -> Any:
        return self.io[1].write_full(key, b"y" * length)

    def do_object_append(self, key: str, length: int) -> Any:
        return self.io[0].append(key, b"z" * length)

    def do_object_read(self, key: str, length: int, offset: int) -> Any:
        return self.io[1].read(key, length, offset)

    def do_object_stat(self, key: str) -> Any:
        return self.io[0].stat(key)[0]

    def do_object_trunc(self, key: str, size: int) -> Any:
        return self.io[0].trunc(key, size)

    def do_object_remove(self, key: str) -> Any:
        return self.io[0].remove_object(key)

    def do_object_cmpext(self, key: str, data: bytes, offset: int) -> Any:
        return self.io[0].cmpext(key, data, offset)

    def do_xattr_set(self, key: str, name: str, value: bytes) -> Any:
        return self.io[0].set_xattr(key, name, value)

    def do_xattr_get(self, key: str, name: str) -> Any:
        return self.io[1].get_xattr(key, name)

    def do_xattr_remove(self, key: str, name: str) -> Any:
        return self.io[0].rm_xattr(key, name)

    def do_xattrs(self, key: str) -> Any:
        # A lock once taken leaves an attribute of its own, which is the lock class's affair.
        return sorted(one for one in self.io[0].get_xattrs(key) if not one[0].startswith("lock."))

    def do_omap_change(self, key: str, parts: tuple[tuple[Any, ...], ...]) -> Any:
        io = self.io[0]
        with self.rados.WriteOpCtx() as op:
            for part in parts:
                match part:
                    case ("new", exclusive):
                        op.new(exclusive)
                    case ("set", name, value):
                        io.set_omap(op, (name,), (value,))
                    case ("cmp", name, value, how):
                        op.omap_cmp(name, value, how)
                    case ("drop", name):
                        io.remove_omap_keys(op, (name,))
                    case ("clear",):
                        io.clear_omap(op)
                    case ("range", name):
                        io.remove_omap_range2(op, name, "zz")
                    case ("xattr", name):
                        op.set_xattr(name, b"o")
                    case ("no_xattr", name):
                        op.rm_xattr(name)
                    case ("full", length):
                        op.write_full(b"f" * length)
                    case ("remove",):
                        op.remove()
                    case ("compare", data):
                        op.cmpext(data, 0)
                    case ("zero", offset, length):
                        op.zero(offset, length)
                    case ("truncate", size):
                        op.truncate(size)
            return io.operate_write_op(op, key)

    def do_omap_read(self, key: str, how: str, after: str, limit: int) -> Any:
        io = self.io[1]
        with self.rados.ReadOpCtx() as op:
            if how == "vals":
                found, _ = io.get_omap_vals(op, after, "", limit)
            elif how == "keys":
                found, _ = io.get_omap_keys(op, after, limit)
            else:
                found, _ = io.get_omap_vals_by_keys(op, ("k", "q"))
            io.operate_read_op(op, key)
            return list(found)

    def do_object_lock(self, who: int, key: str, cookie: str, exclusive: bool, tag: str, renew: bool) -> Any:
        flags = 1 if renew else 0
        if exclusive:
            return self.io[who].lock_exclusive(key, "lock", cookie, "", None, flags)
        return self.io[who].lock_shared(key, "lock", cookie, tag, "", None, flags)

    def do_object_unlock(self, who: int, key: str, cookie: str) -> Any:
        return self.io[who].unlock(key, "lock", cookie)
