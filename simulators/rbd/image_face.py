"""``rbd.Image`` as the 16.2 binding offers it: opening, closing, size, reading and writing. The other methods are mixed in."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any, Literal

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd import image_store, librbd_images
from storcert.simulators.rbd.arguments import buffer, cstr, unsigned
from storcert.simulators.rbd.image_about import ImageAbout
from storcert.simulators.rbd.image_base import INT_MAX
from storcert.simulators.rbd.image_copies import ImageCopies
from storcert.simulators.rbd.image_locks import ImageLocks
from storcert.simulators.rbd.image_open import open_image
from storcert.simulators.rbd.image_snapshots import ImageSnapshots
from storcert.simulators.rbd.ioctx import Ioctx
from storcert.simulators.rbd.rbd_errors import IncompleteWriteError, InvalidArgument, make_ex
from storcert.simulators.rbd.rbd_face import answered, context_of
from storcert.simulators.rbd.refusal import Refusal


class Image(ImageAbout, ImageSnapshots, ImageLocks, ImageCopies):
    """An open image."""

    def __init__(
        self, ioctx: Ioctx, name: str | None = None, snapshot: str | int | None = None, read_only: bool = False,
        image_id: str | None = None, _oncomplete: Any = None,
    ) -> None:
        self.closed = True
        if _oncomplete is not None:
            raise NotModelled("rbd.RBD.aio_open_image")
        if name is not None and image_id is not None:
            raise InvalidArgument("only need to specify image name or image id")
        if name is None and image_id is None:
            raise InvalidArgument("image name or image id was not specified")
        text = cstr(name, "name", optional=True)
        number = cstr(image_id, "image_id", optional=True)
        snap: str | int | None = snapshot
        if snapshot is not None and not isinstance(snapshot, int):
            snap = cstr(snapshot, "snapshot", optional=True)
        io = context_of(ioctx)
        self._io = io
        self._name = text
        shown: Any = text.encode() if name is not None else None
        message = (
            f"error opening image {shown} at snapshot {snapshot}" if name is not None
            else f"error opening image with id {number.encode()!r} at snapshot {snapshot}"
        )
        self._context = answered(
            lambda: open_image(
                io.client, io.rados.conf, io.pool, name=text if name is not None else None,
                image_id=number if name is None else None, snapshot=snap, read_only=bool(read_only)),
            message,
        )
        if name is None:
            self._name = self._context.name
        self.closed = False

    def __enter__(self) -> Image:
        return self

    def __exit__(self, type_: object, value: object, traceback: object) -> Literal[False]:
        self.close()
        return False

    def __del__(self) -> None:
        # Dropped without being closed: the real destructor closes. A dead location's handles are seen by nobody.
        if not self.closed:
            self.closed = True
            self._context.forget()

    def close(self) -> None:
        """Release it; more than once does nothing."""
        if not self.closed:
            self.closed = True
            self._shut(self._context)

    def _shut(self, context: Any) -> None:
        try:
            context.close()
        except Refusal as refusal:
            raise make_ex(refusal.number, "error while closing image " + self._name) from None

    # -- size

    def resize(self, size: int, allow_shrink: bool = True) -> None:
        """Another size; what is cut off is gone."""
        context = self._open()
        size_bytes = unsigned(size)
        if not allow_shrink and size_bytes < self.size():
            raise InvalidArgument("image shrinking not allowed")

        def call() -> None:
            state = context.header.state
            if size_bytes == state.size_bytes:
                return
            self._check_writable()
            librbd_images.check_size(size_bytes, state.order, state.features)
            context.lock(proxied=True)
            context.flush()
            if size_bytes < state.size_bytes:
                librbd_images.trim_all(context, size_bytes, None)

            def effect() -> None:
                header = context.live_header()
                parent = header.state.parent
                if parent is not None and parent.overlap_bytes > size_bytes:
                    parent = replace(parent, overlap_bytes=size_bytes)
                header.state = replace(header.state, size_bytes=size_bytes, parent=parent)

            context.request("set_size", effect)

        answered(call, "error resizing image " + self._name)

    def size(self) -> int:
        """In bytes; of the snapshot, if one is set."""
        return int(answered(lambda: self._open().view()[0], "error getting size for image " + self._name))

    # -- bytes

    def _clip(self, offset: int, length: int, *, reading: bool = False) -> int:
        """How much of a range is in the image: EINVAL where it begins beyond the end."""
        if length == 0:
            return 0
        context = self._open()
        size = context.readable_bytes() if reading else context.view()[0]
        if offset >= size:
            raise Refusal(errno.EINVAL)
        return min(length, size - offset)

    def read(self, offset: int, length: int, fadvise_flags: int = 0) -> bytes:
        """Short where the range reaches over the end."""
        context = self._open()
        at, size = unsigned(offset), unsigned(length)

        def call() -> bytes:
            amount = self._clip(at, size, reading=True)
            return context.read(at, amount) if amount else b""

        data: bytes = answered(call, f"error reading {self._name} {at}~{size}")
        return data

    def write(self, data: bytes, offset: int, fadvise_flags: int = 0) -> int:
        """May return before the cluster has it. What does not fit is left out, and then it raises."""
        context = self._open()
        payload, at = buffer(data), unsigned(offset)

        def call() -> int:
            amount = self._clip(at, len(payload))
            self._check_writable()
            if amount:
                context.write(at, payload if amount == len(payload) else payload[:amount])
            else:
                context.lock()
            return amount

        written = int(answered(call, "error writing to " + self._name))
        if written < len(payload):
            raise IncompleteWriteError(f"Wrote only {written} out of {len(payload)} bytes")
        return written

    def discard(self, offset: int, length: int) -> None:
        """Give space back. Less than the granularity is ignored, and the old bytes stay."""
        self._zero("discard", offset, length, self._open().granularity_bytes)

    def write_zeroes(self, offset: int, length: int, zero_flags: int = 0) -> None:
        """Zeros, to the byte."""
        self._zero("write_zeroes", offset, length, None)

    def _zero(self, operation: str, offset: int, length: int, granularity_bytes: int | None) -> None:
        context = self._open()
        at, size = unsigned(offset), unsigned(length)

        def call() -> None:
            if size > INT_MAX and operation == "discard":
                raise Refusal(errno.EINVAL)
            amount = self._clip(at, size)
            self._check_writable()
            context.lock()
            if not amount:
                return
            context.drain()
            context.request(
                operation,
                lambda: image_store.zero(
                    context.cluster, context.pool, context.live_header(), at, amount, granularity_bytes),
                write=True,
            )

        answered(call, f"error discarding region {at}~{size}")

    def flush(self) -> None:
        """All that was written before is at the cluster, or this raises. Takes the exclusive lock, as a write does."""
        context = self._open()

        def call() -> None:
            if context.client.shut_out:
                raise Refusal(errno.ESHUTDOWN)
            if not context.read_only:
                context.lock()  # a flush, too, wants to be the writer
            context.flush()

        answered(call, "error flushing image")

    def invalidate_cache(self) -> None:
        """Throw away what was read ahead; nothing is."""
        answered(self._open().flush, "error invalidating cache")
