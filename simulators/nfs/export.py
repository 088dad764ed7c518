"""The simulated NFS export as a device: server, wire and faults put together. Fault model: ``legal_faults``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from storcert.harness.contract import JsonValue
from storcert.harness.record.fault import Fault
from storcert.simulators.device import CensusEntry, DeviceLimits, FaultKind, Request
from storcert.simulators.network.wire import DEFAULT_OUTAGE_NS, Answer, Wire
from storcert.simulators.nfs.census import census
from storcert.simulators.nfs.legal_faults import LEGAL_FAULTS
from storcert.simulators.nfs.options import NfsOptions
from storcert.simulators.nfs.protocol import RESULTS, Handle, NfsStatus, Procedure, Reply
from storcert.simulators.nfs.server import Server
from storcert.simulators.nfs.target import target_of
from storcert.simulators.nfs.timing import service_ns

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.loop import Kernel

# Longer than any run: the answer of a frozen server. Its client gives up long before.
_NOBODY: Any = object()
"""Of a name that looks silly and that no client made: somebody wrote it, and somebody can remove it."""
_NEVER_NS = 1 << 62
_ANSWERED: Mapping[str, NfsStatus] = {
    "jukebox": NfsStatus.NFS3ERR_JUKEBOX, "stale": NfsStatus.NFS3ERR_STALE, "io_error": NfsStatus.NFS3ERR_IO,
}  # fmt: skip


class NfsExport:
    """A :class:`SimulatedDevice`. ``options``: an :class:`NfsOptions`, or the table it is made from.

    Clients use :attr:`root` and :meth:`call`; ``server`` is the same without wire, time and faults.
    """

    legal_faults: tuple[FaultKind, ...] = LEGAL_FAULTS

    def __init__(self, kernel: Kernel, options: NfsOptions | Mapping[str, Any] | None = None) -> None:
        if not isinstance(options, NfsOptions):
            options = NfsOptions.from_mapping(options)
        self.options = options
        self.name = options.name
        # The sizes of one request: what a driver transfers in one go is cut there by the client.
        self.limits = DeviceLimits(
            part_size_bytes=options.wsize_bytes, max_object_size_bytes=options.file_max_bytes,
            name_bytes_max=options.name_max_bytes,
        )
        self._kernel = kernel
        self.server = Server(options, kernel.stream(f"{self.name}/server"), kernel.now_ns)
        self.wire = Wire(kernel, self.name, link=options.link(), legal_faults=LEGAL_FAULTS, on_fault=self._on_fault)
        self.silly_owners: dict[bytes, tuple[Location, int] | None] = {}
        self._frozen = False
        self._held: list[Callable[[], Reply]] = []

    # -- what a client sees

    @property
    def root(self) -> Handle:
        """The handle of the export's root directory, as MOUNT gives it. It stays good."""
        return self.server.root

    def call(
        self, location: Location, procedure: Procedure, arguments: Any, *, xid: int = 0, uid: int = 0, gid: int = 0,
        connection: int = 0, read_timeout_ns: int | None = None,
    ) -> Reply:
        """Send one request from the running task, which must run at ``location``, and wait for the answer in virtual time.

        ``xid``: a request sent again keeps it. ``connection``: numbered by the client; after a reset or a time-out that made
        it reconnect it takes another number. The duplicate request cache looks at both. Raises the wire's errors
        (``storcert.simulators.network.errors``) where no answer comes: ``ConnectRefused`` (no effect), ``ConnectionReset``,
        ``ReadTimeout`` (either may have happened or happen later); ``None`` for ``read_timeout_ns`` waits for ever.
        """
        data = getattr(arguments, "data", b"")

        def act() -> Reply:
            return self.server.handle(
                procedure, arguments, uid=uid, gid=gid, now_ns=self._kernel.now_ns, xid=xid,
                connection=(location.name, location.epoch, connection),
            )

        def effect() -> Answer:
            if self._frozen:
                self._held.append(act)
                return Answer(None, "frozen", 0, _NEVER_NS)
            return _answer(procedure, act())

        target = target_of(self.server.fs.tree, arguments)
        delivery = self.wire.call(procedure.value, target, effect, sent_bytes=len(data), read_timeout_ns=read_timeout_ns)
        reply: Reply = delivery.answer.result
        return reply

    # -- what the kit sees

    @property
    def requests(self) -> list[Request]:
        """Every request so far."""
        return self.wire.requests

    @property
    def fired(self) -> list[Fault]:
        """The armed faults that struck."""
        return self.wire.plan.fired

    def configuration(self) -> dict[str, JsonValue]:
        """A driver's default configuration."""
        return {"mount": self.options.mount}

    def attach(self, location: Location) -> None:
        """The export is mounted at that location."""
        # The client stands above the server and imports it.
        from storcert.simulators.nfs.mount import mount

        mount(self, location)

    def census(self) -> tuple[CensusEntry, ...]:
        """All it holds that somebody who is alive could have taken away: not the silly names of clients that died or whose
        removal of them failed. Linux leaves those behind for ever, and no program above it hears of it. [fs/nfs/unlink.c]"""
        return tuple(
            entry for entry in census(self.server.fs.tree) if entry.kind != "silly" or self._owned(entry.name)
        )

    def _owned(self, path: str) -> bool:
        owner = self.silly_owners.get(path.rpartition("/")[2].encode(), _NOBODY)
        return owner is _NOBODY or (owner is not None and owner[0].alive and owner[0].epoch == owner[1])

    def arm(self, faults: Sequence[Fault]) -> None:
        """Replace the fault schedule."""
        self.wire.plan.arm(faults)

    def heal(self) -> None:
        """No faults, server up, space free, rights as configured. What a frozen server had taken in is done now."""
        self.wire.heal()
        self.server.fs.heal()
        self._frozen = False
        held, self._held = self._held, []
        for act in held:
            act()

    def _on_fault(self, fault: Fault, operation: str) -> Answer | None:
        """What the wire does not do itself."""
        fs = self.server.fs
        match fault.kind:
            case "server_restart" | "power_loss":
                # A process that was stopped and dies took nothing in.
                self._held.clear()
                self.server.restart(self._kernel.now_ns + (fault.value or DEFAULT_OUTAGE_NS))
            case "jukebox" | "stale" | "io_error":
                procedure, status = Procedure(operation), _ANSWERED[fault.kind]
                result = RESULTS[procedure]
                return _answer(procedure, Reply(status, None if result is None else result()))
            case "full":
                fs.full = True
            case "full_at_commit":
                fs.commit_full = True
            case "quota":
                fs.quota_full = True
            case "read_only":
                fs.read_only = True
            case "root_squash":
                fs.root_squash = True
            case "frozen":
                self._frozen = True
            case _:
                pass
        return None


def _answer(procedure: Procedure, reply: Reply) -> Answer:
    status = reply.status
    body = len(reply.result.data) if procedure is Procedure.READ else 0
    return Answer(reply, "ok" if status is NfsStatus.NFS3_OK else status.name, body, service_ns(procedure, reply))
