"""Opening an image: by name or by id, at a snapshot, for reading or for writing. One request."""

from __future__ import annotations

import errno
from collections.abc import Callable

from storcert.simulators.rbd import records
from storcert.simulators.rbd.client import Client
from storcert.simulators.rbd.conf import ClientConf
from storcert.simulators.rbd.image_context import ImageContext
from storcert.simulators.rbd.model import Pool
from storcert.simulators.rbd.refusal import Refusal


def open_image(
    client: Client, conf: ClientConf, pool: Pool, *, name: str | None = None, image_id: str | None = None,
    snapshot: str | int | None = None, read_only: bool = False, operation: str = "open",
    then: Callable[[ImageContext], None] | None = None,
) -> ImageContext:
    """Open by name or by id. One request: find, read the header, watch; and ``then``, which may refuse, where it is given."""

    opened: list[ImageContext] = []
    gave_up = False

    def effect() -> ImageContext:
        if pool.deleted:
            raise Refusal(errno.ENOENT)
        found = pool.ids.get(name) if name is not None else image_id
        if found is None:
            raise Refusal(errno.ENOENT)
        header = records.header_of(pool, found)
        shown = name if name is not None else pool.names.get(found, "")
        made = ImageContext(client, conf, pool, header, shown or "", read_only)
        if header.state.parent is not None:
            made.source().above()  # a clone whose parent is gone cannot be opened
        if snapshot is not None:
            snap = header.state.numbered(snapshot) if isinstance(snapshot, int) else header.state.named(snapshot)
            if snap is None:
                raise Refusal(errno.ENOENT)
            made.snap_id, made.selected = snap.snap_id, snap
        if not read_only:
            made.watch()
        if then is not None:
            try:
                then(made)
            except Refusal:
                made.unwatch()
                raise
        opened.append(made)
        if gave_up:
            made.abandoned_ns = client.kernel.now_ns
        return made

    try:
        context: ImageContext = client.request(operation, name if name is not None else image_id or "", effect)
    except Refusal:
        gave_up = True  # a watch that comes, or came, all the same is never renewed
        for made in opened:
            made.abandoned_ns = client.kernel.now_ns
        raise
    return context
