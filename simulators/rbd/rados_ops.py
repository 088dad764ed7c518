"""``WriteOp``, ``ReadOp`` and what comes out of a read: compound operations as the 16.2 binding builds them."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd.arguments import only_bytes, only_str, unsigned
from storcert.simulators.rbd.omap import Omap, Pairs
from storcert.simulators.rbd.osd import MAKES_NOTHING, OBJECT_BYTES_MAX, REMOVES, Step
from storcert.simulators.rbd.plain_objects import RadosObject
from storcert.simulators.rbd.refusal import Refusal

CREATE_EXCLUSIVE = 1
_COMPARE: Mapping[int, Callable[[bytes, bytes], bool]] = {
    1: lambda have, want: have == want, 3: lambda have, want: have > want, 5: lambda have, want: have < want,
}


def write_step(offset: int, data: bytes) -> Step:
    """Bytes at a place."""
    if offset + len(data) > OBJECT_BYTES_MAX:
        raise Refusal(errno.EFBIG)
    return lambda changed, _: changed.write(offset, data)


def truncate_step(size_bytes: int) -> Step:
    """Cut, or grow with zeros; makes nothing."""

    def step(changed: RadosObject, existed: bool) -> object:
        if existed:
            changed.truncate(size_bytes)
        return MAKES_NOTHING

    return step


class WriteOp:
    """Parts that happen together, in order, or not at all."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.sent_bytes = 0
        self.omap_in_place = True
        self._changes_omap = False

    def create(self) -> WriteOp:
        """Ready to be filled."""
        return self

    def release(self) -> None:
        """Nothing is held."""

    def _add(self, step: Step) -> None:
        self.steps.append(step)

    def _add_check(self, step: Step) -> None:
        """A step that may refuse."""
        self.omap_in_place = self.omap_in_place and not self._changes_omap
        self.steps.append(step)

    def _add_omap(self, step: Step) -> None:
        """A step that changes the omap."""
        self._changes_omap = True
        self.steps.append(step)

    def new(self, exclusive: int | None = None) -> None:
        """Make the object; exclusively: EEXIST where it is there."""

        def step(_: RadosObject, existed: bool) -> object:
            if existed and exclusive == CREATE_EXCLUSIVE:
                raise Refusal(errno.EEXIST)
            return None

        self._add_check(step)

    def remove(self) -> None:
        """Delete the object."""

        def step(_: RadosObject, existed: bool) -> object:
            if not existed:
                raise Refusal(errno.ENOENT)
            return REMOVES

        self._add_check(step)

    def set_flags(self, flags: int = 0) -> None:
        """Hints; of no effect here."""

    def write(self, to_write: bytes, offset: int = 0) -> None:
        """Bytes at a place."""
        data, at = only_bytes(to_write, "to_write"), unsigned(offset)
        self.sent_bytes += len(data)
        self._add_check(lambda changed, existed: write_step(at, data)(changed, existed))

    def write_full(self, to_write: bytes) -> None:
        """These bytes and no others."""
        data = only_bytes(to_write, "to_write")
        self.sent_bytes += len(data)
        self._add(lambda changed, _: changed.replace(data))

    def append(self, to_write: bytes) -> None:
        """At the end."""
        data = only_bytes(to_write, "to_write")
        self.sent_bytes += len(data)
        self._add(lambda changed, _: changed.write(changed.size_bytes, data))

    def writesame(self, to_write: bytes, write_len: int, offset: int = 0) -> None:
        """A pattern, repeated."""
        data = only_bytes(to_write, "to_write")
        if not data or write_len % len(data):
            raise Refusal(errno.EINVAL)
        at = unsigned(offset)
        self._add(lambda changed, _: changed.write(at, data * (write_len // len(data))))

    def zero(self, offset: int, length: int) -> None:
        """Zeros in a range: ``offset`` bytes from ``length`` on. The binding hands its arguments over in the wrong order, and a
        range of nothing ends the OSD with an assertion [both measured]."""
        if not offset:
            raise NotModelled("rados.WriteOp.zero with an offset of 0, which ends the OSD")

        def step(changed: RadosObject, _: bool) -> object:
            changed.zero(length, offset)
            return MAKES_NOTHING

        self._add(step)

    def truncate(self, offset: int) -> None:
        """Cut, or grow with zeros."""
        self._add(truncate_step(offset))

    def assert_version(self, version: int) -> None:
        """ERANGE or EOVERFLOW where the object is not of that version."""

        def step(changed: RadosObject, existed: bool) -> object:
            if not existed:
                raise Refusal(errno.ENOENT)
            if changed.version != version:
                raise Refusal(errno.ERANGE if version < changed.version else errno.EOVERFLOW)
            return MAKES_NOTHING

        self._add_check(step)

    def cmpext(self, cmp_buf: bytes, offset: int = 0) -> None:
        """Only if these bytes are there."""
        data = only_bytes(cmp_buf, "cmp_buf")
        def step(changed: RadosObject, existed: bool) -> object:
            if not existed and len(self.steps) == 1:
                raise Refusal(errno.ENOENT)
            compare_bytes(changed, data, offset)
            return MAKES_NOTHING

        self._add_check(step)

    def set_xattr(self, xattr_name: str, xattr_value: bytes) -> None:
        """An attribute."""
        name, value = only_str(xattr_name, "xattr_name"), only_bytes(xattr_value, "xattr_value")
        self._add(lambda changed, _: changed.more().xattrs.__setitem__(name, value))

    def rm_xattr(self, xattr_name: str) -> None:
        """Take an attribute away."""
        name = only_str(xattr_name, "xattr_name")

        def step(changed: RadosObject, existed: bool) -> object:
            if not existed:
                raise Refusal(errno.ENOENT)
            if changed.extra is not None:
                changed.extra.xattrs.pop(name, None)  # one that is not there does not matter
            return MAKES_NOTHING

        self._add_check(step)

    def omap_cmp(self, key: str, val: str, cmp_op: int = 1) -> None:
        """Only if the omap value compares so; ECANCELED where it does not."""
        name, wanted = only_str(key, "key"), only_str(val, "val").encode()

        def step(changed: RadosObject, existed: bool) -> object:
            if not existed:
                raise Refusal(errno.ENOENT)
            if cmp_op not in _COMPARE:
                raise Refusal(errno.EINVAL)
            have = changed.extra.omap.values.get(name, b"") if changed.extra is not None else b""
            if not _COMPARE[cmp_op](have, wanted):
                raise Refusal(errno.ECANCELED)
            return MAKES_NOTHING

        self._add_check(step)

    def set_omap(self, pairs: Mapping[str, bytes]) -> None:
        """For ``Ioctx.set_omap``."""
        self._add_omap(lambda changed, _: changed.more().omap.update(pairs))

    def clear_omap(self) -> None:
        """For ``Ioctx.clear_omap``."""
        self.remove_omap(Omap.clear)

    def remove_omap(self, remove: Callable[[Omap], None]) -> None:
        """For ``Ioctx.remove_omap_keys`` and ``remove_omap_range2``."""

        def step(changed: RadosObject, existed: bool) -> object:
            if not existed:
                raise Refusal(errno.ENOENT)
            remove(changed.more().omap)
            return MAKES_NOTHING

        self._add_omap(step)


def compare_bytes(have: RadosObject, wanted: bytes, offset: int) -> None:
    """Refuse with the place of the first difference, beyond the largest error number, as the OSD does."""
    found = have.read(offset, len(wanted)).ljust(len(wanted), b"\0")
    for place, (left, right) in enumerate(zip(found, wanted, strict=True)):
        if left != right:
            raise Refusal(4095 + place)


class OmapIterator:
    """Filled when the read operation has run. A value of no bytes is given as ``None``, as a value that was not asked for."""

    def __init__(self, select: Callable[[Omap], Pairs]) -> None:
        self.select = select
        self._found: Iterator[tuple[str, bytes | None]] = iter(())

    def fill(self, pairs: Pairs) -> None:
        """With what was there when the operation ran."""
        self._found = iter(pairs)

    def __iter__(self) -> OmapIterator:
        return self

    def __next__(self) -> tuple[str, bytes | None]:
        key, value = next(self._found)
        return key, value or None


class ReadOp:
    """Parts that are read together."""

    def __init__(self) -> None:
        self.iterators: list[OmapIterator] = []
        self.checks: list[Callable[[RadosObject], None]] = []

    def create(self) -> ReadOp:
        """Ready to be filled."""
        return self

    def release(self) -> None:
        """Nothing is held."""

    def set_flags(self, flags: int = 0) -> None:
        """Hints; of no effect here."""

    def cmpext(self, cmp_buf: bytes, offset: int = 0) -> None:
        """Only if these bytes are there."""
        data = only_bytes(cmp_buf, "cmp_buf")
        self.checks.append(lambda found: compare_bytes(found, data, offset))


class WriteOpCtx(WriteOp):
    """A write operation for ``with``."""

    def __enter__(self) -> WriteOpCtx:
        return self

    def __exit__(self, *_: Any) -> None:
        self.release()


class ReadOpCtx(ReadOp):
    """A read operation for ``with``."""

    def __enter__(self) -> ReadOpCtx:
        return self

    def __exit__(self, *_: Any) -> None:
        self.release()
