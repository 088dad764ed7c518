"""``rbd.Image``: copies, flattening, and what differs between two moments."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd import librbd_clones
from storcert.simulators.rbd.arguments import cstr, unsigned
from storcert.simulators.rbd.image_base import ImageBase
from storcert.simulators.rbd.image_store import Source, pieces
from storcert.simulators.rbd.ioctx import Ioctx
from storcert.simulators.rbd.rbd_face import answered, context_of, progress_of, shape_of
from storcert.simulators.rbd.refusal import Refusal


class ImageCopies(ImageBase):
    """What makes other images, or tells images apart."""

    def copy(
        self, dest_ioctx: Ioctx, dest_name: str, features: int | None = None, order: int | None = None,
        stripe_unit: int | None = None, stripe_count: int | None = None, data_pool: str | None = None,
    ) -> None:
        """The bytes, without the snapshots; read batch by batch while others may write."""
        self._copy(dest_ioctx, dest_name, shape_of(features, order, stripe_unit, stripe_count, data_pool), False)

    def deep_copy(
        self, dest_ioctx: Ioctx, dest_name: str, features: int | None = None, order: int | None = None,
        stripe_unit: int | None = None, stripe_count: int | None = None, data_pool: str | None = None,
    ) -> None:
        """The bytes and the snapshots."""
        self._copy(dest_ioctx, dest_name, shape_of(features, order, stripe_unit, stripe_count, data_pool), True)

    def _copy(self, dest_ioctx: Any, dest_name: Any, shape: Any, deep: bool) -> None:
        context, name, io = self._open(), cstr(dest_name, "dest_name"), context_of(dest_ioctx)

        def call() -> None:
            if not name:
                raise Refusal(errno.EINVAL)
            librbd_clones.copy(context, io.client, io.rados.conf, io.pool, name, shape, deep=deep)

        answered(call, f"error copying image {self._name} to {name}")

    def flatten(self, on_progress: Any = None) -> None:
        """Copy what the parent has, and stand alone."""
        context = self._open()
        answered(lambda: librbd_clones.flatten(context, progress_of(on_progress)), "error flattening " + self._name)

    def diff_iterate(
        self, offset: int, length: int, from_snapshot: str | None, iterate_cb: Callable[[int, int, bool], Any],
        include_parent: bool = True, whole_object: bool = False,
    ) -> None:
        """Call back for every extent that differs: object by object, which is what ``whole_object`` asks for."""
        context = self._open()
        since, at, size = cstr(from_snapshot, "from_snapshot", optional=True), unsigned(offset), unsigned(length)
        if not whole_object:
            raise NotModelled("rbd.Image.diff_iterate without whole_object")
        if from_snapshot is not None:
            raise NotModelled("rbd.Image.diff_iterate from a snapshot")
        assert not since

        def effect() -> list[tuple[int, int]]:
            source = context.source()
            if not include_parent:
                source = Source(context.cluster, context.pool, context.image_id, context.state.order, context.snap_id, None)
            return [
                ((number << source.order) + within, amount)
                for number, within, amount in pieces(source.order, at, min(size, context.view()[0] - at))
                if source.holds((number << source.order) + within, amount, something=True)
            ]

        def call() -> Any:
            if not context.read_only:
                context.lock()  # it flushes first, and a flush wants to be the writer
            context.drain()
            return context.request("diff", effect)

        for start, amount in answered(call, "error generating diff"):
            iterate_cb(start, amount, True)
