"""The requests of one running ``dog``: over the wire, with dog's endless patience, and what it prints when that fails.

dog never gives up a request: it asks again every few seconds for ever. Only a broken connection ends it, or whoever runs it.
Neighbouring steps that nothing can come between are one request here: a lookup and the reading of the inode; the pieces of
a write up to :data:`BATCH_BYTES`; the inodes of a listing up to the device's page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from storcert.simulators.network.errors import ConnectRefused, ConnectTimeout, WireError
from storcert.simulators.network.wire import Wire
from storcert.simulators.sheepdog.results import Exit, Refused, Result
from storcert.simulators.sheepdog.sheep import ObjectWrite, Sheep, View

if TYPE_CHECKING:
    from storcert.harness.kernel.interpose.commands import RunningCommand

BATCH_BYTES = 1 << 25


class Ended(Exception):
    """dog exits with ``status`` here and now."""

    def __init__(self, status: Exit) -> None:
        super().__init__(status)
        self.status = status


class Unreachable(Exception):
    """No answer: the connection could not be made, or broke. What it means is each command's affair."""


class Thaw:
    """The moment at which a frozen node goes on. Requests that hang meanwhile wait for it."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self._event: Any = None

    def wait(self) -> None:
        """Until the node goes on, or for ever. Tasks only."""
        if self._event is None:
            self._event = self._kernel.event()
        self._kernel.wait(self._event, reason="frozen sheep")

    def happen(self) -> None:
        """The node goes on."""
        event, self._event = self._event, None
        if event is not None:
            event.succeed()


class Requests:
    """Made anew for each process. ``address`` and ``port``: where dog was told to go."""

    def __init__(self, process: RunningCommand, wire: Wire, sheep: Sheep, thaw: Thaw, address: str, port: int) -> None:
        self._process = process
        self._wire = wire
        self._sheep = sheep
        self._thaw = thaw
        self.address = address
        self.port = port

    @property
    def object_bytes(self) -> int:
        """Size of a whole data object."""
        return self._sheep.object_bytes

    def say(self, line: str | bytes) -> None:
        """One line to standard error."""
        self._process.complain((line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line) + b"\n")

    def ask(
        self, operation: str, target: str, act: Callable[[], Any], *, sent_bytes: int = 0, forced: bool = False,
        body: bool = False,
    ) -> Any:
        """One request. Raises ``Refused``, or :class:`Unreachable` with a line printed."""
        options = self._sheep.options
        if (self.address, self.port) != (options.address, options.port):
            self._process.location.kernel.sleep_ns(2 * options.latency_ns)
            raise self._no_connection()
        while True:
            try:
                delivery = self._wire.call(
                    operation, target, lambda: self._sheep.answer(operation, act, forced=forced, body=body),
                    sent_bytes=sent_bytes,
                )
            except (ConnectRefused, ConnectTimeout):
                raise self._no_connection() from None
            except WireError:
                self.say("failed to read a response")
                raise Unreachable from None
            result = delivery.answer.result
            if isinstance(result, Refused):
                raise result
            if result is not Result.FROZEN:
                return result
            self._thaw.wait()

    def _no_connection(self) -> Unreachable:
        self.say(f"failed to connect to {self.address}:{self.port}: Connection refused")
        return Unreachable()

    # One method per request of dog

    def look_up(self, name: bytes, snap_id: int, tag: bytes, indexes: range | None) -> View:
        """The inode of a name."""
        view: View = self.ask("READ_INODE", shown(name), lambda: self._sheep.look_up(name, snap_id, tag, indexes))
        return view

    def look_up_for_snapshot(self, name: bytes, tag: bytes) -> View:
        """The snapshot of that tag if there is one, else the working VDI: two lookups of dog one after the other."""

        def act() -> View:
            try:
                return self._sheep.look_up(name, 0, tag, range(0))
            except Refused as refused:
                if refused.result is not Result.NO_TAG:
                    raise
            return self._sheep.look_up(name, 0, b"", range(0))

        view: View = self.ask("READ_INODE", shown(name), act)
        return view

    def listing(self) -> list[View]:
        """The inodes of all that is not deleted, read one page after the other."""
        sheep, page = self._sheep, self._sheep.options.page_size
        vids: list[int] = self.ask("READ_VDIS", "", sheep.numbers)
        found: list[View] = []
        for start in range(0, len(vids), page):
            some = vids[start : start + page]
            found += self.ask("READ_INODES", "", lambda some=some: sheep.inodes(some))  # type: ignore[misc]
        return found

    def new_vdi(self, name: bytes, size_bytes: int, base: int, *, snapshot: bool = False) -> int:
        """A new inode; gives its number."""
        vid: int = self.ask(
            "NEW_VDI", shown(name), lambda: self._sheep.new_vdi(name, size_bytes, base, snapshot=snapshot))
        return vid

    def delete(self, name: bytes, snap_id: int, tag: bytes) -> None:
        """The second half of a deletion."""
        self.ask("DEL_VDI", shown(name), lambda: self._sheep.delete(name, snap_id, tag))

    def read_objects(self, name: bytes, wanted: Sequence[tuple[int, int, int, int]]) -> bytes:
        """Data of several objects; a piece without an object is zeros, and costs no request."""
        if not any(vid for vid, _, _, _ in wanted):
            return bytes(sum(length for _, _, _, length in wanted))
        data: bytes = self.ask("READ_OBJ", shown(name), lambda: self._sheep.read_objects(wanted), body=True)
        return data

    def write_objects(self, name: bytes, writes: Sequence[ObjectWrite]) -> None:
        """Data of several objects."""
        size = sum(len(one.data) for one in writes)
        self.ask("WRITE_OBJ", shown(name), lambda: self._sheep.write_objects(writes), sent_bytes=size)

    def write_owners(self, vid: int, name: bytes, entries: Sequence[tuple[int, int]]) -> None:
        """Which VDI owns the objects at some indexes of an inode."""
        self.ask("WRITE_INODE", shown(name), lambda: self._sheep.write_owners(vid, entries))

    def write_tag(self, vid: int, name: bytes, tag: bytes) -> None:
        """The tag in an inode."""
        self.ask("WRITE_INODE", shown(name), lambda: self._sheep.write_tag(vid, tag))

    def write_header(self, seen: View, size_bytes: int) -> None:
        """A whole inode header, with another size."""
        self.ask("WRITE_INODE", shown(seen.name), lambda: self._sheep.write_header(seen, size_bytes))


def shown(name: bytes) -> str:
    """A name in the request log."""
    return name.decode("utf-8", "backslashreplace")
