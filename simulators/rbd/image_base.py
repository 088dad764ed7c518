"""What the parts of ``rbd.Image`` share: the open context, and the check that it is open."""

from __future__ import annotations

import errno

from storcert.simulators.rbd.image_context import ImageContext
from storcert.simulators.rbd.ioctx import Ioctx
from storcert.simulators.rbd.rbd_errors import InvalidArgument
from storcert.simulators.rbd.refusal import Refusal

INT_MAX = 2**31 - 1


class ImageBase:
    """``_name``: the name it was opened under; a rename does not change it."""

    closed: bool
    _name: str
    _io: Ioctx
    _context: ImageContext

    def _open(self) -> ImageContext:
        if self.closed:
            raise InvalidArgument("image is closed")
        self._io.client.location.require_open()
        if self._io.client.closed:
            # Measured: an image of a connection that was shut down takes the process with it.
            self._io.client.location.crash()
        return self._context

    def require_not_closed(self) -> None:
        """Raises InvalidArgument after ``close``."""
        if self.closed:
            raise InvalidArgument("image is closed")

    def _check_writable(self) -> None:
        context = self._context
        if context.read_only or context.snap_id is not None:
            raise Refusal(errno.EROFS)
