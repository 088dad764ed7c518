"""``rados.Ioctx`` as the 16.2 binding offers it: plain objects of one pool, one request each."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd import osd
from storcert.simulators.rbd.arguments import only_bytes, only_str, unsigned
from storcert.simulators.rbd.client import Client
from storcert.simulators.rbd.ioctx_locks import IoctxLocks
from storcert.simulators.rbd.listed_object import ListedObject
from storcert.simulators.rbd.model import Pool
from storcert.simulators.rbd.omap import Omap, Pairs
from storcert.simulators.rbd.plain_objects import RadosObject
from storcert.simulators.rbd.rados_errors import (
    Error,
    ExtendMismatch,
    IoctxStateError,
    ObjectNotFound,
    OSError,
    make_ex,
)
from storcert.simulators.rbd.rados_ops import OmapIterator, ReadOp, WriteOp, compare_bytes, truncate_step, write_step
from storcert.simulators.rbd.refusal import Refusal

if TYPE_CHECKING:
    from storcert.simulators.rbd.rados_face import Rados

LOCK_RENEW = 1
NS_PER_S = 1_000_000_000
_MAX_ERRNO = 4095
_NO_OMAP = Omap()


class Ioctx(IoctxLocks):
    """A context for one pool."""

    def __init__(self, rados: Rados, client: Client, pool: Pool) -> None:
        self.rados = rados
        self.client = client
        self.pool = pool
        self.name = pool.name
        self.state = "open"
        self.nspace = ""
        self.locator_key = ""

    def require_ioctx_open(self) -> None:
        """Raises IoctxStateError after ``close``. A context of a connection that was shut down takes the process with it."""
        if self.state != "open":
            raise IoctxStateError(f"The pool is {self.state}")
        if self.client.closed:
            # Measured: librados aborts the process (an assertion of its objecter).
            self.client.location.crash()

    def __enter__(self) -> Ioctx:
        return self

    def __exit__(self, type_: object, value: object, traceback: object) -> Literal[False]:
        self.close()
        return False

    def close(self) -> None:
        """Images and objects opened with it can no longer be reached."""
        self.state = "closed"

    def dup(self) -> Ioctx:
        """Another context for the same pool."""
        self.require_ioctx_open()
        return Ioctx(self.rados, self.client, self.pool)

    def set_osdmap_full_try(self) -> None:
        """Be refused with EDQUOT while the pool is full, rather than wait; what needs no room is done. Here for the whole
        connection, not for this context alone."""
        self.require_ioctx_open()
        self.client.full_try = True

    def unset_osdmap_full_try(self) -> None:
        """Wait again."""
        self.require_ioctx_open()
        self.client.full_try = False

    # -- one request

    def call(
        self, operation: str, key: str, effect: Callable[[], Any], message: str, *, sent_bytes: int = 0, write: bool = False,
    ) -> Any:
        """Send it; its refusal as the binding's exception."""
        self.require_ioctx_open()
        try:
            return self.client.request(operation, key, effect, sent_bytes=sent_bytes, write=write)
        except Refusal as refusal:
            if refusal.number > _MAX_ERRNO:
                raise ExtendMismatch(message, refusal.number, refusal.number - _MAX_ERRNO) from None
            raise make_ex(refusal.number, message) from None

    def _change(self, key: str, steps: Sequence[osd.Step], message: str, sent_bytes: int = 0) -> None:
        pool, kernel = self.pool, self.client.kernel
        self.call(
            "object_write", key, lambda: osd.change(pool, key, steps, kernel.now_ns), message, sent_bytes=sent_bytes,
            write=True,
        )

    def _look(self, key: str, effect: Callable[[Any], Any], message: str) -> Any:
        pool = self.pool
        return self.call("object_read", key, lambda: effect(osd.find(pool, key)), message)

    # -- the pool

    def get_pool_id(self) -> int:
        """The pool's number."""
        self.require_ioctx_open()
        return self.pool.pool_id

    def get_pool_name(self) -> str:
        """The pool's name."""
        self.require_ioctx_open()
        return self.pool.name

    def get_namespace(self) -> str:
        """Always the default one."""
        self.require_ioctx_open()
        return ""

    def set_namespace(self, nspace: str) -> None:
        """The default namespace only."""
        self.require_ioctx_open()
        if only_str(nspace, "nspace"):
            raise NotModelled("rados.Ioctx.set_namespace")

    def get_last_version(self) -> int:
        """Of the object touched last."""
        raise NotModelled("rados.Ioctx.get_last_version")

    def get_stats(self) -> dict[str, int]:
        """Zeros: there is no manager that would count."""
        self.require_ioctx_open()
        return dict.fromkeys((
            "num_bytes", "num_kb", "num_objects", "num_object_clones", "num_object_copies",
            "num_objects_missing_on_primary", "num_objects_unfound", "num_objects_degraded", "num_rd", "num_rd_kb", "num_wr",
            "num_wr_kb",
        ), 0)

    def application_enable(self, app_name: str, force: bool = False) -> None:
        """Say what the pool is for."""
        name = only_str(app_name, "app_name")
        applications = self.pool.applications

        def effect() -> None:
            if applications and name not in applications and not force:
                raise Refusal(errno.EPERM)
            applications.setdefault(name, {})

        self.call("mon_command", "application enable", effect, "error enabling application")

    def application_list(self) -> list[str]:
        """What the pool is for."""
        self.require_ioctx_open()
        return sorted(self.pool.applications)

    def list_objects(self) -> Iterator[ListedObject]:
        """Every object in the pool, librbd's too."""
        pool = self.pool
        names: list[str] = self.call(
            "object_list", "", lambda: sorted([*pool.objects, *osd.librbd_names(pool)]), "error listing objects")
        return iter([ListedObject(self, name) for name in names])

    # -- contents

    def read(self, key: str, length: int = 8192, offset: int = 0) -> bytes:
        """Short at the end."""
        name, size, at = only_str(key, "key"), unsigned(length), unsigned(offset)

        def effect(found: Any) -> bytes:
            if size == 0 and found.size_bytes > at:
                raise Refusal(errno.ERANGE)  # 0 asks for all there is, and the buffer is too small
            read: bytes = found.read(at, size)
            return read

        data: bytes = self._look(name, effect, f"Ioctx.read({self.name}): failed to read {name}")
        return data

    def stat(self, key: str) -> tuple[int, time.struct_time]:
        """Size and time of change."""
        name = only_str(key, "key")
        size_bytes, modified_ns = self._look(
            name, lambda found: (found.size_bytes, found.modified_ns), f"Failed to stat {name!r}")
        return size_bytes, time.localtime(modified_ns // NS_PER_S)

    def write(self, key: str, data: bytes, offset: int = 0) -> int:
        """Bytes at a place."""
        name, data, at = only_str(key, "key"), only_bytes(data, "data"), unsigned(offset)
        message = f"Ioctx.write({self.name}): failed to write {name}"
        try:
            step = write_step(at, data)
        except Refusal as refusal:
            raise make_ex(refusal.number, message) from None
        self._change(name, [step], message, len(data))
        return 0

    def write_full(self, key: str, data: bytes) -> int:
        """These bytes and no others."""
        name, data = only_str(key, "key"), only_bytes(data, "data")
        self._change(
            name, [lambda changed, _: changed.replace(data)], f"Ioctx.write_full({self.name}): failed to write {name}",
            len(data),
        )
        return 0

    def append(self, key: str, data: bytes) -> int:
        """At the end."""
        name, data = only_str(key, "key"), only_bytes(data, "data")
        self._change(
            name, [lambda changed, _: changed.write(changed.size_bytes, data)], f"Ioctx.append({self.name}): failed", len(data))
        return 0

    def writesame(self, key: str, data: bytes, write_len: int, offset: int = 0) -> None:
        """A pattern, repeated."""
        operation = WriteOp()
        try:
            operation.writesame(data, write_len, offset)
        except Refusal as refusal:
            raise make_ex(refusal.number, f"Ioctx.writesame({self.name}): failed") from None
        self._change(only_str(key, "key"), operation.steps, f"Ioctx.writesame({self.name}): failed")

    def trunc(self, key: str, size: int) -> int:
        """Cut, or grow with zeros."""
        name, length = only_str(key, "key"), unsigned(size)
        self._change(name, [truncate_step(length)], f"Ioctx.trunc({self.name}): failed")
        return 0

    def cmpext(self, key: str, cmp_buf: bytes, offset: int = 0) -> int:
        """0 where these bytes are there; else minus the place of the first difference minus 4095. A difference in the first
        byte, or no object, trips an assertion of the binding [measured]."""
        name, data = only_str(key, "key"), only_bytes(cmp_buf, "cmp_buf")
        message = f"Ioctx.cmpext({self.name}): failed to compare {name}"
        try:
            self._look(name, lambda found: compare_bytes(found, data, offset), message)
        except ExtendMismatch as mismatch:
            return -(_MAX_ERRNO + mismatch.offset)
        except ObjectNotFound:
            raise AssertionError(message) from None
        except OSError as error:
            if error.errno == _MAX_ERRNO:
                raise AssertionError(message) from None
            raise
        return 0

    def remove_object(self, key: str) -> bool:
        """Delete an object."""
        name, pool = only_str(key, "key"), self.pool
        self.call("object_remove", name, lambda: osd.remove(pool, name), f"Failed to remove {name!r}", write=True)
        return True

    # -- attributes

    def get_xattr(self, key: str, xattr_name: str) -> bytes:
        """One attribute."""
        name = only_str(xattr_name, "xattr_name")

        def effect(found: Any) -> bytes:
            if found.extra is None or name not in found.extra.xattrs:
                raise Refusal(errno.ENODATA)
            value: bytes = found.extra.xattrs[name]
            return value

        data: bytes = self._look(only_str(key, "key"), effect, f"Failed to get xattr {name!r}")
        return data

    def get_xattrs(self, oid: str) -> Iterator[tuple[str, bytes]]:
        """All attributes."""
        found: dict[str, bytes] = self._look(
            only_str(oid, "oid"), lambda one: dict(one.extra.xattrs) if one.extra is not None else {}, "Failed to get xattrs")
        return iter(sorted(found.items()))

    def set_xattr(self, key: str, xattr_name: str, xattr_value: bytes) -> bool:
        """Set one attribute; makes the object."""
        operation = WriteOp()
        operation.set_xattr(xattr_name, xattr_value)
        self._change(only_str(key, "key"), operation.steps, f"Failed to set xattr {xattr_name!r}")
        return True

    def rm_xattr(self, key: str, xattr_name: str) -> bool:
        """Take one attribute away."""
        operation = WriteOp()
        operation.rm_xattr(xattr_name)
        self._change(only_str(key, "key"), operation.steps, f"Failed to remove xattr {xattr_name!r}")
        return True

    # -- compound operations and omap

    def create_write_op(self) -> WriteOp:
        """An empty one."""
        return WriteOp()

    def create_read_op(self) -> ReadOp:
        """An empty one."""
        return ReadOp()

    def release_write_op(self, write_op: WriteOp) -> None:
        """Nothing is held."""

    def release_read_op(self, read_op: ReadOp) -> None:
        """Nothing is held."""

    def operate_write_op(self, write_op: WriteOp, oid: str, mtime: int = 0, flags: int = 0) -> None:
        """Run it: all or nothing."""
        name, pool, kernel = only_str(oid, "oid"), self.pool, self.client.kernel
        message = f"Failed to operate write op for oid {name}"

        def effect() -> None:
            osd.change(pool, name, write_op.steps, kernel.now_ns, omap_in_place=write_op.omap_in_place)

        self.call("object_write", name, effect, message, sent_bytes=write_op.sent_bytes, write=True)

    def operate_read_op(self, read_op: ReadOp, oid: str, flag: int = 0) -> None:
        """Run it, and fill its iterators."""
        name = only_str(oid, "oid")

        def effect(found: RadosObject) -> list[Pairs]:
            for check in read_op.checks:
                check(found)
            omap = found.extra.omap if found.extra is not None else _NO_OMAP
            return [iterator.select(omap) for iterator in read_op.iterators]

        answers = self._look(name, effect, f"Failed to operate read op for oid {name}")
        for iterator, pairs in zip(read_op.iterators, answers, strict=True):
            iterator.fill(pairs)

    def set_omap(self, write_op: WriteOp, keys: Sequence[str], values: Sequence[bytes]) -> None:
        """Keys and their values."""
        if len(keys) != len(values):
            raise Error("Rados(): keys and values must have the same number of items")
        write_op.set_omap(dict(zip(keys, values, strict=True)))

    def remove_omap_keys(self, write_op: WriteOp, keys: Sequence[str]) -> None:
        """Those keys; missing ones do not matter."""
        doomed = sorted(set(keys))
        write_op.remove_omap(lambda omap: omap.remove(doomed))

    def remove_omap_range2(self, write_op: WriteOp, key_begin: str, key_end: str) -> None:
        """Keys from one up to another."""
        write_op.remove_omap(lambda omap: omap.remove(omap.between(key_begin, key_end)))

    def clear_omap(self, write_op: WriteOp) -> None:
        """All keys."""
        write_op.clear_omap()

    def get_omap_vals(
        self, read_op: ReadOp, start_after: str, filter_prefix: str, max_return: int,
    ) -> tuple[OmapIterator, int]:
        """In order of the keys, after one of them."""
        most = min(max_return, self.client.cluster.omap_page)
        return self._iterator(read_op, lambda omap: [
            (key, omap.values[key]) for key in omap.after(start_after or "", filter_prefix or "", most)])

    def get_omap_keys(self, read_op: ReadOp, start_after: str, max_return: int) -> tuple[OmapIterator, int]:
        """Keys only, in the same way."""
        most = min(max_return, self.client.cluster.omap_page)
        return self._iterator(read_op, lambda omap: [(key, None) for key in omap.after(start_after or "", "", most)])

    def get_omap_vals_by_keys(self, read_op: ReadOp, keys: Sequence[str]) -> tuple[OmapIterator, int]:
        """Those keys that are there."""
        return self._iterator(
            read_op, lambda omap: [(key, omap.values[key]) for key in sorted(set(keys)) if key in omap.values])

    @staticmethod
    def _iterator(read_op: ReadOp, select: Callable[[Omap], Pairs]) -> tuple[OmapIterator, int]:
        made = OmapIterator(select)
        read_op.iterators.append(made)
        return made, 0
