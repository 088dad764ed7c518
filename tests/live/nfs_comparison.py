"""One program of NFS calls on the simulator and on ganesha, compared step by step; a difference is made small by leaving
steps out. What is compared and how programs are drawn stands in ``tests.simulators.nfs.nfs_programs``."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from storcert.conformance.live_targets.ganesha import Ganesha
from storcert.conformance.live_targets.onc_rpc import Connection, mount
from storcert.simulators.nfs.filesystem import NOBODY
from storcert.simulators.nfs.known_differences import KNOWN_DIFFERENCES
from storcert.simulators.nfs.options import NfsOptions
from storcert.simulators.nfs.protocol import (
    SERVER_TIME,
    FileType,
    Handle,
    NameArguments,
    NfsStatus,
    Procedure,
    ReaddirArguments,
    Reply,
    SetattrArguments,
    SetAttributes,
)
from storcert.simulators.nfs.server import Server
from tests.simulators.nfs.nfs_programs import Run, Step, differences, marks

P = Procedure
_START_NS = 1_700_000_000 * 10**9
_MS = 10**6
_runs = itertools.count(1)


class Simulated:
    """The model, without wire."""

    def __init__(self, **options: Any) -> None:
        self.options = NfsOptions.from_mapping({"grace_ns": 0, **options})
        self.server = Server(self.options, Random(7), _START_NS)
        self.now_ns = _START_NS
        self._epoch = 0

    def call(self, procedure: Procedure, arguments: Any, *, uid: int, gid: int, connection: int, xid: int) -> Reply:
        """One call, a millisecond after the last."""
        self.now_ns += _MS
        return self.server.handle(
            procedure, arguments, uid=uid, gid=gid, now_ns=self.now_ns, xid=xid, connection=(self._epoch, connection))

    def restart(self) -> None:
        """The server comes back; its connections are gone."""
        self.server.restart(self.now_ns)
        self.reconnect()

    def reconnect(self) -> None:
        """All connections are new ones from now on."""
        self._epoch += 1


class Real:
    """A running ganesha; connections are opened as they are used."""

    def __init__(self, server: Ganesha) -> None:
        self.server = server
        self._connections: dict[int, Connection] = {}
        # Ganesha may take a new connection from an old port for the old one: no XID is used twice but on purpose.
        self._first_xid = 100_000 * next(_runs)

    def call(self, procedure: Procedure, arguments: Any, *, uid: int, gid: int, connection: int, xid: int) -> Reply:
        """One call."""
        wire = self._connections.get(connection)
        if wire is None:
            wire = self._connections[connection] = Connection(self.server.port)
        xid = (self._first_xid + xid) & 0xFFFF_FFFF
        try:
            return wire.call(procedure, arguments, uid=uid, gid=gid, xid=xid)
        except TimeoutError:
            # The same XID so soon that the server takes the first one for unfinished: it drops the second. Clients repeat.
            return wire.call(procedure, arguments, uid=uid, gid=gid, xid=xid)

    def restart(self) -> None:
        """Killed and started again."""
        self.reconnect()
        self.server.kill()
        self.server.restart()

    def reconnect(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def empty(self, root: Handle) -> None:
        """Remove all below ``root`` and give it its usual rights."""
        self.reconnect()
        wire = Connection(self.server.port)
        try:
            _clear(wire, root)
            wire.call(P.SETATTR, SetattrArguments(root, SetAttributes(0o777, 0, 0, mtime_ns=SERVER_TIME)))
        finally:
            wire.close()

    def empty_behind(self, export: str, fill: Callable[[Path], None] | None = None) -> None:
        """The same where root may not do that: on the disk, while the server is down; ``fill`` puts something there."""
        self.reconnect()
        self.server.kill()
        path = self.server.path(export)
        shutil.rmtree(path)
        path.mkdir()
        path.chmod(0o777)
        if fill is not None:
            fill(path)
        self.server.restart()


def _clear(wire: Connection, directory: Handle) -> None:
    while True:
        listed = wire.call(P.READDIRPLUS, ReaddirArguments(directory, count=65_536))
        assert listed.status is NfsStatus.NFS3_OK, listed
        entries = [entry for entry in listed.result.entries if entry.name not in (b".", b"..")]
        for entry in entries:
            assert entry.attributes is not None
            assert entry.handle is not None
            folder = entry.attributes.type is FileType.DIR
            if folder:
                _clear(wire, entry.handle)
            wire.call(P.RMDIR if folder else P.REMOVE, NameArguments(directory, entry.name))
        if not entries:
            return


@dataclass(slots=True)
class Comparison:
    """What came of a program: how many calls both answered, the difference nobody explained, the rows that explained."""

    calls: int = 0
    unexplained: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)


OPTIONS: Mapping[str, Mapping[str, Any]] = {"plain": {}, "squash": {"root_squash": True}, "readonly": {}}


def compare(program: Sequence[Step], server: Ganesha, export: str = "plain") -> Comparison:
    """Run ``program`` on both, from an empty export; ``readonly`` has some objects in it on both sides."""
    simulated, real = Simulated(**OPTIONS[export]), Real(server)
    if export == "squash":
        real.empty_behind(export)
    elif export == "readonly" and not (server.path(export) / "a").exists():
        real.empty_behind(export, fill_folder)
    root = mount(server.mount_port, str(server.path(export)))
    found = Comparison()
    try:
        if export == "plain":
            real.empty(root)
        elif export == "readonly":
            fill_model(simulated.server)
        _walk(program, Run(simulated, simulated.server.root), Run(real, root), found, NOBODY if export == "squash" else 0)
    finally:
        real.reconnect()
    return found


def _walk(program: Sequence[Step], left: Run, right: Run, found: Comparison, root_uid: int) -> None:
    for index, step in enumerate(program):
        (ours, our_handle), (theirs, their_handle) = left.step(step), right.step(step)
        found.calls += 1
        found.statuses[step.name, ours["status"]] += 1
        words: list[str] = []
        stop = False
        for name, mine, other in differences(ours, theirs):
            asked = marks(step, ours, name) | {"uid": str(step.uid or root_uid)}
            row = next((row for row in KNOWN_DIFFERENCES if row.explains(step.name, asked, name, mine, other)), None)
            if row is None:
                words.append(f"step {index} {step}: {name}: simulator {mine!r}, ganesha {other!r}")
            else:
                found.rows[row.name] += 1
                stop |= row.scope == "program"
        if stop:  # whatever else differs in this answer follows from it
            return
        found.unexplained += words
        if words:
            return
        if our_handle is not None and their_handle is not None:
            left.learn(our_handle)
            right.learn(their_handle)


def fill_folder(folder: Path) -> None:
    """A file, a folder with a file in it, a link."""
    (folder / "a").write_bytes(b"hello")
    (folder / "a").chmod(0o644)
    (folder / "b").mkdir(mode=0o755)
    (folder / "b" / "c").write_bytes(b"x" * 5000)
    (folder / "b" / "c").chmod(0o600)
    (folder / "d").symlink_to("a")


def fill_model(server: Server) -> None:
    """The same in the model, read-only from then on."""
    tree, now_ns = server.fs.tree, _START_NS
    for directory, name, mode, data in ((tree.root, b"a", 0o644, b"hello"), (None, b"c", 0o600, b"x" * 5000)):
        if directory is None:
            directory = tree.make_directory(0o755, 0, 0, now_ns)
            tree.root.put(b"b", directory, now_ns)
        file = tree.make_file(mode, 0, 0, now_ns)
        file.content = data
        directory.put(name, file, now_ns)
    tree.root.put(b"d", tree.make_symlink(b"a", 0o777, 0, 0, now_ns), now_ns)
    server.fs.read_only = True


def smallest(program: Sequence[Step], server: Ganesha, export: str = "plain") -> list[Step]:
    """A part of ``program`` that still shows a difference and of which no step can be left out."""
    steps = list(program)
    size = len(steps) // 2
    while size:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size :]
            if fewer and compare(fewer, server, export).unexplained:
                steps = fewer
            else:
                at += size
        size //= 2
    return steps
